//! Everything that happened in one run, in order: the only thing that snapshots, oracles and reports read.
//!
//! Owns the records and their hash. Cheap to write, since a record keeps what it was given and renders
//! nothing until a [`Line`] is asked for; refuses to interpret (that is [`crate::evidence`]'s).

mod digest;
mod line;
mod words;

use std::cell::{Cell, RefCell};
use std::net::SocketAddr;
use std::ops::RangeInclusive;
use std::rc::Rc;

use bytes::Bytes;
use linefault_actors::{Report, SocketError};
use linefault_network::{self as network, AddressMap, HostId, Instant, RecordId, Recorder};
use tracing::Level;

pub use digest::TraceHash;
pub use line::{Line, LineError};

/// One thing that happened.
#[derive(Clone, Debug, Hash)]
pub struct Record {
    /// When, in virtual time.
    pub at: Instant,
    /// Where; nothing for what concerns no host, or several.
    pub host: Option<HostId>,
    /// The record that led to this one.
    pub cause: Option<RecordId>,
    /// What.
    pub event: Event,
}

/// What can happen.
#[derive(Clone, Debug, Hash)]
pub enum Event {
    /// On the network, or in a host's kernel.
    Network(network::Event),
    /// An actor said something about itself.
    Report(Report),
    /// An actor logged a line.
    Log(LogLine),
    /// A datagram did not leave: the send failed.
    Unsent(Box<Unsent>),
    /// An actor's program was made to fail, as a fault wanted.
    Injected(InjectedFailure),
    /// The scenario told an actor to do something, or sent something in its name.
    Step(StepRecord),
    /// The host's processes have done all that they do by themselves after a start.
    Settled,
}

/// A log line as it left the actor.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct LogLine {
    /// Its level.
    pub level: Level,
    /// Its text.
    pub message: String,
    /// Its other fields, in the order in which they were given.
    pub fields: Vec<(&'static str, String)>,
}

/// A datagram that the kernel refused to send.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Unsent {
    /// The socket's address.
    pub from: SocketAddr,
    /// Where it should have gone.
    pub to: SocketAddr,
    /// Its payload.
    pub datagram: Bytes,
    /// What the caller was told.
    pub error: SocketError,
}

/// A failure of an actor's program that a fault wanted.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct InjectedFailure {
    /// The scenario's fault, by its index.
    pub fault: usize,
    /// Where in the program.
    pub point: &'static str,
    /// Whether it is a panic.
    pub panics: bool,
}

/// A step of the scenario that was taken.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct StepRecord {
    /// Its place among the scenario's steps, from 0.
    pub index: usize,
    /// As a reader would say it: "call bob".
    pub text: String,
    /// Whether it sends bytes in the host's name, behind its actor's back.
    pub raw: bool,
    /// Why it could not be taken, if it could not.
    pub refused: Option<&'static str>,
}

/// All records of one run.
#[derive(Clone, Debug, Default)]
pub struct Trace {
    records: Vec<Record>,
    hosts: Vec<TracedHost>,
    by_address: AddressMap<HostId>,
}

/// A host of the simulation, as readers of its trace know it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct TracedHost {
    /// Its id in records.
    pub id: HostId,
    /// Its name.
    pub name: String,
    /// Where its actor serves.
    pub address: SocketAddr,
}

impl Event {
    /// Whether it is a packet's passage, or a program's reading or waiting, timers of a protocol included: what there is
    /// most of.
    #[must_use]
    pub const fn is_traffic(&self) -> bool {
        use network::Event as N;
        let event = match self {
            Self::Network(event) => event,
            Self::Report(Report::Timer { .. }) => return true,
            _ => return false,
        };
        matches!(
            event,
            N::Sent { .. }
                | N::Delivered { .. }
                | N::Received { .. }
                | N::Read { .. }
                | N::Lost { .. }
                | N::Altered { .. }
                | N::Translated { .. }
                | N::TimerSet { .. }
                | N::TimerFired { .. }
                | N::TimerCancelled { .. }
        )
    }
}

/// The least and the most records that a trace has room for from the start.
const ROOM: RangeInclusive<usize> = 1 << 10..=1 << 16;

thread_local! {
    /// How many records the last run on this thread has made. Of campaigns and matrices the next one makes about as many,
    /// and a trace that grows is copied. It decides about memory, and about nothing that can be seen.
    static LAST: Cell<usize> = const { Cell::new(0) };
}

impl Trace {
    /// An empty trace that a network and its observers can write to together.
    #[must_use]
    pub fn shared() -> Rc<RefCell<Self>> {
        let likely = LAST.get() + LAST.get() / 4;
        Rc::new(RefCell::new(Self {
            records: Vec::with_capacity(likely.clamp(*ROOM.start(), *ROOM.end())),
            ..Self::default()
        }))
    }

    /// Takes it out of the hands of those that wrote it.
    pub(crate) fn finish(shared: &RefCell<Self>) -> Self {
        let trace = shared.take();
        LAST.set(trace.records.len());
        trace
    }

    /// Names the hosts that records speak of, in the order of their ids.
    pub fn set_hosts(&mut self, hosts: Vec<TracedHost>) {
        let addresses = hosts.iter().map(|host| (host.address.ip(), host.id));
        self.by_address = addresses.collect();
        self.hosts = hosts;
    }

    /// All records, in the order in which they were made.
    #[must_use]
    pub fn records(&self) -> &[Record] {
        &self.records
    }

    /// The records with their ids.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = (RecordId, &Record)> {
        self.records
            .iter()
            .enumerate()
            .map(|(index, record)| (RecordId(index as u32), record))
    }

    /// The record of that id, if this trace has it.
    #[must_use]
    pub fn get(&self, id: RecordId) -> Option<&Record> {
        self.records.get(id.0 as usize)
    }

    /// The hosts, in the order of their ids.
    #[must_use]
    pub fn hosts(&self) -> &[TracedHost] {
        &self.hosts
    }

    /// The name of a host.
    #[must_use]
    pub fn host_name(&self, id: HostId) -> &str {
        self.hosts.get(id.index()).map_or("?", |host| &host.name)
    }

    /// The host that has that IP address.
    #[must_use]
    pub fn host_at(&self, address: SocketAddr) -> Option<HostId> {
        self.by_address.get(address.ip()).copied()
    }

    /// Adds a record.
    pub fn push(
        &mut self,
        at: Instant,
        host: Option<HostId>,
        cause: Option<RecordId>,
        event: Event,
    ) -> RecordId {
        let id = RecordId(self.records.len() as u32);
        self.records.push(Record {
            at,
            host,
            cause,
            event,
        });
        id
    }

    /// The hash over all records: the same for the same run, on any machine.
    #[must_use]
    pub fn hash(&self) -> TraceHash {
        TraceHash::of(self)
    }
}

impl Recorder for Trace {
    fn record(
        &mut self,
        at: Instant,
        host: Option<HostId>,
        cause: Option<RecordId>,
        event: network::Event,
    ) -> RecordId {
        self.push(at, host, cause, Event::Network(event))
    }
}
