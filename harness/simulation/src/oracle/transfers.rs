//! Who asks for a transfer hears at once that it is tried, and at last how it ended.

use linefault_network::Instant;
use linefault_protocol::sip::{Method, SubscriptionState};

use super::timers::{T1, later};
use super::{Finding, Holds, Oracle};
use crate::evidence::{Arrival, Evidence, SipMessage, Transmission};

pub(super) const ORACLE: Oracle = Oracle {
    name: "transfers-told",
    doc: "Who accepts a REFER sends a NOTIFY at once, and a last one that ends the subscription, unless the call ends or a NOTIFY fails before.",
    source: "RFC 3515 §2.4.4, §2.4.5, §2.4.7",
    holds: Holds::AfterHealing,
    judge,
};

fn judge(evidence: &Evidence<'_>) -> Vec<Finding> {
    let answers = evidence.transmissions.iter().filter(|sent| {
        let answer = sent.message.as_deref().filter(|_| !sent.raw);
        sent.repeat == 0 && answer.is_some_and(|it| it.is_success() && it.method == Method::Refer)
    });
    let accepted = answers.filter_map(|sent| Accepted::of(evidence, sent));
    accepted.filter_map(|accepted| accepted.judge()).collect()
}

/// A REFER that its target has taken.
struct Accepted<'e, 't> {
    evidence: &'e Evidence<'t>,
    answer: &'e Transmission,
    call_id: &'e str,
    /// The NOTIFYs that the same end sent from then on.
    notifies: Vec<(&'e Transmission, &'e SipMessage)>,
}

impl<'e, 't> Accepted<'e, 't> {
    fn of(evidence: &'e Evidence<'t>, answer: &'e Transmission) -> Option<Self> {
        let said = answer.message.as_deref()?;
        // A proxy only passes it on.
        let mut below = evidence.arrived_in_exchange(said);
        if below.any(|it| it.host == answer.from && is_answer(it, said)) {
            return None;
        }
        let notifies = evidence.sent_in_call(&said.call_id).filter_map(|sent| {
            let notify = sent.message.as_deref()?;
            let counts = sent.from == answer.from && sent.at >= answer.at && sent.repeat == 0;
            (counts && notify.asks(&Method::Notify)).then_some((sent, notify))
        });
        Some(Self {
            evidence,
            answer,
            call_id: &said.call_id,
            notifies: notifies.collect(),
        })
    }

    fn judge(&self) -> Option<Finding> {
        let evidence = self.evidence;
        let soon = later(self.answer.at, T1);
        let lives = |until| evidence.lived_through(self.answer.from, self.answer.at, until);
        if soon > evidence.ended_at || !lives(soon) {
            return None;
        }
        // RFC 3515 §2.4.4: immediately.
        if !self.notifies.iter().any(|(sent, _)| sent.at <= soon) {
            return Some(self.finding("accepted a REFER and sent no NOTIFY"));
        }
        let last = |(_, notify): &(&Transmission, &SipMessage)| {
            notify.message.subscription_state() == Ok(SubscriptionState::Terminated)
        };
        let ended = self.notifies.iter().any(last);
        let excused =
            !evidence.quiet || !lives(evidence.ended_at) || self.call_ended() || self.one_failed();
        (!ended && !excused).then(|| self.finding("never told how a transfer ended"))
    }

    /// Whether the call, and the subscription with it, ended before the time of the latter was over.
    fn call_ended(&self) -> bool {
        let bye = |message: Option<&SipMessage>| message.is_some_and(|it| it.asks(&Method::Bye));
        let (host, until) = (self.answer.from, self.lasts_until());
        let mut sent = self.evidence.sent_in_call(self.call_id);
        let mut heard = self.evidence.arrived_in_call(self.call_id);
        sent.any(|it| it.from == host && it.at <= until && bye(it.message.as_deref()))
            || heard.any(|it| it.host == host && it.at <= until && bye(it.message.as_deref()))
    }

    /// The end of the subscription as the NOTIFYs have it; a minute after one that does not say.
    fn lasts_until(&self) -> Instant {
        let ends = self.notifies.iter().map(|(sent, notify)| {
            let seconds = match notify.message.subscription_state() {
                Ok(SubscriptionState::Going(Some(seconds))) => seconds,
                _ => 60,
            };
            later(sent.at, u64::from(seconds) * 1_000_000 + T1)
        });
        ends.max().unwrap_or(self.answer.at)
    }

    /// Whether one got no 2xx (RFC 6665 §4.2.2).
    fn one_failed(&self) -> bool {
        self.notifies.iter().any(|(sent, notify)| {
            let mut heard = self.evidence.arrived_in_branch(&notify.branch);
            !heard.any(|it| {
                let answer = it.message.as_deref();
                it.host == sent.from && answer.is_some_and(SipMessage::is_success)
            })
        })
    }

    fn finding(&self, text: &str) -> Finding {
        Finding {
            host: Some(self.answer.from),
            record: Some(self.answer.record),
            at: self.answer.at,
            text: text.to_owned(),
        }
    }
}

fn is_answer(arrival: &Arrival, said: &SipMessage) -> bool {
    let message = arrival.message.as_deref();
    message.is_some_and(|it| it.status == said.status && it.method == said.method)
}
