//! Who is told several answers by token services at a time, as one who speaks in many calls is.
//!
//! The wire does not say which connection goes on with which answer, so that such a host is not judged as one client.

use std::collections::{BTreeMap, BTreeSet};

use linefault_actors::Report;
use linefault_network::HostId;

use super::Evidence;
use crate::trace::Event;

/// The hosts that had several answers under way at once in one life; see [`Evidence::several_answers`].
pub(super) fn several_at_once(evidence: &Evidence<'_>) -> BTreeSet<HostId> {
    let mut open: BTreeMap<HostId, BTreeMap<u64, usize>> = BTreeMap::new();
    let mut several = BTreeSet::new();
    for (_, record) in evidence.off_the_wire() {
        let (Event::Report(report), Some(host)) = (&record.event, record.host) else {
            continue;
        };
        let answers = open.entry(host).or_default();
        match report {
            Report::Opened {
                kind: "answer", id, ..
            } => {
                // What an earlier life had open went with it.
                let life = evidence.life(host, record.at);
                answers.retain(|_, of| *of == life);
                answers.insert(*id, life);
                if answers.len() > 1 {
                    several.insert(host);
                }
            }
            Report::Closed { kind: "answer", id } => {
                answers.remove(id);
            }
            _ => {}
        }
    }
    several
}
