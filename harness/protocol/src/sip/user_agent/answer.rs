//! Answering a call.
//!
//! Owns what a UAS does with an INVITE that it took: it rings, is picked up or refuses, and sends its 2xx until the ACK
//! comes (RFC 3261 §13.3.1).

use super::call::{Phase, Unacknowledged};
use super::request::ALLOW;
use super::{Ending, Event, Failure, Refusal, UserAgent, UserAgentTurn};
use crate::sip::sdp::MEDIA_TYPE;
use crate::sip::transaction::TransactionId;
use crate::sip::{Message, Status};

impl UserAgent {
    /// Refuses a call that rings here.
    pub(super) fn refuse(&mut self, turn: &mut UserAgentTurn<'_>, id: u64, status: Status) {
        self.refuse_with(turn, id, status, |_| ());
    }

    /// Refuses a call that rings here, with whatever `complete` adds to the response.
    pub(super) fn refuse_with(
        &mut self,
        turn: &mut UserAgentTurn<'_>,
        id: u64,
        status: Status,
        complete: impl FnOnce(&mut Message),
    ) {
        let Some(Phase::Ringing(ringing)) = self.calls.get(&id).map(|call| call.phase.clone())
        else {
            return;
        };
        let mut response = Message::response_to(&ringing.invite, status, None);
        response.add_to_tag(&ringing.tag);
        self.abandon_provisional(turn, id);
        complete(&mut response);
        turn.respond(ringing.server, response);
        let reason = status.reason().to_owned();
        self.call_failed(turn, id, Failure::Refused(status, reason));
    }

    /// What the next call is refused with, if it is.
    pub(super) fn refusal_status(&self) -> Option<Status> {
        let answer = &self.config.answer;
        let more = answer.refuse_times.is_none_or(|most| self.refused < most);
        answer.status.filter(|_| more)
    }

    /// Rings, then is picked up or refuses.
    pub(super) fn ring(&mut self, turn: &mut UserAgentTurn<'_>, id: u64) {
        let (status, pick_up) = (self.refusal_status(), self.config.answer.pick_up);
        let early_media = self.config.answer.early_media;
        let Some(call) = self.calls.get_mut(&id) else {
            return;
        };
        let Phase::Ringing(ringing) = &mut call.phase else {
            return;
        };
        if let Some(length) = early_media.filter(|_| !ringing.is_heard) {
            ringing.is_heard = true;
            ringing.next_at = turn.now + length;
            return self.be_heard(turn, id);
        }
        // Who need not think about a refusal does not ring for it.
        if ringing.rings || status.is_some() && pick_up.is_zero() {
            let refusal = self.config.answer.refusal.clone();
            return match status {
                Some(status) => {
                    self.refused += 1;
                    self.refuse_with(turn, id, status, |response| refusal.complete(response));
                }
                None => self.pick_up(turn, id),
            };
        }
        ringing.rings = true;
        ringing.next_at = turn.now + pick_up;
        let (invite, tag) = (ringing.invite.clone(), ringing.tag.clone());
        turn.above.push(Event::Ringing(id, call.peer.clone()));
        let response = self.dialog_response(&invite, Status::RINGING, &tag);
        self.respond_provisionally(turn, id, response);
        if pick_up.is_zero() && self.may_go_on(id) {
            self.ring(turn, id);
        }
    }

    // RFC 3261 §13.3.1.4: the UAS core sends its 2xx again, from T1 to T2 apart, until the ACK comes; 64·T1 without one
    // end the dialog with a BYE.
    pub(super) fn repeat_answer(&mut self, turn: &mut UserAgentTurn<'_>, id: u64) {
        let t2 = turn.layer.timers().t2;
        let Some(call) = self.calls.get_mut(&id) else {
            return;
        };
        let Some(waiting) = &mut call.unacknowledged else {
            return;
        };
        if waiting.give_up_at <= turn.now {
            return self.bye(turn, id, Ending::NotAcknowledged);
        }
        waiting.interval = (waiting.interval * 2).min(t2);
        waiting.resend_at = turn.now + waiting.interval;
        let (server, ok) = (waiting.server, waiting.ok.clone());
        turn.respond(server, ok);
    }

