//! AudioSocket, Asterisk's way of carrying one leg of a call over TCP: frames, and the session of the side that serves it.
//!
//! Owns the bytes, what follows from a frame, and the deadlines. Refuses sockets and log levels: the actor has both.

mod decoder;
mod frame;
mod rate;
pub mod session;
mod uuid;

pub use decoder::Decoder;
pub use frame::{Frame, FrameError, HEADER, Header};
pub use rate::Rate;
pub use uuid::{Uuid, UuidError};
