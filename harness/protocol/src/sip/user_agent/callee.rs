//! Incoming requests.
//!
//! Owns what a UAS does with each: RFC 3261 §8.2, §9.2, §11.2, §13.3 and §15.1.2.

use super::call::{Call, Phase, Reinvite, Ringing, expiry};
use super::offer::description_of;
use super::request::ALLOW;
use super::{Ending, Event, UserAgent, UserAgentTurn};
use crate::sip::dialog::{Dialog, DialogError};
use crate::sip::sdp::MEDIA_TYPE;
use crate::sip::transaction::TransactionId;
use crate::sip::{Class, Message, Method, Status};

impl UserAgent {
    /// A request in a server transaction of its own.
    pub fn request(&mut self, turn: &mut UserAgentTurn<'_>, id: TransactionId, request: &Message) {
        if let Some(response) = self.refusal(turn, id, request) {
            return turn.respond(id, response);
        }
        if request.method() == Method::Cancel {
            return self.cancelled(turn, id, request);
        }
        if request.method() == Method::Prack {
            return self.prack_received(turn, id, request);
        }
        if request.to_tag().is_some() {
            return self.in_dialog(turn, id, request);
        }
        match request.method() {
            Method::Invite => self.invited(turn, id, request),
            Method::Options => self.options(turn, id, request),
            Method::Message => text(turn, id, request),
            // RFC 3515 §2.4.2: who may decline one in a dialog may decline one outside as well.
            Method::Refer => turn.answer(id, request, Status::DECLINE),
            Method::Notify => self.notified(turn, id, None, request),
            // The others need a dialog.
            _ => turn.answer(id, request, Status::DOES_NOT_EXIST),
        }
    }

    /// An ACK that belongs to no transaction: the one for a 2xx. An unexpected one is ignored.
    pub fn ack(&mut self, turn: &mut UserAgentTurn<'_>, ack: &Message) {
        let Some(id) = self.call_of(ack) else {
            return;
        };
        let Some(call) = self.calls.get_mut(&id) else {
            return;
        };
        let number = ack.cseq().map(|cseq| cseq.number);
        let awaited = call
            .unacknowledged
            .as_ref()
            .and_then(|waiting| waiting.ok.cseq().ok());
        if awaited.is_some_and(|cseq| Ok(cseq.number) == number) {
            call.unacknowledged = None;
            let session = call
                .descriptions
                .acknowledged(self.config.address.ip(), ack);
            if call.hang_up_wanted {
                self.bye(turn, id, Ending::Here);
            } else if session.is_err() {
                self.bye(turn, id, Ending::NoSession);
            }
        }
    }

    // RFC 3261 §13.3.1
    fn invited(&mut self, turn: &mut UserAgentTurn<'_>, id: TransactionId, request: &Message) {
        let status = self.willingness();
        if !status.is_success() {
            let mut response = turn.response(request, status);
            if status == Status::TEMPORARILY_UNAVAILABLE {
                self.config.answer.refusal.complete(&mut response);
            }
            return turn.respond(id, response);
        }
        let tag = turn.token("tag");
        let mut response = Message::response_to(request, Status::OK, None);
        response.add_to_tag(&tag);
        let dialog = match Dialog::callee(request, &response) {
            Ok(dialog) => dialog,
            Err(error) => return refuse_dialog(turn, id, request, error),
        };
        let mut descriptions = self.descriptions();
        let description = match descriptions.respond(self.config.address.ip(), request) {
            Ok(description) => description,
            Err(error) => return self.refuse_offer(turn, id, request, error),
        };
        let peer = dialog.remote_uri();
        let ringing = Ringing {
            server: id,
            invite: request.clone(),
            tag,
            expires_at: expiry(turn.now, request),
            next_at: turn.now + self.config.answer.ring,
            is_heard: false,
            rings: false,
            description,
        };
        let call = self.open(turn, peer, Phase::Ringing(ringing));
        if let Some(call) = self.calls.get_mut(&call) {
            call.dialog = Some(dialog);
            call.descriptions = descriptions;
        }
        // RFC 3261 §8.3: a redirect server rings nobody.
        match self.refusal_status() {
            Some(status) if status.class() == Class::Redirection => {
                let refusal = self.config.answer.refusal.clone();
                self.refused += 1;
                self.refuse_with(turn, call, status, |response| refusal.complete(response));
            }
            _ if self.config.answer.ring.is_zero() => self.ring(turn, call),
            _ => {}
        }
    }

    // RFC 3261 §12.2.2
    fn in_dialog(&mut self, turn: &mut UserAgentTurn<'_>, id: TransactionId, request: &Message) {
        let Some(number) = self.call_of(request) else {
            return turn.answer(id, request, Status::DOES_NOT_EXIST);
        };
        let Some(call) = self.calls.get_mut(&number) else {
            return;
        };
        if let Some(dialog) = &mut call.dialog
            && let Err(error) = dialog.take(request)
        {
            return refuse_dialog(turn, id, request, error);
        }
        match request.method() {
            Method::Bye => self.bye_received(turn, id, number, request),
            Method::Invite => self.reinvited(turn, id, number, request),
            Method::Update => self.updated(turn, id, number, request),
            Method::Refer => self.referred(turn, id, number, request),
            Method::Notify => self.notified(turn, id, Some(number), request),
            Method::Options => self.options(turn, id, request),
            Method::Message => text(turn, id, request),
            // INFO, RFC 6086 §4.2.2: nothing in it is looked at.
            _ => turn.answer(id, request, Status::OK),
        }
    }

