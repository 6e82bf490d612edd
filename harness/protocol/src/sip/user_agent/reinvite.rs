//! Changing the session of a call that is up.
//!
//! Owns re-INVITEs that go out (RFC 3261 §14.1), and trying again after two have crossed.

use std::net::SocketAddr;
use std::time::Duration;

use super::call::{Call, Phase, Reinvite};
use super::{Ending, Event, Failure, Glare, Purpose, UserAgent, UserAgentTurn};
use crate::sip::sdp::Codec;
use crate::sip::transaction::TransactionId;
use crate::sip::{Message, Method, Status};

impl UserAgent {
    /// Offers the session of the current call anew, with those codecs if there are any; does nothing without a call that is up and quiet.
    // RFC 3261 §14.1: not while another INVITE of the dialog is going on in either direction.
    pub fn reinvite(&mut self, turn: &mut UserAgentTurn<'_>, codecs: Option<Vec<Codec>>) {
        let quiet = |call: &Call| {
            matches!(call.phase, Phase::Up)
                && call.unacknowledged.is_none()
                && call.reinvite.is_none()
        };
        let Some((id, call)) = self.calls.iter_mut().find(|(_, call)| quiet(call)) else {
            return;
        };
        if let Some(codecs) = codecs {
            call.descriptions.propose(codecs);
        }
        let id = *id;
        self.send_reinvite(turn, id);
    }

    pub(super) fn send_reinvite(&mut self, turn: &mut UserAgentTurn<'_>, id: u64) {
        let Some(call) = self.calls.get_mut(&id) else {
            return;
        };
        call.reinvite = Some(Reinvite::Out);
        let Some(dialog) = &mut call.dialog else {
            return;
        };
        let mut invite = dialog.request(&Method::Invite);
        let mut descriptions = call.descriptions.clone();
        invite.append("Contact", &self.contact);
        self.offer(&mut descriptions, &mut invite);
        if let Some(call) = self.calls.get_mut(&id) {
            call.descriptions = descriptions;
        }
        self.name_extensions(&mut invite);
        self.ask_for_timer(Some(id), &mut invite);
        let client = self.send(turn, invite);
        self.clients.insert(client, Purpose::Reinvite(id));
    }

    pub(super) fn reinvite_answered(
        &mut self,
        turn: &mut UserAgentTurn<'_>,
        id: u64,
        client: TransactionId,
        response: &Message,
    ) {
        let Some(status) = response.status().filter(|status| status.is_final()) else {
            return;
        };
        if status.is_success() {
            return self.reinvite_taken(turn, id, response);
        }
        self.clients.remove(&client);
        if status == Status::REQUEST_PENDING {
            return self.reinvite_later(turn, id);
        }
        if status == Status::SESSION_INTERVAL_TOO_SMALL && self.interval_too_small(id, response) {
            return self.send_reinvite(turn, id);
        }
        self.reinvite_failed(turn, id, Failure::refused(status, response));
    }

    /// The session stays as it was; the dialog too, unless the peer has lost it or is silent.
    // RFC 3261 §14.1
    pub(super) fn reinvite_failed(
        &mut self,
        turn: &mut UserAgentTurn<'_>,
        id: u64,
        failure: Failure,
    ) {
        let Some(call) = self
            .calls
            .get_mut(&id)
            .filter(|call| matches!(call.phase, Phase::Up))
        else {
            return;
        };
        call.keep_session();
        let lost = failure.loses_dialog();
        turn.above
            .push(Event::NotChanged(id, call.peer.clone(), failure));
        if lost {
            self.bye(turn, id, Ending::Lost);
        }
    }

    /// Acknowledges a 2xx in the call's dialog, and keeps the ACK for when the 2xx is repeated; returns whether there is a
    /// session.
    // RFC 3261 §13.2.2.4; §17: the ACK for a 2xx has a branch of its own.
    pub(super) fn acknowledge(
        &mut self,
        turn: &mut UserAgentTurn<'_>,
        id: u64,
        response: &Message,
    ) -> bool {
        let number = response.cseq().map_or(0, |cseq| cseq.number);
        let dialog = self.calls.get(&id).and_then(|call| call.dialog.as_ref());
        let Some(mut message) = dialog.map(|dialog| dialog.ack(number)) else {
            return false;
        };
        let taken = self.conclude(id, response, &mut message);
        let ack = self.send_ack(turn, message);
        if let Some(call) = self.calls.get_mut(&id) {
            call.ack = Some(ack);
        }
        taken
    }

    /// Sends the ACK for a 2xx; returns it as it was sent.
    pub(super) fn send_ack(
        &mut self,
        turn: &mut UserAgentTurn<'_>,
        mut message: Message,
    ) -> (SocketAddr, Message) {
        self.sign_ack(&mut message);
        let via = turn.via(self.config.address);
        message.prepend("Via", &via);
        let destination = self.next_hop(&message);
        turn.above.push(Event::Send {
            destination,
            message: message.clone(),
        });
        (destination, message)
    }

    fn reinvite_taken(&mut self, turn: &mut UserAgentTurn<'_>, id: u64, response: &Message) {
        let Some(call) = self.calls.get_mut(&id) else {
            return;
        };
        if call.is_acknowledged(response) {
            return self.stray(turn, response);
        }
        call.reinvite = None;
        if let Some(dialog) = &mut call.dialog {
            dialog.refresh_target(response);
        }
        let peer = call.peer.clone();
        self.timer_granted(turn, id, response);
        if !self.acknowledge(turn, id, response) {
            return self.bye(turn, id, Ending::NoSession);
        }
        if let Some(call) = self.calls.get_mut(&id) {
            call.descriptions.settle();
        }
        turn.above.push(Event::Changed(id, peer));
    }

    // RFC 3261 §14.1: who made the Call-ID waits 2.1 to 4 s, the other one up to 2 s, in steps of 10 ms.
    fn reinvite_later(&mut self, turn: &mut UserAgentTurn<'_>, id: u64) {
        let Some(call) = self
            .calls
            .get_mut(&id)
            .filter(|call| matches!(call.phase, Phase::Up))
        else {
            return;
        };
        let Glare { owner, other } = self.config.glare;
        let (least, most) = if call.outgoing { owner } else { other };
        let steps = most.saturating_sub(least) / 10 + 1;
        let wait = least + (turn.draw)("reinvite-retry") % steps * 10;
        call.reinvite = Some(Reinvite::Again(turn.now + Duration::from_millis(wait)));
    }
}
