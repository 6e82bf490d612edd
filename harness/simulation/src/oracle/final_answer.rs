//! Every request gets one final answer.

use std::collections::{BTreeMap, BTreeSet};

use linefault_network::HostId;
use linefault_protocol::sip::Method;

use super::{Finding, Holds, Oracle};
use crate::evidence::{Arrival, Evidence, SipMessage, Transmission};

pub(super) const ORACLE: Oracle = Oracle {
    name: "one-final-answer",
    doc: "Each server transaction of a living element sends one distinct final answer; a 2xx to INVITE may be followed by others.",
    source: "RFC 3261 §17.2, §16.7; silence for a non-INVITE without an answer from downstream: RFC 4320 §4.2",
    holds: Holds::AfterHealing,
    judge,
};

fn judge(evidence: &Evidence<'_>) -> Vec<Finding> {
    let mut requests = BTreeMap::new();
    for arrival in &evidence.arrivals {
        if let Some(request) = arrival
            .message
            .as_deref()
            .filter(|message| opens_transaction(message))
        {
            requests
                .entry(key(arrival.host, request))
                .or_insert((arrival, request));
        }
    }
    let judged = requests
        .into_iter()
        .filter_map(|(key, (arrival, request))| {
            let finals = finals(evidence, &key);
            let text = too_many(request, &finals).or_else(|| {
                let unanswered = finals.is_empty() && !excused(evidence, arrival, request);
                unanswered.then(|| {
                    format!(
                        "{} was never answered with a final response",
                        request.method
                    )
                })
            })?;
            let shown = finals
                .last()
                .map_or((arrival.record, arrival.at), |last| (last.record, last.at));
            Some(Finding {
                host: Some(key.0),
                record: Some(shown.0),
                at: shown.1,
                text,
            })
        });
    judged.collect()
}

/// A server transaction: whose, and the branch and method that it is matched by (RFC 3261 §17.2.3).
type Key<'a> = (HostId, &'a str, &'a Method);

fn key(host: HostId, message: &SipMessage) -> Key<'_> {
    (host, &message.branch, &message.method)
}

fn opens_transaction(message: &SipMessage) -> bool {
    message.well_formed && message.is_request() && message.method != Method::Ack
}

/// Distinct final answers; repeats count once, and one that could not be sent counts as well.
fn finals<'a>(evidence: &'a Evidence<'_>, key: &Key<'_>) -> Vec<&'a Transmission> {
    let answers = evidence.transmissions.iter().filter(|sent| {
        let message = sent.message.as_deref().filter(|message| message.is_final());
        message.is_some_and(|message| self::key(sent.from, message) == *key)
    });
    let mut distinct = BTreeSet::new();
    answers
        .filter(|sent| distinct.insert(&sent.datagram))
        .collect()
}

fn too_many(request: &SipMessage, finals: &[&Transmission]) -> Option<String> {
    let statuses = || {
        finals
            .iter()
            .filter_map(|sent| sent.message.as_ref()?.status)
    };
    let successes = statuses().filter(|status| *status < 300).count();
    let allowed = match request.method {
        Method::Invite => finals.len() <= 1 || successes == finals.len(),
        _ => finals.len() <= 1,
    };
    let list = || {
        statuses()
            .map(|status| status.to_string())
            .collect::<Vec<_>>()
            .join(", ")
    };
    (!allowed).then(|| {
        format!(
            "{} was answered with {}: one is allowed",
            request.method,
            list()
        )
    })
}

fn excused(evidence: &Evidence<'_>, arrival: &Arrival, request: &SipMessage) -> bool {
    !evidence.quiet
        || !evidence.lived_through(arrival.host, arrival.at, evidence.ended_at)
        || (request.method != Method::Invite && silent_downstream(evidence, arrival, request))
}

/// Whether the host passed the request on and heard nothing final: it then keeps silent (RFC 4320 §4.2).
fn silent_downstream(evidence: &Evidence<'_>, arrival: &Arrival, request: &SipMessage) -> bool {
    let same = |message: &SipMessage| {
        message.call_id == request.call_id
            && message.cseq == request.cseq
            && message.method == request.method
            && message.branch != request.branch
    };
    let passed_on = evidence.transmissions.iter().any(|sent| {
        let message = sent.message.as_deref();
        sent.from == arrival.host
            && message.is_some_and(|message| message.is_request() && same(message))
    });
    let answered = evidence.arrivals.iter().any(|answer| {
        let message = answer.message.as_deref();
        answer.host == arrival.host
            && answer.at >= arrival.at
            && message.is_some_and(|message| message.is_final() && same(message))
    });
    passed_on && !answered
}
