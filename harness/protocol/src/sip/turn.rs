//! What a transaction user is given for one step.
//!
//! Owns the helpers that every core above the transaction layer needs: fresh tokens, requests and responses through the
//! layer. Refuses to decide anything.

use std::net::SocketAddr;

use super::transaction::{Layer, Output, TransactionId};
use super::{MAGIC_COOKIE, Message, Method, Status};
use crate::Instant;

/// The time, chance, the transaction layer below and the place for what comes out. `E` is what the core says to its
/// owner.
pub struct Turn<'a, E> {
    /// The present moment.
    pub now: Instant,
    /// Gives the next number of the sequence of that name.
    pub draw: &'a mut dyn FnMut(&'static str) -> u64,
    /// The transactions of this element.
    pub layer: &'a mut Layer,
    /// What the layer wants done.
    pub below: &'a mut Vec<Output>,
    /// What the core wants done or noted.
    pub above: &'a mut Vec<E>,
}

impl<E> Turn<'_, E> {
    /// A fresh token: a tag, the first part of a Call-ID.
    pub fn token(&mut self, purpose: &'static str) -> String {
        format!("{:016x}", (self.draw)(purpose))
    }

    /// A Via value with a fresh branch for a request that leaves from `local` (RFC 3261 §8.1.1.7).
    pub fn via(&mut self, local: SocketAddr) -> String {
        let branch = self.token("branch");
        format!("SIP/2.0/UDP {local};rport;branch={MAGIC_COOKIE}{branch}")
    }

    /// Sends a request that has its Via already.
    pub fn request(&mut self, destination: SocketAddr, request: Message) -> TransactionId {
        self.layer
            .request(self.now, destination, request, self.below)
    }

    /// Sends a response. Does nothing if its transaction has ended: nobody waits for it any more.
    pub fn respond(&mut self, id: TransactionId, response: Message) {
        let _ended = self.layer.respond(self.now, id, response, self.below);
    }

    /// Answers with a status and nothing more than every response must have.
    pub fn answer(&mut self, id: TransactionId, request: &Message, status: Status) {
        let response = self.response(request, status);
        self.respond(id, response);
    }

    /// Answers 500 with a Retry-After of 0 to 10 s.
    // RFC 3261 §14.2: an INVITE before the one before it is done; RFC 3311 §5.2: an UPDATE too.
    pub fn refuse_for_now(&mut self, id: TransactionId, request: &Message) {
        let mut response = self.response(request, Status::SERVER_INTERNAL_ERROR);
        let seconds = (self.draw)("retry-after") % 11;
        response.append("Retry-After", &seconds.to_string());
        self.respond(id, response);
    }

    /// A response with a reason phrase of its own.
    pub fn response_saying(&mut self, request: &Message, status: Status, reason: &str) -> Message {
        let mut response = Message::response_to(request, status, Some(reason));
        let tag = self.token("tag");
        response.add_to_tag(&tag);
        response
    }

    /// A response with the To tag that every response but 100 must have (RFC 3261 §8.2.6.2).
    pub fn response(&mut self, request: &Message, status: Status) -> Message {
        let mut response = Message::response_to(request, status, None);
        if status != Status::TRYING && request.to_tag().is_none() {
            let tag = self.token("tag");
            response.set_to_tag(&tag);
        }
        response
    }
}

/// The CANCEL for a request, as it was sent.
// RFC 3261 §9.1: same Request-URI, Call-ID, To, From, Route and CSeq number, and the request's top Via alone.
#[must_use]
pub fn cancel_of(request: &Message) -> Message {
    let mut cancel = Message::request(Method::Cancel, request.request_uri().unwrap_or_default());
    if let Some(via) = request.values("Via").next() {
        cancel.append("Via", via);
    }
    cancel.append("Max-Forwards", "70");
    for route in request.values("Route") {
        cancel.append("Route", route);
    }
    for name in ["From", "To", "Call-ID"] {
        cancel.append(name, request.header(name).unwrap_or_default());
    }
    let number = request.cseq().map_or(0, |cseq| cseq.number);
    cancel.append("CSeq", &format!("{number} {}", Method::Cancel));
    cancel
}
