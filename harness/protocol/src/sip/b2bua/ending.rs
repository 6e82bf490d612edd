//! The end of a call that was answered.
//!
//! Owns BYE both ways (RFC 3261 §15): answered at once, and then the other leg is ended, as soon as it may be.

use super::call::{LegState, Side, Stage};
use super::{B2bua, B2buaTurn, Due, News, Purpose};
use crate::sip::transaction::TransactionId;
use crate::sip::{Message, Method, Status};

impl B2bua {
    // RFC 3261 §15.1.2: whatever is pending on the leg is answered 487.
    pub(super) fn bye_received(
        &mut self,
        turn: &mut B2buaTurn<'_>,
        id: TransactionId,
        (call, side): (u64, Side),
        request: &Message,
    ) {
        turn.answer(id, request, Status::OK);
        match self.leg_state(call, side) {
            Some(LegState::Early) => self.give_up(turn, call),
            Some(LegState::Up | LegState::ByeWanted) => {
                if self.leg_state(call, side) == Some(LegState::Up) {
                    self.tell(turn, call, News::Ended(side));
                }
                self.drop_pending(turn, call, side);
                self.drop_pending(turn, call, side.other());
                // §13.2.2.4: every 2xx has its ACK, even from a session that is over.
                self.acknowledge(turn, (call, side), None);
                self.leg_over(turn, call, side);
                self.end(turn, call, side.other());
                self.finish(turn, call);
            }
            // Two BYEs crossed: ours still waits for its answer.
            _ => {}
        }
    }

    /// Ends both legs of a call that was answered.
    pub(super) fn end_both(&mut self, turn: &mut B2buaTurn<'_>, call: u64) {
        for side in [Side::Caller, Side::Callee] {
            self.drop_pending(turn, call, side);
        }
        for side in [Side::Caller, Side::Callee] {
            self.end(turn, call, side);
        }
        self.finish(turn, call);
    }

    /// Sends a BYE on that leg; from here on it is over for this element (RFC 3261 §15.1.1).
    pub(super) fn bye(&mut self, turn: &mut B2buaTurn<'_>, id: u64, side: Side) {
        let Some(leg) = self.calls.get_mut(&id).map(|call| call.leg_mut(side)) else {
            return;
        };
        leg.state = LegState::Ending;
        let bye = leg.dialog.as_mut().map(|it| it.request(&Method::Bye));
        let sent = bye.and_then(|bye| Some((leg.next_hop(&bye)?, bye)));
        let Some((destination, mut bye)) = sent else {
            return self.bye_done(turn, id, side);
        };
        let client = self.send(turn, destination, &mut bye);
        self.clients.insert(client, Purpose::Bye(id, side));
    }

    /// A BYE was answered, or never will be.
    pub(super) fn bye_done(&mut self, turn: &mut B2buaTurn<'_>, id: u64, side: Side) {
        self.leg_over(turn, id, side);
        let leg = self.calls.get(&id).map(|call| call.leg(side));
        // A re-INVITE that its peer has said no last word to counts as cancelled with its dialog (RFC 3261 §9.1).
        if let Some(client) = leg.and_then(|leg| leg.inviting)
            && self.due.get(Due::GiveUp(client)).is_none()
        {
            let until = turn.now + turn.layer.timers().t1 * 64;
            self.due.set(Due::GiveUp(client), Some(until));
        }
        self.close_if_done(turn, id);
    }

    pub(super) fn leg_state(&self, id: u64, side: Side) -> Option<LegState> {
        self.calls.get(&id).map(|call| call.leg(side).state)
    }

    // RFC 3261 §15: the side that took the call must not send a BYE before the ACK, or the end of waiting for it; the side
    // that made it acknowledges first.
    fn end(&mut self, turn: &mut B2buaTurn<'_>, id: u64, side: Side) {
        let Some(leg) = self.calls.get_mut(&id).map(|call| call.leg_mut(side)) else {
            return;
        };
        if leg.state != LegState::Up {
            return;
        }
        if leg.unacknowledged.is_some() {
            leg.state = LegState::ByeWanted;
            return;
        }
        self.acknowledge(turn, (id, side), None);
        self.bye(turn, id, side);
    }

    /// Whatever INVITE is under way on that leg comes to nothing.
    fn drop_pending(&mut self, turn: &mut B2buaTurn<'_>, id: u64, side: Side) {
        let status = Status::REQUEST_TERMINATED;
        self.refuse(turn, (id, side), status, status.reason(), None);
        self.cancel_reinvite(turn, id, side);
    }

    fn finish(&mut self, turn: &mut B2buaTurn<'_>, id: u64) {
        if let Some(call) = self.calls.get_mut(&id) {
            call.stage = Stage::Over;
        }
        self.close_if_done(turn, id);
    }
}
