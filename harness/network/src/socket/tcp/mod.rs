//! TCP (RFC 9293) as Linux behaves: connections as pure machines, and the host's table of them.
//!
//! A [`Connection`] takes segments, calls and the time, and leaves segments to send, a deadline, and whom to wake; the
//! rest of this folder joins it to the engine. Deliberate simplifications, all deterministic: no congestion window
//! (the receiver's window and the retransmission time-out are what limits a sender), no SACK, timestamps or window
//! scaling, buffers of fixed size, no Nagle algorithm (as with `TCP_NODELAY`), no simultaneous open. Every second
//! segment is acknowledged at once, a single one after 40 ms unless data goes the other way before (RFC 1122 §4.2.3.2).
//! Time-outs are Linux's on every platform.

mod calls;
mod closing;
mod connection;
mod demux;
mod dial;
mod engine;
mod forge;
mod input;
mod listener;
mod receiver;
mod rtt;
mod sender;
mod split;
mod stream;
mod table;
mod timers;

use std::time::Duration;

pub(crate) use self::connection::Connection;
pub use self::listener::TcpListener;
pub use self::split::{OwnedReadHalf, OwnedWriteHalf};
pub use self::stream::TcpStream;
pub(crate) use self::table::TcpTable;
use crate::event::RecordId;
use crate::platform::SocketErrorKind;

/// Position in one direction of a connection: 0 is SYN, 1 the first byte, and FIN follows the last.
pub(super) type Offset = i64;

/// Bytes that a socket takes from its program before the peer has acknowledged any.
pub(crate) const SEND_BUFFER: usize = 65_536;
/// Bytes that a socket keeps for its program: as many as a window can announce.
pub(crate) const RECEIVE_BUFFER: usize = 65_535;

/// An error that waits to be told, once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Failure {
    pub(crate) kind: SocketErrorKind,
    /// What brought it; nothing but time if `None`.
    pub(crate) cause: Option<RecordId>,
}

/// A connection's state (RFC 9293 §3.3.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[expect(missing_docs, reason = "the names are the RFC's")]
pub enum ConnectionState {
    SynSent,
    SynReceived,
    Established,
    FinWait1,
    FinWait2,
    CloseWait,
    Closing,
    LastAck,
    TimeWait,
    Closed,
}

/// Probing a silent peer while nothing is under way (`SO_KEEPALIVE`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Keepalive {
    /// How long the peer is silent before the first probe (`TCP_KEEPIDLE`).
    pub idle: Duration,
    /// The time between probes (`TCP_KEEPINTVL`).
    pub interval: Duration,
    /// How many unanswered probes end the connection (`TCP_KEEPCNT`).
    pub count: u32,
}

/// Linux's defaults: two hours, then nine probes 75 s apart.
impl Default for Keepalive {
    fn default() -> Self {
        Self {
            idle: Duration::from_secs(7200),
            interval: Duration::from_secs(75),
            count: 9,
        }
    }
}
