//! A registration that nobody renews ends.

use std::collections::BTreeMap;
use std::net::SocketAddr;

use linefault_actors::Report;
use linefault_network::{HostId, Instant, RecordId};

use super::bindings::granted;
use super::timers::later;
use super::{Finding, Holds, Oracle};
use crate::evidence::{Evidence, SipMessage, Transmission};
use crate::trace::Event;

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
    let held = held(evidence);
    if held.is_empty() {
        return Vec::new();
    }
    let grants = grants(evidence);
    let overdue = held.iter().filter_map(|binding| {
        let grants = grants.get(&(binding.registrar, binding.contact))?;
        let (over, due) = overdue(evidence, binding, grants)?;
        Some(Finding {
            host: Some(binding.registrar),
            record: Some(binding.record),
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
    binding: &Held<'_>,
    grants: &[(Instant, Instant)],
) -> Option<(Instant, Instant)> {
    let valid = grants
        .iter()
        .filter(|(at, _)| binding.since <= *at && *at <= binding.until);
    let valid: Vec<_> = valid.collect();
    let renewed = valid.iter().skip(1).map(|(at, _)| *at);
    let ends = renewed.chain([binding.until]);
    valid.iter().zip(ends).find_map(|((_, over), next)| {
        // A process that is frozen notices when it goes on.
        let due = later(evidence.runs_from(binding.registrar, *over)?, GRACE);
        (due < next).then_some((*over, due))
    })
}

/// A binding while a registrar has it.
struct Held<'e> {
    registrar: HostId,
    contact: SocketAddr,
    label: &'e str,
    since: Instant,
    until: Instant,
    record: RecordId,
}

fn held<'e>(evidence: &'e Evidence<'_>) -> Vec<Held<'e>> {
    let mut open: BTreeMap<(HostId, u64), Held<'e>> = BTreeMap::new();
    let mut held = Vec::new();
    for (record, entry) in evidence.off_the_wire() {
        let (Some(registrar), Event::Report(report)) = (entry.host, &entry.event) else {
            continue;
        };
        match report {
            Report::Opened {
                kind: "binding",
                id,
                label,
                target: Some(contact),
            } => {
                // What its process had open dies with it.
                let stops = evidence.stops(registrar);
                let dies = stops.filter(|at| *at >= entry.at).min();
                let binding = Held {
                    registrar,
                    contact: *contact,
                    label,
                    since: entry.at,
                    until: dies.unwrap_or(evidence.ended_at),
                    record,
                };
                held.extend(open.insert((registrar, *id), binding));
            }
            Report::Closed {
                kind: "binding",
                id,
            } => {
                held.extend(open.remove(&(registrar, *id)).map(|binding| Held {
                    until: binding.until.min(entry.at),
                    ..binding
                }));
            }
            _ => {}
        }
    }
    held.extend(open.into_values());
    held
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
