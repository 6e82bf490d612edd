//! Everything the engine knows, behind one cell.
//!
//! Wakers are collected here and woken only after the cell is released, because waking may drop foreign values whose
//! destructors come back to the engine.

use std::cell::RefCell;
use std::collections::{BTreeMap, VecDeque};
use std::net::IpAddr;
use std::rc::Rc;
use std::sync::Arc;
use std::task::Waker;
use std::time::Duration;

use crate::draw::Key;
use crate::event::{Event, LossReason, RecordId, SocketCall, SocketId};
use crate::executor::{Incarnation, Woken};
use crate::fault::{FaultId, Faults};
use crate::frozen::Frozen;
use crate::host::Host;
use crate::link::Links;
use crate::nat::Nats;
use crate::neighbour::{Asker, Hop, Neighbours};
use crate::packet::Packet;
use crate::platform::{Platform, SocketError, SocketErrorKind};
use crate::queue::Queue;
use crate::recorder::Recorder;
use crate::router::Limiter;
use crate::segment::Segment;
use crate::socket::{Place, SocketTable, TcpTable};
use crate::timer::TimerCell;
use crate::topology::Topology;
use crate::{HostId, Instant, Network};

/// The cell.
pub(crate) struct Inner {
    state: RefCell<State>,
}

impl Inner {
    pub(crate) fn new(state: State) -> Self {
        Self {
            state: RefCell::new(state),
        }
    }

    /// Works on the state, then wakes whom that concerned.
    pub(crate) fn with<R>(&self, work: impl FnOnce(&mut State) -> R) -> R {
        let (result, mut wakes) = {
            let state = &mut *self.state.borrow_mut();
            let result = work(state);
            if state.wakes.is_empty() {
                return result;
            }
            (result, std::mem::take(&mut state.wakes))
        };
        wakes.drain(..).for_each(Waker::wake);
        // What it has allocated is good for the next.
        let state = &mut *self.state.borrow_mut();
        if state.wakes.capacity() == 0 {
            state.wakes = wakes;
        }
        result
    }

    /// Works on the state unless somebody does already; nobody is woken.
    #[cfg(feature = "foreign")]
    pub(crate) fn with_if_free<R>(&self, work: impl FnOnce(&mut State) -> R) -> Option<R> {
        let mut state = self.state.try_borrow_mut().ok()?;
        Some(work(&mut state))
    }
}

/// What the queue holds. Timers of sockets belong here, too.
pub(crate) enum Happening {
    Control(Box<dyn FnOnce(&Network)>),
    Arrival(Arrival),
    Timer(Rc<TimerCell>),
    /// A TCP connection's deadline.
    Connection(Place),
    /// The next unanswered ARP request, or the end of asking.
    Probe(Asker, Hop),
    /// A fault's time is over.
    Heal(FaultId),
}

/// A packet under way and the record that sent it.
pub(crate) struct Arrival {
    pub(crate) packet: Arc<Packet>,
    pub(crate) cause: RecordId,
}

pub(crate) type Factory = Rc<dyn Fn(Host) -> std::pin::Pin<Box<dyn Future<Output = ()>>>>;

/// A host's machine: its kernel, and the process on it.
pub(crate) struct Machine {
    pub(crate) platform: Platform,
    pub(crate) powered: bool,
    /// How many faults keep it off its LAN.
    pub(crate) detached: u32,
    /// Since when neighbours get no answer from it.
    pub(crate) vanished: Option<Instant>,
    pub(crate) incarnation: u32,
    /// Whether its incarnations have a tokio runtime.
    #[cfg(feature = "foreign")]
    pub(crate) foreign: bool,
    pub(crate) running: Option<Rc<Incarnation>>,
    pub(crate) factory: Option<Factory>,
    pub(crate) frozen: Frozen,
    pub(crate) sockets: SocketTable,
    pub(crate) tcp: TcpTable,
    pub(crate) draws: BTreeMap<Box<str>, u64>,
    pub(crate) path_mtu: VecDeque<(IpAddr, u16)>,
}

