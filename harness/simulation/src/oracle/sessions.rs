//! A session with a timer is refreshed, or ended.

use linefault_network::{HostId, Instant, RecordId};
use linefault_protocol::sip::{Method, Refresher};

use super::timers::{T1, later};
use super::{Finding, Holds, Oracle};
use crate::evidence::{Arrival, Evidence, SipMessage, Transmission};

pub(super) const ORACLE: Oracle = Oracle {
    name: "sessions-refreshed",
    doc: "Who is to refresh a session does so by half of its interval; an end that sees no refresh ends it before the interval is over.",
    source: "RFC 4028 §7.2, §9, §10: at half the interval; BYE the lesser of 32 s and a third of it ahead of its end",
    holds: Holds::Always,
    judge,
};

fn judge(evidence: &Evidence<'_>) -> Vec<Finding> {
    let granted = evidence
        .arrivals
        .iter()
        .filter_map(|arrival| Session::of(evidence, arrival));
    granted.flat_map(|session| session.judge()).collect()
}

/// A session as the last 2xx left it.
struct Session<'e, 't> {
    evidence: &'e Evidence<'t>,
    call_id: &'e str,
    record: RecordId,
    /// In microseconds.
    interval: u64,
    /// When the answer was sent, and when it was read.
    from: Instant,
    until: Instant,
    /// Who refreshes, and who waits for it.
    refresher: HostId,
    other: HostId,
}

impl<'e, 't> Session<'e, 't> {
    /// The session that a 2xx grants to who asked for it.
    fn of(evidence: &'e Evidence<'t>, arrival: &'e Arrival) -> Option<Self> {
        let read_at = arrival.read_at?;
        let answer = arrival.message.as_deref().filter(|it| it.is_success())?;
        let granted = answer.message.session_expires().ok().flatten()?;
        let asked = own_request(evidence, (arrival.host, read_at), answer)?;
        let first = evidence
            .arrived_in_branch(&answer.branch)
            .find(|it| it.host == arrival.host && is_same(it.message.as_deref(), answer));
        if first?.record != arrival.record || !asked.message.knows("timer") {
            return None;
        }
        let (from, callee) = answered(evidence, arrival.host, answer)?;
        let (refresher, other) = match granted.refresher {
            Some(Refresher::Uas) => (callee, arrival.host),
            _ => (arrival.host, callee),
        };
        Some(Self {
            evidence,
            call_id: &answer.call_id,
            record: arrival.record,
            interval: u64::from(granted.seconds) * 1_000_000,
            from,
            until: read_at,
            refresher,
            other,
        })
    }

    fn judge(&self) -> Vec<Finding> {
        // T1 for the way of the 2xx, and for what happens at the same instant.
        let half = later(self.until, self.interval / 2 + T1);
        let ahead = (self.interval / 3).min(32_000_000);
        let end = later(self.until, self.interval - ahead + T1);
        let idle = self.is_idle(self.refresher, half) && !self.is_refreshed(self.refresher, half);
        let unrefreshed = idle.then(|| {
            self.finding(
                self.refresher,
                half,
                "is to refresh the session, and did not",
            )
        });
        let kept = [self.refresher, self.other].into_iter().filter_map(|host| {
            let keeps = self.is_idle(host, end) && !self.is_refreshed(host, end);
            keeps.then(|| self.finding(host, end, "keeps a session that nobody refreshed"))
        });
        unrefreshed.into_iter().chain(kept).collect()
    }

    /// Whether that end lives, up to that moment of the run, in a call that it neither changes nor has ended.
    fn is_idle(&self, host: HostId, until: Instant) -> bool {
        let changes = |message: Option<&SipMessage>| {
            message.is_some_and(|it| it.asks(&Method::Invite) || it.asks(&Method::Update))
        };
        // The answer and the end of the call may leave at one instant, or the answer when the call was over.
        let during = |at: Instant| self.from <= at && at <= until;
        let ends = |at: Instant, message| at <= until && is_bye(message);
        let evidence = self.evidence;
        let mut sent = evidence.sent_in_call(self.call_id);
        let mut heard = evidence.arrived_in_call(self.call_id);
        until <= evidence.ended_at
            && evidence.lived_through(host, self.from, until)
            && !sent.any(|it| {
                let message = it.message.as_deref();
                it.from == host && (ends(it.at, message) || during(it.at) && changes(message))
            })
            && !heard.any(|it| it.host == host && ends(it.at, it.message.as_deref()))
    }

    /// Whether a refresh of the peer has reached that end.
    fn is_refreshed(&self, host: HostId, until: Instant) -> bool {
        let mut heard = self.evidence.arrived_in_call(self.call_id);
        heard.any(|it| {
            let message = it.message.as_deref();
            it.host == host
                && self.from < it.at
                && it.at <= until
                && message.is_some_and(|it| it.asks(&Method::Invite) || it.asks(&Method::Update))
        })
    }

    fn finding(&self, host: HostId, at: Instant, text: &str) -> Finding {
        Finding {
            host: Some(host),
            record: Some(self.record),
            at,
            text: format!("{text}, {} s long", self.interval / 1_000_000),
        }
    }
}

/// The INVITE or UPDATE of the host's own, in the same life, that a 2xx answers.
fn own_request<'e>(
    evidence: &'e Evidence<'_>,
    (host, at): (HostId, Instant),
    answer: &SipMessage,
) -> Option<&'e SipMessage> {
    let mut sent = evidence.sent_in_branch(&answer.branch);
    sent.find_map(|sent| {
        let request = sent.message.as_deref()?;
        let own = sent.from == host
            && evidence.life(host, sent.at) == evidence.life(host, at)
            && request.vias == 1
            && request.asks(&answer.method);
        own.then_some(request)
    })
}

/// When, and by whom, the 2xx was sent first: the end of the call that asked nobody else.
fn answered(
    evidence: &Evidence<'_>,
    asked: HostId,
    answer: &SipMessage,
) -> Option<(Instant, HostId)> {
    let mut sent = evidence.sent_in_exchange(answer);
    let first: &Transmission =
        sent.find(|it| it.from != asked && is_same(it.message.as_deref(), answer))?;
    Some((first.at, first.from))
}

fn is_same(message: Option<&SipMessage>, answer: &SipMessage) -> bool {
    message.is_some_and(|it| {
        it.status == answer.status && it.method == answer.method && it.to_tag == answer.to_tag
    })
}

fn is_bye(message: Option<&SipMessage>) -> bool {
    message.is_some_and(|it| it.asks(&Method::Bye))
}
