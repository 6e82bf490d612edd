//! From a fault of the scenario to one of the network.

use std::collections::BTreeMap;
use std::net::SocketAddr;

use bytes::Bytes;
use linefault_network::{FaultId, HostId, Instant, Network, Packet, PartsPerMillion};
use linefault_network::{Injection, Scope};
use linefault_protocol::sip::{Limits, Verdict, parse};

use crate::scenario::{Fault, Pattern, Place, Selection, network_fault};

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
pub(super) struct Injected(Option<FaultId>);

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
        Self(Some(network.inject(injection)))
    }

    pub(super) fn count(&self, network: &Network) -> FaultCount {
        let Some(report) = self.0.map(|id| network.fault_report(id)) else {
            return FaultCount::default();
        };
        FaultCount {
            id: self.0,
            armed_at: Some(report.armed_at),
            matched: report.matched,
            applied: report.applied,
        }
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
    let mut seen = Seen::default();
    Some(Box::new(move |packet| {
        let Some(datagram) = packet.datagram() else {
            return false;
        };
        if !message
            .as_ref()
            .is_none_or(|pattern| matches(pattern, datagram))
        {
            return false;
        }
        let (place, repeat) = seen.count(packet, datagram);
        nth.is_none_or(|nth| nth == place) && retransmission.is_none_or(|wanted| wanted == repeat)
    }))
}

fn matches(pattern: &Pattern, datagram: &[u8]) -> bool {
    match parse(datagram, &Limits::default()) {
        Verdict::Accept(message) => pattern.matches(&message),
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
