//! The trace of a run as snapshots and oracles read it: which messages went where, and what became of them.
//!
//! Owns the one reading of packets as messages. Refuses to judge, and to know more than the trace says.

mod answers;
mod index;
mod message;
mod reader;
mod signalling;
pub mod stream;
pub mod talk;
pub mod tokens;

use std::cell::OnceCell;
use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::rc::Rc;

use bytes::Bytes;
use linefault_actors::SocketError;
use linefault_network::{Alteration, HostId, Instant, LossReason, RecordId};
use linefault_protocol::sip::Transport;

use self::index::{Index, Places};
use self::reader::Reader;
use self::stream::Connection;
use self::talk::{Talk, Utterance};
use crate::lives::Lives;
use crate::run::{End, FaultCount, Simulation};
use crate::trace::{Record, Trace};

pub use self::message::SipMessage;
pub(crate) use self::signalling::messages_in;

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
    /// Every datagram and every SIP message over TCP that a host sent or tried to send, in order.
    pub transmissions: Vec<Transmission>,
    /// Every datagram and every SIP message over TCP that reached a socket, in order.
    pub arrivals: Vec<Arrival>,
    /// Every TCP connection, in the order of their first SYN.
    pub connections: Vec<Connection>,
    /// What was said on them, in the order in which it was whole.
    pub utterances: Vec<Utterance>,
    index: Index,
    lives: Lives,
    off_the_wire: Vec<RecordId>,
    outside: BTreeMap<SocketAddr, HostId>,
    /// Read when somebody asks first: most runs have none.
    exchanges: OnceCell<Vec<tokens::Exchange>>,
    several_answers: OnceCell<BTreeSet<HostId>>,
}

/// One datagram that a host sent, or tried to send; or one message over TCP, which counts as sent when its first byte
/// leaves, and as arrived when its last one has.
#[derive(Clone, Debug)]
pub struct Transmission {
    /// What carries it.
    pub transport: Transport,
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
    /// Whether the scenario sent it in the host's name; the host's actor knows nothing of it.
    pub raw: bool,
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
    /// It got lost. Over TCP: so did every repeat of one of its segments, or nothing was repeated.
    Lost {
        /// Why.
        reason: LossReason,
    },
    /// The send failed.
    Unsent(SocketError),
}

