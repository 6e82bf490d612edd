//! Over UDP, what is repeated is repeated when RFC 3261 says so, and not otherwise.

use std::collections::BTreeMap;

use linefault_network::{HostId, Instant};
use linefault_protocol::sip::Method;

use super::{Finding, Holds, Oracle};
use crate::evidence::{Evidence, SipMessage, Transmission};

pub(super) const ORACLE: Oracle = Oracle {
    name: "retransmission-timers",
    doc: "Requests and final answers to INVITE are repeated exactly when Timers A, E and G say, until they are answered or given up.",
    source: "RFC 3261 §17.1.1.2, §17.1.2.2, §17.2.1, §13.3.1.4; T1 = 500 ms, T2 = 4 s",
    holds: Holds::Always,
    judge,
};

const T1: u64 = 500_000;
const T2: u64 = 4_000_000;
/// Timers B, F and H: 64·T1.
const GIVE_UP: u64 = 64 * T1;

fn judge(evidence: &Evidence<'_>) -> Vec<Finding> {
    let mut series: BTreeMap<SeriesKey<'_>, Vec<&Transmission>> = BTreeMap::new();
    for sent in &evidence.transmissions {
        if let Some(key) = sent
            .message
            .as_deref()
            .and_then(|message| key(sent.from, message))
        {
            series.entry(key).or_default().push(sent);
        }
    }
    series
        .iter()
        .filter_map(|(key, sent)| judge_series(evidence, key, sent))
        .collect()
}

/// One message and its repeats: who sends it, its branch, its method, its status if it is a response.
type SeriesKey<'a> = (HostId, &'a str, &'a Method, Option<u16>);

/// Nothing for what is not repeated by a timer: ACK and provisional responses.
fn key(from: HostId, message: &SipMessage) -> Option<SeriesKey<'_>> {
    let by_timer = match message.status {
        None => message.method != Method::Ack,
        Some(status) => status >= 200,
    };
    (message.well_formed && by_timer).then_some((
        from,
        &message.branch,
        &message.method,
        message.status,
    ))
}

fn judge_series(
    evidence: &Evidence<'_>,
    key: &SeriesKey<'_>,
    sent: &[&Transmission],
) -> Option<Finding> {
    let first = sent.first()?;
    let message = first.message.as_deref()?;
    let plan = Plan::of(evidence, first, message);
    let actual: Vec<Instant> = sent.iter().map(|sent| sent.at).collect();
    let (at, wrong) = plan.compare(&actual)?;
    let shown = sent.iter().rfind(|sent| sent.at <= at).unwrap_or(first);
    Some(Finding {
        host: Some(key.0),
        record: Some(shown.record),
        at,
        text: format!("{} {wrong}; sent at {}", message.summary(), list(&actual)),
    })
}

fn list(times: &[Instant]) -> String {
    times
        .iter()
        .map(ToString::to_string)
        .collect::<Vec<_>>()
        .join(", ")
}

/// When a message must be sent, and when it may be.
struct Plan {
    /// The first transmission and every repeat that a timer asks for.
    due: Vec<Instant>,
    /// From here on a repeat that is due need not come: answered, given up, stopped, or the run is over.
    over: Instant,
    /// When a repeat may come because the other side repeated itself.
    prompted: Vec<Instant>,
}

impl Plan {
    fn of(evidence: &Evidence<'_>, first: &Transmission, message: &SipMessage) -> Self {
        let host = first.from;
        let prompted = prompts(evidence, host, message);
        let timed = if message.is_request() {
            Timed::request(evidence, host, message)
        } else if message.method == Method::Invite && !passed_on(evidence, host, message) {
            Timed::invite_final(evidence, host, message)
        } else {
            // RFC 3261 §17.2.2, §16.7 step 9: repeated only for a repeat of the request or of the answer.
            return Self {
                due: vec![first.at],
                over: first.at,
                prompted,
            };
        };
        let over = [
            timed.stop,
            Some(evidence.ended_at),
            stopped(evidence, host, first.at),
        ];
        let over = over
            .into_iter()
            .flatten()
            .min()
            .unwrap_or(evidence.ended_at);
        let failed = (!first.left()).then_some(first.at);
        Self {
            due: timed.due(first.at),
            over: failed.map_or(over, |at| at.min(over)),
            prompted,
        }
    }

