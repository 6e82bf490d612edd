//! A service that streams generated tokens over server-sent events, on HTTP/1.1.
//!
//! Owns report D's rules for a server: what is refused before a stream begins, what a stream says when it fails, how it
//! is resumed, when it ends, what is counted. Refuses to keep what it has sent: an answer is generated anew from its
//! session and the seed, so that a restart forgets nothing and a slow reader fills no memory.

mod config;
mod connection;
mod entry;
mod metrics;
mod reply;
mod route;
mod running;
mod service;
mod source;
mod stream;

use crate::catalogue::Actor;
use crate::{Behaviour, Host};

pub use config::{
    Config, Environment, Fail, FailKind, Leaving, Limits, Resume, Traceback, Validation,
};
pub(crate) use entry::CHECKPOINTS;
pub use entry::ENTRY;

/// A configured token service.
#[derive(Clone, Debug)]
pub struct TokenService {
    /// Its configuration, policies included.
    pub config: Config,
    /// What stands between its streams and the wire, if anything does.
    pub tap: Option<fn() -> Box<dyn Tap>>,
}

/// Stands between the streams of a service and the wire.
pub trait Tap {
    /// Takes the text of one event, and gives what is sent instead; nothing is sent if it is empty.
    fn sent(&mut self, event: String) -> String;
}

impl Actor for TokenService {
    fn start(&self, host: &Host) -> Behaviour {
        Behaviour::Task(Box::pin(service::serve(host.clone(), self.clone())))
    }
}
