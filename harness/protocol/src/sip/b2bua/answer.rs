//! Answers to an INVITE that came in, and their ACK.
//!
//! Owns provisional answers, the 2xx that is sent until its ACK comes (RFC 3261 §13.3.1.4), and passing that ACK on.

use super::call::{LegState, Side, Unacknowledged};
use super::{B2bua, B2buaTurn, Due, News, copy, incoming};
use crate::sip::transaction::TransactionId;
use crate::sip::{Message, Status};

impl B2bua {
    /// An ACK that belongs to no transaction: the one for a 2xx. An unexpected one is ignored.
    pub fn ack(&mut self, turn: &mut B2buaTurn<'_>, ack: &Message) {
        let Some((id, side)) = self.leg_of(ack) else {
            return;
        };
        let Some(call) = self.calls.get_mut(&id) else {
            return;
        };
        let number = ack.cseq().map(|cseq| cseq.number);
        let leg = call.leg_mut(side);
        let awaited = leg
            .unacknowledged
            .take_if(|waiting| waiting.ok.cseq().map(|cseq| cseq.number) == number);
        if awaited.is_none() {
            return;
        }
        self.due.set(Due::Repeat(id, side), None);
        self.acknowledge(turn, (id, side.other()), Some(ack));
        // RFC 3261 §15: a BYE of this side waited for it.
        let waits = self.leg_state(id, side) == Some(LegState::ByeWanted);
        if waits {
            self.bye(turn, id, side);
        }
    }

    /// Sends the ACK that is owed on that leg, with the body of the other leg's; without that one it takes nothing that
    /// was offered.
    pub(super) fn acknowledge(
        &mut self,
        turn: &mut B2buaTurn<'_>,
        (id, side): (u64, Side),
        ack: Option<&Message>,
    ) {
        let Some(leg) = self.calls.get_mut(&id).map(|call| call.leg_mut(side)) else {
            return;
        };
        let (Some(owed), Some(dialog)) = (leg.owed.take(), &leg.dialog) else {
            return;
        };
        let number = owed.ok.cseq().map_or(0, |cseq| cseq.number);
        let mut message = dialog.ack(number);
        match ack {
            Some(ack) => copy::content(ack, &mut message),
            None if owed.offers => copy::refusing(&owed.ok, &mut message),
            None => {}
        }
        let tag = owed
            .ok
            .to()
            .ok()
            .and_then(|to| to.tag())
            .unwrap_or_default();
        let destination = leg.next_hop(&message);
        if let Some(destination) = destination {
            self.send_ack(turn, owed.client, tag, destination, message);
        }
    }

    /// Passes a provisional answer on, or makes one, to the INVITE that is pending on that leg.
    pub(super) fn progress(
        &mut self,
        turn: &mut B2buaTurn<'_>,
        id: u64,
        side: Side,
        status: Status,
        reason: &str,
        from: Option<&Message>,
    ) {
        let Some((server, mut response)) = self.in_dialog_answer(id, side, status, reason) else {
            return;
        };
        if let Some(from) = from {
            copy::content(from, &mut response);
        }
        turn.respond(server, response);
    }

    /// Passes a 2xx on to the INVITE that is pending on that leg; from now on it waits for its ACK.
    pub(super) fn accept(
        &mut self,
        turn: &mut B2buaTurn<'_>,
        (id, side): (u64, Side),
        from: &Message,
    ) {
        let status = from.status().unwrap_or(Status::OK);
        let reason = from.reason().unwrap_or_default();
        let Some((server, mut ok)) = self.in_dialog_answer(id, side, status, &reason) else {
            return;
        };
        copy::content(from, &mut ok);
        let timers = turn.layer.timers();
        if let Some(leg) = self.calls.get_mut(&id).map(|call| call.leg_mut(side)) {
            leg.invited = None;
            leg.unacknowledged = Some(Unacknowledged {
                server,
                ok: ok.clone(),
                interval: timers.t1,
                give_up_at: turn.now + timers.t1 * 64,
            });
        }
        self.invited.remove(&server);
        self.due
            .set(Due::Repeat(id, side), Some(turn.now + timers.t1));
        turn.respond(server, ok);
    }

    // RFC 3261 §13.3.1.4: from T1 to T2 apart, over any transport; 64·T1 without an ACK end the session with a BYE.
    pub(super) fn repeat_answer(&mut self, turn: &mut B2buaTurn<'_>, id: u64, side: Side) {
        let t2 = turn.layer.timers().t2;
        let Some(leg) = self.calls.get_mut(&id).map(|call| call.leg_mut(side)) else {
            return;
        };
        let Some(waiting) = &mut leg.unacknowledged else {
            return;
        };
        if waiting.give_up_at <= turn.now {
            leg.unacknowledged = None;
            let waits = leg.state == LegState::ByeWanted;
            self.tell(turn, id, News::NotAcknowledged(side));
            return if waits {
                self.bye(turn, id, side);
            } else {
                self.end_both(turn, id);
            };
        }
        waiting.interval = (waiting.interval * 2).min(t2);
        let next = (turn.now + waiting.interval).min(waiting.give_up_at);
        let (server, ok) = (waiting.server, waiting.ok.clone());
        self.due.set(Due::Repeat(id, side), Some(next));
        turn.respond(server, ok);
    }

    /// An answer of this element's in the dialog of that leg, to the INVITE that is pending there.
    // RFC 3261 §12.1.1: Record-Route as it came, and a Contact.
    fn in_dialog_answer(
        &self,
        id: u64,
        side: Side,
        status: Status,
        reason: &str,
    ) -> Option<(TransactionId, Message)> {
        let call = self.calls.get(&id)?;
        let leg = call.leg(side);
        let invited = leg.invited.as_ref()?;
        let mut response = Message::response_to(&invited.invite, status, Some(reason));
        response.add_to_tag(&leg.tag);
        for route in invited.invite.values("Record-Route") {
            response.append("Record-Route", route);
        }
        response.append("Contact", &call.contact(side, self.config.address));
        response.append("Allow", incoming::ALLOW);
        Some((invited.server, response))
    }
}
