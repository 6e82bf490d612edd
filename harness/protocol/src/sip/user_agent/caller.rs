//! Outgoing calls.
//!
//! Owns what a UAC does between its INVITE and the dialog (RFC 3261 §13.2), and giving up before (§9.1).

use std::net::SocketAddr;

use super::call::{Calling, Phase};
use super::request::offer;
use super::{Ending, Event, Failure, Purpose, UserAgent, UserAgentTurn};
use crate::sip::dialog::Dialog;
use crate::sip::transaction::TransactionId;
use crate::sip::turn::cancel_of;
use crate::sip::{Message, Method, Status, Uri};

impl UserAgent {
    /// Calls a URI.
    pub fn call(&mut self, turn: &mut UserAgentTurn<'_>, uri: &Uri) {
        let mut invite = self.outside_dialog(turn, &Method::Invite, uri.as_str());
        invite.append("Contact", &self.contact());
        offer(&mut invite, self.config.address);
        self.name_extensions(&mut invite);
        self.ask_for_timer(None, &mut invite);
        let via = turn.via(self.config.address);
        invite.prepend("Via", &via);
        let destination = self.next_hop(&invite);
        let client = turn.request(destination, invite.clone());
        let calling = Calling {
            client,
            invite,
            destination,
            proceeding: false,
            rings: false,
            cancelled: false,
            give_up_at: None,
        };
        let id = self.open(turn, uri.to_string(), Phase::Calling(calling));
        self.clients.insert(client, Purpose::Invite(id));
    }

    /// Sends the INVITE of a call once more, with a longer session interval.
    // RFC 4028 §7.3: the same Call-ID, a higher CSeq.
    fn call_again(&mut self, turn: &mut UserAgentTurn<'_>, id: u64) {
        let Some(Phase::Calling(calling)) = self.calls.get(&id).map(|call| call.phase.clone())
        else {
            return;
        };
        let mut invite = calling.invite;
        let number = invite.cseq().map_or(0, |cseq| cseq.number) + 1;
        invite.set("CSeq", &format!("{number} {}", Method::Invite));
        self.ask_for_timer(Some(id), &mut invite);
        invite.remove("Via");
        let via = turn.via(self.config.address);
        invite.prepend("Via", &via);
        let client = turn.request(calling.destination, invite.clone());
        self.clients.insert(client, Purpose::Invite(id));
        if let Some(call) = self.calls.get_mut(&id) {
            call.phase = Phase::Calling(Calling {
                client,
                invite,
                proceeding: false,
                ..calling
            });
        }
    }

    /// The user does not want to wait for an answer any more.
    pub(super) fn give_up_calling(&mut self, turn: &mut UserAgentTurn<'_>, id: u64) {
        if let Some(Phase::Calling(calling)) = self.calls.get_mut(&id).map(|call| &mut call.phase) {
            calling.cancelled = true;
        }
        self.cancel_when_allowed(turn, id);
    }

    pub(super) fn invite_answered(
        &mut self,
        turn: &mut UserAgentTurn<'_>,
        id: u64,
        client: TransactionId,
        response: &Message,
    ) {
        let Some(status) = response.status() else {
            return;
        };
        if status.is_provisional() {
            if self.acknowledge_provisional(turn, client, response) {
                self.progress(turn, id, status);
            }
        } else if status.is_success() {
            self.answered(turn, id, response);
        } else if status == Status::SESSION_INTERVAL_TOO_SMALL
            && !self.is_cancelled(id)
            && self.interval_too_small(id, response)
        {
            self.clients.remove(&client);
            self.call_again(turn, id);
        } else {
            self.clients.remove(&client);
            let reason = response.reason().unwrap_or_default().into_owned();
            self.call_failed(turn, id, Failure::Refused(status, reason));
        }
    }

    fn is_cancelled(&self, id: u64) -> bool {
        let phase = self.calls.get(&id).map(|call| &call.phase);
        matches!(phase, Some(Phase::Calling(calling)) if calling.cancelled)
    }

    fn progress(&mut self, turn: &mut UserAgentTurn<'_>, id: u64, status: Status) {
        let Some(call) = self.calls.get_mut(&id) else {
            return;
        };
        let Phase::Calling(calling) = &mut call.phase else {
            return;
        };
        calling.proceeding = true;
        if status == Status::RINGING && !calling.rings {
            calling.rings = true;
            turn.above.push(Event::RingingThere(id, call.peer.clone()));
            self.tell_referrer(turn, id, status, status.reason());
        }
        self.cancel_when_allowed(turn, id);
    }

    // RFC 3261 §9.1: not before a provisional response; and 64·T1 later the INVITE counts as cancelled.
    fn cancel_when_allowed(&mut self, turn: &mut UserAgentTurn<'_>, id: u64) {
        let Some(Phase::Calling(calling)) = self.calls.get_mut(&id).map(|call| &mut call.phase)
        else {
            return;
        };
        if calling.cancelled && calling.proceeding && calling.give_up_at.is_none() {
            calling.give_up_at = Some(turn.now + turn.layer.timers().t1 * 64);
            let cancel = cancel_of(&calling.invite);
            let client = turn.request(calling.destination, cancel);
            self.clients.insert(client, Purpose::Cancel);
        }
    }

    // RFC 3261 §13.2.2.4: every 2xx is acknowledged; each To tag is a dialog of its own.
    fn answered(&mut self, turn: &mut UserAgentTurn<'_>, id: u64, response: &Message) {
        let Some(call) = self.calls.get(&id) else {
            return;
        };
        let Phase::Calling(calling) = &call.phase else {
            return if call.is_in(response) {
                self.stray(turn, response);
            } else {
                self.end_surplus(turn, response);
            };
        };
        let (invite, cancelled) = (calling.invite.clone(), calling.cancelled);
        let Ok(dialog) = self.confirmed_dialog(&invite, response) else {
            return self.call_failed(
                turn,
                id,
                Failure::Refused(Status::OK, "answer without a usable Contact".to_owned()),
            );
        };
        self.confirm(turn, id, dialog, response);
        self.timer_granted(turn, id, response);
        self.tell_referrer(turn, id, Status::OK, Status::OK.reason());
        if cancelled {
            self.bye(turn, id, Ending::Here);
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

    /// Another branch of a forked INVITE answered too: it is acknowledged and ended.
    fn end_surplus(&mut self, turn: &mut UserAgentTurn<'_>, response: &Message) {
        if let Some((destination, message)) = self.surplus.ack_for(turn.now, response) {
            return turn.above.push(Event::Send {
                destination,
                message,
            });
        }
        let known = self.calls.values().any(|call| call.is_in(response));
        if known {
            return self.stray(turn, response);
        }
        let Ok(dialog) = self.confirmed_dialog(response, response) else {
            return;
        };
        let id = self.open(turn, dialog.remote_uri(), Phase::Ending);
        self.confirm(turn, id, dialog, response);
        let ack = self.calls.get(&id).and_then(|call| call.ack.clone());
        let until = turn.now + turn.layer.timers().t1 * 64;
        self.surplus.remember(turn.now, until, ack);
        self.bye(turn, id, Ending::Here);
    }

    fn confirm(
        &mut self,
        turn: &mut UserAgentTurn<'_>,
        id: u64,
        dialog: Dialog,
        response: &Message,
    ) {
        let Some(call) = self.calls.get_mut(&id) else {
            return;
        };
        let call_id = dialog.call_id().to_owned();
        turn.above
            .push(Event::CallUp(id, call.peer.clone(), call_id));
        call.phase = Phase::Up;
        call.dialog = Some(dialog);
        self.acknowledge(turn, id, response);
    }
}
