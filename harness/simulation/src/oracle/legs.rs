//! Both legs of a call of a back-to-back user agent end together.

use linefault_network::{Instant, RecordId};
use linefault_protocol::sip::Method;

use super::bridge::{AT_ONCE, Bridge, Leg};
use super::timers::{GIVE_UP, later};
use super::{Finding, Holds, Oracle};
use crate::evidence::{Evidence, SipMessage, Transmission};

pub(super) const ORACLE: Oracle = Oracle {
    name: "legs-end-together",
    doc: "Once a B2BUA learns that one leg ended it ends the other within 100 ms: BYE, or CANCEL before the answer, as soon as either may be sent. Its call records say which two Call-IDs are one call.",
    source: "report E; RFC 3261 §9.1 (no CANCEL before a provisional answer), §15 (no BYE of the callee's before the ACK or 64·T1), §12.2.1.2 (481 and 408 end a dialog)",
    holds: Holds::Always,
    judge,
};

fn judge(evidence: &Evidence<'_>) -> Vec<Finding> {
    let ways = Bridge::all(evidence).flat_map(|bridge| bridge.ways(evidence));
    let findings = ways.filter_map(|(leg, other)| {
        let end = ended(leg)?;
        let what = outlives(other, leg, end.at)?;
        Some(Finding {
            host: Some(leg.bridge.host),
            record: Some(end.record),
            at: end.at,
            text: format!(
                "{} ended one leg, and no {what} ended the other within 100 ms",
                end.by
            ),
        })
    });
    findings.collect()
}

/// How the element learnt that a leg is over.
struct End {
    at: Instant,
    record: RecordId,
    by: String,
}

fn ended(leg: Leg<'_, '_>) -> Option<End> {
    let ends = leg.read().filter(|(at, _, it)| match it.method {
        Method::Bye | Method::Cancel if it.is_request() => {
            answered(leg, it) && (it.method == Method::Bye || leg.is_asked(*at) && !up(leg, *at))
        }
        Method::Bye | Method::Cancel => false,
        // In a dialog only: outside of one they are answers like others.
        _ => matches!(it.status, Some(408 | 481)) && in_dialog(leg, it),
    });
    let first = ends.min_by_key(|(at, arrival, _)| (*at, arrival.record));
    first.map(|(at, arrival, it)| End {
        at,
        record: arrival.record,
        by: it.summary(),
    })
}

/// Whether the element took the request: what it answers 481 to tells it nothing.
fn answered(leg: Leg<'_, '_>, request: &SipMessage) -> bool {
    leg.sent().any(|(_, it)| {
        it.status == Some(200) && it.method == request.method && it.branch == request.branch
    })
}

fn in_dialog(leg: Leg<'_, '_>, answer: &SipMessage) -> bool {
    leg.sent().any(|(_, it)| {
        it.asks(&answer.method) && it.branch == answer.branch && !it.to_tag.is_empty()
    })
}

/// Whether the leg was answered before that moment, by either side.
fn up(leg: Leg<'_, '_>, at: Instant) -> bool {
    let ok = |it: &SipMessage| it.is_success() && it.method == Method::Invite;
    leg.sent().any(|(sent, it)| sent.at <= at && ok(it))
        || leg.read().any(|(read_at, _, it)| read_at <= at && ok(it))
}

/// What should have ended the leg once the other one was over, and did not. What goes to the other one's end ends nothing.
fn outlives(leg: Leg<'_, '_>, ended: Leg<'_, '_>, since: Instant) -> Option<&'static str> {
    if up(leg, since) {
        let until = later(may_say_bye(leg, since), AT_ONCE);
        let strays = |sent: &Transmission| {
            let to = sent.to.filter(|to| ended.asks_or_is_asked_by(*to));
            to.is_some_and(|to| !leg.asks_or_is_asked_by(to))
        };
        let said = leg
            .sent()
            .any(|(sent, it)| it.asks(&Method::Bye) && sent.at <= until && !strays(sent));
        let heard = leg
            .read()
            .any(|(at, _, it)| it.asks(&Method::Bye) && at <= until);
        return (!said && !heard && judged(leg, since, until)).then_some("BYE");
    }
    let invites = leg
        .sent()
        .filter(|(sent, it)| sent.at <= since && it.asks(&Method::Invite) && sent.left());
    let (_, invite) = invites.last()?;
    let mut same = leg
        .sent()
        .filter(|(_, it)| it.asks(&Method::Invite) && it.branch == invite.branch);
    let (first, _) = same.next()?;
    // A repeat that could not be sent has ended the transaction (RFC 3261 §17.1.1.2): nothing is left to be cancelled.
    if same.any(|(sent, _)| sent.at <= since && !sent.left()) {
        return None;
    }
    // By then Timer B has run out, and nothing waits for an answer any more.
    let given_up = later(first.at, GIVE_UP);
    let heard = |wanted: fn(&SipMessage) -> bool| {
        let mut answers = leg.read().filter(|(_, _, it)| {
            it.branch == invite.branch && it.method == Method::Invite && wanted(it)
        });
        answers.next().map(|(at, ..)| at)
    };
    let may = heard(SipMessage::is_provisional).filter(|at| *at < given_up)?;
    let may = may.max(since);
    let until = later(may, AT_ONCE);
    let over = heard(SipMessage::is_final).is_some_and(|at| at <= may);
    let cancelled = leg.sent().any(|(sent, it)| {
        it.asks(&Method::Cancel) && it.branch == invite.branch && sent.at <= until
    });
    (!over && !cancelled && judged(leg, since, until)).then_some("CANCEL")
}

/// Whether host and run lasted that long.
fn judged(leg: Leg<'_, '_>, since: Instant, until: Instant) -> bool {
    let host = leg.bridge.host;
    until <= leg.evidence.ended_at
        && leg.evidence.lived_through(host, since, until)
        && !leg.is_held_up(since..=until)
}

// RFC 3261 §15: who answered last waits for the ACK, or for the end of waiting for it.
fn may_say_bye(leg: Leg<'_, '_>, since: Instant) -> Instant {
    let answers = leg.sent().filter(|(sent, it)| {
        sent.at <= since && sent.repeat == 0 && it.is_success() && it.method == Method::Invite
    });
    let Some((answer, ok)) = answers.max_by_key(|(sent, _)| sent.at) else {
        return since;
    };
    let mut acks = leg
        .read()
        .filter(|(_, _, it)| it.asks(&Method::Ack) && it.cseq == ok.cseq);
    let acknowledged = acks.next().map(|(at, ..)| at);
    let given_up = later(answer.at, GIVE_UP);
    acknowledged
        .map_or(given_up, |at| at.min(given_up))
        .max(since)
}
