//! Requests as they come in.
//!
//! Owns what a proxy does with each before it is forwarded: RFC 3261 §16.2, §16.5, §16.10 and §16.11.

use super::context::ResponseContext;
use super::route::{Place, Refusal, Target};
use super::{Event, Proxy, ProxyTurn, forward, route};
use crate::sip::registrar::Bindings;
use crate::sip::transaction::TransactionId;
use crate::sip::{Message, Method, Status};

impl Proxy {
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
        let mut prepared = Prepared::of(&request);
        let place = route::validate(&self.identity, prepared.mark, &request)
            .and_then(|()| self.stopped_at_gate(turn, &request))
            .and_then(|()| route::place(&self.identity, bindings, &mut prepared.message));
        match place {
            // RFC 3261 §8.2.2.2: for what ends here, this is a UAS.
            Ok(Place::Here | Place::Registrar(_)) if turn.layer.is_merged(id) => {
                self.refuse(turn, id, &request, &Status::LOOP_DETECTED.into());
            }
            Ok(Place::Here) => answer_here(turn, id, &request),
            Ok(Place::Registrar(aor)) => turn.above.push(Event::Register {
                transaction: id,
                aor,
                request,
            }),
            Ok(Place::Targets(targets)) => self.proxy(turn, bindings, id, prepared, targets),
            Err(refusal) => self.refuse(turn, id, &request, &refusal),
        }
    }

    /// An ACK that belongs to no transaction: the one for a 2xx.
    ///
    /// Whatever is wrong with it, nothing is sent back (RFC 3261 §17: there is no response to an ACK).
    // RFC 3261 §16.11: forwarded statelessly.
    pub fn ack(&mut self, turn: &mut ProxyTurn<'_>, bindings: &Bindings, ack: &Message) {
        let mut prepared = Prepared::of(ack);
        let place = route::validate(&self.identity, prepared.mark, ack)
            .and_then(|()| route::place(&self.identity, bindings, &mut prepared.message));
        let Ok(Place::Targets(targets)) = place else {
            return;
        };
        let Some(target) = targets.first() else {
            return;
        };
        let via = forward::stateless_via(self.identity.address, ack, prepared.mark);
        match forward::prepare(&self.identity, &prepared.message, target, &via) {
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

    fn proxy(
        &mut self,
        turn: &mut ProxyTurn<'_>,
        bindings: &Bindings,
        id: TransactionId,
        request: Prepared,
        mut targets: Vec<Target>,
    ) {
        let Prepared { message, mark } = request;
        // RFC 3261 §16.2: a stateful proxy sends 100 for an INVITE at once, or within 200 ms.
        if message.method() == Method::Invite {
            turn.answer(id, &message, Status::TRYING);
        }
        let Some(first) = targets.first() else {
            // RFC 3261 §16.5: the user is known and has no target.
            let status = Status::TEMPORARILY_UNAVAILABLE;
            turn.above.push(refused(&message, status));
            return turn.answer(id, &message, status);
        };
        let serial = self.statuses.bye_tries_next_contact && message.method() == Method::Bye;
        let alternates = if serial {
            route::siblings(bindings, first)
        } else {
            Vec::new()
        };
        if serial {
            targets.truncate(1);
        }
        let context = ResponseContext::new(turn.now, message, mark, alternates);
        self.contexts.insert(id, context);
        for target in &targets {
            self.send_to(turn, id, target);
        }
        self.conclude(turn, id);
    }

    fn refuse(
        &self,
        turn: &mut ProxyTurn<'_>,
        id: TransactionId,
        request: &Message,
        refusal: &Refusal,
    ) {
        turn.above.push(refused(request, refusal.status));
        let mut response = turn.response_saying(request, refusal.status, &refusal.reason);
        for (name, value) in &refusal.fields {
            response.append(name, value);
        }
        turn.respond(id, response);
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

/// A request on its way through.
struct Prepared {
    /// Less this proxy's own routes, once its place is found.
    message: Message,
    /// See [`forward::mark`].
    mark: u64,
}

impl Prepared {
    fn of(request: &Message) -> Self {
        Self {
            message: request.clone(),
            mark: forward::mark(request),
        }
    }
}

fn refused(request: &Message, status: Status) -> Event {
    Event::Refused {
        method: request.method(),
        uri: request.request_uri().unwrap_or_default().to_owned(),
        status,
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
