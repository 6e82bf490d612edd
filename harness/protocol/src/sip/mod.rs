//! The Session Initiation Protocol, RFC 3261.
//!
//! Owns messages (lossless: what was not edited leaves byte for byte as it came), their header fields and URIs, and the
//! transaction layer. Refuses policy: which status an element answers with, where a request goes next and what a user
//! agent does with a call are decided above.

pub mod address;
pub mod b2bua;
#[cfg(any(test, feature = "rsip"))]
pub mod bridge;
pub mod dialog;
pub mod digest;
mod edit;
mod essentials;
mod extension;
pub mod framing;
pub mod header;
mod list;
pub mod message;
pub mod method;
mod names;
pub mod params;
pub mod parse;
pub mod proxy;
mod read;
pub mod registrar;
pub mod sdp;
pub mod status;
pub mod transaction;
pub mod transport;
pub mod turn;
pub mod uri;
pub mod user_agent;
pub mod via;
mod way_back;

pub use address::{Contacts, NameAddr};
pub use extension::{RAck, Refresher, SessionExpires, SubscriptionState};
pub use header::{Field, FieldError};
pub use message::Message;
pub use method::Method;
pub use params::Params;
pub use parse::{DropReason, Limits, Rejection, Verdict, glance, parse, parse_framed};
pub use read::CSeq;
pub use status::{Class, Status};
pub use transport::Transport;
pub use uri::{Uri, UriError};
pub use via::{MAGIC_COOKIE, SentBy, Via};
