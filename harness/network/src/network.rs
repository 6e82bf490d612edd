//! The network: what a test holds.

use std::cell::RefCell;
use std::fmt;
use std::rc::Rc;
use std::time::Duration;

use crate::Instant;
use crate::draw::Key;
use crate::event::{Event, RecordId};
use crate::fault::Faults;
use crate::host::Host;
use crate::link::{Latency, Links};
use crate::nat::NatOptions;
use crate::queue::{Queue, Rank};
use crate::recorder::Recorder;
use crate::state::{Happening, Inner, Machine, State};
use crate::subnet::Subnet;
use crate::topology::{HostId, HostOptions, LanId, Topology, TopologyError};

/// A simulated network and its virtual time. Clones are handles to the same one.
///
/// Everything happens within [`Self::advance`], on the calling thread. A handle must not be kept by code on a host: it
/// would keep the network alive for ever; hosts get a [`Host`].
///
/// # Panics
/// Methods that take a [`HostId`] or a [`FaultId`](crate::FaultId) panic if it belongs to another network.
#[derive(Clone)]
pub struct Network(pub(crate) Rc<Inner>);

impl Network {
    /// An empty network. Equal seeds and equal use give equal records.
    #[must_use]
    pub fn new(seed: u64, recorder: Rc<RefCell<dyn Recorder>>) -> Self {
        Self(Rc::new(Inner::new(State {
            seed,
            root: Key::new(seed),
            now: Instant::START,
            cause: None,
            polled: None,
            recorder,
            queue: Queue::new(),
            topology: Topology::default(),
            machines: Vec::new(),
            #[cfg(feature = "foreign")]
            has_foreign: false,
            links: Links::default(),
            nats: crate::nat::Nats::default(),
            neighbours: crate::neighbour::Neighbours::default(),
            neighbour_timeout: Duration::from_secs(1),
            limiter: crate::router::Limiter::default(),
            faults: Faults::default(),
            woken: std::sync::Arc::default(),
            wakes: Vec::new(),
            polling: Vec::new(),
            segments: Vec::new(),
            packets_in_flight: 0,
            foreground_timers: 0,
            work_limit: 1_000_000,
            work_done: 0,
            last_packet: 0,
            last_socket: 0,
            last_task: 0,
            last_timer: 0,
        })))
    }

    /// The virtual time.
    #[must_use]
    pub fn now(&self) -> Instant {
        self.0.with(|state| state.now)
    }

    /// The seed.
    #[must_use]
    pub fn seed(&self) -> u64 {
        self.0.with(|state| state.seed)
    }

    /// Adds a LAN; a router joins it to all others.
    ///
    /// # Errors
    /// A name that is taken, or a subnet that overlaps another LAN's.
    pub fn add_lan(&self, name: &str, subnets: &[Subnet]) -> Result<LanId, TopologyError> {
        self.0.with(|state| state.topology.add_lan(name, subnets))
    }

    /// Puts a NAT in front of a LAN: its hosts reach the outside under the NAT's addresses, and the outside reaches them
    /// only there. Their own addresses are private from now on, and lead nowhere from other LANs.
    ///
    /// # Errors
    /// No outside address, one that is taken, cannot be held, or is the LAN's own; a LAN that has a NAT already.
    pub fn add_nat(&self, lan: LanId, options: NatOptions) -> Result<(), TopologyError> {
        self.0.with(|state| {
            let root = state.root.with_text("nat");
            let key = state.topology.add_nat(lan, &options.outside, root)?;
            state.nats.add(lan, options, key);
            Ok(())
        })
    }

    /// Adds a host: a machine that is on and has no process yet, so that all its ports are closed.
    ///
    /// # Errors
    /// A name or an address that is taken, or an address that cannot be on that LAN.
    pub fn add_host(&self, options: HostOptions) -> Result<HostId, TopologyError> {
        self.0.with(|state| {
            let machine = Machine::new(options.platform);
            let root = state.root.with_text("host");
            let id = state.topology.add_host(options, root)?;
            state.machines.push(machine);
            Ok(id)
        })
    }

