//! What a run records.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use crate::{ConnectionState, FaultId, Instant, Packet, SocketError};

/// A record's number: the recorder hands them out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RecordId(pub u32);

/// A socket, numbered from 1 over the whole run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SocketId(pub u64);

/// A task, numbered from 1 over the whole run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TaskId(pub u64);

/// A timer, numbered from 1 over the whole run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TimerId(pub u64);

/// Something that happened. Cheap to make and to keep: numbers, addresses and shared packets, rendered by whoever reads it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Event {
    /// A packet left its sender. For a host's own, the cause is what the sending code reacted to.
    Sent {
        /// As it left.
        packet: Arc<Packet>,
    },
    /// A packet reached its host, and for a datagram a socket's queue; whether anyone reads it is another matter.
    Delivered {
        /// As it arrived.
        packet: Arc<Packet>,
    },
    /// The application read a datagram.
    Received {
        /// [`Packet::id`].
        packet: u64,
        /// Through which socket.
        socket: SocketId,
    },
    /// The application read from a connection.
    Read {
        /// Through which socket.
        socket: SocketId,
        /// Address on this side.
        local: SocketAddr,
        /// Address on the other side.
        remote: SocketAddr,
        /// How many bytes; 0 is the end.
        length: usize,
    },
    /// A packet got no further.
    Lost {
        /// As it was.
        packet: Arc<Packet>,
        /// Why.
        reason: LossReason,
    },
    /// A fault did something to a packet other than losing it.
    Altered {
        /// As it is now.
        packet: Arc<Packet>,
        /// The fault that did it.
        fault: FaultId,
        /// What was done.
        how: Alteration,
    },
    /// A NAT rewrote a packet's addresses, in an ICMP error also those of the packet it is about.
    Translated {
        /// As it is now.
        packet: Arc<Packet>,
        /// Source before.
        from: SocketAddr,
        /// Destination before.
        to: SocketAddr,
    },
    /// A socket was bound.
    SocketOpened {
        /// The new socket.
        socket: SocketId,
        /// Its address, with the port chosen.
        local: SocketAddr,
    },
    /// A socket was closed, by its owner or by the kernel of a host whose process ended.
    SocketClosed {
        /// The socket.
        socket: SocketId,
    },
    /// A TCP connection has come to a state.
    ConnectionState {
        /// The socket; one that waits to be accepted is not opened yet, one that is closed may go on.
        socket: SocketId,
        /// Address on this side.
        local: SocketAddr,
        /// Address on the other side.
        remote: SocketAddr,
        /// The state.
        state: ConnectionState,
    },
    /// A socket call failed.
    CallFailed {
        /// `None` when no socket came of it.
        socket: Option<SocketId>,
        /// Which call.
        call: SocketCall,
        /// The destination or the address to bind, where the call names one.
        address: Option<SocketAddr>,
        /// What the caller was told.
        error: SocketError,
    },
    /// A timer was set.
    TimerSet {
        /// The timer.
        timer: TimerId,
        /// When it is due.
        due: Instant,
        /// Whether it keeps a run from being quiet.
        class: TimerClass,
    },
    /// A timer fired; its cause is the record that set it.
    TimerFired {
        /// The timer.
        timer: TimerId,
    },
    /// A timer was dropped before it fired.
    TimerCancelled {
        /// The timer.
        timer: TimerId,
    },
    /// A task began.
    TaskSpawned {
        /// The task.
        task: TaskId,
    },
    /// A task ended.
    TaskEnded {
        /// The task.
        task: TaskId,
        /// In which way.
        how: TaskEnd,
    },
    /// Code panicked uninvited; its task is over, its host goes on.
    Panic {
        /// The task; `None` for one that only tokio knows, on a foreign host.
        task: Option<TaskId>,
        /// The panic's message.
        message: String,
    },
    /// A fault had the process panic; all of it ends.
    InvitedPanic {
        /// The fault.
        fault: FaultId,
    },
    /// An incarnation began.
    HostStarted {
        /// Counts from 1 per host.
        incarnation: u32,
    },
    /// An incarnation ended.
    HostStopped {
        /// Which one.
        incarnation: u32,
        /// In which way.
        how: Stop,
    },
    /// An incarnation's process was stopped; its kernel goes on.
    HostFrozen {
        /// Which one.
        incarnation: u32,
    },
    /// A stopped process goes on.
    HostResumed {
        /// Which incarnation.
        incarnation: u32,
    },
    /// A fault began.
    FaultArmed {
        /// The fault.
        fault: FaultId,
        /// Its name in the catalogue.
        name: &'static str,
    },
    /// A fault is over: healed, expired or used up.
    FaultEnded {
        /// The fault.
        fault: FaultId,
    },
}

