//! From a message to its transaction: RFC 3261 §17.1.3 and §17.2.3.

use std::net::SocketAddr;

use super::{Carried, Key, Layer, event_of};
use crate::Instant;
use crate::sip::transaction::{Event, Kind, Output, Report, RequestError, TransactionId};
use crate::sip::via::has_cookie;
use crate::sip::{Message, Method, Status};

impl Layer {
    pub(super) fn client_key(&self, request: &Message) -> Result<Key, RequestError> {
        let method = request.method();
        if !request.is_request() || method == Method::Ack {
            return Err(RequestError::NotTransactional(method));
        }
        request.top_via().map_err(RequestError::Field)?;
        let branch = request.branch().filter(|branch| has_cookie(branch));
        let branch = branch.ok_or(RequestError::NoBranch)?;
        let key = Key::client(request).map_err(RequestError::Field)?;
        if self.keys.contains_key(&key) {
            return Err(RequestError::BranchInUse(branch.to_owned()));
        }
        if self.transactions.len() >= self.capacity {
            return Err(RequestError::Full(self.capacity));
        }
        Ok(key)
    }

    pub(super) fn receive_response(
        &mut self,
        now: Instant,
        source: SocketAddr,
        message: Message,
        status: Status,
        out: &mut Vec<Output>,
    ) {
        let id = Key::client(&message)
            .ok()
            .and_then(|key| self.keys.get(&key).copied());
        match id {
            Some(id) => self.happen(
                now,
                id,
                event_of(status),
                Carried::Came(message, source),
                out,
            ),
            None => out.push(Output::Stray { message, source }),
        }
    }

    pub(super) fn receive_request(
        &mut self,
        now: Instant,
        source: SocketAddr,
        mut message: Message,
        out: &mut Vec<Output>,
    ) {
        message.complete_via(source);
        let method = message.method();
        // `parse` accepts no request without the fields that a key is made of.
        let Ok(key) = Key::server(&message) else {
            return;
        };
        let found = self
            .keys
            .get(&key)
            .copied()
            .filter(|id| method != Method::Ack || self.is_ack_for(*id, &message));
        match (found, method) {
            (Some(id), Method::Ack) => {
                self.happen(now, id, Event::Ack, Carried::Came(message, source), out);
            }
            (Some(id), _) => self.happen(now, id, Event::Repeat, Carried::Nothing, out),
            (None, Method::Ack) => out.push(Output::Ack {
                transaction: None,
                message,
                source,
            }),
            (None, method) if self.transactions.len() >= self.capacity => {
                out.push(Output::Report(Report::Overloaded { method, source }));
            }
            (None, method) => {
                let kind = if method == Method::Invite {
                    Kind::InviteServer
                } else {
                    Kind::NonInviteServer
                };
                // RFC 3261 §18.2.2: back on the connection on which it came.
                let destination = if message.transport().is_reliable() {
                    source
                } else {
                    message.response_destination(source)
                };
                let carried = Carried::Came(message.clone(), source);
                self.open(now, kind, key, message, destination, carried, out);
            }
        }
    }

    // RFC 3261 §17.2.3: without the magic cookie, the To tag of an ACK must be that of the response.
    fn is_ack_for(&self, id: TransactionId, ack: &Message) -> bool {
        let Some(transaction) = self.transactions.get(&id) else {
            return false;
        };
        if !transaction.key.is_old() {
            return true;
        }
        let response = transaction.response.as_ref();
        response.is_some_and(|response| response.to_tag() == ack.to_tag())
    }
}
