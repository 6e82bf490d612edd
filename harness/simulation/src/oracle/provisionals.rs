//! Reliable provisional answers are repeated until they are acknowledged, and acknowledged by who asked.

use linefault_network::{Instant, RecordId};
use linefault_protocol::sip::Method;

use super::asking::still_asks;
use super::timers::{GIVE_UP, T1, later};
use super::{Finding, Holds, Oracle};
use crate::evidence::{Arrival, Evidence, SipMessage, Transmission};

pub(super) const ORACLE: Oracle = Oracle {
    name: "reliable-provisionals",
    doc: "A provisional answer with an RSeq is repeated after T1, then twice as far apart each time, until its PRACK or a final answer; its caller sends that PRACK at once; no 2xx overtakes an unacknowledged session description.",
    source: "RFC 3262 §3, §4",
    holds: Holds::Always,
    judge,
};

fn judge(evidence: &Evidence<'_>) -> Vec<Finding> {
    let repeated = evidence.transmissions.iter().filter_map(|sent| {
        let said = reliable(sent.message.as_deref().filter(|_| !sent.raw)?)?;
        let first = sent.repeat == 0 && !passed_on(evidence, sent, said);
        let series = first.then(|| Series::of(evidence, sent, said))?;
        series.unrepeated().or_else(|| series.overtaken())
    });
    let acknowledged = evidence
        .arrivals
        .iter()
        .filter_map(|arrival| unacknowledged(evidence, arrival));
    repeated.chain(acknowledged).collect()
}

/// The message, if it is a reliable provisional answer to an INVITE.
fn reliable(message: &SipMessage) -> Option<&SipMessage> {
    let counts = message.is_provisional()
        && message.well_formed
        && message.method == Method::Invite
        && message.message.requires("100rel")
        && rseq(message).is_some();
    counts.then_some(message)
}

fn rseq(message: &SipMessage) -> Option<u32> {
    message.message.rseq().ok().flatten()
}

/// Whether somebody below sent it first.
fn passed_on(evidence: &Evidence<'_>, sent: &Transmission, said: &SipMessage) -> bool {
    let mut heard = evidence.arrived_in_exchange(said);
    heard.any(|arrival| {
        let below = arrival.message.as_deref();
        arrival.host == sent.from
            && arrival.at <= sent.at
            && below.is_some_and(|it| rseq(it) == rseq(said) && it.to_tag == said.to_tag)
    })
}

/// Whether a request is the PRACK for that answer.
fn acknowledges(prack: &SipMessage, answer: &SipMessage) -> bool {
    let rack = || prack.message.rack().ok();
    prack.asks(&Method::Prack)
        && prack.to_tag == answer.to_tag
        && rack().is_some_and(|rack| {
            Some(rack.response) == rseq(answer)
                && rack.cseq == answer.cseq
                && rack.method == answer.method
        })
}

/// One reliable answer of a callee, and what came of it.
struct Series<'e, 't> {
    evidence: &'e Evidence<'t>,
    sent: &'e Transmission,
    said: &'e SipMessage,
    /// When its PRACK was read.
    acknowledged: Option<Instant>,
    /// The first final answer.
    ended: Option<(&'e Transmission, bool)>,
}

impl<'e, 't> Series<'e, 't> {
    fn of(evidence: &'e Evidence<'t>, sent: &'e Transmission, said: &'e SipMessage) -> Self {
        let mut call = evidence.arrived_in_call(&said.call_id);
        let prack = call.find_map(|arrival| {
            let read_at = arrival.read_at.filter(|_| arrival.host == sent.from)?;
            let message = arrival.message.as_deref()?;
            (acknowledges(message, said) && arrival.at >= sent.at).then_some(read_at)
        });
        let mut answers = evidence.sent_in_branch(&said.branch);
        let ended = answers.find_map(|answer| {
            let message = answer.message.as_deref().filter(|it| it.is_final())?;
            let counts = answer.from == sent.from && message.method == Method::Invite;
            counts.then(|| (answer, message.is_success()))
        });
        Self {
            evidence,
            sent,
            said,
            acknowledged: prack,
            ended,
        }
    }