impl Machine {
    pub(crate) fn new(platform: Platform) -> Self {
        Self {
            platform,
            powered: true,
            detached: 0,
            vanished: None,
            incarnation: 0,
            #[cfg(feature = "foreign")]
            foreign: false,
            running: None,
            factory: None,
            frozen: Frozen::default(),
            sockets: SocketTable::new(platform),
            tcp: TcpTable::new(platform),
            draws: BTreeMap::new(),
            path_mtu: VecDeque::new(),
        }
    }

    /// Whether it answers ARP.
    pub(crate) fn on_lan(&self) -> bool {
        self.powered && self.detached == 0
    }

    pub(crate) fn is_alive(&self, incarnation: u32) -> bool {
        self.running.is_some() && self.incarnation == incarnation
    }
}

pub(crate) struct State {
    pub(crate) seed: u64,
    pub(crate) root: Key,
    pub(crate) now: Instant,
    pub(crate) cause: Option<RecordId>,
    /// Whose turn it is.
    pub(crate) polled: Option<HostId>,
    pub(crate) recorder: Rc<RefCell<dyn Recorder>>,
    pub(crate) queue: Queue<Happening>,
    pub(crate) topology: Topology,
    pub(crate) machines: Vec<Machine>,
    /// Whether a host was ever started as foreign.
    #[cfg(feature = "foreign")]
    pub(crate) has_foreign: bool,
    pub(crate) links: Links,
    pub(crate) nats: Nats,
    pub(crate) neighbours: Neighbours,
    pub(crate) neighbour_timeout: Duration,
    pub(crate) limiter: Limiter,
    pub(crate) faults: Faults,
    pub(crate) woken: Arc<Woken>,
    pub(crate) wakes: Vec<Waker>,
    /// The hosts of one round of polling; kept for its memory.
    pub(crate) polling: Vec<HostId>,
    /// Segments that a connection leaves; kept for its memory.
    pub(crate) segments: Vec<Segment>,
    pub(crate) packets_in_flight: usize,
    pub(crate) foreground_timers: usize,
    pub(crate) work_limit: u64,
    pub(crate) work_done: u64,
    pub(crate) last_packet: u64,
    pub(crate) last_socket: u64,
    pub(crate) last_task: u64,
    pub(crate) last_timer: u64,
}

impl State {
    /// Records with the current cause.
    pub(crate) fn record(&mut self, host: Option<HostId>, event: Event) -> RecordId {
        self.record_caused(host, self.cause, event)
    }

    pub(crate) fn record_caused(
        &mut self,
        host: Option<HostId>,
        cause: Option<RecordId>,
        event: Event,
    ) -> RecordId {
        self.recorder
            .borrow_mut()
            .record(self.now, host, cause, event)
    }

    pub(crate) fn lose(
        &mut self,
        packet: Arc<Packet>,
        reason: LossReason,
        cause: RecordId,
    ) -> RecordId {
        self.record_caused(
            packet.receiver.or(packet.sender),
            Some(cause),
            Event::Lost { packet, reason },
        )
    }

    /// Records that a call failed, and words the failure as the host's platform does.
    pub(crate) fn call_failed(
        &mut self,
        host: HostId,
        socket: Option<SocketId>,
        call: SocketCall,
        address: Option<std::net::SocketAddr>,
        kind: SocketErrorKind,
    ) -> SocketError {
        let error = SocketError::new(kind, self.machine(host).platform);
        self.record(
            Some(host),
            Event::CallFailed {
                socket,
                call,
                address,
                error,
            },
        );
        error
    }

    pub(crate) fn machine(&self, host: HostId) -> &Machine {
        &self.machines[host.index()]
    }

    pub(crate) fn machine_mut(&mut self, host: HostId) -> &mut Machine {
        &mut self.machines[host.index()]
    }
}
