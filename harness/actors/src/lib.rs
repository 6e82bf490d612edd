//! The SIP elements that linefault runs, and the [`Host`] interface that they run on.
//!
//! Owns what an actor may ask of the world: sockets, time, chance, commands, and a place for its reports.
//! Refuses to know who serves that interface: a simulated network, somebody else's simulator or a real
//! machine. Nothing here may depend on what only a simulation can give.
//!
//! # An actor of your own
//!
//! | it is | write | run it with |
//! |---|---|---|
//! | code that reads and writes sockets itself | an async function over a [`Host`] | `Scenarios::actor` |
//! | a state machine without input or output | a [`Machine`] | `Scenarios::machine`, or [`drive`] |
//! | one of those, with settings, commands and points | a [`catalogue::Entry`] and a [`catalogue::Actor`] | `Scenarios::entry` |
//!
//! `Scenarios` is what `linefault::suite` makes; its documentation has a program of either kind, and a scenario that is run
//! against it. What a host gives:
//!
//! | for | there is |
//! |---|---|
//! | UDP | [`Host::bind_udp`], [`UdpSocket`] |
//! | TCP | [`Host::listen_tcp`], [`Host::connect_tcp`], [`TcpStream`], which hyper reads and writes |
//! | tasks | [`Host::spawn`] |
//! | time | [`Host::now`], [`Host::sleep`], [`Host::timer`] |
//! | chance | [`Host::draw`] |
//! | the log | `tracing`, at INFO and above |
//! | what oracles count as left over | [`Host::report`], [`Report`] |
//! | steps of a scenario | [`Host::next_command`] |
//! | faults inside the program | [`Host::at_point`] |
//!
//! Errors are [`SocketError`]s, with the number that the platform gives them. To serve the interface from something else
//! than linefault's simulation, implement [`Backend`] and the traits that it returns.

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
pub use linefault_protocol::sip::Transport;
pub use machine::{
    Behaviour, Context, Deadlines, Injected, Input, Machine, Output, Report, Surroundings,
    TimerChange,
};
pub use tcp::{TcpListener, TcpListenerBackend, TcpStream, TcpStreamBackend};
