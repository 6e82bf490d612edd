//! Transferring a call: the side that refers its peer to somebody else (RFC 3515 §2.4.1, RFC 5589 §6).
//!
//! Owns the REFER, the subscription that it makes, and what its NOTIFYs say. The subscription ends with the call that it
//! is part of.

use super::call::Call;
use super::{Ending, Event, Failure, Purpose, UserAgent, UserAgentTurn};
use crate::Instant;
use crate::sip::transaction::TransactionId;
use crate::sip::{Message, Method, Status, SubscriptionState, Uri};
use std::time::Duration;

/// How long a subscription lasts if nobody says.
pub(super) const LIFETIME: Duration = Duration::from_secs(60);
/// The body of a NOTIFY about a transfer (RFC 3420).
pub(super) const FRAGMENT: &str = "message/sipfrag";
/// The package of events that REFER brings (RFC 3515 §3).
pub(super) const PACKAGE: &str = "refer";

/// What became of a transfer is to be told.
#[derive(Clone, Debug)]
pub(super) struct Subscription {
    number: u64,
    /// Whom the peer was referred to.
    target: String,
    /// The CSeq of the REFER, which names the subscription (RFC 3515 §2.4.6).
    refer: u32,
    /// When it is over unless something is heard.
    until: Instant,
    /// The latest that was heard.
    heard: Option<(Status, String)>,
}

impl Subscription {
    pub(super) fn deadline(&self) -> Instant {
        self.until
    }
}

impl UserAgent {
    /// Refers the peer of the call that is up to a URI; does nothing without one, or while another transfer is going on.
    pub fn transfer(&mut self, turn: &mut UserAgentTurn<'_>, target: &Uri) {
        let idle = |call: &Call| call.is_up() && call.subscription.is_none();
        let current = self.calls.iter().find(|(_, call)| idle(call));
        let Some(id) = current.map(|(id, _)| *id) else {
            return;
        };
        let dialog = self
            .calls
            .get_mut(&id)
            .and_then(|call| call.dialog.as_mut());
        let Some(mut refer) = dialog.map(|dialog| dialog.request(&Method::Refer)) else {
            return;
        };
        refer.append("Refer-To", &format!("<{target}>"));
        refer.append("Contact", &self.contact);
        let number = self.next_subscription();
        let subscription = Subscription {
            number,
            target: target.to_string(),
            refer: refer.cseq().map_or(0, |cseq| cseq.number),
            // RFC 6665 §4.1.2.4, Timer N: so long for the first NOTIFY.
            until: turn.now + turn.layer.timers().t1 * 64,
            heard: None,
        };
        turn.above
            .push(Event::SubscriptionOpened(number, target.to_string()));
        if let Some(call) = self.calls.get_mut(&id) {
            call.subscription = Some(subscription);
        }
        let client = self.send(turn, refer);
        self.clients.insert(client, Purpose::Refer(id));
    }

    /// The final response to a REFER: only a failure decides anything.
    pub(super) fn refer_answered(
        &mut self,
        turn: &mut UserAgentTurn<'_>,
        id: u64,
        response: &Message,
    ) {
        let status = response.status().filter(|status| status.is_failure());
        if let Some(status) = status {
            self.refer_failed(turn, id, Failure::refused(status, response));
        }
    }

    pub(super) fn refer_failed(&mut self, turn: &mut UserAgentTurn<'_>, id: u64, failure: Failure) {
        let lost = failure.loses_dialog();
        self.transfer_over(turn, id, Some(failure));
        if lost && self.calls.get(&id).is_some_and(Call::is_up) {
            self.bye(turn, id, Ending::Lost);
        }
    }

