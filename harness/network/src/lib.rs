//! A simulated network in virtual time whose sockets fail as the real kernel's do.

mod advance;
mod draw;
mod event;
mod executor;
pub mod fault;
mod host;
mod lifecycle;
mod link;
mod neighbour;
mod network;
mod packet;
mod platform;
mod queue;
mod router;
mod socket;
mod state;
mod subnet;
mod task;
mod time;
mod timer;
mod topology;
mod wire;

pub use advance::{Advance, Stuck};
pub use draw::{Key, PartsPerMillion};
pub use event::{
    Alteration, Event, LossReason, MemoryRecorder, NoRecorder, Record, RecordId, Recorder,
    SocketCall, SocketId, Stop, TaskEnd, TaskId, TimerClass, TimerId,
};
pub use fault::{FaultId, FaultReport, Injection, Scope};
pub use host::Host;
pub use link::Latency;
pub use network::Network;
pub use packet::{Icmp, IcmpKind, Packet, Payload};
pub use platform::{Platform, SocketError, SocketErrorKind};
pub use socket::UdpSocket;
pub use subnet::{Subnet, SubnetError};
pub use task::{Task, TaskError};
pub use time::Instant;
pub use timer::Sleep;
pub use topology::{HostId, HostOptions, LanId, TopologyError};

#[cfg(test)]
mod tests;