    // RFC 3261 §15.1.2: whatever is pending in the dialog is answered 487.
    fn bye_received(
        &mut self,
        turn: &mut UserAgentTurn<'_>,
        id: TransactionId,
        call: u64,
        request: &Message,
    ) {
        turn.answer(id, request, Status::OK);
        match self.calls.get(&call).map(|call| &call.phase) {
            Some(Phase::Ringing(_)) => self.refuse(turn, call, Status::REQUEST_TERMINATED),
            Some(Phase::Up) => {
                let peer = self.calls[&call].peer.clone();
                turn.above.push(Event::CallEnded(call, peer, Ending::There));
                self.close(turn, call);
            }
            // Two BYEs crossed: ours still waits for its answer. Or nothing was answered yet.
            _ => {}
        }
    }

    // RFC 3261 §14.2: one that crosses ours gets 491, and an INVITE before the one before it is done gets 500 with Retry-After.
    fn reinvited(
        &mut self,
        turn: &mut UserAgentTurn<'_>,
        id: TransactionId,
        call: u64,
        request: &Message,
    ) {
        let Some(state) = self.calls.get_mut(&call) else {
            return;
        };
        if state.reinvite == Some(Reinvite::Out) {
            return turn.answer(id, request, Status::REQUEST_PENDING);
        }
        let idle = matches!(state.phase, Phase::Up) && state.unacknowledged.is_none();
        if !idle {
            return turn.refuse_for_now(id, request);
        }
        let description = match self.answer_of(call, request) {
            Ok(description) => description,
            Err(error) => return self.refuse_offer(turn, id, request, error),
        };
        self.refresh_target(call, request);
        let ok = self.take_offer(turn, call, (request, description), "", id);
        turn.respond(id, ok);
    }

    // RFC 3311 §5.2: an offer that crosses ours gets 491; the 2xx answers it, and refreshes the target.
    fn updated(
        &mut self,
        turn: &mut UserAgentTurn<'_>,
        id: TransactionId,
        call: u64,
        request: &Message,
    ) {
        let offers = description_of(request).is_some();
        let state = self.calls.get(&call);
        if offers && state.is_some_and(|state| state.reinvite == Some(Reinvite::Out)) {
            return turn.answer(id, request, Status::REQUEST_PENDING);
        }
        let mut ok = turn.response(request, Status::OK);
        ok.append("Contact", &self.contact);
        if offers {
            match self.answer_of(call, request) {
                Ok(answer) => ok.set_body(MEDIA_TYPE, answer),
                Err(error) => return self.refuse_offer(turn, id, request, error),
            }
        }
        self.name_extensions(&mut ok);
        self.grant_timer(turn, call, request, &mut ok);
        self.refresh_target(call, request);
        turn.respond(id, ok);
    }

    // RFC 3261 §12.2.2
    fn refresh_target(&mut self, call: u64, request: &Message) {
        let call = self.calls.get_mut(&call);
        if let Some(dialog) = call.and_then(|call| call.dialog.as_mut()) {
            dialog.refresh_target(request);
        }
    }

    // RFC 3261 §9.2: the CANCEL is answered 200 in any case, the INVITE 487 if it has no final response yet.
    fn cancelled(&mut self, turn: &mut UserAgentTurn<'_>, id: TransactionId, cancel: &Message) {
        let Some(invite) = turn.layer.matching_invite(cancel) else {
            return turn.answer(id, cancel, Status::DOES_NOT_EXIST);
        };
        let rings_for = |call: &Call| match &call.phase {
            Phase::Ringing(ringing) if ringing.server == invite => Some(ringing.tag.clone()),
            _ => None,
        };
        let ringing = self
            .calls
            .iter()
            .find_map(|(id, call)| Some((*id, rings_for(call)?)));
        let mut response = Message::response_to(cancel, Status::OK, None);
        let ringing_tag = ringing.as_ref().map(|(_, tag)| tag.clone());
        let tag = ringing_tag
            .or_else(|| tag_of(turn.layer.response_of(invite)?))
            .unwrap_or_else(|| turn.token("tag"));
        response.add_to_tag(&tag);
        turn.respond(id, response);
        if let Some((call, _)) = ringing {
            self.refuse(turn, call, Status::REQUEST_TERMINATED);
        }
    }

    // RFC 3261 §11.2: the status is the one that an INVITE would get.
    fn options(&self, turn: &mut UserAgentTurn<'_>, id: TransactionId, request: &Message) {
        let mut response = turn.response(request, self.willingness());
        response.append("Allow", ALLOW);
        response.append("Accept", "application/sdp, text/plain");
        turn.respond(id, response);
    }

    pub(super) fn call_of(&self, request: &Message) -> Option<u64> {
        let is_in = |call: &Call| {
            call.dialog
                .as_ref()
                .is_some_and(|dialog| dialog.has_request(request))
        };
        self.calls
            .iter()
            .find(|(_, call)| is_in(call))
            .map(|(id, _)| *id)
    }

    /// What a call would be answered with now.
    fn willingness(&self) -> Status {
        if self.config.answer.do_not_disturb {
            Status::TEMPORARILY_UNAVAILABLE
        } else if self.calls.values().any(|call| !call.is_ending()) {
            Status::BUSY_HERE
        } else {
            Status::OK
        }
    }
}

pub(super) fn refuse_dialog(
    turn: &mut UserAgentTurn<'_>,
    id: TransactionId,
    request: &Message,
    error: DialogError,
) {
    let response = turn.response_saying(request, error.status(), &error.to_string());
    turn.respond(id, response);
}

// RFC 3428 §7
fn text(turn: &mut UserAgentTurn<'_>, id: TransactionId, request: &Message) {
    let from = request.from().map(|from| from.uri_str().to_owned());
    turn.above
        .push(Event::Text(from.unwrap_or_default(), request.body().len()));
    turn.answer(id, request, Status::OK);
}

fn tag_of(response: &Message) -> Option<String> {
    response.to_tag().map(str::to_owned)
}
