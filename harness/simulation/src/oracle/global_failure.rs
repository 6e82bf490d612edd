//! A 6xx ends a proxy's search, but not what is already answered.

use linefault_network::{HostId, Instant};
use linefault_protocol::sip::{Method, Via};

use super::timers::{GIVE_UP, T1, later};
use super::{Finding, Holds, Oracle};
use crate::evidence::{Arrival, Evidence, Fate, SipMessage, Transmission};

pub(super) const ORACLE: Oracle = Oracle {
    name: "global-failure-ends-search",
    doc: "A proxy that has heard a 6xx opens no new branch, cancels the pending ones, sends a 6xx up once all have ended, and at once any 2xx that comes before.",
    source: "RFC 3261 §16.7 steps 5, 6 and 10",
    holds: Holds::Always,
    judge,
};

fn judge(evidence: &Evidence<'_>) -> Vec<Finding> {
    let failures = evidence.arrivals.iter();
    failures
        .filter_map(|arrival| Search::new(evidence, arrival))
        .flat_map(|search| search.judge())
        .collect()
}

/// A forked INVITE from the first 6xx on that its proxy read.
struct Search<'e, 't> {
    evidence: &'e Evidence<'t>,
    failure: &'e Arrival,
    message: &'e SipMessage,
    /// When the proxy read it.
    heard_at: Instant,
    /// The branch on which the INVITE came.
    upstream: String,
    /// The first INVITE of each branch that the proxy opened for it.
    branches: Vec<&'e Transmission>,
    /// What the proxy answered upstream first, if it answered.
    answer: Option<&'e Transmission>,
}

impl<'e, 't> Search<'e, 't> {
    /// Nothing if that is no 6xx, not the first one, or one of a proxy that did not live to see what follows.
    fn new(evidence: &'e Evidence<'t>, failure: &'e Arrival) -> Option<Self> {
        let message = failure
            .message
            .as_deref()
            .filter(|it| is_global_failure(it))?;
        let heard_at = failure.read_at?;
        let upstream = branch_below(message)?;
        let host = failure.host;
        let branches = branches(evidence, host, message, &upstream);
        let began = branches.iter().map(|sent| sent.at).min()?;
        let lived = evidence.lived_through(host, began, later(heard_at, T1));
        let answer = evidence
            .sent_in_branch(&upstream)
            .find(|sent| sent.from == host && is_final(sent.message.as_deref()));
        (lived && is_first(evidence, failure, &upstream)).then_some(Self {
            evidence,
            failure,
            message,
            heard_at,
            upstream,
            branches,
            answer,
        })
    }

    fn judge(&self) -> Vec<Finding> {
        // Whoever had an answer before has ended the search already.
        if self.answer.is_some_and(|answer| answer.at < self.heard_at) {
            return Vec::new();
        }
        let branches = self.branches.iter().copied();
        let opened = branches.clone().filter_map(|branch| self.opened(branch));
        let left = branches.filter_map(|branch| self.left_pending(branch));
        let kept = self.kept_back().into_iter();
        opened
            .chain(left)
            .chain(kept)
            .chain(self.wrong_answer())
            .collect()
    }

    // Step 5: it must not create any new branches in this context.
    fn opened(&self, branch: &Transmission) -> Option<Finding> {
        (branch.at > self.heard_at).then(|| {
            let text = "a branch was opened after a 6xx had been heard".to_owned();
            self.finding(branch, branch.at, text)
        })
    }

    // Step 5, §9.1: what is pending is cancelled, once it has answered provisionally.
    fn left_pending(&self, branch: &Transmission) -> Option<Finding> {
        let proceeding = self.read_in(branch, SipMessage::is_provisional)?;
        let due = later(proceeding.max(self.heard_at), T1);
        let ended = self.read_in(branch, SipMessage::is_final);
        if branch.at > self.heard_at
            || ended.is_some_and(|at| at <= due)
            || !self
                .evidence
                .lived_through(self.failure.host, branch.at, due)
            || self.evidence.ended_at < due
        {
            return None;
        }
        let cancelled = self.cancelled(branch).is_some_and(|at| at <= due);
        (!cancelled).then(|| {
            let text = "a branch that was pending when a 6xx came was not cancelled".to_owned();
            self.finding(branch, due, text)
        })
    }

    // Step 5: any 2xx to an INVITE is forwarded at once, as long as no other final answer has gone up.
    fn kept_back(&self) -> Option<Finding> {
        let mut heard = self.evidence.arrived_in_exchange(self.message);
        let answered = heard.find(|arrival| {
            let ours = arrival.host == self.failure.host
                && arrival.read_at.is_some_and(|at| at >= self.heard_at);
            ours && arrival.message.as_deref().is_some_and(|it| {
                it.is_success()
                    && it.method == Method::Invite
                    && branch_below(it).as_deref() == Some(&self.upstream)
            })
        })?;
        let (at, tag) = (answered.read_at?, &answered.message.as_deref()?.to_tag);
        let due = later(at, T1);
        let too_late = self.answer.is_some_and(|answer| {
            answer.at < at && answer.message.as_deref().is_some_and(|it| !it.is_success())
        });
        let lived = self.evidence.lived_through(self.failure.host, at, due);
        if too_late || !lived || self.evidence.ended_at < due {
            return None;
        }
        let mut up = self.evidence.sent_in_branch(&self.upstream);
        let passed_on = up.any(|sent| {
            let message = sent.message.as_deref();
            sent.from == self.failure.host
                && sent.at <= due
                && message.is_some_and(|it| it.is_success() && it.to_tag == *tag)
        });
        (!passed_on).then(|| Finding {
            host: Some(self.failure.host),
            record: Some(answered.record),
            at,
            text: "a 2xx that came after a 6xx was not passed on".to_owned(),
        })
    }

