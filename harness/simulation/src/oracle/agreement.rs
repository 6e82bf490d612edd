//! The ends of a call agree whether it is up.

use std::collections::BTreeMap;

use linefault_actors::Report;
use linefault_network::{Event as N, HostId, Instant, RecordId};
use linefault_protocol::sip::Method;

use super::held_up::found_nobody;
use super::timers::{GIVE_UP, later};
use super::{Finding, Holds, Oracle};
use crate::evidence::{Evidence, SipMessage};
use crate::trace::Event;

pub(super) const ORACLE: Oracle = Oracle {
    name: "ends-agree",
    doc: "When one end of a call ends it, the other has ended it within 64·T1, unless it died or its BYE never came through.",
    source: "RFC 3261 §15.1.1, §15.1.2",
    holds: Holds::AfterHealing,
    judge,
};

fn judge(evidence: &Evidence<'_>) -> Vec<Finding> {
    let ends = ends(evidence);
    let calls = ends.iter().flat_map(|(call_id, ends)| {
        let ended = ends
            .iter()
            .filter_map(|end| Some((end, end.closed.as_ref()?)));
        ended.filter_map(|(end, closed)| {
            let other = ends
                .iter()
                .find(|other| other.outlives(end.host, closed.at))?;
            blame(evidence, call_id, end, other)
        })
    });
    calls.collect()
}

/// One end's dialog.
struct End {
    host: HostId,
    opened_at: Instant,
    closed: Option<Closed>,
    /// When its process ended, or the run.
    over: Instant,
}

struct Closed {
    at: Instant,
    record: RecordId,
}

impl End {
    /// Whether this end of the call is still up 64·T1 after that host ended it.
    fn outlives(&self, host: HostId, at: Instant) -> bool {
        let until = later(at, GIVE_UP);
        let up_until = self.closed.as_ref().map_or(self.over, |closed| closed.at);
        self.host != host && self.opened_at <= at && up_until >= until
    }
}

/// Each dialog by its Call-ID, which is its label.
fn ends<'e>(evidence: &'e Evidence<'_>) -> BTreeMap<&'e str, Vec<End>> {
    let mut calls: BTreeMap<&str, Vec<End>> = BTreeMap::new();
    // One that died with its process stays in its call, where one of the next life may follow.
    let mut open: BTreeMap<(HostId, u64), (&str, usize)> = BTreeMap::new();
    for (record, entry) in evidence.off_the_wire() {
        let Some(host) = entry.host else {
            continue;
        };
        match &entry.event {
            Event::Report(Report::Opened {
                kind: "dialog",
                id,
                label,
                ..
            }) => {
                let ends = calls.entry(label).or_default();
                open.insert((host, *id), (label, ends.len()));
                ends.push(End {
                    host,
                    opened_at: entry.at,
                    closed: None,
                    over: evidence.ended_at,
                });
            }
            Event::Report(Report::Closed { kind: "dialog", id }) => {
                let place = open.remove(&(host, *id));
                let end = place.and_then(|(call, place)| calls.get_mut(call)?.get_mut(place));
                if let Some(end) = end {
                    end.closed = Some(Closed {
                        at: entry.at,
                        record,
                    });
                }
            }
            // An end that has died or is frozen can neither be told nor tell.
            Event::Network(N::HostStopped { .. } | N::HostFrozen { .. } | N::Panic { .. }) => {
                open.retain(|(owner, _), _| *owner != host);
                let own = calls.values_mut().flatten().filter(|end| end.host == host);
                own.for_each(|end| end.over = end.over.min(entry.at));
            }
            _ => {}
        }
    }
    calls
}

/// Who is to blame that `other` is up long after `end` ended the call; nobody if the BYE was lost.
fn blame(evidence: &Evidence<'_>, call_id: &str, end: &End, other: &End) -> Option<Finding> {
    let closed = end.closed.as_ref()?;
    let is = |message: Option<&SipMessage>, wanted: &dyn Fn(&SipMessage) -> bool| {
        message.is_some_and(wanted)
    };
    let bye = |it: &SipMessage| it.asks(&Method::Bye);
    // RFC 3261 §12.2.1.2: a 481 says that the other end has no such call, a 408 that it cannot be reached.
    let gone = |it: &SipMessage| matches!(it.status, Some(408 | 481));
    let told = evidence.arrived_in_call(call_id).any(|it| {
        let read_at = it.read_at.filter(|_| is(it.message.as_deref(), &bye));
        it.host == other.host && read_at.is_some_and(|at| other.outlives(end.host, at))
    });
    let said = evidence
        .sent_in_call(call_id)
        .any(|it| it.from == end.host && is(it.message.as_deref(), &bye))
        || found_nobody(evidence, end.host, end.opened_at..=closed.at);
    let heard = evidence.arrived_in_call(call_id).any(|it| {
        it.host == end.host && (is(it.message.as_deref(), &bye) || is(it.message.as_deref(), &gone))
    });
    let (host, text) = if told {
        let text = "was told of the call's end and kept it up";
        (other.host, text)
    } else if !said && !heard {
        (end.host, "ended the call and did not say so")
    } else {
        return None;
    };
    Some(Finding {
        host: Some(host),
        record: Some(closed.record),
        at: closed.at,
        text: format!(
            "{text}: {} and {} disagree for more than 32 s",
            evidence.name(end.host),
            evidence.name(other.host)
        ),
    })
}
