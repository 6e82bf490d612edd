//! A client that asks a token service, shows the text as it comes, and reconnects by report D's rules.
//!
//! Owns the connections, the deadline and the log lines. Refuses every decision: those are
//! `linefault_protocol::sse::Client`'s.

mod conversation;
mod entry;
mod life;
mod wire;

use std::net::SocketAddr;

use linefault_protocol::sse::{Effect, Input, Rules};

use crate::catalogue::Actor;
use crate::{Behaviour, Host};

pub(crate) use conversation::{Conversation, Happening};
pub(crate) use entry::CHECKPOINTS;
pub use entry::ENTRY;

/// A configured client.
#[derive(Clone, Debug)]
pub struct TokenClient {
    /// Whom it asks.
    pub service: SocketAddr,
    /// What it goes by.
    pub rules: Rules,
    /// What stands between its rules and the world, if anything does.
    pub tap: Option<fn() -> Box<dyn Tap>>,
}

/// Stands between the rules of a client and the world.
pub trait Tap {
    /// Takes what happens, and gives what the rules are told instead.
    fn input(&mut self, input: Input) -> Option<Input>;

    /// May change what follows from an input.
    fn effects(&mut self, _input: &Input, _effects: &mut Vec<Effect>) {}
}

impl Actor for TokenClient {
    fn start(&self, host: &Host) -> Behaviour {
        Behaviour::Task(Box::pin(life::live(host.clone(), self.clone())))
    }
}
