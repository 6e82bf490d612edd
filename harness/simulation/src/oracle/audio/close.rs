//! A leg that was hung up on is gone soon.

use super::super::timers::later;
use super::super::{Finding, Holds, Oracle};
use super::{Leg, Session, legs, sessions};
use crate::evidence::Evidence;
use linefault_network::Instant;

pub(in crate::oracle) const ORACLE: Oracle = Oracle {
    name: "hung-up-leg-goes",
    doc: "Two seconds after its AudioSocket hang-up a service has closed or aborted the connection and forgotten the session.",
    source: "report C: not closed within 2 s: socket aborted, session removed",
    holds: Holds::Always,
    judge,
};

/// Report C's deadline for the peer's close, in microseconds.
const DEADLINE: u64 = 2_000_000;

fn judge(evidence: &Evidence<'_>) -> Vec<Finding> {
    let (legs, sessions) = (legs(evidence), sessions(evidence));
    let findings = legs.iter().filter_map(|leg| {
        let hang_up = leg.hang_up?;
        let due = later(hang_up.at, DEADLINE);
        let judged = due < evidence.ended_at && evidence.lived_through(leg.server, hang_up.at, due);
        let text = breach(leg, &legs, &sessions, due).filter(|_| judged)?;
        Some(Finding {
            host: Some(leg.server),
            record: Some(hang_up.record),
            at: due,
            text: format!("hung up at {}: {text}", hang_up.at),
        })
    });
    findings.collect()
}

fn breach(leg: &Leg<'_>, legs: &[Leg<'_>], sessions: &[Session], due: Instant) -> Option<String> {
    if leg.over().is_none_or(|over| over > due) {
        return Some("the connection is still open 2 s later".to_owned());
    }
    let (call, _) = leg.call?;
    let prefix = format!("{call}/");
    let kept = sessions.iter().filter(|session| {
        session.host == leg.server
            && session.label.starts_with(&prefix)
            && session.is_open_throughout(due, due)
    });
    let carried = legs.iter().filter(|other| {
        let names = other
            .call
            .is_some_and(|(named, seen)| named == call && seen.at < due);
        let carries = other.known_over().is_none_or(|over| over > due);
        other.server == leg.server && other.place != leg.place && names && carries
    });
    (kept.count() > carried.count())
        .then(|| "the session is still there 2 s later, without a connection".to_owned())
}
