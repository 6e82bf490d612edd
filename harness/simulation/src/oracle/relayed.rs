//! What one leg of a back-to-back user agent answers reaches the other.

use std::collections::BTreeSet;

use linefault_network::Instant;
use linefault_protocol::sip::{Contacts, Method};

use super::bridge::{AT_ONCE, Bridge, Leg};
use super::timers::later;
use super::{Finding, Holds, Oracle};
use crate::evidence::{Evidence, SipMessage};

pub(super) const ORACLE: Oracle = Oracle {
    name: "answers-relayed",
    doc: "A B2BUA passes each final answer to an INVITE on with the same code within 100 ms, unless it calls again, follows a redirect or forwards. Its call records say which two Call-IDs are one call.",
    source: "report E; RFC 3261 §6 (a B2BUA is a UAS whose answers depend on what it hears as a UAC)",
    holds: Holds::Always,
    judge,
};

/// A second, in microseconds: from a 503 to the next try.
const PAUSE: u64 = 1_000_000;

fn judge(evidence: &Evidence<'_>) -> Vec<Finding> {
    let ways = Bridge::all(evidence).flat_map(|bridge| bridge.ways(evidence));
    ways.flat_map(|(leg, other)| kept_back(leg, other))
        .collect()
}

/// The answers of that leg that the other one should have had.
fn kept_back(leg: Leg<'_, '_>, other: Leg<'_, '_>) -> Vec<Finding> {
    let mut branches = BTreeSet::new();
    let answers = leg.read().filter(|(_, _, it)| {
        // Another answer in the same branch is a repeat, or of a fork: one is enough for the caller.
        it.is_final() && it.method == Method::Invite && branches.insert(it.branch.as_str())
    });
    let kept = answers.filter(|(at, _, answer)| {
        let lives = leg
            .evidence
            .lived_through(leg.bridge.host, *at, grace(*at, answer));
        lives
            && grace(*at, answer) <= leg.evidence.ended_at
            && awaited(leg, *at, answer)
            && other.is_asked(*at)
            && !passed_on(other, *at, answer)
            && !goes_elsewhere(leg, other, *at, answer)
            && !other.is_held_up(*at..=grace(*at, answer))
    });
    let findings = kept.map(|(at, arrival, answer)| Finding {
        host: Some(leg.bridge.host),
        record: Some(arrival.record),
        at,
        text: format!(
            "{} was read and not passed on to the other leg within 100 ms",
            answer.summary()
        ),
    });
    findings.collect()
}

/// By when something must have become of an answer: after a 503 the callee may be called again.
fn grace(at: Instant, answer: &SipMessage) -> Instant {
    let again = answer.status == Some(503);
    later(at, if again { PAUSE + AT_ONCE } else { AT_ONCE })
}

/// Whether the element asked for that answer and still wants it. A 2xx without a Contact to go on with is a bad answer from
/// downstream, and passed on as such.
fn awaited(leg: Leg<'_, '_>, at: Instant, answer: &SipMessage) -> bool {
    let mut invited = false;
    for (sent, request) in leg
        .sent()
        .filter(|(sent, it)| sent.at <= at && it.is_request() && it.branch == answer.branch)
    {
        match request.method {
            // RFC 3261 §17.1.4: what cannot be sent again is over.
            Method::Invite if !sent.left() => return false,
            Method::Invite => invited = true,
            Method::Cancel => return false,
            _ => {}
        }
    }
    let usable = matches!(answer.message.contacts(), Ok(Contacts::List(list)) if list.len() == 1);
    invited && (usable || !answer.is_success())
}

fn passed_on(other: Leg<'_, '_>, at: Instant, answer: &SipMessage) -> bool {
    other.sent().any(|(sent, it)| {
        it.status == answer.status
            && it.method == Method::Invite
            && at <= sent.at
            && sent.at <= later(at, AT_ONCE)
    })
}

/// Whether the callee is called again, somebody else is, or the caller gives up before that.
fn goes_elsewhere(leg: Leg<'_, '_>, other: Leg<'_, '_>, at: Instant, answer: &SipMessage) -> bool {
    let until = grace(at, answer);
    let meanwhile = |moment: Instant| at <= moment && moment <= until;
    let called = leg
        .sent()
        .any(|(sent, it)| meanwhile(sent.at) && it.asks(&Method::Invite) && it.cseq > answer.cseq);
    let forwarded = other
        .sent()
        .any(|(sent, it)| meanwhile(sent.at) && it.status == Some(181));
    let given_up = other.read().any(|(read_at, _, it)| {
        meanwhile(read_at) && (it.asks(&Method::Cancel) || it.asks(&Method::Bye))
    });
    // A redirect may lead to somebody who is not there.
    let nobody = matches!(answer.status, Some(300..400))
        && other.sent().any(|(sent, it)| {
            meanwhile(sent.at) && it.status == Some(480) && it.method == Method::Invite
        });
    called || forwarded || given_up || nobody
}
