//! A reset after a hang-up is no news.

use linefault_network::HostId;
use tracing::Level;

use super::super::{Finding, Holds, Oracle};
use super::legs;
use crate::evidence::Evidence;
use crate::trace::{Event, LogLine};

pub(in crate::oracle) const ORACLE: Oracle = Oracle {
    name: "reset-after-hang-up-is-info",
    doc: "A reset that answers an AudioSocket hang-up is logged at INFO and never above, and no log shows a traceback.",
    source: "report C: reset by peer, INFO; never an unhandled error, never a traceback",
    holds: Holds::Always,
    judge,
};

fn judge(evidence: &Evidence<'_>) -> Vec<Finding> {
    let mut resets = Vec::new();
    for leg in legs(evidence) {
        let reset = leg.connection.up.reset.and_then(|reset| reset.arrived);
        if let (Some(reset), Some(hang_up)) = (reset, leg.hang_up)
            && reset.at >= hang_up.at
        {
            let peer = leg.connection.client_address.to_string();
            resets.push((leg.server, reset.at, peer));
        }
    }
    let too_loud = |host: HostId, at, line: &LogLine| {
        line.level < Level::INFO
            && resets.iter().any(|(server, reset, peer)| {
                let about = line.fields.iter().find(|(name, _)| *name == "peer");
                (*server, *reset) == (host, at) && about.is_none_or(|(_, about)| about == peer)
            })
    };
    let findings = evidence.off_the_wire().filter_map(|(id, record)| {
        let (Event::Log(line), Some(host)) = (&record.event, record.host) else {
            return None;
        };
        let text = if line.message.contains("Traceback") {
            "logged a traceback".to_owned()
        } else if too_loud(host, record.at, line) {
            format!("logged {} for a reset after its own hang-up", line.level)
        } else {
            return None;
        };
        Some(Finding {
            host: Some(host),
            record: Some(id),
            at: record.at,
            text,
        })
    });
    findings.collect()
}
