//! Protocol timers that fire, as rows. They say which clause of RFC 3261 §17 moved a machine; a snapshot leaves them
//! out, since the retransmissions and time-outs that they cause stand in it already.

use std::collections::BTreeMap;

use linefault_actors::{Report, TimerChange};

use super::{Aliases, Kind, Local, Row, What};
use crate::evidence::Evidence;
use crate::trace::Event;

/// A row for each protocol timer that fires, in order.
#[must_use]
pub fn timers(evidence: &Evidence<'_>) -> Vec<Row> {
    let aliases = Aliases::of(evidence);
    let mut owners = BTreeMap::new();
    let mut rows = Vec::new();
    for (id, record) in evidence.trace.iter() {
        match &record.event {
            Event::Report(Report::Opened {
                kind: "transaction",
                id,
                label,
                ..
            }) => {
                owners.insert((record.host, *id), label.as_str());
            }
            Event::Report(Report::Timer {
                timer,
                id: owner,
                change: TimerChange::Fired,
            }) => {
                let owner = owners.get(&(record.host, *owner)).copied();
                let owner = aliases.apply(owner.unwrap_or_default());
                rows.push(Row {
                    record: id,
                    at: record.at,
                    what: What::Local(Local {
                        host: record.host,
                        kind: Kind::Timer,
                        text: format!("Timer {timer}  {owner}").trim_end().to_owned(),
                    }),
                });
            }
            _ => {}
        }
    }
    rows
}
