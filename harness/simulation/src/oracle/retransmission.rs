//! What is repeated is repeated when RFC 3261 says so, and not otherwise; over TCP that is the 2xx to an INVITE alone.

use std::collections::BTreeMap;

use linefault_network::{HostId, Instant};
use linefault_protocol::sip::{Method, Transport};

use super::held_up::held_up;
use super::timers::{GIVE_UP, T1, T2, later};
use super::{Finding, Holds, Oracle};
use crate::evidence::{Evidence, SipMessage, Transmission};

pub(super) const ORACLE: Oracle = Oracle {
    name: "retransmission-timers",
    doc: "Requests and final answers to INVITE are repeated exactly when Timers A, E and G say, until they are answered or given up.",
    source: "RFC 3261 §17.1.1.2, §17.1.2.2, §17.2.1, §13.3.1.4; T1 = 500 ms, T2 = 4 s",
    holds: Holds::Always,
    judge,
};

fn judge(evidence: &Evidence<'_>) -> Vec<Finding> {
    let mut series: BTreeMap<SeriesKey<'_>, Vec<&Transmission>> = BTreeMap::new();
    for sent in &evidence.transmissions {
        let message = sent.message.as_deref().filter(|_| !sent.raw);
        if let Some(message) = message.filter(|message| is_timed(message)) {
            let key = SeriesKey {
                host: sent.from,
                transport: sent.transport,
                life: evidence.life(sent.from, sent.at),
                branch: &message.branch,
                method: &message.method,
                status: message.status,
                to_tag: &message.to_tag,
            };
            series.entry(key).or_default().push(sent);
        }
    }
    let of_transactions = series.iter().flat_map(|(key, sent)| {
        let parts = by_transaction(evidence, sent);
        parts.into_iter().map(move |sent| (key, sent))
    });
    of_transactions
        .filter_map(|(key, sent)| judge_series(evidence, key, sent))
        .collect()
}

/// One message and its repeats.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct SeriesKey<'a> {
    host: HostId,
    transport: Transport,
    life: usize,
    branch: &'a str,
    method: &'a Method,
    status: Option<u16>,
    to_tag: &'a str,
}

/// Whether a timer may repeat it: ACK and provisional responses none does.
fn is_timed(message: &SipMessage) -> bool {
    let by_timer = match message.status {
        None => message.method != Method::Ack,
        Some(status) => status >= 200,
    };
    message.well_formed && by_timer
}

/// Parts a series where the request came once more when its transaction was over: the answer is one of a new transaction
/// then (RFC 3261 §17.2.1, §17.2.2). Who was frozen meanwhile may still have had the old one.
fn by_transaction<'s, 'e>(
    evidence: &Evidence<'_>,
    sent: &'s [&'e Transmission],
) -> Vec<&'s [&'e Transmission]> {
    let mut parts = Vec::new();
    let mut rest = sent;
    while let Some(first) = rest.first() {
        let over = later(first.at, GIVE_UP);
        let next = rest.iter().position(|sent| {
            let message = sent.message.as_deref();
            let asked = message.is_some_and(|it| !it.is_request() && asks(evidence, sent, it));
            let frozen = |at: Instant| first.at <= at && at <= sent.at;
            sent.at >= over && asked && !evidence.freezes(sent.from).any(frozen)
        });
        let (own, others) = rest.split_at(next.unwrap_or(rest.len()));
        parts.push(own);
        rest = others;
    }
    parts
}

/// Whether the request was read just before it was answered.
fn asks(evidence: &Evidence<'_>, sent: &Transmission, answer: &SipMessage) -> bool {
    evidence.arrived_in_branch(&answer.branch).any(|arrival| {
        let request = arrival.message.as_deref();
        arrival.host == sent.from
            && arrival.read_at == Some(sent.at)
            && request.is_some_and(|it| it.asks(&answer.method))
    })
}

fn judge_series(
    evidence: &Evidence<'_>,
    key: &SeriesKey<'_>,
    sent: &[&Transmission],
) -> Option<Finding> {
    let first = sent.first()?;
    let message = first.message.as_deref()?;
    let plan = Plan::of(evidence, sent, message)?;
    // RFC 3261 §18.2.2: a response that went down with its connection is sent on another one.
    let ends = |sent: &Transmission| (sent.source, sent.destination);
    let again = |sent: &Transmission| sent.transport.is_reliable() && ends(sent) != ends(first);
    let counts = |sent: &&&Transmission| message.is_success() || !again(sent);
    let actual: Vec<Instant> = sent.iter().filter(counts).map(|sent| sent.at).collect();
    let (at, wrong) = plan.compare(&actual)?;
    if plan.covers(&actual) && is_late(evidence, first, &plan) {
        return None;
    }
    let shown = sent.iter().rfind(|sent| sent.at <= at).unwrap_or(first);
    Some(Finding {
        host: Some(key.host),
        record: Some(shown.record),
        at,
        text: format!("{} {wrong}; sent at {}", message.summary(), list(&actual)),
    })
}

