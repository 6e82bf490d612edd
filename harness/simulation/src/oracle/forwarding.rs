//! What a proxy does to what it passes on.

use linefault_protocol::sip::Method;

use super::{Finding, Holds, Oracle};
use crate::evidence::{Evidence, SipMessage, Transmission};

pub(super) const ORACLE: Oracle = Oracle {
    name: "forwarding-rules",
    doc: "A proxy lowers Max-Forwards by one, and keeps a 100 to itself.",
    source: "RFC 3261 §16.6 step 3, §16.7 step 5, §21.1.1",
    holds: Holds::Always,
    judge,
};

fn judge(evidence: &Evidence<'_>) -> Vec<Finding> {
    let sent = evidence.transmissions.iter().filter(|sent| !sent.raw);
    let findings = sent.filter_map(|sent| {
        let message = sent.message.as_deref().filter(|it| it.well_formed)?;
        let text = if message.is_request() {
            hops(evidence, sent, message)?
        } else {
            trying(evidence, sent, message)?
        };
        Some(Finding {
            host: Some(sent.from),
            record: Some(sent.record),
            at: sent.at,
            text,
        })
    });
    findings.collect()
}

fn hops(evidence: &Evidence<'_>, sent: &Transmission, request: &SipMessage) -> Option<String> {
    // Made by the element itself: a first request, or what belongs to one hop (RFC 3261 §16.10, §17.1.1.3).
    if request.vias < 2 || sent.repeat > 0 {
        return None;
    }
    let below = request.message.values("Via").nth(1)?;
    let mut received = evidence.arrived_in_exchange(request);
    let original = received.find_map(|arrival| {
        let original = arrival.message.as_deref()?;
        let same = arrival.host == sent.from
            && arrival.at <= sent.at
            && original.asks(&request.method)
            && original.vias + 1 == request.vias
            && same_branch(original, below);
        same.then_some(original)
    })?;
    let before = original.message.max_forwards().ok()??;
    let after = request.message.max_forwards().ok()?;
    (after != before.checked_sub(1)).then(|| {
        let after = after.map_or_else(|| "none".to_owned(), |after| after.to_string());
        format!(
            "{} came with Max-Forwards {before} and went on with {after}",
            request.method
        )
    })
}

fn same_branch(original: &SipMessage, via: &str) -> bool {
    linefault_protocol::sip::Via::parse(via)
        .is_some_and(|via| via.branch() == Some(&original.branch))
}

/// A 100 of the element's own answers each arrival of the INVITE once at most and repeats no tag of others.
fn trying(evidence: &Evidence<'_>, sent: &Transmission, response: &SipMessage) -> Option<String> {
    if response.status != Some(100) || response.method != Method::Invite {
        return None;
    }
    let mut heard = evidence.arrived_in_exchange(response);
    let from_below = heard.find(|arrival| {
        let message = arrival.message.as_deref();
        arrival.host == sent.from
            && arrival.at <= sent.at
            && message.is_some_and(|it| {
                it.status == Some(100)
                    && it.method == Method::Invite
                    && it.branch != response.branch
            })
    })?;
    let below = from_below.message.as_deref()?;
    let prompts: Vec<&SipMessage> = evidence
        .arrived_in_branch(&response.branch)
        .filter(|it| it.host == sent.from && it.read_at.is_some_and(|at| at <= sent.at))
        .filter_map(|it| it.message.as_deref().filter(|it| it.asks(&Method::Invite)))
        .collect();
    let new_tag = prompts
        .first()
        .is_some_and(|request| request.to_tag.is_empty());
    let copied = new_tag && !response.to_tag.is_empty() && response.to_tag == below.to_tag;
    let said = evidence.sent_in_branch(&response.branch).filter(|it| {
        let answer = it.message.as_deref();
        it.from == sent.from
            && it.record <= sent.record
            && answer.is_some_and(|it| it.status == Some(100) && it.method == Method::Invite)
    });
    (copied || said.count() > prompts.len())
        .then(|| "a 100 from downstream was passed on".to_owned())
}
