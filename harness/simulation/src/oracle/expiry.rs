//! A registration that nobody renews ends.

use std::collections::BTreeMap;
use std::net::SocketAddr;

use linefault_network::{HostId, Instant};

use super::bindings::{Binding, bindings, granted};
use super::timers::later;
use super::{Finding, Holds, Oracle};
use crate::evidence::{Evidence, SipMessage, Transmission};

pub(super) const ORACLE: Oracle = Oracle {
    name: "bindings-expire",
    doc: "A registrar holds a binding no longer than it has granted last, and a second.",
    source: "RFC 3261 §10.2.1.1, §10.3 step 8; report A: calls to phones that have long gone",
    holds: Holds::Always,
    judge,
};

/// Within a second of its time nobody is harmed by a binding, in microseconds.
const GRACE: u64 = 1_000_000;

fn judge(evidence: &Evidence<'_>) -> Vec<Finding> {
    let bindings = bindings(evidence);
    if bindings.is_empty() {
        return Vec::new();
    }
    let grants = grants(evidence);
    let overdue = bindings.iter().filter_map(|binding| {
        let grants = grants.get(&(binding.registrar, binding.contact))?;
        let (over, due) = overdue(evidence, binding, grants)?;
        Some(Finding {
            host: Some(binding.registrar),
            record: Some(binding.opened.1),
            at: due,
            text: format!(
                "keeps the binding \"{}\", whose time was over at {over}",
                binding.label
            ),
        })
    });
    overdue.collect()
}

/// When the time of a binding was over, and by when it should have gone, if it was neither renewed nor removed by then.
fn overdue(
    evidence: &Evidence<'_>,
    binding: &Binding<'_>,
    grants: &[(Instant, Instant)],
) -> Option<(Instant, Instant)> {
    let opened = binding.opened.0;
    // What its process had open dies with it.
    let dies = evidence.stops(binding.registrar).filter(|at| *at >= opened);
    let closed = binding.closed.map(|(at, _)| at);
    let gone = dies.chain(closed).min().unwrap_or(evidence.ended_at);
    let valid = grants.iter().filter(|(at, _)| opened <= *at && *at <= gone);
    let valid: Vec<_> = valid.collect();
    let renewed = valid.iter().skip(1).map(|(at, _)| *at);
    valid
        .iter()
        .zip(renewed.chain([gone]))
        .find_map(|((_, over), next)| {
            // A process that is frozen notices when it goes on.
            let due = later(evidence.runs_from(binding.registrar, *over)?, GRACE);
            (due < next).then_some((*over, due))
        })
}

/// When each registrar granted a contact, and until when, in order.
fn grants(evidence: &Evidence<'_>) -> BTreeMap<(HostId, SocketAddr), Vec<(Instant, Instant)>> {
    let mut grants: BTreeMap<_, Vec<_>> = BTreeMap::new();
    for sent in &evidence.transmissions {
        // An answer that is repeated grants no more.
        let answer = sent.message.as_deref().filter(|_| sent.repeat == 0);
        let Some(answer) = answer else { continue };
        for (contact, seconds) in granted(answer) {
            let until = later(sent.at, u64::from(seconds) * 1_000_000);
            let all = grants.entry((sent.from, contact)).or_default();
            all.push((asked_at(evidence, sent, answer), until));
        }
    }
    grants
}

/// When the registrar read what it answers: over TCP the answer itself may leave much later.
fn asked_at(evidence: &Evidence<'_>, sent: &Transmission, answer: &SipMessage) -> Instant {
    let mut heard = evidence.arrived_in_branch(&answer.branch);
    let asked = heard.find(|arrival| arrival.host == sent.from);
    let read_at = asked.and_then(|arrival| arrival.read_at);
    read_at.map_or(sent.at, |at| at.min(sent.at))
}
