//! A token client reconnects when, as often and as long as report D says, and on one connection at a time.

mod attempts;

use linefault_network::{HostId, Instant};
use linefault_protocol::sse::Backoff;

use self::attempts::{Attempt, End, attempts};
use super::timers::later;
use super::{Finding, Holds, Oracle};
use crate::evidence::Evidence;

/// Report D: five attempts, n = 0…4.
const ATTEMPTS: u32 = 5;
/// Report D: idle for 30 s without an event, in microseconds.
const IDLE: u64 = 30_000_000;

pub(super) const ORACLE: Oracle = Oracle {
    name: "stream-reconnects",
    doc: "A token client reconnects after min(base·2ⁿ, 30 s) and at most five times without a new token, gives up after 30 s without an event, and has one connection at a time.",
    source: "report D, client; `retry`: WHATWG HTML §9.2.6",
    holds: Holds::Always,
    judge,
};

fn judge(evidence: &Evidence<'_>) -> Vec<Finding> {
    let exchanges = evidence.token_exchanges();
    let mut findings = Vec::new();
    for (client, attempts) in attempts(evidence, exchanges) {
        let mut story = Story {
            evidence,
            client,
            base: Backoff::default().first,
            counter: 0,
        };
        for (place, attempt) in attempts.iter().enumerate() {
            findings.extend(story.follow(attempt, attempts.get(place + 1)));
        }
    }
    findings
}

/// What a client is allowed next, as its attempts go by.
struct Story<'a> {
    evidence: &'a Evidence<'a>,
    client: HostId,
    base: u64,
    counter: u32,
}

impl Story<'_> {
    fn follow(&mut self, attempt: &Attempt, next: Option<&Attempt>) -> Option<Finding> {
        if attempt.asked_anew {
            (self.base, self.counter) = (Backoff::default().first, 0);
        } else if attempt.by_hand {
            self.counter = 0;
        }
        self.base = attempt.retry.unwrap_or(self.base);
        if attempt.got_on {
            self.counter = 0;
        }
        let next = next.filter(|next| next.life == attempt.life);
        let overlaps = next.filter(|next| attempt.open_at(next.start.at));
        if let Some(next) = overlaps {
            return Some(
                self.finding(next, "connects while another connection is open".to_owned()),
            );
        }
        let next = next.filter(|next| !next.asked_anew);
        match (attempt.end, next) {
            (_, Some(next)) if next.by_hand => None,
            (End::Final(what), Some(next)) => {
                Some(self.finding(next, format!("connects again after {what}")))
            }
            (End::Lost(at) | End::Own(at), Some(next)) => self.reconnects(at, next),
            (End::Lost(at), None) => self.stays_away(attempt, at),
            (End::None, _) => self.idles(attempt),
            _ => None,
        }
    }

    /// When it must connect again: a process that is frozen then does so as soon as it goes on. Nothing if it never does.
    fn due(&self, lost: Instant) -> Option<Instant> {
        self.evidence.runs_from(self.client, self.wanted(lost))
    }

    fn wanted(&self, lost: Instant) -> Instant {
        lost + Backoff::default().delay(self.base, self.counter)
    }

    fn reconnects(&mut self, lost: Instant, next: &Attempt) -> Option<Finding> {
        // It may do so in the very instant in which it is stopped.
        let wanted = self.wanted(lost);
        let due = if next.start.at == wanted {
            wanted
        } else {
            self.due(lost)?
        };
        let number = self.counter + 1;
        self.counter += 1;
        if number > ATTEMPTS {
            return Some(self.finding(
                next,
                format!("connects a {number}th time without a new token"),
            ));
        }
        (next.start.at != due).then(|| {
            self.finding(
                next,
                format!("reconnects at {}, and {due} was due", next.start.at),
            )
        })
    }

    /// It lost its connection, and nothing follows.
    fn stays_away(&self, attempt: &Attempt, lost: Instant) -> Option<Finding> {
        let due = self.due(lost)?;
        let excused = self.counter >= ATTEMPTS
            || due >= self.evidence.ended_at
            || attempt.stopped
            || self.evidence.life(self.client, due) != attempt.life;
        (!excused).then(|| self.finding(attempt, format!("does not reconnect at {due}")))
    }

    /// Nothing ended the connection: the client has to, when it was silent for too long.
    fn idles(&self, attempt: &Attempt) -> Option<Finding> {
        let limit = later(attempt.heard_last, IDLE);
        let excused = limit >= self.evidence.ended_at
            || !attempt.open_at(later(limit, 1))
            || !self
                .evidence
                .lived_through(self.client, attempt.start.at, limit);
        (!excused).then(|| {
            let last = attempt.heard_last;
            self.finding(
                attempt,
                format!("still waits at {limit}, the last event being of {last}"),
            )
        })
    }

    fn finding(&self, attempt: &Attempt, text: String) -> Finding {
        Finding {
            host: Some(self.client),
            record: Some(attempt.start.record),
            at: attempt.start.at,
            text,
        }
    }
}
