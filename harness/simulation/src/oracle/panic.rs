//! Nobody panics.

use linefault_network as network;

use super::{Finding, Holds, Oracle};
use crate::evidence::Evidence;
use crate::trace::Event;

pub(super) const ORACLE: Oracle = Oracle {
    name: "no-uninvited-panic",
    doc: "No task of an actor panics.",
    source: "a peer's bytes, a lost packet or a failed call are no reason to panic",
    holds: Holds::Always,
    judge,
};

fn judge(evidence: &Evidence<'_>) -> Vec<Finding> {
    let panics = evidence
        .trace
        .iter()
        .filter_map(|(id, record)| match &record.event {
            Event::Network(network::Event::Panic { message, .. }) => Some(Finding {
                host: record.host,
                record: Some(id),
                at: record.at,
                text: format!("panicked: {message}"),
            }),
            _ => None,
        });
    panics.collect()
}
