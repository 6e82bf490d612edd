//! Being transferred: the side that is referred to somebody else (RFC 3515 §2.4.2 to §2.4.5).
//!
//! Owns the call that a REFER asks for, and telling the referrer how it goes: one NOTIFY at a time, so that none overtakes
//! another. Refuses attended transfer: a target with header fields of its own is declined.

use super::call::Call;
use super::transfer::{FRAGMENT, LIFETIME, PACKAGE};
use super::{Event, Failure, Purpose, UserAgent, UserAgentTurn};
use crate::Instant;
use crate::sip::transaction::TransactionId;
use crate::sip::{Message, Method, Status};

/// Somebody is told what becomes of the call that they referred us to.
#[derive(Clone, Debug)]
pub(super) struct Referral {
    pub(super) number: u64,
    /// The CSeq of the REFER.
    refer: u32,
    /// When the subscription ends.
    until: Instant,
    /// The latest that there is to tell.
    latest: (Status, String),
    /// Whether that has been told.
    told: bool,
    /// Whether a NOTIFY waits for its answer.
    out: bool,
    /// Whether the last NOTIFY is out or due.
    over: bool,
}

impl Referral {
    /// When it ends by itself.
    pub(super) fn deadline(&self) -> Option<Instant> {
        (!self.over).then_some(self.until)
    }
}

impl UserAgent {
    /// A REFER in the dialog of a call.
    // RFC 3515 §2.4.2: 400 unless there is one target; 202, and only then is anything tried.
    pub(super) fn referred(
        &mut self,
        turn: &mut UserAgentTurn<'_>,
        id: TransactionId,
        number: u64,
        refer: &Message,
    ) {
        let target = match refer.refer_to() {
            Ok(target) => target,
            Err(error) => {
                let text = error.to_string();
                let response = turn.response_saying(refer, Status::BAD_REQUEST, &text);
                return turn.respond(id, response);
            }
        };
        let idle = |call: &Call| call.is_up() && call.referral.is_none();
        let wanted = self.config.extensions.transfers.accepted
            && target.is_sip()
            && target.headers().is_empty()
            && self.calls.get(&number).is_some_and(idle);
        if !wanted {
            return turn.answer(id, refer, Status::DECLINE);
        }
        let mut accepted = turn.response(refer, Status::ACCEPTED);
        accepted.append("Contact", &self.contact);
        turn.respond(id, accepted);
        let subscription = self.next_subscription();
        let referral = Referral {
            number: subscription,
            refer: refer.cseq().map_or(0, |cseq| cseq.number),
            until: turn.now + LIFETIME,
            latest: (Status::TRYING, Status::TRYING.reason().to_owned()),
            told: false,
            out: false,
            over: false,
        };
        if let Some(call) = self.calls.get_mut(&number) {
            call.referral = Some(referral);
        }
        turn.above
            .push(Event::SubscriptionOpened(subscription, target.to_string()));
        turn.above.push(Event::Referred(number, target.to_string()));
        // RFC 3515 §2.4.4: a NOTIFY at once.
        self.notify(turn, number);
        let before = self.calls_made;
        self.call(turn, &target);
        let begun = (self.calls_made > before).then_some(self.calls_made);
        match begun.and_then(|begun| self.calls.get_mut(&begun)) {
            Some(call) => call.referrer = Some(number),
            None => {
                let status = Status::SERVICE_UNAVAILABLE;
                self.tell(turn, number, status, status.reason());
            }
        }
    }

    /// Tells whoever referred us to that call how it goes.
    pub(super) fn tell_referrer(
        &mut self,
        turn: &mut UserAgentTurn<'_>,
        id: u64,
        status: Status,
        reason: &str,
    ) {
        let referrer = self.calls.get(&id).and_then(|call| call.referrer);
        if let Some(referrer) = referrer {
            self.tell(turn, referrer, status, reason);
        }
    }

    fn tell(&mut self, turn: &mut UserAgentTurn<'_>, referrer: u64, status: Status, reason: &str) {
        let call = self.calls.get_mut(&referrer);
        let referral = call.and_then(|call| call.referral.as_mut());
        if let Some(referral) = referral.filter(|referral| !referral.over) {
            referral.latest = (status, reason.to_owned());
            referral.told = false;
            referral.over = status.is_final();
            self.notify(turn, referrer);
        }
    }