/// Whether what was written may have left later than that, or never: over TCP, with trouble on the way. A repeat then shows
/// when the connection lets it.
fn is_late(evidence: &Evidence<'_>, first: &Transmission, plan: &Plan) -> bool {
    let since = plan.prompted.first().copied().unwrap_or(first.at);
    let peer = first.to.filter(|_| first.transport.is_reliable());
    peer.is_some_and(|peer| {
        held_up(
            evidence,
            first.from,
            peer,
            since.min(first.at)..=evidence.ended_at,
        )
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
    /// From here on a repeat that is due need not come.
    optional_from: Instant,
    /// From here on a repeat is wrong even if it would be due: answered, given up, or failed.
    over: Instant,
    /// When a repeat may come because the other side repeated itself.
    prompted: Vec<Instant>,
    /// From here on any repeat may come: the process was frozen, and its timers fire late.
    free_from: Option<Instant>,
}

impl Plan {
    fn of(evidence: &Evidence<'_>, sent: &[&Transmission], message: &SipMessage) -> Option<Self> {
        let first = sent.first()?;
        let host = first.from;
        let prompted = prompts(evidence, host, message);
        // RFC 3261 §17.1.1.2, §17.1.2.2, §17.2.1: Timers A, E and G do not run over a reliable transport; §13.3.1.4: a 2xx to
        // INVITE is repeated over all.
        let unrepeated = first.transport.is_reliable() && !message.is_success();
        let timed = if unrepeated {
            None
        } else if message.is_request() {
            Some(Timed::request(evidence, host, message))
        } else if message.method == Method::Invite && !passed_on(evidence, host, message) {
            Some(Timed::invite_final(evidence, first, message))
        } else {
            None
        };
        let Some(timed) = timed else {
            // RFC 3261 §17.2.2, §16.7 step 9: repeated only for a repeat of the request or of the answer.
            return Some(Self {
                due: vec![first.at],
                optional_from: first.at,
                over: first.at,
                prompted,
                free_from: None,
            });
        };
        let died = evidence.stops(host).find(|at| *at >= first.at);
        let over = [timed.stop, died, Some(evidence.ended_at)];
        let mut over = over
            .into_iter()
            .flatten()
            .min()
            .unwrap_or(evidence.ended_at);
        let failed = sent.iter().find(|sent| !sent.left()).map(|sent| sent.at);
        // RFC 3261 §17.1.4: a client transaction ends with a transport error. A server transaction does by §17.2.4,
        // and does not by RFC 6026 §8.8: both are right.
        if message.is_request() {
            over = failed.map_or(over, |at| at.min(over));
        }
        let optional = [
            failed,
            timed.lenient_stop,
            expiry(first.at, message),
            Some(over),
        ];
        Some(Self {
            due: timed.due(first.at),
            optional_from: optional.into_iter().flatten().min().unwrap_or(over),
            over,
            prompted,
            free_from: evidence.freezes(host).find(|at| *at >= first.at),
        })
    }

    /// Whether these are no more than timers and the other side ask for, whenever they left. The first prompt is what the first
    /// one answers.
    fn covers(&self, actual: &[Instant]) -> bool {
        actual.len() < self.due.len() + self.prompted.len().max(1)
    }

    /// The first departure from the plan: when it shows, and what it is.
    fn compare(&self, actual: &[Instant]) -> Option<(Instant, String)> {
        let stray = actual.iter().find(|at| {
            let planned = self.due.contains(at) && **at <= self.over;
            let free = self.free_from.is_some_and(|from| from <= **at);
            !planned && !free && !self.prompted.contains(at)
        });
        let missing = self
            .due
            .iter()
            .find(|due| **due < self.optional_from && !actual.contains(due));
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

/// When an INVITE is no longer wanted, if it says so (RFC 3261 §20.19).
fn expiry(sent_at: Instant, message: &SipMessage) -> Option<Instant> {
    let expires = message.message.expires().ok().flatten();
    let seconds = expires.filter(|_| message.asks(&Method::Invite))?;
    Some(later(sent_at, u64::from(seconds) * 1_000_000))
}

/// What a timer repeats.
struct Timed {
    /// What ends the repeats.
    stop: Option<Instant>,
    /// What may end them.
    lenient_stop: Option<Instant>,
    /// Whether the interval is capped at T2 (Timers E and G) or doubles for ever (Timer A).
    capped: bool,
    /// From when on every interval is T2 (Timer E in Proceeding).
    slow_from: Option<Instant>,
}

impl Timed {
    fn request(evidence: &Evidence<'_>, host: HostId, request: &SipMessage) -> Self {
        let answer = |wanted: fn(&SipMessage) -> bool| {
            let heard = evidence.arrived_in_branch(&request.branch);
            let heard = heard.filter(|arrival| {
                arrival.host == host
                    && arrival.message.as_deref().is_some_and(|answer| {
                        !answer.is_request() && answer.method == request.method && wanted(answer)
                    })
            });
            heard.filter_map(|arrival| arrival.read_at).min()
        };
        let is_invite = request.method == Method::Invite;
        Self {
            stop: if is_invite {
                answer(|_| true)
            } else {
                answer(SipMessage::is_final)
            },
            lenient_stop: None,
            capped: !is_invite,
            slow_from: answer(SipMessage::is_provisional).filter(|_| !is_invite),
        }
    }

    fn invite_final(evidence: &Evidence<'_>, first: &Transmission, response: &SipMessage) -> Self {
        let host = first.from;
        let success = response.is_success();
        // RFC 3261 §17.1.1.3: the ACK for a failure is of the same transaction; §13.2.2.4: that for a 2xx is not.
        let heard = evidence.arrived_in_exchange(response);
        let acks = heard.filter(|arrival| {
            let ack = arrival.message.as_deref();
            arrival.host == host
                && arrival.read_at.is_some_and(|at| at >= first.at)
                && ack.is_some_and(|ack| {
                    ack.asks(&Method::Ack) && (ack.branch == response.branch) != success
                })
        });
        let acks: Vec<_> = acks
            .filter_map(|arrival| Some((arrival.read_at?, &arrival.message.as_deref()?.to_tag)))
            .collect();
        let own = acks.iter().find(|(_, tag)| **tag == response.to_tag);
        // A server transaction is found by its branch alone (§17.2.3), an ACK for another answer on it included.
        let any = acks.first().filter(|_| !success).map(|(at, _)| *at);
        // RFC 3261 §15: a session that is over needs no ACK for its answer, whoever ends it.
        let bye = success.then(|| {
            let is_bye = |it: Option<&SipMessage>| it.is_some_and(|it| it.asks(&Method::Bye));
            let heard = evidence.arrived_in_call(&response.call_id);
            let heard = heard.filter(|it| it.host == host && is_bye(it.message.as_deref()));
            let said = evidence.sent_in_call(&response.call_id);
            let said = said.filter(|it| it.from == host && is_bye(it.message.as_deref()));
            let heard = heard.filter_map(|arrival| arrival.read_at);
            heard.chain(said.map(|sent| sent.at)).min()
        });
        // RFC 3261 §8.2.7: what cannot be parsed is refused without a transaction, and nothing repeats the answer.
        let stateless = matches!(response.status, Some(400 | 414 | 505 | 513)).then_some(first.at);
        Self {
            stop: own.map(|(at, _)| *at),
            lenient_stop: [bye.flatten(), any, stateless].into_iter().flatten().min(),
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

/// When the other side's repeats arrived: the request's for an answer, and for an element that passes
/// answers on, those answers.
fn prompts(evidence: &Evidence<'_>, host: HostId, message: &SipMessage) -> Vec<Instant> {
    if message.is_request() {
        return Vec::new();
    }
    let heard = evidence.arrived_in_exchange(message);
    let prompting = heard.filter(|arrival| {
        let other = arrival.message.as_deref().filter(|_| arrival.host == host);
        other.is_some_and(|other| {
            let repeat = other.asks(&message.method) && other.branch == message.branch;
            repeat || same_answer(other, message)
        })
    });
    prompting.filter_map(|arrival| arrival.read_at).collect()
}

/// Whether the host only passed this answer on.
fn passed_on(evidence: &Evidence<'_>, host: HostId, message: &SipMessage) -> bool {
    let mut heard = evidence.arrived_in_exchange(message);
    message.is_success()
        && heard.any(|arrival| {
            let other = arrival.message.as_deref();
            arrival.host == host && other.is_some_and(|other| same_answer(other, message))
        })
}

fn same_answer(other: &SipMessage, message: &SipMessage) -> bool {
    other.status == message.status && other.method == message.method
}
