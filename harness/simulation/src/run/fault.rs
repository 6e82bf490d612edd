//! From a fault of the scenario to one of the network.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::rc::Rc;

use bytes::Bytes;
use linefault_network::{self as network, Injection, Scope};
use linefault_network::{FaultId, HostId, Instant, Network, Packet, PartsPerMillion};
use linefault_protocol::sip::{Limits, Verdict, parse};

use super::life::Life;
use crate::evidence::messages_in;
use crate::evidence::talk::Talk;
use crate::injection::{self, Injections};
use crate::scenario::{Fault, Pattern, Place, Selection, StreamPattern, network_fault};

/// What became of one fault of the scenario.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct FaultCount {
    /// The network's number for it, once it has begun.
    pub id: Option<FaultId>,
    /// When it began, if it did.
    pub armed_at: Option<Instant>,
    /// How many packets, calls or hosts it concerned.
    pub matched: u64,
    /// How many of those it altered.
    pub applied: u64,
}

/// A fault that has begun, or not yet.
#[derive(Debug, Default)]
pub(super) struct Injected {
    id: Option<FaultId>,
    /// Where to count a failure of a host's program: by that fault, in that host.
    program: Option<(usize, Rc<Injections>)>,
}

impl Injected {
    /// Begins the fault now. `hosts` are the network's ids in the scenario's order.
    ///
    /// # Panics
    /// If the network has no such fault or refuses its parameters: the reader checks both.
    pub(super) fn inject(fault: &Fault, hosts: &[HostId], network: &Network) -> Self {
        let known = network_fault(fault.name, &fault.arguments);
        let known = known.expect("the reader knows the network's faults");
        let probability = fault.selection.probability.and_then(PartsPerMillion::new);
        let injection = Injection {
            fault: known.expect("the reader checks parameters"),
            scope: scope(&fault.place, hosts),
            matching: matcher(&fault.selection),
            skip: 0,
            times: fault.selection.times.map(u64::from),
            probability: probability.unwrap_or(PartsPerMillion::ALWAYS),
            lasts: fault.lasts,
        };
        Self {
            id: Some(network.inject(injection)),
            program: None,
        }
    }

    /// Begins a failure of the host's own program. To the network it is a mark in the trace.
    pub(super) fn into_program(fault: &Fault, life: &Life, network: &Network) -> Self {
        let arguments = &fault.arguments;
        let mark = network::fault::Fault::new(injection::NAME, Mark);
        let id = network.inject(Injection {
            lasts: fault.lasts,
            ..Injection::new(mark, Scope::Host(life.id))
        });
        life.injections.arm(injection::Injection {
            fault: fault.index,
            point: arguments.text("point").unwrap_or_default().to_owned(),
            panics: arguments.text("as") == Some("panic"),
            left: arguments
                .integer("times")
                .and_then(|times| u64::try_from(times).ok()),
            until: fault.lasts.map(|length| network.now() + length),
            failures: 0,
        });
        Self {
            id: Some(id),
            program: Some((fault.index, Rc::clone(&life.injections))),
        }
    }

    pub(super) fn count(&self, network: &Network) -> FaultCount {
        let Some(report) = self.id.map(|id| network.fault_report(id)) else {
            return FaultCount::default();
        };
        let of_network = (report.matched, report.applied);
        let program = self.program.as_ref();
        let (matched, applied) = program.map_or(of_network, |(fault, injections)| {
            // Whenever the program comes by, it fails.
            let failures = injections.count(*fault);
            (failures, failures)
        });
        FaultCount {
            id: self.id,
            armed_at: Some(report.armed_at),
            matched,
            applied,
        }
    }
}

/// A fault that does nothing to the network.
struct Mark;

impl network::fault::Rule for Mark {
    fn concerns(&self, _: network::fault::Phase) -> bool {
        false
    }