    /// Tells whoever referred us to that call that it came to nothing.
    // RFC 3515 §2.4.5: what never got an answer is told as what a UAC takes it for (RFC 3261 §8.1.3.1).
    pub(super) fn tell_failure(
        &mut self,
        turn: &mut UserAgentTurn<'_>,
        id: u64,
        failure: &Failure,
    ) {
        let of = |status: Status| (status, status.reason().to_owned());
        let (status, reason) = match failure {
            Failure::Refused(status, reason) => (*status, reason.clone()),
            Failure::TimedOut => of(Status::REQUEST_TIMEOUT),
            Failure::NotSent | Failure::NoServer => of(Status::SERVICE_UNAVAILABLE),
        };
        self.tell_referrer(turn, id, status, &reason);
    }

    /// The final response to a NOTIFY.
    pub(super) fn notify_answered(
        &mut self,
        turn: &mut UserAgentTurn<'_>,
        id: u64,
        response: &Message,
    ) {
        let status = response.status().filter(|status| status.is_failure());
        if let Some(status) = status {
            return self.notify_failed(turn, id, Failure::refused(status, response));
        }
        let call = self.calls.get_mut(&id);
        let Some(referral) = call.and_then(|call| call.referral.as_mut()) else {
            return;
        };
        referral.out = false;
        match referral.told {
            true if referral.over => self.end_referral(turn, id),
            true => {}
            false => self.notify(turn, id),
        }
    }

    // RFC 6665 §4.2.2: whatever is no 2xx ends the subscription.
    pub(super) fn notify_failed(
        &mut self,
        turn: &mut UserAgentTurn<'_>,
        id: u64,
        failure: Failure,
    ) {
        if let Some(peer) = self.calls.get(&id).map(|call| call.peer.clone()) {
            turn.above
                .push(Event::NotDone(Method::Notify, peer, failure));
        }
        self.end_referral(turn, id);
    }

    /// The subscription is over for this side.
    fn end_referral(&mut self, turn: &mut UserAgentTurn<'_>, id: u64) {
        let call = self.calls.get_mut(&id);
        if let Some(referral) = call.and_then(|call| call.referral.take()) {
            turn.above.push(Event::SubscriptionClosed(referral.number));
        }
    }

    /// The subscription's time is over: the last NOTIFY says so.
    pub(super) fn referral_is_due(&mut self, turn: &mut UserAgentTurn<'_>, id: u64) {
        let call = self.calls.get_mut(&id);
        if let Some(referral) = call.and_then(|call| call.referral.as_mut()) {
            referral.over = true;
            referral.told = false;
            self.notify(turn, id);
        }
    }

    /// Sends the latest, unless an earlier NOTIFY is still out.
    fn notify(&mut self, turn: &mut UserAgentTurn<'_>, id: u64) {
        let contact = self.contact.clone();
        let Some(call) = self.calls.get_mut(&id).filter(|call| call.is_up()) else {
            return;
        };
        let (Some(referral), Some(dialog)) = (&mut call.referral, &mut call.dialog) else {
            return;
        };
        if referral.out || referral.told {
            return;
        }
        (referral.out, referral.told) = (true, true);
        let (status, reason) = &referral.latest;
        let left = referral.until.since(turn.now).as_secs();
        // RFC 6665 §4.1.3: noresource, the state will not change any more; timeout, its time is over.
        let state = match (referral.over, status.is_final()) {
            (false, _) => format!("active;expires={left}"),
            (true, true) => "terminated;reason=noresource".to_owned(),
            (true, false) => "terminated;reason=timeout".to_owned(),
        };
        let mut notify = dialog.request(&Method::Notify);
        notify.append("Contact", &contact);
        notify.append("Event", &format!("{PACKAGE};id={}", referral.refer));
        notify.append("Subscription-State", &state);
        let version = format!("{FRAGMENT};version=2.0");
        notify.set_body(&version, format!("SIP/2.0 {status} {reason}\r\n"));
        let client = self.send(turn, notify);
        self.clients.insert(client, Purpose::Notify(id));
    }
}
