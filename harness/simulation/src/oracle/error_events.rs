//! A stream that fails says so, once and in the agreed form.

use std::collections::BTreeMap;

use linefault_network::{HostId, Instant};
use linefault_protocol::sse::{Failure, FailureKind, Severity};

use super::{Finding, Holds, Oracle};
use crate::evidence::Evidence;
use crate::evidence::stream::Seen;
use crate::evidence::tokens::Exchange;
use crate::trace::Event;

pub(super) const ORACLE: Oracle = Oracle {
    name: "stream-errors",
    doc: "A token stream ends in `done` or in an error event that is well formed, of a known type and without a traceback in production; what a 400 is for is never said in a stream.",
    source: "report D: an error can no longer be a status code once the 200 is out; its JSON; validation before streaming",
    holds: Holds::Always,
    judge,
};

fn judge(evidence: &Evidence<'_>) -> Vec<Finding> {
    let developers = Developers::of(evidence);
    let exchanges = evidence.token_exchanges();
    let streams = exchanges.iter().filter(|exchange| exchange.streams());
    streams
        .flat_map(|exchange| faults(&developers, exchange))
        .collect()
}

fn faults(developers: &Developers, exchange: &Exchange) -> Vec<Finding> {
    let finding = |seen: Seen, text: String| Finding {
        host: exchange.server,
        record: Some(seen.record),
        at: seen.at,
        text,
    };
    let status = exchange
        .status_inside
        .map(|seen| finding(seen, "sent a status line inside an event stream".to_owned()));
    let silent = exchange.ended.filter(|_| !exchange.says_its_end());
    let silent =
        silent.map(|seen| finding(seen, "ended a stream without `done` or `error`".to_owned()));
    let errors = exchange.events.iter().enumerate();
    let errors = errors.filter(|(_, told)| told.event.name == "error");
    let errors = errors.filter_map(|(place, told)| {
        let shows = exchange
            .server
            .is_some_and(|server| developers.see(server, told.sent.at));
        let is_last = place + 1 == exchange.events.len();
        let fault = fault(&told.event.data, exchange, shows, is_last)?;
        Some(finding(told.sent, fault))
    });
    status.into_iter().chain(silent).chain(errors).collect()
}

/// What is wrong with an error event.
fn fault(data: &str, exchange: &Exchange, development: bool, is_last: bool) -> Option<String> {
    let failure = match Failure::read(data) {
        Ok(failure) => failure,
        Err(error) => return Some(format!("sent {error}")),
    };
    let head = exchange.head.as_ref();
    let request_id = head.and_then(|head| head.message.header("x-request-id"));
    if failure.traceback.is_some() && !development {
        Some("sent a traceback in production".to_owned())
    } else if failure.severity != Severity::Warning && !is_last {
        Some("went on after an error event".to_owned())
    } else if failure.kind == FailureKind::Validation && exchange.last_id.is_empty() {
        Some("said in a stream what should have been a 400".to_owned())
    } else if failure.kind == FailureKind::System && failure.recoverable {
        Some("called a failure of its own recoverable".to_owned())
    } else if request_id != Some(&failure.request_id) {
        let id = &failure.request_id;
        Some(format!(
            "named request {id} in an error event of {request_id:?}"
        ))
    } else {
        None
    }
}

/// Since when which services say that they are in development; each start says it anew.
struct Developers(BTreeMap<HostId, Vec<(Instant, bool)>>);

impl Developers {
    fn of(evidence: &Evidence<'_>) -> Self {
        let mut starts: BTreeMap<HostId, Vec<(Instant, bool)>> = BTreeMap::new();
        for (_, record) in evidence.off_the_wire() {
            let (Some(host), Event::Log(line)) = (record.host, &record.event) else {
                continue;
            };
            let environment = line.fields.iter().find(|(name, _)| *name == "environment");
            if let Some((_, environment)) = environment {
                let start = (record.at, environment == "development");
                starts.entry(host).or_default().push(start);
            }
        }
        Self(starts)
    }

    fn see(&self, host: HostId, at: Instant) -> bool {
        let starts = self.0.get(&host).map_or(&[][..], Vec::as_slice);
        let latest = starts.iter().rev().find(|(start, _)| *start <= at);
        latest.is_some_and(|(_, development)| *development)
    }
}
