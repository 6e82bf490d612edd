//! A server that asks to be left alone is left alone.

use std::collections::BTreeSet;

use linefault_protocol::sip::Method;

use super::asking::still_asks;
use super::timers::later;
use super::{Finding, Holds, Oracle};
use crate::evidence::{Arrival, Evidence, Transmission};

pub(super) const ORACLE: Oracle = Oracle {
    name: "retry-after-respected",
    doc: "A client that a server answered 503 with Retry-After sends it no new request outside of a dialog for that long.",
    source: "RFC 3261 §21.5.4; a request in a dialog follows its route, §12.2.1.1",
    holds: Holds::Always,
    judge,
};

fn judge(evidence: &Evidence<'_>) -> Vec<Finding> {
    let mut known = BTreeSet::new();
    let asked = evidence.arrivals.iter().filter_map(|arrival| {
        let answer = arrival
            .message
            .as_deref()
            .filter(|it| it.status == Some(503))?;
        let seconds = answer.message.retry_after().ok()??;
        let read_at = arrival.read_at?;
        // An answer that is repeated asks for no more, nor does one that comes when its client has given up.
        let first = known.insert((arrival.host, answer.branch.as_str()));
        let asks = first && still_asks(evidence, arrival.host, &answer.branch, read_at);
        asks.then_some((arrival, read_at, u64::from(seconds)))
    });
    let findings = asked.flat_map(|(arrival, read_at, seconds)| {
        let until = later(read_at, seconds.saturating_mul(1_000_000));
        let too_early = evidence.transmissions.iter().filter(move |sent| {
            sent.at > read_at
                && sent.at < until
                && evidence.life(sent.from, sent.at) == evidence.life(arrival.host, read_at)
                && bothers(sent, arrival)
        });
        too_early.map(move |sent| Finding {
            host: Some(sent.from),
            record: Some(sent.record),
            at: sent.at,
            text: format!(
                "a new request to a server that asked to be left alone for {seconds} s at {read_at}"
            ),
        })
    });
    findings.collect()
}

/// Whether it is a new request of the same client to the same server.
fn bothers(sent: &Transmission, arrival: &Arrival) -> bool {
    let same = sent.from == arrival.host && sent.destination == arrival.source;
    let Some(message) = sent
        .message
        .as_deref()
        .filter(|_| same && !sent.raw && sent.repeat == 0)
    else {
        return false;
    };
    let own = message.is_request() && message.vias == 1;
    own && message.to_tag.is_empty() && !matches!(message.method, Method::Ack | Method::Cancel)
}
