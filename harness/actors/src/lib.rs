//! The SIP elements that linefault runs, and the [`Host`] interface that they run on.
//!
//! Owns what an actor may ask of the world: sockets, time, chance, commands, and a place for its reports.
//! Refuses to know who serves that interface: a simulated network, somebody else's simulator or a real
//! machine. Nothing here may depend on what only a simulation can give.

pub mod audio_peer;
pub mod audio_service;
pub mod b2bua;
pub mod buffering_proxy;
pub mod catalogue;
pub mod checkpoint;
mod connections;
mod driver;
mod element;
mod error;
#[cfg(feature = "foreign")]
pub mod foreign;
mod host;
pub mod http;
mod machine;
pub mod phone;
pub mod proxy;
#[cfg(test)]
mod pump;
mod report;
mod tcp;
pub mod token_client;
pub mod token_service;

pub use driver::drive;
pub use error::{SocketError, SocketErrorKind};
pub use host::{
    Backend, Host, LocalFuture, Timer, TimerBackend, TimerClass, UdpBackend, UdpSocket,
};
pub use linefault_protocol::Instant;
pub use machine::{
    Behaviour, Context, Deadlines, Injected, Input, Machine, Output, Report, Surroundings,
    TimerChange,
};
pub use tcp::{TcpListener, TcpListenerBackend, TcpStream, TcpStreamBackend};