    /// The first departure from the plan: when it shows, and what it is.
    fn compare(&self, actual: &[Instant]) -> Option<(Instant, String)> {
        let stray = actual.iter().find(|at| {
            let planned = self.due.contains(at) && **at <= self.over;
            !planned && !self.prompted.contains(at)
        });
        let missing = self
            .due
            .iter()
            .find(|due| **due < self.over && !actual.contains(due));
        match (stray, missing) {
            (Some(at), missing) if missing.is_none_or(|due| at <= due) => Some((
                *at,
                format!("was repeated at {at}, when no timer asks for it"),
            )),
            (_, Some(due)) => Some((*due, format!("was not repeated at {due}"))),
            (_, None) => None,
        }
    }
}

/// What a timer repeats.
struct Timed {
    /// What ends the repeats.
    stop: Option<Instant>,
    /// Whether the interval is capped at T2 (Timers E and G) or doubles for ever (Timer A).
    capped: bool,
    /// From when on every interval is T2 (Timer E in Proceeding).
    slow_from: Option<Instant>,
}

impl Timed {
    fn request(evidence: &Evidence<'_>, host: HostId, request: &SipMessage) -> Self {
        let answer = |wanted: fn(&SipMessage) -> bool| {
            first_arrival(evidence, host, |answer| {
                !answer.is_request()
                    && answer.branch == request.branch
                    && answer.method == request.method
                    && wanted(answer)
            })
        };
        if request.method == Method::Invite {
            Self {
                stop: answer(|_| true),
                capped: false,
                slow_from: None,
            }
        } else {
            let slow_from = answer(|answer| !answer.is_final());
            Self {
                stop: answer(SipMessage::is_final),
                capped: true,
                slow_from,
            }
        }
    }

    fn invite_final(evidence: &Evidence<'_>, host: HostId, response: &SipMessage) -> Self {
        let success = response.status.is_some_and(|status| status < 300);
        let stop = first_arrival(evidence, host, |ack| {
            let same_transaction = ack.branch == response.branch;
            let same_dialog = ack.call_id == response.call_id && ack.cseq == response.cseq;
            ack.is_request()
                && ack.method == Method::Ack
                && if success {
                    same_dialog
                } else {
                    same_transaction
                }
        });
        Self {
            stop,
            capped: true,
            slow_from: None,
        }
    }

    fn due(&self, first: Instant) -> Vec<Instant> {
        let mut due = vec![first];
        let (mut at, mut interval) = (first.as_micros(), T1);
        loop {
            at += interval;
            if at >= first.as_micros() + GIVE_UP {
                return due;
            }
            let now = Instant::from_micros(at);
            due.push(now);
            interval = match self.slow_from {
                Some(from) if from <= now => T2,
                _ if self.capped => (interval * 2).min(T2),
                _ => interval * 2,
            };
        }
    }
}

fn first_arrival(
    evidence: &Evidence<'_>,
    host: HostId,
    wanted: impl Fn(&SipMessage) -> bool,
) -> Option<Instant> {
    let at_host = evidence
        .arrivals
        .iter()
        .filter(|arrival| arrival.host == host);
    let mut fitting = at_host.filter(|arrival| arrival.message.as_deref().is_some_and(&wanted));
    fitting.next().map(|arrival| arrival.at)
}

/// When the other side's repeats arrived: the request's for an answer, and for an element that passes
/// answers on, those answers.
fn prompts(evidence: &Evidence<'_>, host: HostId, message: &SipMessage) -> Vec<Instant> {
    if message.is_request() {
        return Vec::new();
    }
    let at_host = evidence
        .arrivals
        .iter()
        .filter(|arrival| arrival.host == host);
    let prompting = at_host.filter(|arrival| {
        arrival.message.as_deref().is_some_and(|other| {
            let repeat = other.is_request()
                && other.branch == message.branch
                && other.method == message.method;
            repeat || same_answer(other, message)
        })
    });
    prompting.map(|arrival| arrival.at).collect()
}

/// Whether the host only passed this answer on.
fn passed_on(evidence: &Evidence<'_>, host: HostId, message: &SipMessage) -> bool {
    let success = message.status.is_some_and(|status| status < 300);
    success && first_arrival(evidence, host, |other| same_answer(other, message)).is_some()
}

fn same_answer(other: &SipMessage, message: &SipMessage) -> bool {
    other.status == message.status
        && other.call_id == message.call_id
        && other.cseq == message.cseq
        && other.method == message.method
}

/// When the host's process ended, after that moment.
fn stopped(evidence: &Evidence<'_>, host: HostId, since: Instant) -> Option<Instant> {
    evidence.stops(host).find(|at| *at >= since)
}
