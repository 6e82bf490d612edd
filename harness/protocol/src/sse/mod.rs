//! Server-sent events, and token streams over them.
//!
//! Owns the bytes of an event stream (WHATWG HTML, "Server-sent events"), the error event's JSON, and a client's rules
//! for reconnecting. Refuses HTTP: a status and a content type come in as arguments.

mod client;
mod decoder;
mod encoder;
mod failure;

pub use client::{
    Act, Backoff, Client, Connection, Effect, Ending, Heard, Illegal, Input, On, Phase, Reason,
    ResetCounter, Row, Rules, Unreadable, step,
};
pub use decoder::{DecodeError, Decoder, Event, Item, Limits};
pub use encoder::{Block, encode};
pub use failure::{Failure, FailureKind, Severity, UnreadableFailure};
