//! Everything that a reader follows, in order: messages, faults, steps, log lines.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use linefault_network::{
    self as network, Alteration, FaultId, HostId, Instant, LossReason, RecordId,
};

use linefault_protocol::sip::Transport;

use super::aliases::Aliases;
use super::streams;
use crate::evidence::{Evidence, Fate, Transmission};
use crate::scenario::Scenario;
use crate::trace::{Event, LogLine, Record, StepRecord};

/// The most characters of a log line's field that are shown.
const LONGEST_VALUE: usize = 100;

/// One line of a ladder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// When it happened; of repeats, the first.
    pub at: Instant,
    /// The line, its time included.
    pub text: String,
}

/// The ladder of a run, a line an event; repeats of a message are folded into its first line.
#[must_use]
pub fn ladder(scenario: &Scenario, evidence: &Evidence<'_>) -> Vec<Line> {
    let page = Page::new(scenario, evidence);
    let mut lines: Vec<(RecordId, Line)> = page.messages();
    lines.extend(streams::lines(&page));
    lines.extend(
        evidence
            .trace
            .iter()
            .filter_map(|(id, record)| Some((id, page.other(record)?))),
    );
    lines.sort_by_key(|(id, _)| *id);
    lines.into_iter().map(|(_, line)| line).collect()
}

pub(super) struct Page<'a> {
    scenario: &'a Scenario,
    pub(super) evidence: &'a Evidence<'a>,
    aliases: Aliases,
    /// Of the longest host name.
    width: usize,
}

impl<'a> Page<'a> {
    fn new(scenario: &'a Scenario, evidence: &'a Evidence<'a>) -> Self {
        let names = evidence
            .trace
            .hosts()
            .iter()
            .map(|host| host.name.chars().count());
        let width = names.max().unwrap_or(0);
        Self {
            scenario,
            evidence,
            aliases: Aliases::of(evidence),
            width,
        }
    }

    fn messages(&self) -> Vec<(RecordId, Line)> {
        let mut series: BTreeMap<_, (usize, Vec<&Transmission>)> = BTreeMap::new();
        for (place, sent) in self.evidence.transmissions.iter().enumerate() {
            let key = (sent.from, sent.destination, sent.transport, &sent.datagram);
            let series = series.entry(key).or_insert_with(|| (place, Vec::new()));
            series.1.push(sent);
        }
        // Messages that left in one segment have one record.
        let mut series: Vec<_> = series.into_values().collect();
        series.sort_by_key(|(place, _)| *place);
        let folded = series.iter().filter_map(|(_, series)| {
            let first = series.first()?;
            Some((first.record, line(first.at, &self.message(first, series))))
        });
        folded.collect()
    }

    fn message(&self, first: &Transmission, series: &[&Transmission]) -> String {
        let all_lost = series.iter().all(|sent| !arrives(sent));
        let arrow = if all_lost { "──✗" } else { "──▶" };
        let to = first
            .to
            .map_or(first.destination.to_string(), |to| self.name(to).to_owned());
        let (from, width) = (self.name(first.from), self.width);
        let mut line = format!("{from:<width$} {arrow} {to:<width$}   {}", what(first));
        if series.len() > 1 {
            let times: Vec<_> = series.iter().map(|sent| time(sent, all_lost)).collect();
            let _ = write!(line, "   ×{}: {}", series.len(), times.join(" "));
        }
        if let Some(reason) = series.iter().find_map(|sent| self.reason(sent.fate)) {
            let _ = write!(line, "   {reason}");
        }
        for altered in series.iter().filter(|sent| !sent.alterations.is_empty()) {
            let _ = write!(line, "   {}", alterations(altered));
        }
        line
    }

    /// Why something did not arrive.
    fn reason(&self, fate: Fate) -> Option<String> {
        match fate {
            Fate::Underway | Fate::Arrived { .. } => None,
            Fate::Lost { reason } => Some(self.loss(reason)),
            Fate::Unsent(error) => {
                let kind = error.kind.description().to_lowercase();
                Some(format!("{kind} (errno {})", error.errno))
            }
        }
    }

    fn loss(&self, reason: LossReason) -> String {
        let why = reason.description();
        match reason {
            LossReason::Fault(fault) => format!("lost: {}", self.fault(fault)),
            LossReason::QueueFull(fault) => format!("lost: {why} ({})", self.fault(fault)),
            _ => format!("lost: {why}"),
        }
    }

