//! A port that has taken a call takes the next one.

use linefault_network as network;

use super::super::{Finding, Holds, Oracle};
use super::legs;
use crate::evidence::Evidence;
use crate::trace::Event;

pub(in crate::oracle) const ORACLE: Oracle = Oracle {
    name: "port-takes-next-call",
    doc: "A port that has taken an AudioSocket call refuses nobody as long as its process lives.",
    source: "report C: the port accepts the next call",
    holds: Holds::Always,
    judge,
};

fn judge(evidence: &Evidence<'_>) -> Vec<Finding> {
    let legs = legs(evidence);
    let mut findings = Vec::new();
    for refused in &evidence.connections {
        let Some(answer) = refused.down.reset.map(|reset| reset.sent) else {
            continue;
        };
        // A reset that somebody forged on the way is no answer of the host's.
        let record = evidence.trace.get(answer.record);
        let own = record.and_then(|record| match &record.event {
            Event::Network(network::Event::Sent { packet }) => packet.sender,
            _ => None,
        });
        let Some(host) = own.filter(|_| refused.established.is_none()) else {
            continue;
        };
        let served = legs.iter().any(|leg| {
            leg.connection.server_address == refused.server_address
                && leg.call.is_some_and(|(_, seen)| {
                    seen.at < refused.opened.at
                        && evidence.life(host, seen.at) == evidence.life(host, answer.at)
                })
        });
        if served && evidence.is_up(host, answer.at) {
            findings.push(Finding {
                host: Some(host),
                record: Some(answer.record),
                at: answer.at,
                text: format!(
                    "refused a connection to {}, which had taken a call before",
                    refused.server_address
                ),
            });
        }
    }
    findings
}
