//! A simulated network in virtual time whose sockets fail as the real kernel's do.
//!
//! Hosts on LANs run async code over UDP and TCP sockets; time jumps from one event to the next, so that forty seconds of
//! waiting cost microseconds. Faults are rules on packets, sends and hosts. Everything that happens is recorded with
//! its cause, and equal seeds give equal records on any machine.
//!
//! What it owns: the clock, the executor, links and their latency, ARP, ICMP, NATs, TCP with its retransmissions, windows
//! and time-outs, the sockets' errors as Linux, macOS and Windows number and deliver them. What it refuses: any knowledge
//! of a protocol, wall-clock time, and threads. `tokio::sync` works on every host; `tokio::spawn` and `tokio::time` panic
//! in a task, and that panic is a record, unless the host was started as foreign (feature `foreign`).
//!
//! TCP connections are [`TcpListener`] and [`TcpStream`]; they implement tokio's `AsyncRead` and `AsyncWrite`. The example
//! `key_value` shows a server and a client that survive a partition. UDP, in short:
//!
//! ```
//! use std::cell::{Cell, RefCell};
//! use std::net::SocketAddr;
//! use std::rc::Rc;
//! use std::time::Duration;
//!
//! use linefault_network::{
//!     Advance, HostOptions, Injection, Instant, MemoryRecorder, Network, Platform, Scope, TimerClass, fault,
//! };
//!
//! let recorder = Rc::new(RefCell::new(MemoryRecorder::default()));
//! let network = Network::new(1, recorder.clone());
//! let lan = network.add_lan("office", &["10.0.0.0/24".parse().expect("a prefix")]).expect("the first LAN");
//! let add = |name: &str, last| {
//!     let addresses = vec![[10, 0, 0, last].into()];
//!     let options = HostOptions { name: name.to_owned(), lan, addresses, platform: Platform::Linux };
//!     network.add_host(options).expect("name and address are free")
//! };
//! let (clock, reader) = (add("clock", 1), add("reader", 2));
//! let address = SocketAddr::from(([10, 0, 0, 1], 37));
//!
//! // A server that tells the time.
//! network.start(clock, move |host| async move {
//!     let socket = host.bind_udp(address).expect("the port is free");
//!     while let Ok((_, from)) = socket.recv_from().await {
//!         let _ = socket.send_to(host.now().to_string(), from);
//!     }
//! });
//!
//! // A client that asks each second until it is told.
//! let told = Rc::new(Cell::new(None));
//! let answer = Rc::clone(&told);
//! network.start(reader, move |host| {
//!     let answer = Rc::clone(&answer);
//!     async move {
//!         let socket = Rc::new(host.bind_udp(([0, 0, 0, 0], 0).into()).expect("a port is free"));
//!         let asking = Rc::clone(&socket);
//!         let pause = host.clone();
//!         let asker = host.spawn(async move {
//!             loop {
//!                 let _ = asking.send_to("time?", address);
//!                 pause.sleep(Duration::from_secs(1), TimerClass::Foreground).await;
//!             }
//!         });
//!         if socket.recv_from().await.is_ok() {
//!             answer.set(Some(host.now()));
//!         }
//!         asker.abort();
//!     }
//! });
//!
//! // Silence between them for the first three and a half seconds.
//! let groups = Scope::Between { a: vec![clock], b: vec![reader], one_way: false };
//! let silence = Injection::new(fault::partition(), groups).lasts(Duration::from_millis(3500));
//! let silence = network.inject(silence);
//!
//! while network.advance(Instant::START + Duration::from_secs(60)) == Advance::Moved {}
//! // Asked at 0, 1, 2, 3 and 4 s; two latencies of 5 ms after the last of these.
//! assert_eq!(told.get(), Some(Instant::from_micros(4_010_000)));
//! assert_eq!(network.fault_report(silence).applied, 4);
//! ```

mod address_map;
mod advance;
mod draw;
mod event;
mod executor;
pub mod fault;
#[cfg(feature = "foreign")]
pub mod foreign;
mod frozen;
mod host;
mod lifecycle;
mod link;
mod nat;
mod neighbour;
mod network;
mod packet;
mod passage;
mod platform;
mod queue;
mod recorder;
mod router;
mod segment;
mod socket;
mod state;
mod subnet;
mod task;
mod time;
mod timer;
mod topology;
mod wire;

#[cfg(test)]
mod tests;

pub use address_map::AddressMap;
pub use advance::{Advance, Stuck};
pub use draw::{Key, PartsPerMillion};
pub use event::{
    Alteration, Event, LossReason, RecordId, SocketCall, SocketId, Stop, TaskEnd, TaskId,
    TimerClass, TimerId,
};
pub use fault::{FaultId, FaultReport, Injection, Scope};
pub use host::Host;
pub use link::Latency;
pub use nat::{NatBehaviour, NatOptions};
pub use network::Network;
pub use packet::{Icmp, IcmpKind, Packet, Payload, Transport};
pub use platform::{Platform, SocketError, SocketErrorKind};
pub use recorder::{MemoryRecorder, NoRecorder, Record, Recorder};
pub use segment::{Flags, Segment};
pub use socket::{
    ConnectionState, Keepalive, OwnedReadHalf, OwnedWriteHalf, TcpListener, TcpStream, UdpSocket,
};
pub use subnet::{Subnet, SubnetError};
pub use task::{Task, TaskError};
pub use time::Instant;
pub use timer::Sleep;
pub use topology::{HostId, HostOptions, LanId, TopologyError};
