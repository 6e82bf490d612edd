//! What carries a transaction's messages: RFC 3261 §18.1.1.

use std::net::SocketAddr;

use super::{Carried, Key, Layer};
use crate::Instant;
use crate::sip::transaction::{Event, Output, State, TransactionId};
use crate::sip::{Message, Method, Transport};

impl Layer {
    /// What carries requests whose next hop is named by no URI of theirs, such as an outbound proxy; UDP at first.
    pub fn set_usual_transport(&mut self, usual: Transport) {
        self.usual = usual;
    }

    /// What an ACK for a 2xx should be carried by, which has no transaction.
    #[must_use]
    pub fn transport_of(&self, request: &Message, destination: SocketAddr) -> Transport {
        request.choose_transport(destination, self.usual)
    }

    /// Begins a client transaction anew over UDP that went over TCP for its size alone; the connection was refused or
    /// reset (RFC 3261 §18.1.1). False, and nothing is done, if that is not so, or if anything was heard.
    pub fn fall_back(&mut self, now: Instant, id: TransactionId, out: &mut Vec<Output>) -> bool {
        let Some(transaction) = self.transactions.get_mut(&id) else {
            return false;
        };
        let silent = matches!(transaction.machine.state(), State::Calling | State::Trying);
        if !transaction.moved || !silent {
            return false;
        }
        transaction.moved = false;
        transaction.request.set_transport(Transport::Udp);
        let mut effects = std::mem::take(&mut self.effects);
        transaction.machine.fall_back(&mut effects);
        self.perform(id, effects, Carried::Nothing, out);
        self.happen(now, id, Event::Begin, Carried::Nothing, out);
        true
    }

    /// Whether a transaction lives that sends to that address over TCP, or answers what came from there.
    #[must_use]
    pub fn uses_connection(&self, peer: SocketAddr) -> bool {
        self.transactions.values().any(|transaction| {
            transaction.destination == peer && transaction.request.transport().is_reliable()
        })
    }

    /// Whether a client transaction still waits for the first word in answer to its request.
    #[must_use]
    pub fn has_heard_nothing(&self, id: TransactionId) -> bool {
        let state = self.state(id);
        matches!(state, Some((_, State::Calling | State::Trying)))
    }

    /// Writes into a request on its way out what carries it; whether that is TCP for its size alone.
    pub(super) fn settle_transport(&self, request: &mut Message, destination: SocketAddr) -> bool {
        if request.transport() != Transport::Udp {
            return false;
        }
        if request.method() == Method::Cancel {
            if let Some(invite) = self.cancelled_client(request) {
                request.set_transport(invite.transport());
            }
            return false;
        }
        let chosen = self.transport_of(request, destination);
        let moved = chosen == Transport::Udp && request.is_large();
        let carrier = if moved { Transport::Tcp } else { chosen };
        request.set_transport(carrier);
        moved
    }

    /// The INVITE of this element's that a CANCEL is for: they have one branch (RFC 3261 §9.1).
    fn cancelled_client(&self, cancel: &Message) -> Option<&Message> {
        let branch = cancel.branch()?.to_owned();
        let method = Method::Invite;
        let id = self.keys.get(&Key::of_branch(branch, method))?;
        self.request_of(*id)
    }
}
