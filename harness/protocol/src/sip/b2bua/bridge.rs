//! Requests in the dialog of one leg that go on in that of the other.
//!
//! Owns re-INVITEs both ways with their glare (RFC 3261 §14), and INFO, UPDATE and MESSAGE.

use super::call::{Invited, LegState, Owed, Side};
use super::incoming;
use super::{B2bua, B2buaTurn, News, Purpose, Silence, copy};
use crate::sip::transaction::TransactionId;
use crate::sip::{Message, Method, Status};

/// A request that was passed on and waits for its final answer.
#[derive(Clone, Debug)]
pub(super) struct Passed {
    call: u64,
    /// The leg that it came in on.
    from: Side,
    server: TransactionId,
    request: Message,
}

impl B2bua {
    // RFC 3261 §14.2: one that crosses ours gets 491, and an INVITE before the one before it is done gets 500 with
    // Retry-After. §14.1: nothing goes out on the other leg while an INVITE is under way there; the peer may try again.
    pub(super) fn reinvited(
        &mut self,
        turn: &mut B2buaTurn<'_>,
        id: TransactionId,
        (call, side): (u64, Side),
        request: &Message,
    ) {
        let Some(open) = self.calls.get_mut(&call) else {
            return;
        };
        let (leg, other) = (open.leg(side), open.leg(side.other()));
        if leg.invited.is_some() || leg.unacknowledged.is_some() {
            return turn.refuse_for_now(id, request);
        }
        let crosses = leg.inviting.is_some()
            || other.unacknowledged.is_some()
            || other.owed.is_some()
            || other.state != LegState::Up;
        if crosses {
            return turn.answer(id, request, Status::REQUEST_PENDING);
        }
        turn.answer(id, request, Status::TRYING);
        let leg = open.leg_mut(side);
        if let Some(dialog) = &mut leg.dialog {
            dialog.refresh_target(request);
        }
        leg.invited = Some(Invited {
            server: id,
            invite: request.clone(),
        });
        self.invited.insert(id, (call, side));
        self.send_reinvite(turn, (call, side.other()), request);
    }

    /// The caller of a re-INVITE does not want to wait any more; what the other side says to its CANCEL goes back.
    pub(super) fn cancel_reinvite(&mut self, turn: &mut B2buaTurn<'_>, call: u64, side: Side) {
        let leg = self.calls.get(&call).map(|call| call.leg(side.other()));
        if let Some(client) = leg.and_then(|leg| leg.inviting) {
            self.cancel(turn, client);
        }
    }

    /// A 2xx to a re-INVITE: it goes back, and the ACK for it comes from there.
    pub(super) fn reinvite_taken(
        &mut self,
        turn: &mut B2buaTurn<'_>,
        (call, side): (u64, Side),
        owed: Owed,
    ) {
        let Some(leg) = self.calls.get_mut(&call).map(|call| call.leg_mut(side)) else {
            return;
        };
        let ok = owed.ok.clone();
        leg.inviting = None;
        leg.owed = Some(owed);
        if let Some(dialog) = &mut leg.dialog {
            dialog.refresh_target(&ok);
        }
        if leg.state == LegState::Up {
            self.accept(turn, (call, side.other()), &ok);
        } else {
            // Its session ended meanwhile, and nobody waits for it.
            self.acknowledge(turn, (call, side), None);
            self.close_if_done(turn, call);
        }
    }

    /// A re-INVITE was refused, or not answered at all.
    pub(super) fn reinvite_refused(
        &mut self,
        turn: &mut B2buaTurn<'_>,
        (call, side): (u64, Side),
        status: Status,
        response: Option<&Message>,
    ) {
        if let Some(call) = self.calls.get_mut(&call) {
            call.leg_mut(side).inviting = None;
        }
        let reason = response.and_then(Message::reason);
        let reason = reason.unwrap_or_else(|| status.reason().into());
        self.refuse(turn, (call, side.other()), status, &reason, response);
        if loses_dialog(status) {
            self.lost(turn, call, side);
        }
        self.close_if_done(turn, call);
    }