/// Why a packet got no further.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum LossReason {
    /// A fault lost it.
    Fault(FaultId),
    /// The queue before a link that a fault had slowed down was full.
    QueueFull(FaultId),
    /// No LAN holds the destination address.
    NoRoute,
    /// ARP or neighbour discovery got no answer.
    NeighbourSilent,
    /// Too many packets waited for the same neighbour.
    NeighbourQueueFull,
    /// The receiver had lost power, or its LAN, when it arrived; or the sender had while it waited for a neighbour.
    HostGone,
    /// Nobody listens on the destination port.
    PortClosed,
    /// A TCP segment's checksum was wrong.
    Checksum,
    /// Too many connections waited to be accepted.
    BacklogFull,
    /// The socket's receive buffer was full.
    BufferFull,
    /// A NAT has no mapping for the destination: there never was one, or it has expired.
    NoMapping,
    /// A NAT has a mapping for the destination, but does not let this sender in.
    Filtered,
    /// A NAT had no port left for a new mapping.
    NatFull,
    /// Nobody has joined the multicast group.
    NoGroup,
    /// The socket that an ICMP error was about is gone.
    NoSocket,
}

impl LossReason {
    /// The reason in a few words, without naming the fault.
    #[must_use]
    pub const fn description(self) -> &'static str {
        match self {
            Self::Fault(_) => "a fault lost it",
            Self::QueueFull(_) => "the queue is full",
            Self::NoRoute => "nobody has this address",
            Self::NeighbourSilent => "no answer to ARP",
            Self::NeighbourQueueFull => "too many wait for ARP",
            Self::HostGone => "the host is gone",
            Self::PortClosed => "the port is closed",
            Self::Checksum => "the checksum is wrong",
            Self::BacklogFull => "too many wait to be accepted",
            Self::BufferFull => "the receive buffer is full",
            Self::NoMapping => "the NAT has no mapping for it",
            Self::Filtered => "the NAT does not let this sender in",
            Self::NatFull => "the NAT has no port left",
            Self::NoGroup => "nobody has joined the group",
            Self::NoSocket => "the socket is gone",
        }
    }
}

/// What a fault did to a packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Alteration {
    /// It arrives this much later.
    Delayed {
        /// On top of the link's latency.
        by: Duration,
    },
    /// It is held back so that later packets overtake it.
    Reordered,
    /// It is a copy.
    Duplicated {
        /// [`Packet::id`] of the original.
        of: u64,
    },
    /// Bits were flipped.
    Corrupted,
    /// Its end was cut off.
    Truncated,
}

/// Socket calls that can fail.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[expect(missing_docs, reason = "the names are those of the calls")]
pub enum SocketCall {
    Bind,
    Connect,
    Send,
    Receive,
    Accept,
    Shutdown,
}

/// Whether a timer stands for work under way or for routine.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum TimerClass {
    /// Something waits for it: the run is not quiet.
    Foreground,
    /// Keep-alive, refresh, health check, expiry: the run may end without it.
    Background,
}

/// How a task ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum TaskEnd {
    /// It returned.
    Completed,
    /// It panicked.
    Panicked,
    /// It was dropped: aborted, or its incarnation ended.
    Dropped,
}

/// How an incarnation ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Stop {
    /// The process ended and the kernel closed its sockets.
    Killed,
    /// The process panicked as a fault asked, and the kernel closed its sockets.
    Crashed,
    /// The machine fell silent.
    PowerOff,
}