/// One datagram that reached a socket, or one message over TCP all of which did.
#[derive(Clone, Debug)]
pub struct Arrival {
    /// Its record.
    pub record: RecordId,
    /// When it arrived.
    pub at: Instant,
    /// When the application read it; nothing if it never did.
    pub read_at: Option<Instant>,
    /// The record of that.
    pub read: Option<RecordId>,
    /// Where it arrived.
    pub host: HostId,
    /// The address that it came from.
    pub source: SocketAddr,
    /// The transmission that it comes from, by its index; none where a copy's original is unknown.
    pub transmission: Option<usize>,
    /// What it says as it arrived, if that can be read.
    pub message: Option<Rc<SipMessage>>,
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
        let (mut reader, mut talk) = (Reader::of(trace), Talk::among(trace.records().len()));
        let mut lives = Lives::among(trace.hosts().len());
        let mut off_the_wire = Vec::new();
        for (id, record) in trace.iter() {
            reader.take(id, record);
            talk.take(id, record, |_| {});
            lives.take(record);
            if !record.event.is_traffic() {
                off_the_wire.push(id);
            }
        }
        reader.finish();
        Self {
            trace,
            ended_at: simulation.ended_at,
            quiet: simulation.end == End::Quiet,
            faults: &simulation.faults,
            transmissions: reader.transmissions,
            arrivals: reader.arrivals,
            connections: talk.connections.all,
            utterances: talk.utterances,
            index: reader.index,
            lives,
            off_the_wire,
            outside: reader.outside,
            exchanges: OnceCell::new(),
            several_answers: OnceCell::new(),
        }
    }

    /// Every record but those of [traffic](crate::trace::Event::is_traffic), in order: few where there are many packets.
    pub fn off_the_wire(&self) -> impl Iterator<Item = (RecordId, &'a Record)> + use<'a, '_> {
        let trace = self.trace;
        let ids = self.off_the_wire.iter();
        ids.filter_map(move |id| Some((*id, trace.get(*id)?)))
    }

    /// Every request for tokens with what came back, by connection and then in order.
    pub fn token_exchanges(&self) -> &[tokens::Exchange] {
        self.exchanges.get_or_init(|| tokens::exchanges(self))
    }

    /// The hosts that were told several answers at once by token services, in one life.
    pub fn several_answers(&self) -> &BTreeSet<HostId> {
        self.several_answers
            .get_or_init(|| answers::several_at_once(self))
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

    /// The host that an address leads to, through a NAT as well, as far as anything was heard from there.
    #[must_use]
    pub fn host_at(&self, address: SocketAddr) -> Option<HostId> {
        let outside = self.outside.get(&address).copied();
        outside.or_else(|| self.trace.host_at(address))
    }

    /// When the host's process was frozen, each time.
    pub fn freezes(&self, host: HostId) -> impl Iterator<Item = Instant> {
        self.lives.freezes(host).iter().copied()
    }

    /// When the host's process ended or was frozen, each time.
    pub fn stops(&self, host: HostId) -> impl Iterator<Item = Instant> {
        self.lives.stops(host).iter().copied()
    }

    /// Whether the host ran without a break from `from` to `until`, both included.
    #[must_use]
    pub fn lived_through(&self, host: HostId, from: Instant, until: Instant) -> bool {
        !self.stops(host).any(|at| from <= at && at <= until)
    }

    /// Whether a process of the host runs at that moment.
    #[must_use]
    pub fn is_up(&self, host: HostId, at: Instant) -> bool {
        self.lives.is_running(host, at)
    }

    /// The first moment from `at` on at which a process of the host runs; nothing if none does any more.
    #[must_use]
    pub fn runs_from(&self, host: HostId, at: Instant) -> Option<Instant> {
        self.lives.runs_from(host, at)
    }

    /// Which life of the host that is, counted from 0; moments at which one begins belong to it.
    #[must_use]
    pub fn life(&self, host: HostId, at: Instant) -> usize {
        let starts = self.lives.starts(host);
        starts
            .partition_point(|start| *start <= at)
            .saturating_sub(1)
    }

    /// What was sent with that branch on top, in order of time.
    pub fn sent_in_branch(&self, branch: &str) -> impl DoubleEndedIterator<Item = &Transmission> {
        self.sent_at(self.index.branch(branch))
    }

    /// What arrived with that branch on top, in order of time.
    pub fn arrived_in_branch(&self, branch: &str) -> impl DoubleEndedIterator<Item = &Arrival> {
        self.arrived_at(self.index.branch(branch))
    }

    /// What was sent of the request that `message` is, answers, acknowledges or cancels, on whatever branch, in order
    /// of time.
    pub fn sent_in_exchange<'e>(
        &'e self,
        message: &SipMessage,
    ) -> impl DoubleEndedIterator<Item = &'e Transmission> + use<'e, 'a> {
        self.sent_at(self.index.exchange(message))
    }

    /// What arrived of the request that `message` is, answers, acknowledges or cancels, on whatever branch, in order of
    /// time.
    pub fn arrived_in_exchange<'e>(
        &'e self,
        message: &SipMessage,
    ) -> impl DoubleEndedIterator<Item = &'e Arrival> + use<'e, 'a> {
        self.arrived_at(self.index.exchange(message))
    }

    /// Every Call-ID that was seen.
    pub fn calls(&self) -> impl Iterator<Item = &str> {
        self.index.calls()
    }

    /// What was sent of a call, by CSeq and then by time.
    pub fn sent_in_call(&self, call_id: &str) -> impl Iterator<Item = &Transmission> {
        let places = self.index.call(call_id);
        places.flat_map(|places| self.sent_at(Some(places)))
    }

    /// What arrived of a call, by CSeq and then by time.
    pub fn arrived_in_call(&self, call_id: &str) -> impl Iterator<Item = &Arrival> {
        let places = self.index.call(call_id);
        places.flat_map(|places| self.arrived_at(Some(places)))
    }

    fn sent_at<'e>(
        &'e self,
        places: Option<&'e Places>,
    ) -> impl DoubleEndedIterator<Item = &'e Transmission> + use<'e, 'a> {
        let places = places.map_or(&[][..], |places| &places.sent);
        places
            .iter()
            .filter_map(|place| self.transmissions.get(*place))
    }

    fn arrived_at<'e>(
        &'e self,
        places: Option<&'e Places>,
    ) -> impl DoubleEndedIterator<Item = &'e Arrival> + use<'e, 'a> {
        let places = places.map_or(&[][..], |places| &places.arrived);
        places.iter().filter_map(|place| self.arrivals.get(*place))
    }
}
