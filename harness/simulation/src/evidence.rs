//! The trace of a run as snapshots and oracles read it: which messages went where, and what became of them.
//!
//! Owns the one reading of packets as messages. Refuses to judge, and to know more than the trace says.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::rc::Rc;

use bytes::Bytes;
use linefault_actors::SocketError;
use linefault_network::{
    self as network, Alteration, HostId, Instant, LossReason, Packet, RecordId,
};
use linefault_protocol::sip::{Limits, Message, Method, Verdict, glance, parse};

use crate::run::{End, FaultCount, Simulation};
use crate::trace::{Event, Trace};

/// What is known of one run.
#[derive(Debug)]
pub struct Evidence<'a> {
    /// Everything that was recorded.
    pub trace: &'a Trace,
    /// When the run ended.
    pub ended_at: Instant,
    /// Whether it ended because nothing was left to happen.
    pub quiet: bool,
    /// What became of each fault of the scenario, in its order.
    pub faults: &'a [FaultCount],
    /// Every datagram that a host sent or tried to send, in order.
    pub transmissions: Vec<Transmission>,
    /// Every datagram that reached a socket, in order.
    pub arrivals: Vec<Arrival>,
}

/// One datagram that a host sent, or tried to send.
#[derive(Clone, Debug)]
pub struct Transmission {
    /// Its record.
    pub record: RecordId,
    /// When it was sent.
    pub at: Instant,
    /// Who sent it.
    pub from: HostId,
    /// Who has the address that it was sent to, if anybody.
    pub to: Option<HostId>,
    /// The address that it was sent from.
    pub source: SocketAddr,
    /// The address that it was sent to.
    pub destination: SocketAddr,
    /// Its payload.
    pub datagram: Bytes,
    /// What it says, if that can be read.
    pub message: Option<Rc<SipMessage>>,
    /// How often the same bytes went to the same address before.
    pub repeat: u32,
    /// What became of it.
    pub fate: Fate,
    /// What faults did to it, other than losing it.
    pub alterations: Vec<Alteration>,
    /// When it arrived, copies included.
    pub arrived: Vec<Instant>,
}

/// What became of a datagram. A copy that a fault made counts only for its arrival.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    /// The run ended before anything did.
    Underway,
    /// It reached a socket.
    Arrived {
        /// When.
        at: Instant,
    },
    /// It got lost.
    Lost {
        /// Why.
        reason: LossReason,
    },
    /// The send failed.
    Unsent(SocketError),
}

/// One datagram that reached a socket.
#[derive(Clone, Debug)]
pub struct Arrival {
    /// Its record.
    pub record: RecordId,
    /// When it arrived.
    pub at: Instant,
    /// Where it arrived.
    pub host: HostId,
    /// The address that it came from.
    pub source: SocketAddr,
    /// The transmission that it comes from, by its index; none where a copy's original is unknown.
    pub transmission: Option<usize>,
    /// What it says as it arrived, if that can be read.
    pub message: Option<Rc<SipMessage>>,
}

/// A SIP message and what oracles ask of it most. What a malformed message lacks is empty.
#[derive(Debug)]
pub struct SipMessage {
    /// The message, as far as it can be read.
    pub message: Message,
    /// Whether an element would accept it.
    pub well_formed: bool,
    /// The method of the request, or of the request that is answered.
    pub method: Method,
    /// The status, for a response.
    pub status: Option<u16>,
    /// The Call-ID.
    pub call_id: String,
    /// The branch of the top Via.
    pub branch: String,
    /// The number in CSeq.
    pub cseq: u32,
}

impl SipMessage {
    /// Reads a datagram; nothing if it does not even begin like a SIP message.
    #[must_use]
    pub fn read(datagram: &[u8]) -> Option<Self> {
        let limits = Limits::default();
        let (message, well_formed) = match parse(datagram, &limits) {
            Verdict::Accept(message) => (message, true),
            Verdict::Reject(rejection) => (rejection.message, false),
            Verdict::Drop(_) => (glance(datagram, &limits)?, false),
        };
        let branch = message
            .top_via()
            .ok()
            .and_then(|via| via.branch().map(str::to_owned));
        Some(Self {
            well_formed,
            method: message.method(),
            status: message.status().map(|status| status.code()),
            call_id: message.call_id().unwrap_or_default().to_owned(),
            branch: branch.unwrap_or_default(),
            cseq: message.cseq().map_or(0, |cseq| cseq.number),
            message,
        })
    }

    /// Whether this is a request.
    #[must_use]
    pub fn is_request(&self) -> bool {
        self.status.is_none()
    }

    /// Whether this is a response of 200 or above.
    #[must_use]
    pub fn is_final(&self) -> bool {
        self.status.is_some_and(|status| status >= 200)
    }

    /// "INVITE" for a request, "200 INVITE" for a response.
    #[must_use]
    pub fn summary(&self) -> String {
        match self.status {
            Some(status) => format!("{status} {}", self.method),
            None => self.method.to_string(),
        }
    }
}

impl Transmission {
    /// Whether it left its host.
    #[must_use]
    pub fn left(&self) -> bool {
        !matches!(self.fate, Fate::Unsent(_))
    }
}

impl<'a> Evidence<'a> {
    /// Reads a finished trace.
    #[must_use]
    pub fn new(simulation: &'a Simulation) -> Self {
        let trace = &simulation.trace;
        let mut reader = Reader {
            trace: Some(trace),
            ..Reader::default()
        };
        for (id, record) in trace.iter() {
            reader.read(id, record.at, record.host, &record.event);
        }
        Self {
            trace,
            ended_at: simulation.ended_at,
            quiet: simulation.end == End::Quiet,
            faults: &simulation.faults,
            transmissions: reader.transmissions,
            arrivals: reader.arrivals,
        }
    }