    // Steps 5 and 6: it is not forwarded at once; when all branches have ended, a 6xx is chosen before all others.
    fn wrong_answer(&self) -> Option<Finding> {
        let answer = self.answer?;
        let message = answer.message.as_deref().filter(|it| !it.is_success())?;
        if !is_global_failure(message) {
            let text = format!("{} went up although a 6xx had come", message.summary());
            return Some(self.finding(answer, answer.at, text));
        }
        let open = |branch: &&&Transmission| !self.has_ended(branch, answer.at);
        self.branches.iter().find(open).map(|_| {
            let text = format!("{} went up while a branch was open", message.summary());
            self.finding(answer, answer.at, text)
        })
    }

    /// Whether a branch has an end by then: an answer, none within 64·T1 of the INVITE or of its CANCEL (Timer B, §9.1), or
    /// a send that failed (§16.9).
    fn has_ended(&self, branch: &Transmission, by: Instant) -> bool {
        let gone = |since: Instant| later(since, GIVE_UP) <= by;
        let name = branch.message.as_deref().map_or("", |it| &it.branch);
        let mut sent = self.evidence.sent_in_branch(name);
        let failed = sent.any(|it| it.at <= by && matches!(it.fate, Fate::Unsent(_)));
        failed
            || gone(branch.at) && self.read_in(branch, SipMessage::is_provisional).is_none()
            || self.cancelled(branch).is_some_and(gone)
            || self
                .read_in(branch, SipMessage::is_final)
                .is_some_and(|at| at <= by)
    }

    /// When the proxy first read such an answer to the INVITE on a branch.
    fn read_in(&self, branch: &Transmission, is: impl Fn(&SipMessage) -> bool) -> Option<Instant> {
        let name = &branch.message.as_deref()?.branch;
        let mut heard = self.evidence.arrived_in_branch(name).filter(|arrival| {
            let message = arrival.message.as_deref();
            arrival.host == self.failure.host
                && message.is_some_and(|it| it.method == Method::Invite && is(it))
        });
        heard.find_map(|arrival| arrival.read_at)
    }

    fn cancelled(&self, branch: &Transmission) -> Option<Instant> {
        let name = &branch.message.as_deref()?.branch;
        let mut sent = self.evidence.sent_in_branch(name).filter(|sent| {
            let message = sent.message.as_deref();
            sent.from == self.failure.host && message.is_some_and(|it| it.asks(&Method::Cancel))
        });
        sent.next().map(|sent| sent.at)
    }

    fn finding(&self, shown: &Transmission, at: Instant, text: String) -> Finding {
        Finding {
            host: Some(self.failure.host),
            record: Some(shown.record),
            at,
            text,
        }
    }
}

/// Whether its host read no other 6xx to the same INVITE before.
fn is_first(evidence: &Evidence<'_>, failure: &Arrival, upstream: &str) -> bool {
    let Some(message) = failure.message.as_deref() else {
        return false;
    };
    let mut heard = evidence.arrived_in_exchange(message).filter(|it| {
        let other = it.message.as_deref().filter(|it| is_global_failure(it));
        it.host == failure.host
            && it.read_at.is_some()
            && other.is_some_and(|it| branch_below(it).as_deref() == Some(upstream))
    });
    heard.next().is_some_and(|it| it.record == failure.record)
}

/// The first INVITE of each branch that a host opened for the one that came with that branch.
fn branches<'e>(
    evidence: &'e Evidence<'_>,
    host: HostId,
    message: &SipMessage,
    upstream: &str,
) -> Vec<&'e Transmission> {
    let sent = evidence.sent_in_exchange(message).filter(|sent| {
        let invite = sent.message.as_deref();
        sent.from == host
            && !sent.raw
            && sent.repeat == 0
            && invite.is_some_and(|it| {
                it.asks(&Method::Invite) && branch_below(it).as_deref() == Some(upstream)
            })
    });
    sent.collect()
}

fn is_global_failure(message: &SipMessage) -> bool {
    let global = message.status.is_some_and(|status| status >= 600);
    global && message.method == Method::Invite && message.well_formed
}

fn is_final(message: Option<&SipMessage>) -> bool {
    message.is_some_and(|it| it.is_final() && it.method == Method::Invite)
}

/// The branch of the Via below the top one: of the request that a proxy passed on.
fn branch_below(message: &SipMessage) -> Option<String> {
    let below = message.message.values("Via").nth(1)?;
    let via = Via::parse(below)?;
    via.branch().map(str::to_owned)
}
