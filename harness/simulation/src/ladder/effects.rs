//! What faults did to TCP segments, as rows: a row a fault, direction and kind of damage. TCP makes good for it, so that
//! no message shows it; a snapshot leaves it out, since what the peers notice stands in it already.

use std::collections::BTreeMap;

use linefault_network::{self as network, FaultId, HostId, Instant, LossReason, Packet};

use super::messages::word;
use super::{Kind, Local, Reading, Row, What};
use crate::evidence::Evidence;
use crate::scenario::Scenario;
use crate::trace::Event;

/// Which segments are counted together: those that one fault did one thing to, in one direction.
type Key = (FaultId, &'static str, Option<HostId>, Option<HostId>);

/// A row for each thing that a fault did to segments in one direction, where it did so first.
#[must_use]
pub fn effects(scenario: &Scenario, evidence: &Evidence<'_>) -> Vec<Row> {
    let reading = Reading::new(scenario, evidence);
    let mut counts: BTreeMap<Key, (Row, usize, Instant)> = BTreeMap::new();
    for (id, record) in evidence.trace.iter() {
        let Event::Network(event) = &record.event else {
            continue;
        };
        let Some((packet, fault, word)) =
            damage(event).filter(|(packet, ..)| packet.segment().is_some())
        else {
            continue;
        };
        let key = (fault, word, packet.sender, packet.receiver);
        let first = || {
            let local = Local {
                host: packet.sender,
                kind: Kind::Effect(reading.fault_index(fault)),
                text: String::new(),
            };
            let row = Row {
                record: id,
                at: record.at,
                what: What::Local(local),
            };
            (row, 0, record.at)
        };
        let (_, count, last) = counts.entry(key).or_insert_with(first);
        *count += 1;
        *last = record.at;
    }
    let rows = counts.into_iter().map(|(key, (mut row, count, last))| {
        if let What::Local(local) = &mut row.what {
            local.text = text(&reading, key, count, last);
        }
        row
    });
    rows.collect()
}

fn text(
    reading: &Reading<'_>,
    (fault, word, from, to): Key,
    count: usize,
    last: Instant,
) -> String {
    let name = |host: Option<HostId>| host.map_or("?", |host| reading.evidence.name(host));
    let segments = match count {
        1 => "a TCP segment".to_owned(),
        _ => format!("{count} TCP segments, to {last}"),
    };
    let fault = reading.fault(fault);
    format!("{fault}: {word} {} → {} {segments}", name(from), name(to))
}

/// What a fault did to which packet, if that is what happened.
fn damage(event: &network::Event) -> Option<(&Packet, FaultId, &'static str)> {
    match event {
        network::Event::Lost {
            packet,
            reason: LossReason::Fault(fault) | LossReason::QueueFull(fault),
        } => Some((packet, *fault, "lost")),
        network::Event::Altered { packet, fault, how } => Some((packet, *fault, word(*how))),
        _ => None,
    }
}