    /// The name of a host.
    #[must_use]
    pub fn name(&self, host: HostId) -> &'a str {
        self.trace.host_name(host)
    }

    /// The id of the scenario's host of that index.
    #[must_use]
    pub fn host(&self, index: usize) -> Option<HostId> {
        self.trace.hosts().get(index).map(|host| host.id)
    }

    /// When the host's process ended or was frozen, each time.
    pub fn stops(&self, host: HostId) -> impl Iterator<Item = Instant> {
        let stops = self.trace.records().iter().filter(move |record| {
            record.host == Some(host)
                && matches!(
                    record.event,
                    Event::Network(
                        network::Event::HostStopped { .. } | network::Event::HostFrozen { .. }
                    )
                )
        });
        stops.map(|record| record.at)
    }

    /// Whether the host ran without a break from `from` to `until`, both included.
    #[must_use]
    pub fn lived_through(&self, host: HostId, from: Instant, until: Instant) -> bool {
        !self.stops(host).any(|at| from <= at && at <= until)
    }
}

#[derive(Default)]
struct Reader<'a> {
    trace: Option<&'a Trace>,
    transmissions: Vec<Transmission>,
    arrivals: Vec<Arrival>,
    /// Transmissions by the id of their packet, and copies by theirs.
    by_packet: BTreeMap<u64, usize>,
    repeats: BTreeMap<(HostId, SocketAddr, Bytes), Repeated>,
}

struct Repeated {
    count: u32,
    message: Option<Rc<SipMessage>>,
}

impl Reader<'_> {
    fn read(&mut self, id: RecordId, at: Instant, host: Option<HostId>, event: &Event) {
        match event {
            Event::Network(network::Event::Sent { packet }) => self.sent(id, at, packet),
            Event::Network(network::Event::Delivered { packet }) => self.delivered(id, at, packet),
            Event::Network(network::Event::Lost { packet, reason }) => self.lost(packet, *reason),
            Event::Network(network::Event::Altered { packet, how, .. }) => {
                self.altered(packet, *how);
            }
            Event::Unsent(unsent) => {
                let Some(from) = host else { return };
                let transmission = self.transmission(
                    (id, at),
                    from,
                    (unsent.from, unsent.to),
                    unsent.datagram.clone(),
                    Fate::Unsent(unsent.error),
                );
                let to = self.trace.and_then(|trace| trace.host_at(unsent.to));
                self.transmissions.push(Transmission { to, ..transmission });
            }
            _ => {}
        }
    }

    fn sent(&mut self, id: RecordId, at: Instant, packet: &Packet) {
        let (Some(from), Some(datagram)) = (packet.sender, packet.datagram()) else {
            return;
        };
        let addresses = (packet.from, packet.to);
        let sent = self.transmission((id, at), from, addresses, datagram.clone(), Fate::Underway);
        self.by_packet.insert(packet.id, self.transmissions.len());
        self.transmissions.push(Transmission {
            to: packet.receiver,
            ..sent
        });
    }

    fn transmission(
        &mut self,
        (record, at): (RecordId, Instant),
        from: HostId,
        (source, destination): (SocketAddr, SocketAddr),
        datagram: Bytes,
        fate: Fate,
    ) -> Transmission {
        let key = (from, destination, datagram.clone());
        let seen = self.repeats.entry(key);
        let seen = seen
            .and_modify(|seen| seen.count += 1)
            .or_insert_with(|| Repeated {
                count: 0,
                message: SipMessage::read(&datagram).map(Rc::new),
            });
        let (repeat, message) = (seen.count, seen.message.clone());
        Transmission {
            record,
            at,
            from,
            to: None,
            source,
            destination,
            datagram,
            message,
            repeat,
            fate,
            alterations: Vec::new(),
            arrived: Vec::new(),
        }
    }

    fn altered(&mut self, packet: &Packet, how: Alteration) {
        if let Alteration::Duplicated { of } = how
            && let Some(original) = self.by_packet.get(&of).copied()
        {
            self.by_packet.insert(packet.id, original);
        }
        let sent = self
            .by_packet
            .get(&packet.id)
            .and_then(|index| self.transmissions.get_mut(*index));
        sent.into_iter().for_each(|sent| sent.alterations.push(how));
    }

    fn delivered(&mut self, id: RecordId, at: Instant, packet: &Packet) {
        let (Some(host), Some(datagram)) = (packet.receiver, packet.datagram()) else {
            return;
        };
        let transmission = self.by_packet.get(&packet.id).copied();
        let original = transmission.and_then(|index| self.transmissions.get_mut(index));
        let message = match original {
            Some(sent) => {
                sent.arrived.push(at);
                if !matches!(sent.fate, Fate::Arrived { .. }) {
                    sent.fate = Fate::Arrived { at };
                }
                let unchanged = sent.datagram == *datagram;
                unchanged.then(|| sent.message.clone())
            }
            None => None,
        };
        let message = message.unwrap_or_else(|| SipMessage::read(datagram).map(Rc::new));
        let source = packet.from;
        self.arrivals.push(Arrival {
            record: id,
            at,
            host,
            source,
            transmission,
            message,
        });
    }

    fn lost(&mut self, packet: &Packet, reason: LossReason) {
        let sent = self
            .by_packet
            .get(&packet.id)
            .and_then(|index| self.transmissions.get_mut(*index));
        if let Some(sent) = sent.filter(|sent| sent.fate == Fate::Underway) {
            sent.fate = Fate::Lost { reason };
        }
    }
}