    fn fault(&self, id: FaultId) -> &str {
        let place = self
            .evidence
            .faults
            .iter()
            .position(|fault| fault.id == Some(id));
        let fault = place.and_then(|place| self.scenario.faults.get(place));
        fault.map_or("a fault", |fault| &fault.display)
    }

    fn other(&self, record: &Record) -> Option<Line> {
        let (host, width) = (record.host.map_or("", |host| self.name(host)), self.width);
        let text = match &record.event {
            Event::Log(line) => {
                let level = line.level.to_string();
                format!(
                    "{host:<width$} {level:<5} {:<width$}  {}",
                    "",
                    self.log(line)
                )
            }
            Event::Step(step) => format!("{host:<width$}  ▷  {:<width$}   {}", "", step_text(step)),
            Event::Network(event) => format!("{host:<width$}  {}", self.network(event)?),
            Event::Report(_) | Event::Unsent(_) | Event::Injected(_) | Event::Settled => {
                return None;
            }
        };
        Some(line(record.at, &text))
    }

    fn network(&self, event: &network::Event) -> Option<String> {
        let (sign, text) = match event {
            network::Event::FaultArmed { fault, .. } => ("✗", self.fault(*fault).to_owned()),
            network::Event::FaultEnded { fault } => {
                ("✓", format!("{} is over", self.fault(*fault)))
            }
            network::Event::Panic { message, .. } => ("✗", format!("panic: {message}")),
            _ => return None,
        };
        Some(format!(
            "{sign}  {:<width$}   {text}",
            "",
            width = self.width
        ))
    }

    fn log(&self, line: &LogLine) -> String {
        let fields = line
            .fields
            .iter()
            .map(|(name, value)| format!("{name}={}", shown(value)));
        let parts: Vec<_> = std::iter::once(line.message.clone())
            .chain(fields)
            .collect();
        self.aliases.apply(&parts.join("  "))
    }

    /// What one host does towards another, as a line.
    pub(super) fn between(
        &self,
        at: Instant,
        (from, to): (&str, &str),
        arrives: bool,
        text: &str,
    ) -> Line {
        let arrow = if arrives { "──▶" } else { "──✗" };
        let width = self.width;
        line(at, &format!("{from:<width$} {arrow} {to:<width$}   {text}"))
    }

    pub(super) fn name(&self, host: HostId) -> &'a str {
        self.evidence.name(host)
    }
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

fn line(at: Instant, text: &str) -> Line {
    Line {
        at,
        text: format!("{:>9}  {}", at.to_string(), text.trim_end()),
    }
}

fn arrives(sent: &Transmission) -> bool {
    matches!(sent.fate, Fate::Arrived { .. } | Fate::Underway)
}

/// What faults did to a message, and when it arrived in the end.
fn alterations(sent: &Transmission) -> String {
    let words = sent.alterations.iter().map(|how| match how {
        Alteration::Delayed { .. } => "delayed",
        Alteration::Reordered => "held back",
        Alteration::Duplicated { .. } => "duplicated",
        Alteration::Corrupted => "corrupted",
        Alteration::Truncated => "truncated",
    });
    let mut words: Vec<_> = words.collect();
    words.dedup();
    let arrived: Vec<_> = sent.arrived.iter().map(ToString::to_string).collect();
    let arrived = if arrived.is_empty() {
        "never".to_owned()
    } else {
        arrived.join(" ")
    };
    format!("{}, arrived {arrived}", words.join(", "))
}

fn time(sent: &Transmission, all_lost: bool) -> String {
    let lost = !all_lost && !arrives(sent);
    format!("{}{}", sent.at, if lost { "✗" } else { "" })
}

fn what(sent: &Transmission) -> String {
    let text = match sent.message.as_deref() {
        None => format!("{} bytes", sent.datagram.len()),
        Some(message) => match message.message.request_uri() {
            Some(uri) => format!("{} {uri}", message.method),
            None => message.summary(),
        },
    };
    match sent.transport {
        Transport::Udp => text,
        Transport::Tcp => format!("{text}   tcp"),
    }
}

fn step_text(step: &StepRecord) -> String {
    match step.refused {
        Some(why) => format!("{} (not done: {why})", step.text),
        None => step.text.clone(),
    }
}
