//! Answers to INVITEs that come when nobody waits for them any more.
//!
//! Owns acknowledging them, and ending what they begin (RFC 3261 §13.2.2.4).

use std::net::SocketAddr;

use super::call::Phase;
use super::{Ending, Event, UserAgent, UserAgentTurn};
use crate::sip::transaction::{State, TransactionId};
use crate::sip::{Message, Method, Status};

impl UserAgent {
    /// A response without a transaction: only a 2xx to an INVITE means anything, that its ACK was lost, or that it was long
    /// under way. One to an INVITE of an earlier life means nothing.
    // RFC 3261 §18.1.2 hands it to the core, §13.2.2.4: there it is acknowledged, and ended if nobody wants it.
    pub fn stray(&mut self, turn: &mut UserAgentTurn<'_>, response: &Message) {
        let invited = response
            .cseq()
            .is_ok_and(|cseq| cseq.method == Method::Invite);
        let taken = invited && response.status().is_some_and(Status::is_success);
        let known = self.calls.values().any(|call| call.is_in(response))
            || self.surplus.concerns(turn.now, response);
        if taken && known {
            self.end_surplus(turn, response);
        }
    }

    /// A response to an INVITE whose call is over: the answer to it once more, or one of another branch.
    pub(super) fn answered_late(
        &mut self,
        turn: &mut UserAgentTurn<'_>,
        ack: Option<(SocketAddr, Message)>,
        response: &Message,
    ) {
        if !response.status().is_some_and(Status::is_success) {
            return;
        }
        match ack {
            Some((destination, message)) if message.to_tag() == response.to_tag() => {
                turn.above.push(Event::Send {
                    destination,
                    message,
                });
            }
            _ => self.end_surplus(turn, response),
        }
    }

    /// Acknowledges a 2xx that its call has had before, or that no call wants; a dialog that nobody knows is ended.
    pub(super) fn end_surplus(&mut self, turn: &mut UserAgentTurn<'_>, response: &Message) {
        let known = self.calls.values().find(|call| call.is_in(response));
        let again = known.filter(|call| call.is_acknowledged(response));
        let again = again.and_then(|call| call.ack.clone());
        if let Some((destination, message)) =
            again.or_else(|| self.surplus.ack_for(turn.now, response))
        {
            return turn.above.push(Event::Send {
                destination,
                message,
            });
        }
        let dialog = known.and_then(|call| call.dialog.as_ref());
        if let Some(dialog) = dialog.or_else(|| self.surplus.ended(turn.now, response)) {
            let number = response.cseq().map_or(0, |cseq| cseq.number);
            let ack = dialog.ack(number);
            let sent = self.send_ack(turn, ack);
            return self.keep(turn, Some(sent));
        }
        let Ok(dialog) = self.confirmed_dialog(response, response) else {
            return;
        };
        let id = self.open(turn, dialog.remote_uri(), Phase::Ending);
        self.confirm(turn, id, dialog, response);
        let ack = self.calls.get(&id).and_then(|call| call.ack.clone());
        self.keep(turn, ack);
        self.bye(turn, id, Ending::Here);
    }

    /// Remembers an ACK for as long as its 2xx may be repeated.
    fn keep(&mut self, turn: &UserAgentTurn<'_>, ack: Option<(SocketAddr, Message)>) {
        let until = turn.now + turn.layer.timers().t1 * 64;
        self.surplus.remember(turn.now, until, ack);
    }
}

/// Whether a request of this side's has had no final answer.
pub(super) fn is_open(turn: &UserAgentTurn<'_>, client: TransactionId) -> bool {
    let state = turn.layer.state(client).map(|(_, state)| state);
    matches!(state, Some(State::Calling | State::Proceeding))
}