    /// The host of this name.
    #[must_use]
    pub fn host_id(&self, name: &str) -> Option<HostId> {
        self.0.with(|state| state.topology.by_name(name))
    }

    /// All hosts, in the order of adding.
    #[must_use]
    pub fn hosts(&self) -> Vec<HostId> {
        self.0.with(|state| state.topology.hosts().collect())
    }

    /// A handle to the host's present incarnation; before the first start, one that can do nothing.
    #[must_use]
    pub fn host(&self, id: HostId) -> Host {
        self.0
            .with(|state| Host::new(Rc::downgrade(&self.0), state, id))
    }

    /// One-way latency of every link that has none of its own: 5 ms unless set.
    pub fn set_default_latency(&self, latency: Latency) {
        self.0.with(|state| state.links.default = latency);
    }

    /// One-way latency from one host to another.
    pub fn set_latency(&self, from: HostId, to: HostId, latency: Latency) {
        self.0
            .with(|state| state.links.set((Some(from), Some(to)), latency));
    }

    /// How long macOS hosts take to notice that a neighbour has vanished: 1 s unless set.
    pub fn set_neighbour_timeout(&self, timeout: Duration) {
        self.0.with(|state| state.neighbour_timeout = timeout);
    }

    /// How many polls and events one instant may take before [`Advance::Stuck`](crate::Advance): 1,000,000 unless set.
    pub fn set_work_limit(&self, limit: u64) {
        self.0.with(|state| state.work_limit = limit);
    }

    /// Has something done at a moment, or now if that has passed. Control events come before anything else of their
    /// instant, in the order of scheduling.
    pub fn schedule(&self, at: Instant, event: impl FnOnce(&Self) + 'static) {
        self.0.with(|state| {
            let at = at.max(state.now);
            state
                .queue
                .push(at, Rank::Control, Happening::Control(Box::new(event)));
        });
    }

    /// Packets under way: on a link, held or delayed by a fault, or waiting for a neighbour to answer.
    #[must_use]
    pub fn packets_in_flight(&self) -> usize {
        self.0.with(|state| state.packets_in_flight)
    }

    /// Timers that somebody waits for: a TCP connection's too, while its peer owes an acknowledgement. Probes, delayed
    /// acknowledgements, keep-alive and TIME-WAIT are no work under way.
    #[must_use]
    pub fn foreground_timers(&self) -> usize {
        self.0.with(|state| state.foreground_timers)
    }

    /// When the next event is due, of whatever kind; now if a task is ready. The timers of foreign hosts are not known.
    #[must_use]
    pub fn next_event(&self) -> Option<Instant> {
        self.0.with(|state| {
            if state.is_anyone_woken() {
                Some(state.now)
            } else {
                state.queue.next()
            }
        })
    }

    /// The record that led to what is happening now.
    ///
    /// None at the beginning of a host's turn and of a control event; then the record of what an await gave: a
    /// datagram's delivery, a timer's firing, the ICMP error behind a pending error. Tasks of one host that wake each
    /// other within one turn share it.
    #[must_use]
    pub fn cause(&self) -> Option<RecordId> {
        self.0.with(|state| state.cause)
    }

    /// Says what led to what is happening from now on, until the turn ends.
    pub fn set_cause(&self, cause: Option<RecordId>) {
        self.0.with(|state| state.cause = cause);
    }

    /// The host whose code is running, during its turn.
    #[must_use]
    pub fn current_host(&self) -> Option<HostId> {
        self.0.with(|state| state.polled)
    }

    /// Records an event with the present cause.
    pub fn record(&self, host: Option<HostId>, event: Event) -> RecordId {
        self.0.with(|state| state.record(host, event))
    }
}

impl fmt::Debug for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Network")
            .field("seed", &self.seed())
            .field("now", &self.now())
            .finish_non_exhaustive()
    }
}
