//! Outgoing calls.
//!
//! Owns what a UAC does between its INVITE and the dialog (RFC 3261 §13.2), and giving up before (§9.1).

use std::time::Duration;

use super::call::{Calling, Phase};
use super::{Ending, Event, Failure, Purpose, UserAgent, UserAgentTurn};
use crate::sip::dialog::Dialog;
use crate::sip::transaction::TransactionId;
use crate::sip::turn::cancel_of;
use crate::sip::{Message, Method, Status, Uri};

impl UserAgent {
    /// Calls a URI.
    pub fn call(&mut self, turn: &mut UserAgentTurn<'_>, uri: &Uri) {
        self.call_within(turn, uri, None);
    }

    /// Calls a URI, and gives up when nobody has answered after so many whole seconds.
    // RFC 3261 §13.2.1
    pub fn call_within(
        &mut self,
        turn: &mut UserAgentTurn<'_>,
        uri: &Uri,
        patience: Option<Duration>,
    ) {
        if !self.servers.choose(turn.now) {
            let event = Event::NotDone(Method::Invite, uri.to_string(), Failure::NoServer);
            return turn.above.push(event);
        }
        let mut invite = self.outside_dialog(turn, &Method::Invite, uri.as_str());
        invite.append("Contact", &self.contact);
        let mut descriptions = self.descriptions();
        self.offer(&mut descriptions, &mut invite);
        self.name_extensions(&mut invite);
        self.ask_for_timer(None, &mut invite);
        if let Some(patience) = patience {
            invite.append("Expires", &patience.as_secs().to_string());
        }
        let search = self.direct(turn, &mut invite);
        let calling = Calling::new(turn.now, self.dispatch(turn, invite));
        let client = calling.client;
        let id = self.open(turn, uri.to_string(), Phase::Calling(calling));
        self.searches.insert(id, search);
        if let Some(call) = self.calls.get_mut(&id) {
            call.descriptions = descriptions;
        }
        self.clients.insert(client, Purpose::Invite(id));
    }

    /// Sends the INVITE of a call once more, with a longer session interval.
    // RFC 4028 §7.3: the same Call-ID, a higher CSeq.
    fn call_again(&mut self, turn: &mut UserAgentTurn<'_>, id: u64, client: TransactionId) {
        self.clients.remove(&client);
        let Some((_, mut invite)) = self.asked.get(client).cloned() else {
            return;
        };
        let purpose = Purpose::Invite(id);
        self.ask_for_timer(Some(id), &mut invite);
        self.renumber(&purpose, &mut invite);
        self.send_again(turn, purpose, invite);
    }

    /// The user does not want to wait for an answer any more.
    pub(super) fn give_up_calling(&mut self, turn: &mut UserAgentTurn<'_>, id: u64) {
        if let Some(Phase::Calling(calling)) = self.calls.get_mut(&id).map(|call| &mut call.phase) {
            calling.cancelled = true;
            calling.expires_at = None;
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
            && !self.is_abandoned(id)
            && self.interval_too_small(id, response)
        {
            self.call_again(turn, id, client);
        } else {
            let failure = Failure::refused(status, response);
            self.not_reached(turn, id, client, failure, Some(response));
        }
    }

    /// An INVITE came to nothing: the callee is looked for elsewhere, or the call has failed.
    pub(super) fn not_reached(
        &mut self,
        turn: &mut UserAgentTurn<'_>,
        id: u64,
        client: TransactionId,
        failure: Failure,
        response: Option<&Message>,
    ) {
        if !self.look_further(turn, id, client, response) {
            self.clients.remove(&client);
            self.call_failed(turn, id, failure);
        }
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
            return self.end_surplus(turn, response);
        };
        let (invite, cancelled) = (calling.invite.clone(), calling.cancelled);
        let Ok(dialog) = self.confirmed_dialog(&invite, response) else {
            return self.call_failed(
                turn,
                id,
                Failure::Refused(Status::OK, "answer without a usable Contact".to_owned()),
            );
        };
        let taken = self.confirm(turn, id, dialog, response);
        self.timer_granted(turn, id, response);
        self.tell_referrer(turn, id, Status::OK, Status::OK.reason());
        if cancelled {
            self.bye(turn, id, Ending::Here);
        } else if !taken {
            self.bye(turn, id, Ending::NoSession);
        }
    }

    /// Acknowledges the answer; returns whether there is a session.
    pub(super) fn confirm(
        &mut self,
        turn: &mut UserAgentTurn<'_>,
        id: u64,
        dialog: Dialog,
        response: &Message,
    ) -> bool {
        let Some(call) = self.calls.get_mut(&id) else {
            return false;
        };
        let call_id = dialog.call_id().to_owned();
        turn.above
            .push(Event::CallUp(id, call.peer.clone(), call_id));
        call.phase = Phase::Up;
        call.dialog = Some(dialog);
        self.acknowledge(turn, id, response)
    }
}
