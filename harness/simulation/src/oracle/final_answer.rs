//! Every request gets one final answer.

use std::collections::{BTreeMap, BTreeSet};

use linefault_network::HostId;
use linefault_protocol::sip::Method;

use super::bridge::Bridge;
use super::held_up::held_up;
use super::timers::{GIVE_UP, T4, later};
use super::{Finding, Holds, Oracle};
use crate::evidence::{Arrival, Evidence, SipMessage, Transmission};

pub(super) const ORACLE: Oracle = Oracle {
    name: "one-final-answer",
    doc: "Each server transaction that a living element opened sends one distinct final answer; a 2xx to INVITE may be followed by others, and an ACK has none.",
    source: "RFC 3261 §8.2.6, §16.7, §17, §17.2; silence for a non-INVITE without an answer from downstream: RFC 4320 §4.2",
    holds: Holds::AfterHealing,
    judge,
};

fn judge(evidence: &Evidence<'_>) -> Vec<Finding> {
    let mut requests = BTreeMap::new();
    for arrival in &evidence.arrivals {
        if let Some((key, request)) = opens(evidence, arrival) {
            requests.entry(key).or_insert((arrival, request));
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
                host: Some(key.host),
                record: Some(shown.0),
                at: shown.1,
                text,
            })
        });
    judged.chain(answers_to_acks(evidence)).collect()
}

// RFC 3261 §17: there is no response to an ACK.
fn answers_to_acks<'e>(evidence: &'e Evidence<'_>) -> impl Iterator<Item = Finding> + use<'e> {
    let answers = evidence.transmissions.iter().filter(|sent| {
        let message = sent.message.as_deref().filter(|_| !sent.raw);
        message.is_some_and(|it| !it.is_request() && it.method == Method::Ack)
    });
    answers.map(|sent| Finding {
        host: Some(sent.from),
        record: Some(sent.record),
        at: sent.at,
        text: "an ACK was answered".to_owned(),
    })
}

/// A server transaction: in which life of whom, and the branch and method that it is matched by (RFC 3261 §17.2.3).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Key<'a> {
    host: HostId,
    life: usize,
    branch: &'a str,
    method: &'a Method,
}

/// The server transaction that a request opened or belongs to. One that no element read opened none, nor did
/// one whose top Via does not say whom to answer.
fn opens<'a>(evidence: &Evidence<'_>, arrival: &'a Arrival) -> Option<(Key<'a>, &'a SipMessage)> {
    let read_at = arrival.read_at?;
    let request = arrival.message.as_deref()?;
    let counts = request.is_request()
        && request.answerable
        && request.method != Method::Ack
        && !request.branch.is_empty();
    let key = Key {
        host: arrival.host,
        life: evidence.life(arrival.host, read_at),
        branch: &request.branch,
        method: &request.method,
    };
    counts.then_some((key, request))
}

/// Distinct final answers; repeats count once, and one that could not be sent counts as well.
fn finals<'a>(evidence: &'a Evidence<'_>, key: &Key<'_>) -> Vec<&'a Transmission> {
    let answers = evidence.sent_in_branch(key.branch).filter(|sent| {
        let message = sent.message.as_deref().filter(|message| message.is_final());
        sent.from == key.host
            && message.is_some_and(|message| message.method == *key.method)
            && evidence.life(sent.from, sent.at) == key.life
    });
    let mut distinct = BTreeSet::new();
    let mut finals: Vec<&Transmission> = answers
        .filter(|sent| distinct.insert(&sent.datagram))
        .collect();
    // RFC 3261 §17.2.1, §17.2.2: a request that comes when Timer I or J has ended its transaction opens a new one.
    let retained = if *key.method == Method::Invite {
        T4
    } else {
        GIVE_UP
    };
    if let Some(over) = finals.first().map(|first| later(first.at, retained)) {
        finals.retain(|sent| sent.at < over);
    }
    finals
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
        || unanswerable(evidence, arrival)
        || (request.method != Method::Invite && silent_downstream(evidence, arrival, request))
}

/// Whether the answer had no way: the request came over TCP, and nothing that is written gets out to where it came from, or
/// no connection to there can be made any more (RFC 3261 §18.2.2).
fn unanswerable(evidence: &Evidence<'_>, arrival: &Arrival) -> bool {
    let sent = arrival
        .transmission
        .map(|place| &evidence.transmissions[place]);
    sent.is_some_and(|sent| {
        sent.transport.is_reliable()
            && held_up(
                evidence,
                arrival.host,
                sent.from,
                arrival.at..=later(arrival.at, GIVE_UP),
            )
    })
}

/// Whether the host passed the request on, in its own call or in a B2BUA's other leg, and heard nothing final: it then
/// keeps silent (RFC 4320 §4.2).
fn silent_downstream(evidence: &Evidence<'_>, arrival: &Arrival, request: &SipMessage) -> bool {
    let same = |message: Option<&SipMessage>, wanted: fn(&SipMessage) -> bool| {
        message.is_some_and(|message| {
            wanted(message) && message.method == request.method && message.branch != request.branch
        })
    };
    let bridges = Bridge::all(evidence).filter(|bridge| bridge.host == arrival.host);
    let other_leg: Vec<&str> = bridges
        .filter_map(|bridge| bridge.partner(&request.call_id))
        .collect();
    let sent = evidence.sent_in_exchange(request);
    let mut sent = sent.chain(other_leg.iter().flat_map(|leg| evidence.sent_in_call(leg)));
    let passed_on = sent.any(|sent| {
        sent.from == arrival.host
            && sent.at >= arrival.at
            && sent.left()
            && same(sent.message.as_deref(), SipMessage::is_request)
    });
    // Dialogs that a fork made may number their requests alike.
    let heard = evidence.arrived_in_exchange(request).filter(|answer| {
        let tag = answer.message.as_deref().map(|it| &it.to_tag);
        request.to_tag.is_empty() || tag == Some(&request.to_tag)
    });
    let mut heard = heard.chain(
        other_leg
            .iter()
            .flat_map(|leg| evidence.arrived_in_call(leg)),
    );
    // RFC 3261 §17.1.2.2: by then who asks has given up.
    let given_up = later(arrival.at, GIVE_UP);
    let answered = heard.any(|answer| {
        answer.host == arrival.host
            && answer
                .read_at
                .is_some_and(|at| at >= arrival.at && at < given_up)
            && same(answer.message.as_deref(), SipMessage::is_final)
    });
    passed_on && !answered
}
