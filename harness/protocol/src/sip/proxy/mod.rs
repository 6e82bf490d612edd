//! The core of a stateful proxy, RFC 3261 §16.
//!
//! Owns response contexts: which branches a request was sent on, what came back on each, and what goes upstream. Refuses
//! to register, to log and to touch sockets; which statuses a failed delivery gets is a policy value.
//!
//! A request goes to one target: the most recently registered contact. Forking, and the search for loops, are to come
//! in the module `context`.

mod branch;
mod context;
mod forward;
mod response;
mod route;
mod silence;
mod statuses;

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::time::Duration;

use super::registrar::Bindings;
use super::transaction::TransactionId;
use super::turn::Turn;
use super::{Message, Method, Status};
use crate::Instant;
use context::ResponseContext;
use route::{Place, Target};

pub use statuses::{Failure, Statuses};

/// A stateful proxy for one domain.
#[derive(Clone, Debug)]
pub struct Proxy {
    identity: Identity,
    statuses: Statuses,
    contexts: BTreeMap<TransactionId, ResponseContext>,
    upstream: BTreeMap<TransactionId, TransactionId>,
    cancels: BTreeMap<TransactionId, TransactionId>,
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
            contexts: BTreeMap::new(),
            upstream: BTreeMap::new(),
            cancels: BTreeMap::new(),
        }
    }

    /// A request in a server transaction of its own.
    pub fn request(
        &mut self,
        turn: &mut ProxyTurn<'_>,
        bindings: &Bindings,
        id: TransactionId,
        request: Message,
    ) {
        if request.method() == Method::Cancel {
            return self.cancel(turn, id, &request);
        }
        let mut prepared = request.clone();
        match route::place(&self.identity, bindings, &mut prepared) {
            Ok(Place::Here) => answer_here(turn, id, &request),
            Ok(Place::Registrar(aor)) => turn.above.push(Event::Register {
                transaction: id,
                aor,
                request,
            }),
            Ok(Place::Targets(targets)) => self.proxy(turn, bindings, id, prepared, targets),
            Err(refusal) => {
                turn.above.push(Event::Refused {
                    method: request.method(),
                    uri: request.request_uri().unwrap_or_default().to_owned(),
                    status: refusal.status,
                });
                let mut response = turn.response_saying(&request, refusal.status, &refusal.reason);
                if let Some(option) = &refusal.unsupported {
                    response.append("Unsupported", option);
                }
                turn.respond(id, response);
            }
        }
    }

    /// An ACK that belongs to no transaction: the one for a 2xx.
    ///
    /// Whatever is wrong with it, nothing is sent back (RFC 3261 §17: there is no response to an ACK).
    // RFC 3261 §16.11: forwarded statelessly.
    pub fn ack(&mut self, turn: &mut ProxyTurn<'_>, bindings: &Bindings, ack: &Message) {
        let mut prepared = ack.clone();
        let Ok(Place::Targets(targets)) = route::place(&self.identity, bindings, &mut prepared)
        else {
            return;
        };
        let Some(target) = targets.first() else {
            return;
        };
        let via = forward::stateless_via(self.identity.address, ack);
        match forward::prepare(&self.identity, &prepared, target, &via) {
            Some((destination, message)) => turn.above.push(Event::Send {
                destination,
                message,
            }),
            None => turn.above.push(Event::NoAddress {
                method: Method::Ack,
                uri: target.uri.to_string(),
            }),
        }
    }

    /// A forwarded ACK did not leave. Nothing is sent back, unless the policy is broken enough to say otherwise.
    pub fn ack_failed(&self, turn: &mut ProxyTurn<'_>, forwarded: &Message) {
        let Some(status) = self.statuses.undeliverable_ack else {
            return;
        };
        let mut message = Message::response_to(forwarded, status, None);
        message.remove_first_value("Via");
        let destination = message
            .top_via()
            .map(|via| via.response_destination(self.identity.address));
        if let Ok(destination) = destination {
            turn.above.push(Event::Send {
                destination,
                message,
            });
        }
    }

    /// When Timer C of a branch fires.
    #[must_use]
    pub fn deadline(&self) -> Option<Instant> {
        self.contexts
            .values()
            .filter_map(ResponseContext::timer_c)
            .min()
    }

    /// When something that was answered can be forgotten, and with it what would pass on a late answer.
    #[must_use]
    pub fn lingering_deadline(&self) -> Option<Instant> {
        self.contexts
            .values()
            .filter_map(|context| context.forget_at)
            .min()
    }

    /// How many requests are being proxied.
    #[must_use]
    pub fn contexts(&self) -> usize {
        self.contexts.len()
    }

    fn proxy(
        &mut self,
        turn: &mut ProxyTurn<'_>,
        bindings: &Bindings,
        id: TransactionId,
        request: Message,
        targets: Vec<Target>,
    ) {
        // RFC 3261 §16.2: a stateful proxy sends 100 for an INVITE at once, or within 200 ms.
        if request.method() == Method::Invite {
            turn.answer(id, &request, Status::TRYING);
        }
        let mut targets = targets.into_iter();
        let Some(first) = targets.next() else {
            // RFC 3261 §16.5: the user is known and has no target.
            let status = Status::TEMPORARILY_UNAVAILABLE;
            turn.above.push(Event::Refused {
                method: request.method(),
                uri: request.request_uri().unwrap_or_default().to_owned(),
                status,
            });
            return turn.answer(id, &request, status);
        };
        let alternates = if self.statuses.bye_tries_next_contact && request.method() == Method::Bye
        {
            route::siblings(bindings, &first)
        } else {
            Vec::new()
        };
        let context = ResponseContext::new(request, alternates);
        self.contexts.insert(id, context);
        self.send_to(turn, id, &first);
    }

    // RFC 3261 §16.10
    fn cancel(&mut self, turn: &mut ProxyTurn<'_>, id: TransactionId, cancel: &Message) {
        let Some(invite) = turn.layer.matching_invite(cancel) else {
            // §16.10 would forward it statelessly, in case that its INVITE was. None is here.
            return turn.answer(id, cancel, Status::DOES_NOT_EXIST);
        };
        turn.answer(id, cancel, Status::OK);
        if let Some(context) = self.contexts.get_mut(&invite) {
            context.cancel_all();
        }
        self.send_cancels(turn, invite);
    }
}

// RFC 3261 §11.2: an OPTIONS addressed to the proxy itself.
fn answer_here(turn: &mut ProxyTurn<'_>, id: TransactionId, request: &Message) {
    let mut response = match request.method() {
        Method::Options => turn.response(request, Status::OK),
        _ => turn.response(request, Status::METHOD_NOT_ALLOWED),
    };
    response.append("Allow", "OPTIONS, REGISTER");
    turn.respond(id, response);
}

#[cfg(test)]
mod tests;
