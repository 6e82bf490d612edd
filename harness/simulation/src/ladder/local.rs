//! What happens at one host, or to the network, as rows: log lines, steps, faults, panics.

use linefault_network::{self as network, FaultId};

use super::{Kind, Local, Reading, Row, What};
use crate::trace::{Event, LogLine, Record, StepRecord};

/// The most characters of a log line's field that are shown.
const LONGEST_VALUE: usize = 100;

pub(super) fn rows(reading: &Reading<'_>) -> Vec<Row> {
    let records = reading.evidence.trace.iter();
    let rows = records.filter_map(|(id, record)| {
        let (kind, text) = local(reading, record)?;
        Some(Row {
            record: id,
            at: record.at,
            what: What::Local(Local {
                host: record.host,
                kind,
                text,
            }),
        })
    });
    rows.collect()
}

fn local(reading: &Reading<'_>, record: &Record) -> Option<(Kind, String)> {
    match &record.event {
        Event::Log(line) => Some((Kind::Log(line.level), log(reading, line))),
        Event::Step(step) => Some((Kind::Step, step_text(step))),
        Event::Network(event) => on_network(reading, event),
        Event::Report(_) | Event::Unsent(_) | Event::Injected(_) | Event::Settled => None,
    }
}

fn on_network(reading: &Reading<'_>, event: &network::Event) -> Option<(Kind, String)> {
    Some(match event {
        network::Event::FaultArmed { fault, .. } => (
            Kind::Fault(reading.fault_index(*fault)),
            reading.fault(*fault).to_owned(),
        ),
        network::Event::FaultEnded { fault } => (
            Kind::FaultOver(reading.fault_index(*fault)),
            format!("{} is over", reading.fault(*fault)),
        ),
        network::Event::Panic { message, .. } => (Kind::Panic, format!("panic: {message}")),
        _ => return None,
    })
}

impl Reading<'_> {
    /// The place of a fault in the scenario.
    pub(super) fn fault_index(&self, id: FaultId) -> Option<usize> {
        let mut faults = self.evidence.faults.iter();
        faults.position(|fault| fault.id == Some(id))
    }

    /// A fault in a few words.
    pub(super) fn fault(&self, id: FaultId) -> &str {
        let place = self.fault_index(id);
        let fault = place.and_then(|place| self.scenario.faults.get(place));
        fault.map_or("a fault", |fault| &fault.display)
    }
}

fn log(reading: &Reading<'_>, line: &LogLine) -> String {
    let fields = line
        .fields
        .iter()
        .map(|(name, value)| format!("{name}={}", shown(value)));
    let parts: Vec<_> = std::iter::once(line.message.clone())
        .chain(fields)
        .collect();
    reading.aliases.apply(&parts.join("  "))
}

/// A value in one line, and no longer than a reader reads.
fn shown(value: &str) -> String {
    let plain = value.replace('\r', "\\r").replace('\n', "\\n");
    let end = plain.char_indices().nth(LONGEST_VALUE);
    match end {
        Some((end, _)) => format!("{}…", &plain[..end]),
        None => plain,
    }
}

fn step_text(step: &StepRecord) -> String {
    match step.refused {
        Some(why) => format!("{} (not done: {why})", step.text),
        None => step.text.clone(),
    }
}