    /// Sends the 183 with which the callee is heard before it answers.
    fn be_heard(&mut self, turn: &mut UserAgentTurn<'_>, id: u64) {
        let Some(Phase::Ringing(ringing)) = self.calls.get(&id).map(|call| &call.phase) else {
            return;
        };
        let mut response =
            self.dialog_response(&ringing.invite, Status::SESSION_PROGRESS, &ringing.tag);
        response.set_body(MEDIA_TYPE, ringing.description.clone());
        self.respond_provisionally(turn, id, response);
    }

    /// Whether no provisional response of this side waits for its PRACK.
    fn may_go_on(&self, id: u64) -> bool {
        let call = self.calls.get(&id);
        call.is_some_and(|call| call.provisionals.deadline().is_none())
    }

    fn pick_up(&mut self, turn: &mut UserAgentTurn<'_>, id: u64) {
        let Some(Phase::Ringing(ringing)) = self.calls.get(&id).map(|call| call.phase.clone())
        else {
            return;
        };
        let (invite, description) = (&ringing.invite, ringing.description);
        let ok = self.take_offer(
            turn,
            id,
            (invite, description),
            &ringing.tag,
            ringing.server,
        );
        let Some(call) = self.calls.get_mut(&id) else {
            return;
        };
        call.phase = Phase::Up;
        let call_id = ok.call_id().unwrap_or_default().to_owned();
        turn.above
            .push(Event::CallUp(id, call.peer.clone(), call_id));
        turn.respond(ringing.server, ok);
    }

    /// The 2xx to an INVITE, with that description; from now on it waits for its ACK.
    pub(super) fn take_offer(
        &mut self,
        turn: &UserAgentTurn<'_>,
        id: u64,
        (invite, description): (&Message, Vec<u8>),
        tag: &str,
        server: TransactionId,
    ) -> Message {
        let mut ok = self.dialog_response(invite, Status::OK, tag);
        ok.set_body(MEDIA_TYPE, description);
        self.grant_timer(turn, id, invite, &mut ok);
        if !self.config.answer.names_contact {
            ok.remove("Contact");
        }
        let timers = turn.layer.timers();
        if let Some(call) = self.calls.get_mut(&id) {
            call.unacknowledged = Some(Unacknowledged {
                server,
                ok: ok.clone(),
                interval: timers.t1,
                resend_at: turn.now + timers.t1,
                give_up_at: turn.now + timers.t1 * 64,
            });
        }
        ok
    }

    /// A response that makes a dialog (RFC 3261 §12.1.1): Record-Route as it came, and a Contact.
    fn dialog_response(&self, invite: &Message, status: Status, tag: &str) -> Message {
        let mut response = Message::response_to(invite, status, None);
        response.add_to_tag(tag);
        for route in invite.values("Record-Route") {
            response.append("Record-Route", route);
        }
        response.append("Contact", &self.contact);
        response.append("Allow", ALLOW);
        self.name_extensions(&mut response);
        response
    }
}

impl Refusal {
    /// Adds what comes with the refusal.
    // RFC 3261 §20.10 and §20.33
    pub(super) fn complete(&self, response: &mut Message) {
        if let Some(wait) = self.retry_after {
            response.append("Retry-After", &wait.as_secs().to_string());
        }
        for contact in &self.contacts {
            response.append("Contact", &format!("<{contact}>"));
        }
        if let Some(lifetime) = self.expires {
            response.append("Expires", &lifetime.as_secs().to_string());
        }
        if let Some(body) = &self.body {
            response.set_body(&body.media_type, body.text.clone());
        }
    }
}
