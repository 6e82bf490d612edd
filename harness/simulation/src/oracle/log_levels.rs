//! ERROR is for what is our own fault, and only for that.

use std::collections::BTreeMap;

use linefault_actors::SocketError;
use linefault_network::{self as network, HostId, Instant, RecordId};
use tracing::Level;

use super::timers::{T1, later};
use super::{Finding, Holds, Oracle};
use crate::evidence::{Evidence, Fate, Transmission};
use crate::trace::Event;

pub(super) const ORACLE: Oracle = Oracle {
    name: "log-levels",
    doc: "Nobody logs ERROR for an unreachable target, a silent peer or a peer's mistake; a proxy does for every other socket error.",
    source: "report A: unreachable is WARN, any other socket error ERROR; report B: expected network conditions WARN, a peer's mistake INFO, our own fault ERROR",
    holds: Holds::Always,
    judge,
};

fn judge(evidence: &Evidence<'_>) -> Vec<Finding> {
    let faults = OwnFaults::of(evidence);
    let errors = Errors::of(evidence);
    let groundless = errors.lines.iter().flat_map(|(host, lines)| {
        lines
            .iter()
            .filter(|(at, _)| !faults.explain(*host, *at))
            .map(|(at, record)| Finding {
                host: Some(*host),
                record: Some(*record),
                at: *at,
                text: "logged ERROR, and nothing was wrong with the host itself".to_owned(),
            })
    });
    let unsaid = evidence.transmissions.iter().filter_map(|sent| {
        let error = own_error(sent).filter(|_| is_forwarded(sent))?;
        (!errors.says(sent.from, sent.at)).then(|| Finding {
            host: Some(sent.from),
            record: Some(sent.record),
            at: sent.at,
            text: format!("a send failed with {error} and no ERROR was logged"),
        })
    });
    groundless
        .chain(unsaid)
        .chain(unsaid_failures(evidence, &errors))
        .collect()
}

/// Errors of the program's own that no ERROR tells of.
fn unsaid_failures(evidence: &Evidence<'_>, errors: &Errors) -> Vec<Finding> {
    let failures = evidence.off_the_wire().filter_map(|(id, record)| {
        let Event::Injected(failure) = &record.event else {
            return None;
        };
        let host = record.host.filter(|_| !failure.panics)?;
        (!errors.says(host, record.at)).then(|| Finding {
            host: Some(host),
            record: Some(id),
            at: record.at,
            text: format!("failed {} and no ERROR was logged", failure.point),
        })
    });
    failures.collect()
}

/// An error that a send failed with, other than that the target is unreachable.
fn own_error(sent: &Transmission) -> Option<SocketError> {
    match sent.fate {
        Fate::Unsent(error) if !error.is_unreachable() && !sent.raw => Some(error),
        _ => None,
    }
}

/// Whether an element sent it in another's stead. The report's table is a proxy's; a phone may judge otherwise.
fn is_forwarded(sent: &Transmission) -> bool {
    let message = sent.message.as_deref();
    message.is_some_and(|it| it.is_request() && it.vias > 1)
}

/// When something was wrong with a host itself: its sockets other than by an unreachable target, or its code.
#[derive(Default)]
struct OwnFaults {
    at: BTreeMap<HostId, Vec<Instant>>,
}

impl OwnFaults {
    fn of(evidence: &Evidence<'_>) -> Self {
        let mut faults = Self::default();
        for (_, record) in evidence.off_the_wire() {
            let own = match &record.event {
                Event::Unsent(unsent) => !unsent.error.is_unreachable(),
                Event::Network(network::Event::CallFailed { error, .. }) => {
                    !crate::backend::translate(*error).is_unreachable()
                }
                Event::Network(network::Event::Panic { .. }) | Event::Injected(_) => true,
                _ => false,
            };
            if let Some(host) = record.host.filter(|_| own) {
                faults.at.entry(host).or_default().push(record.at);
            }
        }
        faults
    }

    /// Whether one came at most T1 before.
    fn explain(&self, host: HostId, at: Instant) -> bool {
        let before = |fault: &Instant| *fault <= at && at <= later(*fault, T1);
        let faults = self.at.get(&host).map_or(&[][..], Vec::as_slice);
        let until = faults.partition_point(|fault| *fault <= at);
        faults[..until].last().is_some_and(before)
    }
}

/// Every line at ERROR, by host and in order.
#[derive(Default)]
struct Errors {
    lines: BTreeMap<HostId, Vec<(Instant, RecordId)>>,
}

impl Errors {
    fn of(evidence: &Evidence<'_>) -> Self {
        let mut errors = Self::default();
        for (id, record) in evidence.off_the_wire() {
            let is_error = matches!(&record.event, Event::Log(line) if line.level == Level::ERROR);
            if let Some(host) = record.host.filter(|_| is_error) {
                errors.lines.entry(host).or_default().push((record.at, id));
            }
        }
        errors
    }

    /// Whether the host logs one within T1 from then on.
    fn says(&self, host: HostId, at: Instant) -> bool {
        let lines = self.lines.get(&host).map_or(&[][..], Vec::as_slice);
        let from = lines.partition_point(|(line, _)| *line < at);
        lines
            .get(from)
            .is_some_and(|(line, _)| *line <= later(at, T1))
    }
}
