//! What a token service counts is what it did.

use std::collections::BTreeMap;

use linefault_network::RecordId;
use linefault_protocol::sse::{Failure, FailureKind};

use super::{Finding, Holds, Oracle};
use crate::evidence::Evidence;
use crate::evidence::stream::Side;
use crate::evidence::talk::What;
use crate::evidence::tokens::Exchange;

pub(super) const ORACLE: Oracle = Oracle {
    name: "stream-metrics",
    doc: "The metrics of a token service agree with the streams that it sent: errors by type, and how many streams ended.",
    source: "report D: stream_errors_total{error_type}, stream_duration_seconds",
    holds: Holds::Always,
    judge,
};

fn judge(evidence: &Evidence<'_>) -> Vec<Finding> {
    let exchanges = evidence.token_exchanges();
    let said = evidence.utterances.iter().filter_map(|utterance| {
        let What::Http(message) = &utterance.what else {
            return None;
        };
        let text = std::str::from_utf8(&message.body).ok()?;
        let is_metrics = utterance.side == Side::Down && text.contains("# EOF");
        let host = utterance.from(&evidence.connections)?;
        is_metrics.then_some((host, utterance.sent, text))
    });
    let disagreements = said.filter_map(|(host, seen, text)| {
        let life = evidence.life(host, seen.at);
        let own: Vec<_> = exchanges
            .iter()
            .filter(|it| it.server == Some(host) && it.streams())
            .filter(|it| began(it).is_some_and(|at| at < seen.record))
            .filter(|it| evidence.life(host, it.asked.at) == life)
            .collect();
        Some(Finding {
            host: Some(host),
            record: Some(seen.record),
            at: seen.at,
            text: disagreement(&own, text, seen.record)?,
        })
    });
    disagreements.collect()
}

fn began(exchange: &Exchange) -> Option<RecordId> {
    Some(exchange.head.as_ref()?.sent.record)
}

/// What the text says that the wire does not. A stream whose end never came out may have ended in any way.
fn disagreement(own: &[&Exchange], text: &str, until: RecordId) -> Option<String> {
    let mut errors: BTreeMap<&str, u64> = BTreeMap::new();
    let (mut ended, mut unknown) = (0, 0);
    for exchange in own {
        let last = exchange
            .events
            .last()
            .filter(|last| last.sent.record < until);
        match last.map(|last| last.event.name.as_str()) {
            Some("done") => ended += 1,
            Some("error") => {
                ended += 1;
                let failure = last.and_then(|last| Failure::read(&last.event.data).ok());
                let kind = failure.map(|failure| failure.kind.as_str());
                *errors.entry(kind.unwrap_or_default()).or_default() += 1;
            }
            _ => unknown += 1,
        }
    }
    for kind in FailureKind::ALL {
        let name = format!("stream_errors_total{{error_type=\"{}\"}}", kind.as_str());
        let (counted, sent) = (
            value(text, &name)?,
            errors.get(kind.as_str()).copied().unwrap_or(0),
        );
        if counted < sent || counted > sent + unknown {
            return Some(format!("counts {counted} as {name}, and sent {sent}"));
        }
    }
    let counted = value(text, "stream_duration_seconds_count")?;
    (counted < ended || counted > ended + unknown)
        .then(|| format!("counts {counted} streams that ended, and ended {ended}"))
}

fn value(text: &str, name: &str) -> Option<u64> {
    let line = text.lines().find_map(|line| line.strip_prefix(name))?;
    line.trim().parse().ok()
}
