//! Reliable provisional responses of the callee, RFC 3262 §3.
//!
//! Owns their numbers, repeating one until its PRACK, and what a PRACK is answered. One at a time is out: whatever comes
//! next in the call, but for a refusal, waits for its PRACK.

use std::time::Duration;

use super::call::Phase;
use super::callee::refuse_dialog;
use super::extensions::{RELIABLE, Reliable};
use super::{UserAgent, UserAgentTurn};
use crate::Instant;
use crate::sip::transaction::TransactionId;
use crate::sip::{Message, RAck, Status};

/// More refused calls than one line ever has at once; beyond that the oldest is forgotten.
const MOST: usize = 64;

/// The reliable provisional responses to one INVITE.
#[derive(Clone, Debug, Default)]
pub(super) struct Provisionals {
    /// The RSeq of the latest.
    last: Option<u32>,
    pending: Option<Pending>,
}

/// One that waits for its PRACK.
#[derive(Clone, Debug)]
struct Pending {
    server: TransactionId,
    response: Message,
    interval: Duration,
    resend_at: Instant,
    give_up_at: Instant,
}

/// Those that waited when their INVITE was refused: their PRACKs are answered as if nothing had happened (RFC 3262 §3).
#[derive(Clone, Debug, Default)]
pub(super) struct Outstanding(Vec<(Instant, Message)>);

impl Provisionals {
    /// When the one that is out is sent again or given up.
    pub(super) fn deadline(&self) -> Option<Instant> {
        let pending = self.pending.as_ref()?;
        Some(pending.resend_at.min(pending.give_up_at))
    }

    fn number(&mut self, turn: &mut UserAgentTurn<'_>) -> u32 {
        // RFC 3262 §3: the first between 1 and 2³¹ - 1 by chance, each later one higher by one.
        let number = match self.last {
            Some(last) => last.saturating_add(1),
            None => u32::try_from((turn.draw)("rseq") % 0x7fff_ffff).unwrap_or_default() + 1,
        };
        self.last = Some(number);
        number
    }
}

impl UserAgent {
    /// Sends a provisional response to a call's INVITE: reliably, if both sides know how.
    pub(super) fn respond_provisionally(
        &mut self,
        turn: &mut UserAgentTurn<'_>,
        id: u64,
        mut response: Message,
    ) {
        let wanted = self.config.extensions.reliable != Reliable::No;
        let Some(call) = self.calls.get_mut(&id) else {
            return;
        };
        let Phase::Ringing(ringing) = &call.phase else {
            return;
        };
        let server = ringing.server;
        if wanted && ringing.invite.knows(RELIABLE) {
            let number = call.provisionals.number(turn);
            response.append("Require", RELIABLE);
            response.append("RSeq", &number.to_string());
            let t1 = turn.layer.timers().t1;
            call.provisionals.pending = Some(Pending {
                server,
                response: response.clone(),
                interval: t1,
                resend_at: turn.now + t1,
                give_up_at: turn.now + t1 * 64,
            });
        }
        turn.respond(server, response);
    }

    // RFC 3262 §3: again after T1, then after twice as long each time; after 64·T1 the INVITE is refused with a 5xx.
    pub(super) fn repeat_provisional(&mut self, turn: &mut UserAgentTurn<'_>, id: u64) {
        let Some(call) = self.calls.get_mut(&id) else {
            return;
        };
        let Some(pending) = &mut call.provisionals.pending else {
            return;
        };
        if pending.give_up_at <= turn.now {
            return self.refuse(turn, id, Status::SERVER_TIMEOUT);
        }
        pending.interval *= 2;
        pending.resend_at = turn.now + pending.interval;
        let (server, response) = (pending.server, pending.response.clone());
        turn.respond(server, response);
    }

    /// Keeps what waits for a PRACK in a call that is refused.
    pub(super) fn abandon_provisional(&mut self, turn: &UserAgentTurn<'_>, id: u64) {
        let call = self.calls.get_mut(&id);
        let Some(pending) = call.and_then(|call| call.provisionals.pending.take()) else {
            return;
        };
        let known = &mut self.outstanding.0;
        known.retain(|(until, _)| *until > turn.now);
        if known.len() == MOST {
            known.remove(0);
        }
        known.push((pending.give_up_at, pending.response));
    }

    // RFC 3262 §3: 200 for the one that is out, and the call goes on; 481 for any other.
    pub(super) fn prack_received(
        &mut self,
        turn: &mut UserAgentTurn<'_>,
        id: TransactionId,
        prack: &Message,
    ) {
        let rack = match prack.rack() {
            Ok(rack) => rack,
            Err(error) => {
                let text = error.to_string();
                let response = turn.response_saying(prack, Status::BAD_REQUEST, &text);
                return turn.respond(id, response);
            }
        };
        let Some(number) = self.call_of(prack) else {
            let status = self.outstanding.take(turn.now, prack, &rack);
            return turn.answer(id, prack, status);
        };
        let Some(call) = self.calls.get_mut(&number) else {
            return;
        };
        if let Some(dialog) = &mut call.dialog
            && let Err(error) = dialog.take(prack)
        {
            return refuse_dialog(turn, id, prack, error);
        }
        let pending = &mut call.provisionals.pending;
        let fits = |pending: &mut Pending| acknowledges(&rack, &pending.response);
        if pending.take_if(fits).is_none() {
            return turn.answer(id, prack, Status::DOES_NOT_EXIST);
        }
        turn.answer(id, prack, Status::OK);
        let waits = |ringing: &super::call::Ringing| ringing.next_at <= turn.now;
        if matches!(&call.phase, Phase::Ringing(ringing) if waits(ringing)) {
            self.ring(turn, number);
        }
    }
}

impl Outstanding {
    fn take(&mut self, now: Instant, prack: &Message, rack: &RAck) -> Status {
        let found = self.0.iter().position(|(until, response)| {
            *until > now && acknowledges(rack, response) && same_dialog(prack, response)
        });
        match found {
            Some(place) => {
                self.0.remove(place);
                Status::OK
            }
            None => Status::DOES_NOT_EXIST,
        }
    }
}

// RFC 3262 §3
fn acknowledges(rack: &RAck, response: &Message) -> bool {
    let cseq = response.cseq();
    response.rseq() == Ok(Some(rack.response))
        && cseq.is_ok_and(|cseq| (cseq.number, &cseq.method) == (rack.cseq, &rack.method))
}

fn same_dialog(prack: &Message, response: &Message) -> bool {
    let tags = |message: &Message| {
        let from = message.from().ok()?.tag()?.to_owned();
        Some((from, message.to().ok()?.tag()?.to_owned()))
    };
    prack.call_id() == response.call_id() && tags(prack) == tags(response)
}