    /// Passes an INFO, UPDATE or MESSAGE on.
    pub(super) fn pass(
        &mut self,
        turn: &mut B2buaTurn<'_>,
        id: TransactionId,
        (call, side): (u64, Side),
        request: &Message,
    ) {
        let method = request.method();
        let sent = self.calls.get_mut(&call).and_then(|open| {
            let contact = open.contact(side.other(), self.config.address);
            if let Some(dialog) = &mut open.leg_mut(side).dialog
                && method == Method::Update
            {
                dialog.refresh_target(request);
            }
            let leg = open.leg_mut(side.other());
            let up = leg.state == LegState::Up;
            let dialog = leg.dialog.as_mut().filter(|_| up)?;
            let message = dialog.request(&method);
            Some((leg.next_hop(&message)?, message, contact))
        });
        let Some((destination, mut message, contact)) = sent else {
            return turn.refuse_for_now(id, request);
        };
        // RFC 3311 §5.1
        if method == Method::Update {
            message.append("Contact", &contact);
        }
        copy::content(request, &mut message);
        let client = self.send(turn, destination, &mut message);
        let passed = Passed {
            call,
            from: side,
            server: id,
            request: request.clone(),
        };
        self.clients.insert(client, Purpose::Passed(passed));
    }

    pub(super) fn passed_answered(
        &mut self,
        turn: &mut B2buaTurn<'_>,
        passed: &Passed,
        status: Status,
        response: &Message,
    ) {
        let method = passed.request.method();
        let reason = response.reason().unwrap_or_default();
        let mut answer = Message::response_to(&passed.request, status, Some(&reason));
        if let Some(call) = self.calls.get_mut(&passed.call)
            && method == Method::Update
            && status.is_success()
        {
            let contact = call.contact(passed.from, self.config.address);
            answer.append("Contact", &contact);
            let leg = call.leg_mut(passed.from.other());
            if let Some(dialog) = &mut leg.dialog {
                dialog.refresh_target(response);
            }
        }
        copy::content(response, &mut answer);
        turn.respond(passed.server, answer);
        if loses_dialog(status) {
            self.lost(turn, passed.call, passed.from.other());
        }
    }

    // RFC 4320 §4.2: no 408 for it; by then the asker has given up as well.
    pub(super) fn passed_unanswered(
        &mut self,
        turn: &mut B2buaTurn<'_>,
        passed: &Passed,
        silence: Silence,
    ) {
        if silence == Silence::NotSent {
            return turn.answer(passed.server, &passed.request, silence.status());
        }
        turn.layer.terminate(turn.now, passed.server, turn.below);
        self.lost(turn, passed.call, passed.from.other());
    }

    // RFC 3261 §12.2.1.2: a peer that answers 481 or 408, or nothing at all, has lost the dialog.
    fn lost(&mut self, turn: &mut B2buaTurn<'_>, call: u64, side: Side) {
        if self.leg_state(call, side) == Some(LegState::Up) {
            self.tell(turn, call, News::Lost(side));
            self.end_both(turn, call);
        }
    }

    fn send_reinvite(
        &mut self,
        turn: &mut B2buaTurn<'_>,
        (call, side): (u64, Side),
        request: &Message,
    ) {
        let Some(open) = self.calls.get_mut(&call) else {
            return;
        };
        let contact = open.contact(side, self.config.address);
        let leg = open.leg_mut(side);
        let Some(mut invite) = leg.dialog.as_mut().map(|it| it.request(&Method::Invite)) else {
            return;
        };
        let Some(destination) = leg.next_hop(&invite) else {
            let status = Status::SERVICE_UNAVAILABLE;
            return self.refuse(turn, (call, side.other()), status, status.reason(), None);
        };
        invite.append("Contact", &contact);
        invite.append("Allow", incoming::ALLOW);
        copy::content(request, &mut invite);
        let client = self.send_invite(turn, (call, side), destination, invite, false);
        if let Some(call) = self.calls.get_mut(&call) {
            call.leg_mut(side).inviting = Some(client);
        }
    }
}

// RFC 3261 §12.2.1.2
fn loses_dialog(status: Status) -> bool {
    [Status::DOES_NOT_EXIST, Status::REQUEST_TIMEOUT].contains(&status)
}
