//! Bytes and state machines of the protocols that linefault tests.
//!
//! Owns what a message means and what a machine does next. Refuses sockets, clocks, tasks and randomness:
//! bytes, time and chance come in as arguments; what to send, when to wake and what to report come out.

pub mod audiosocket;
mod hash;
mod schedule;
pub mod sip;
pub mod sse;
mod time;

pub(crate) use hash::fnv;
pub use schedule::Schedule;
pub use time::Instant;