    fn judge(
        &mut self,
        _: network::fault::Phase,
        _: &Packet,
        _: network::Key,
    ) -> network::fault::Verdict {
        network::fault::Verdict::Pass
    }
}

fn scope(place: &Place, hosts: &[HostId]) -> Scope {
    let all =
        |group: &[crate::scenario::HostIndex]| group.iter().map(|host| hosts[host.0]).collect();
    match place {
        Place::Everywhere => Scope::Everywhere,
        Place::Host(host) => Scope::Host(hosts[host.0]),
        Place::Link { from, to } => Scope::Link {
            from: hosts[from.0],
            to: hosts[to.0],
        },
        Place::Between {
            left,
            right,
            one_way,
        } => Scope::Between {
            a: all(left),
            b: all(right),
            one_way: *one_way,
        },
    }
}

type Matcher = Box<dyn FnMut(&Packet) -> bool>;

/// Which packets the fault concerns, where it concerns messages; the network counts and draws the rest.
fn matcher(selection: &Selection) -> Option<Matcher> {
    let Selection {
        message,
        nth,
        retransmission,
        ..
    } = selection.clone();
    if message.is_none() && nth.is_none() && retransmission.is_none() {
        return None;
    }
    if let Some(pattern) = message.as_ref().and_then(Pattern::stream) {
        return Some(said(pattern.clone(), nth, retransmission));
    }
    let mut seen = Seen::default();
    Some(Box::new(move |packet| {
        let mut concerned = false;
        for datagram in messages_in(packet) {
            let matching = message.as_ref();
            if matching.is_none_or(|pattern| matches(pattern, packet, &datagram)) {
                let (place, repeat) = seen.count(packet, &datagram);
                concerned |= nth.is_none_or(|nth| nth == place)
                    && retransmission.is_none_or(|wanted| wanted == repeat);
            }
        }
        concerned
    }))
}

/// Which segments the fault concerns: those with the last byte of a message that is meant. A message on a connection is
/// distinct from every other, even if it says the same.
fn said(pattern: StreamPattern, nth: Option<u32>, retransmission: Option<u32>) -> Matcher {
    let mut talk = Talk::default();
    let mut carried: BTreeMap<usize, (u32, u32)> = BTreeMap::new();
    Box::new(move |packet| {
        let mut concerns = false;
        for said in talk.carried(packet) {
            if !pattern.matches(&talk.utterances[said].what) {
                continue;
            }
            let place = u32::try_from(carried.len() + 1).unwrap_or(u32::MAX);
            let times = carried.entry(said).or_insert((place, 0));
            let (place, repeat) = *times;
            times.1 += 1;
            concerns |= nth.is_none_or(|nth| nth == place)
                && retransmission.is_none_or(|wanted| wanted == repeat);
        }
        concerns
    })
}

fn matches(pattern: &Pattern, packet: &Packet, datagram: &[u8]) -> bool {
    match parse(datagram, &Limits::default()) {
        Verdict::Accept(message) => pattern.matches(&message),
        // A message in several segments is known by the first of them.
        Verdict::Reject(begun) if packet.segment().is_some() => pattern.matches(&begun.message),
        Verdict::Reject(_) | Verdict::Drop(_) => false,
    }
}

/// Tells distinct messages from repeats: a repeat is the same bytes between the same two addresses.
#[derive(Default)]
struct Seen {
    messages: BTreeMap<(SocketAddr, SocketAddr, Bytes), (u32, u32)>,
}

impl Seen {
    /// The message's place among distinct ones, from 1, and how often it came before.
    fn count(&mut self, packet: &Packet, datagram: &Bytes) -> (u32, u32) {
        let place = u32::try_from(self.messages.len())
            .unwrap_or(u32::MAX)
            .saturating_add(1);
        let key = (packet.from, packet.to, datagram.clone());
        let counted = self.messages.entry(key);
        let entry = counted
            .and_modify(|(_, repeats)| *repeats += 1)
            .or_insert((place, 0));
        *entry
    }
}