    /// A NOTIFY, in the dialog of a call if it has one.
    // RFC 6665 §4.1.3 and §4.2.1.1: 489 for another package, 481 without a subscription.
    pub(super) fn notified(
        &mut self,
        turn: &mut UserAgentTurn<'_>,
        id: TransactionId,
        number: Option<u64>,
        notify: &Message,
    ) {
        if notify.event_package() != Some(PACKAGE) {
            let mut response = turn.response(notify, Status::BAD_EVENT);
            response.append("Allow-Events", PACKAGE);
            return turn.respond(id, response);
        }
        let state = match notify.subscription_state() {
            Ok(state) => state,
            Err(error) => {
                let text = error.to_string();
                let response = turn.response_saying(notify, Status::BAD_REQUEST, &text);
                return turn.respond(id, response);
            }
        };
        let known = number.and_then(|number| {
            let subscription = self.calls.get_mut(&number)?.subscription.as_mut()?;
            Some((number, subscription)).filter(|(_, it)| names(notify, it.refer))
        });
        let Some((number, subscription)) = known else {
            return turn.answer(id, notify, Status::DOES_NOT_EXIST);
        };
        turn.answer(id, notify, Status::OK);
        subscription.heard = fragment(notify).or(subscription.heard.take());
        match state {
            SubscriptionState::Going(seconds) => {
                let lifetime = seconds.map(|seconds| Duration::from_secs(seconds.into()));
                subscription.until = turn.now + lifetime.unwrap_or(LIFETIME);
            }
            SubscriptionState::Terminated => self.transfer_told(turn, number),
        }
    }

    /// Nothing was heard for too long.
    pub(super) fn subscription_is_due(&mut self, turn: &mut UserAgentTurn<'_>, id: u64) {
        self.transfer_over(turn, id, Some(Failure::TimedOut));
    }

    /// The number of a subscription of this side, to it or of it.
    pub(super) fn next_subscription(&mut self) -> u64 {
        self.subscriptions += 1;
        self.subscriptions
    }

    /// The subscriptions that end with their call.
    pub(super) fn drop_subscriptions(turn: &mut UserAgentTurn<'_>, call: &Call) {
        let told = call.subscription.as_ref().map(|it| it.number);
        let telling = call.referral.as_ref().map(|it| it.number);
        for number in told.into_iter().chain(telling) {
            turn.above.push(Event::SubscriptionClosed(number));
        }
    }

    // RFC 3515 §2.4.5: the last NOTIFY tells how it ended.
    fn transfer_told(&mut self, turn: &mut UserAgentTurn<'_>, id: u64) {
        let call = self.calls.get(&id);
        let heard = call.and_then(|call| call.subscription.as_ref()?.heard.clone());
        match heard {
            Some((status, _)) if status.is_success() => {
                self.transfer_over(turn, id, None);
                if self.config.extensions.transfers.hang_up
                    && self.calls.get(&id).is_some_and(Call::is_up)
                {
                    self.bye(turn, id, Ending::Here);
                }
            }
            Some((status, reason)) if status.is_failure() => {
                self.transfer_over(turn, id, Some(Failure::Refused(status, reason)));
            }
            _ => self.transfer_over(turn, id, Some(Failure::TimedOut)),
        }
    }

    fn transfer_over(&mut self, turn: &mut UserAgentTurn<'_>, id: u64, failure: Option<Failure>) {
        let call = self.calls.get_mut(&id);
        let Some(over) = call.and_then(|call| call.subscription.take()) else {
            return;
        };
        turn.above.push(match failure {
            None => Event::Transferred(id, over.target),
            Some(failure) => Event::NotTransferred(id, over.target, failure),
        });
        turn.above.push(Event::SubscriptionClosed(over.number));
    }
}

/// Whether a NOTIFY is of the subscription that the REFER of that CSeq made.
// RFC 3515 §2.4.6: the first one need not say.
fn names(notify: &Message, refer: u32) -> bool {
    let event = notify.header("Event").unwrap_or_default();
    let mut params = event.split(';').skip(1).map(str::trim_ascii);
    let id = params.find_map(|param| param.strip_prefix("id="));
    id.is_none_or(|id| id == refer.to_string())
}

/// The status line in the body of a NOTIFY.
// RFC 3515 §2.4.4: it begins with a status line.
fn fragment(notify: &Message) -> Option<(Status, String)> {
    let body = std::str::from_utf8(notify.body()).ok()?;
    let line = body.lines().next()?.strip_prefix("SIP/2.0 ")?;
    let (code, reason) = line.split_once(' ').unwrap_or((line, ""));
    Some((Status::new(code.parse().ok()?)?, reason.to_owned()))
}
