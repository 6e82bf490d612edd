//! The core of a stateful proxy, RFC 3261 §16.
//!
//! Owns response contexts: which branches a request was sent on, what came back on each, and what goes upstream. Refuses
//! to register, to log and to touch sockets; which statuses a failed delivery gets is a policy value.
//!
//! A request goes to all contacts of its user at once. A BYE alone goes to the one that it names, and to the user's
//! others only when that one is unreachable.

mod branch;
mod context;
mod forward;
mod gate;
mod recurse;
mod request;
mod response;
mod route;
mod silence;
mod statuses;

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::time::Duration;

use super::transaction::TransactionId;
use super::turn::Turn;
use super::{Message, Method, Status};
use crate::{Instant, Schedule};
use context::ResponseContext;
use gate::Gate;

pub use gate::Rules;
pub use statuses::{Failure, Statuses};

/// A stateful proxy for one domain.
#[derive(Clone, Debug)]
pub struct Proxy {
    identity: Identity,
    statuses: Statuses,
    gate: Gate,
    contexts: BTreeMap<TransactionId, ResponseContext>,
    upstream: BTreeMap<TransactionId, TransactionId>,
    cancels: BTreeMap<TransactionId, TransactionId>,
    /// Of client transactions of INVITEs.
    timers_c: Schedule<TransactionId>,
    /// Of contexts that let a 2xx pass and whose branches have all ended.
    leftovers: Schedule<TransactionId>,
}

/// Who a proxy is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    /// Where it is reached; goes into Via and Record-Route.
    pub address: SocketAddr,
    /// The domain that it serves.
    pub domain: String,
    /// The users of that domain.
    pub users: BTreeSet<String>,
}

/// What the core wants of its owner.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// Send a request outside of any transaction: the ACK for a 2xx.
    Send {
        /// Where to.
        destination: SocketAddr,
        /// What.
        message: Message,
    },
    /// A REGISTER for a user of this domain: change the bindings and answer.
    Register {
        /// The server transaction to answer.
        transaction: TransactionId,
        /// The address-of-record.
        aor: String,
        /// The request.
        request: Message,
    },
    /// A request was not forwarded.
    Refused {
        /// The request.
        method: Method,
        /// Its Request-URI.
        uri: String,
        /// What it was answered with.
        status: Status,
    },
    /// Nobody answered a forwarded request: Timer B or F, or its CANCEL was in vain.
    NoAnswer {
        /// The request.
        method: Method,
        /// Where it went.
        destination: SocketAddr,
    },
    /// A request had no address to go to; it was answered as [`Failure::Network`] says. An ACK was not answered.
    NoAddress {
        /// The request.
        method: Method,
        /// The URI that names no address.
        uri: String,
    },
}

/// What a step of this core is given.
pub type ProxyTurn<'a> = Turn<'a, Event>;

/// Longer than three minutes, as RFC 3261 §16.6 step 11 asks.
const TIMER_C: Duration = Duration::from_secs(181);

impl Proxy {
    /// A proxy that has seen nothing yet.
    #[must_use]
    pub fn new(identity: Identity, statuses: Statuses) -> Self {
        Self {
            identity,
            statuses,
            gate: Gate::new(Rules::default()),
            contexts: BTreeMap::new(),
            upstream: BTreeMap::new(),
            cancels: BTreeMap::new(),
            timers_c: Schedule::new(),
            leftovers: Schedule::new(),
        }
    }

    /// The same proxy with these rules.
    #[must_use]
    pub fn with_rules(mut self, rules: Rules) -> Self {
        self.gate = Gate::new(rules);
        self
    }

    /// When Timer C of a branch fires.
    #[must_use]
    pub fn deadline(&self) -> Option<Instant> {
        self.timers_c.first()
    }

    /// When something that was answered can be forgotten, and with it what would pass on a late answer.
    #[must_use]
    pub fn lingering_deadline(&self) -> Option<Instant> {
        self.leftovers.first()
    }

    /// How many requests are being proxied.
    #[must_use]
    pub fn contexts(&self) -> usize {
        self.contexts.len()
    }
}

#[cfg(test)]
mod tests;
