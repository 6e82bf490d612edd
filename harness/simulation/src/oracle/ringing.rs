//! No phone rings for a caller who is done.

use linefault_network::{HostId, Instant};
use linefault_protocol::sip::Method;

use super::asking::still_asks;
use super::timers::{GIVE_UP, later};
use super::{Finding, Holds, Oracle};
use crate::evidence::{Arrival, Evidence, Fate, SipMessage, Transmission};

pub(super) const ORACLE: Oracle = Oracle {
    name: "no-ghost-ringing",
    doc: "No phone still rings 64·T1 after its caller has had a final answer, unless no CANCEL could reach it.",
    source: "RFC 3261 §9.2, §16.7 step 10",
    holds: Holds::AfterHealing,
    judge,
};

fn judge(evidence: &Evidence<'_>) -> Vec<Finding> {
    let ringing = evidence
        .transmissions
        .iter()
        .filter(|sent| sent.repeat == 0 && !sent.raw);
    let findings = ringing.filter_map(|sent| {
        let ring = sent.message.as_deref()?;
        let invited = is_ringing(ring) && first_to_ring(evidence, sent, ring);
        if !invited {
            return None;
        }
        let done = caller_done(evidence, ring)?;
        // A CANCEL on its way may come after the caller is done, but not much: whoever sends it gives up, too.
        let told = told_at(evidence, ring).unwrap_or(done);
        let last = later(done.max(sent.at).max(told), GIVE_UP);
        if rings_until(evidence, sent, ring) <= last {
            return None;
        }
        let (host, text) = blame(evidence, sent, ring)?;
        Some(Finding {
            host: Some(host),
            record: Some(sent.record),
            at: last,
            text,
        })
    });
    findings.collect()
}

fn is_ringing(message: &SipMessage) -> bool {
    matches!(message.status, Some(180 | 183)) && message.method == Method::Invite
}

/// Whether it is the first 180 or 183 of a user agent on that branch; a proxy only passes them on.
fn first_to_ring(evidence: &Evidence<'_>, sent: &Transmission, ring: &SipMessage) -> bool {
    let is_first = evidence
        .sent_in_branch(&ring.branch)
        .find(|it| it.from == sent.from && it.message.as_deref().is_some_and(is_ringing))
        .is_some_and(|it| it.record == sent.record);
    let mut heard = evidence.arrived_in_exchange(ring);
    let passed_on = heard.any(|it| {
        it.host == sent.from && it.at <= sent.at && it.message.as_deref().is_some_and(is_ringing)
    });
    is_first && !passed_on
}

/// When the caller, who sent the INVITE first of all, read its first final answer.
fn caller_done(evidence: &Evidence<'_>, ring: &SipMessage) -> Option<Instant> {
    let mut sent = evidence.sent_in_exchange(ring);
    let caller = sent.find(|it| {
        let message = it.message.as_deref();
        message.is_some_and(|it| it.asks(&Method::Invite) && it.vias == 1)
    })?;
    let mut heard = evidence.arrived_in_exchange(ring);
    let done = heard.find(|it: &&Arrival| {
        let message = it.message.as_deref();
        it.host == caller.from
            && it.read_at.is_some()
            && message.is_some_and(|it| it.is_final() && it.method == Method::Invite)
    })?;
    done.read_at
}

/// When the phone answers, dies, or the run ends.
fn rings_until(evidence: &Evidence<'_>, sent: &Transmission, ring: &SipMessage) -> Instant {
    let mut answers = evidence.sent_in_branch(&ring.branch);
    let answered = answers.find(|it| {
        let message = it.message.as_deref();
        it.from == sent.from
            && message.is_some_and(|it| it.is_final() && it.method == Method::Invite)
    });
    let died = evidence.stops(sent.from).find(|at| *at >= sent.at);
    let ends = [answered.map(|it| it.at), died, Some(evidence.ended_at)];
    ends.into_iter()
        .flatten()
        .min()
        .unwrap_or(evidence.ended_at)
}

fn cancels<'e>(
    evidence: &'e Evidence<'_>,
    ring: &SipMessage,
) -> impl Iterator<Item = &'e Transmission> {
    let sent = evidence.sent_in_branch(&ring.branch);
    sent.filter(|it| {
        let message = it.message.as_deref();
        message.is_some_and(|it| it.asks(&Method::Cancel))
    })
}

/// When the first CANCEL reached the phone.
fn told_at(evidence: &Evidence<'_>, ring: &SipMessage) -> Option<Instant> {
    let arrivals = cancels(evidence, ring).filter_map(|it| match it.fate {
        Fate::Arrived { at } => Some(at),
        _ => None,
    });
    arrivals.min()
}

/// Who is to blame; nobody if a CANCEL was sent and lost on its way, or none may be sent, since nothing of the ringing came
/// through (RFC 3261 §9.1).
fn blame(
    evidence: &Evidence<'_>,
    sent: &Transmission,
    ring: &SipMessage,
) -> Option<(HostId, String)> {
    if told_at(evidence, ring).is_some() {
        return Some((
            sent.from,
            "was told that its caller is done, and rings on".to_owned(),
        ));
    }
    let name = evidence.name(sent.from);
    let mut heard = evidence.arrived_in_branch(&ring.branch);
    let may_cancel = heard.any(|it| {
        let message = it.message.as_deref();
        it.host != sent.from
            && it
                .read_at
                .is_some_and(|at| still_asks(evidence, it.host, &ring.branch, at))
            && message.is_some_and(|it| it.is_provisional() && it.method == Method::Invite)
    });
    (cancels(evidence, ring).next().is_none() && may_cancel).then(|| {
        let upstream = sent.to.unwrap_or(sent.from);
        let text = format!("never told {name}, which rings on, that its caller is done");
        (upstream, text)
    })
}
