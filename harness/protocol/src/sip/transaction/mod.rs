//! Transactions: RFC 3261 §17 as RFC 6026 amends it.
//!
//! Owns the four machines, each as a table, their timers, and the layer of one element that matches messages to them.
//! Refuses what a transaction user decides: dialogs, the ACK for a 2xx, forking, and stray responses are handed up.

mod ack;
mod carrier;
mod error;
mod invite_client;
mod invite_server;
mod key;
mod layer;
mod machine;
mod non_invite_client;
mod non_invite_server;
mod output;
mod table;
mod timer;

pub use error::{RequestError, RespondError};
pub use layer::Layer;
pub use machine::{Effect, Machine};
pub use output::{Output, Report, TransactionId};
pub use table::{Action, Event, Illegal, Kind, Row, State, step};
pub use timer::{Timer, Timers};