    // RFC 3262 §3: after T1, then after twice as long each time, for 64·T1 at most.
    fn unrepeated(&self) -> Option<Finding> {
        let over = [
            self.acknowledged,
            self.ended.map(|(answer, _)| answer.at),
            self.evidence
                .stops(self.sent.from)
                .find(|at| *at >= self.sent.at),
            Some(later(self.sent.at, GIVE_UP)),
            Some(self.evidence.ended_at),
        ];
        let over = over.into_iter().flatten().min()?;
        let (mut due, mut interval) = (later(self.sent.at, T1), T1);
        while due < over {
            if !self.is_sent_at(due) {
                let text = format!("{} was not repeated at {due}", self.said.summary());
                return Some(self.finding(self.sent.record, due, text));
            }
            interval *= 2;
            due = later(due, interval);
        }
        None
    }

    // RFC 3262 §3: a 2xx waits for the PRACK of an answer with a session description.
    fn overtaken(&self) -> Option<Finding> {
        let (answer, _) = self.ended.filter(|(_, success)| *success)?;
        let described = !self.said.message.body().is_empty();
        let waited = self.acknowledged.is_some_and(|at| at <= answer.at);
        (described && !waited).then(|| {
            let text = format!("a 2xx overtook a {} without its PRACK", self.said.summary());
            self.finding(answer.record, answer.at, text)
        })
    }

    fn is_sent_at(&self, due: Instant) -> bool {
        let mut sent = self.evidence.sent_in_branch(&self.said.branch);
        sent.any(|it| {
            let message = it.message.as_deref();
            it.from == self.sent.from
                && it.at == due
                && message.is_some_and(|it| rseq(it) == rseq(self.said))
        })
    }

    fn finding(&self, record: RecordId, at: Instant, text: String) -> Finding {
        Finding {
            host: Some(self.sent.from),
            record: Some(record),
            at,
            text,
        }
    }
}

/// A reliable answer that its living caller read first and did not acknowledge within T1. One that came out of order
/// needs no PRACK, nor does one that came after the final answer.
fn unacknowledged(evidence: &Evidence<'_>, arrival: &Arrival) -> Option<Finding> {
    let read_at = arrival.read_at?;
    let said = reliable(arrival.message.as_deref()?)?;
    let until = later(read_at, T1);
    let waits =
        until <= evidence.ended_at && evidence.lived_through(arrival.host, arrival.at, until);
    if !waits || !asked(evidence, arrival, said) || !in_order(evidence, arrival, said) {
        return None;
    }
    let mut call = evidence.sent_in_call(&said.call_id);
    let told = call.any(|sent| {
        let prack = sent.message.as_deref();
        sent.from == arrival.host
            && sent.at <= until
            && prack.is_some_and(|prack| acknowledges(prack, said))
    });
    (!told).then(|| Finding {
        host: Some(arrival.host),
        record: Some(arrival.record),
        at: read_at,
        text: format!("{} was received and no PRACK sent", said.summary()),
    })
}

/// Whether the host is the caller itself, and still asks: a proxy only passes the answer on.
fn asked(evidence: &Evidence<'_>, arrival: &Arrival, said: &SipMessage) -> bool {
    let mut sent = evidence.sent_in_branch(&said.branch);
    let own = sent.any(|sent| {
        let invite = sent.message.as_deref();
        let first = invite.is_some_and(|it| it.asks(&Method::Invite) && it.vias == 1);
        first && sent.from == arrival.host
    });
    own && still_asks(evidence, arrival.host, &said.branch, arrival.at)
}

/// Whether all that came before of that branch of the call leads up to it, without a gap and without a final answer.
fn in_order(evidence: &Evidence<'_>, arrival: &Arrival, said: &SipMessage) -> bool {
    let heard = evidence.arrived_in_branch(&said.branch).filter(|other| {
        other.host == arrival.host && other.read_at.is_some() && other.record < arrival.record
    });
    let (mut expected, mut ended) = (None, false);
    for other in heard.filter_map(|other| other.message.as_deref()) {
        ended |= other.is_final();
        let number = reliable(other)
            .filter(|it| it.to_tag == said.to_tag)
            .and_then(rseq);
        if number.is_some() && (expected.is_none() || number == expected) {
            expected = number.and_then(|number| number.checked_add(1));
        }
    }
    !ended && (expected.is_none() || rseq(said) == expected)
}
