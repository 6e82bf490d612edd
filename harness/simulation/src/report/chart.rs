//! The ladder of one test as something to draw: columns, and rungs between or at them.
//!
//! Owns which column and style a thing has. Refuses geometry: each format has its own.

use linefault_network::{HostId, Instant, LossReason};
use tracing::Level;

use super::columns::arrange;
use super::content;
use super::stretches::{Stretch, stretches};
use super::threads::Threads;
use crate::evidence::{Evidence, Fate};
use crate::failure;
use crate::ladder::{self, End, Kind, Local, Message, Origin, Row, What};
use crate::scenario::{Place, Scenario};
use crate::verdict::{Outcome, Violation};

/// A ladder.
#[derive(Clone, Debug, Default)]
pub struct Chart {
    /// The hosts as messages first name them, the others of them, then whoever else was written to.
    pub columns: Vec<Column>,
    /// What happened, in order.
    pub rungs: Vec<Rung>,
    /// The calls and connections that rungs belong to.
    pub threads: Vec<String>,
    /// For each violation, in their order, its rung.
    pub marks: Vec<usize>,
    /// Where little happens that a reader looks for: ranges of rungs that may be folded. Empty in short ladders.
    pub stretches: Vec<Stretch>,
}

/// A host, or an address that nobody has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Column {
    /// Its name.
    pub name: String,
    /// What it is: "proxy at 192.168.8.1:5060".
    pub detail: String,
}

/// Something that happened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rung {
    /// When.
    pub at: Instant,
    /// How it looks.
    pub style: Style,
    /// The column where it happened, or where it was sent; nothing for what concerns all.
    pub from: Option<usize>,
    /// The column that it was sent to.
    pub to: Option<usize>,
    /// Whether none of what was sent arrived.
    pub lost: bool,
    /// Whether a fault took effect on it.
    pub faulted: bool,
    /// The call or connection that it belongs to.
    pub thread: Option<usize>,
    /// What, in one line.
    pub label: String,
    /// What is said of it behind that.
    pub remarks: Vec<String>,
    /// When it was sent and when that arrived, each time.
    pub sendings: Vec<(Instant, Option<Instant>)>,
    /// All of it: the message, the log line with its fields, the objection with its place.
    pub text: String,
}

/// How a rung looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[expect(missing_docs, reason = "each is what it is called")]
pub enum Style {
    Request,
    Provisional,
    Success,
    Refusal,
    Data,
    Debug,
    Info,
    Warn,
    Error,
    Step,
    Fault,
    FaultOver,
    Panic,
    Timer,
    Violation,
}

impl Style {
    /// All of them, in order.
    pub const ALL: [Self; 15] = [
        Self::Request,
        Self::Provisional,
        Self::Success,
        Self::Refusal,
        Self::Data,
        Self::Debug,
        Self::Info,
        Self::Warn,
        Self::Error,
        Self::Step,
        Self::Fault,
        Self::FaultOver,
        Self::Panic,
        Self::Timer,
        Self::Violation,
    ];

    /// Its name in style sheets and data.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Request => "request",
            Self::Provisional => "provisional",
            Self::Success => "success",
            Self::Refusal => "refusal",
            Self::Data => "data",
            Self::Debug => "debug",
            Self::Info => "info",
            Self::Warn => "warn",
            Self::Error => "error",
            Self::Step => "step",
            Self::Fault => "fault",
            Self::FaultOver => "fault-over",
            Self::Panic => "panic",
            Self::Timer => "timer",
            Self::Violation => "violation",
        }
    }

    /// What stands before the label of what happens at one host; nothing for messages.
    #[must_use]
    pub const fn sign(self) -> &'static str {
        match self {
            Self::Request | Self::Provisional | Self::Success | Self::Refusal | Self::Data => "",
            Self::Debug => "DEBUG",
            Self::Info => "INFO",
            Self::Warn => "WARN",
            Self::Error => "ERROR",
            Self::Step => "▷",
            Self::Fault | Self::Panic | Self::Violation => "✗",
            Self::FaultOver => "✓",
            Self::Timer => "◷",
        }
    }

    fn of(message: &Message) -> Self {
        match (message.status, message.origin) {
            (Some(..200), _) => Self::Provisional,
            (Some(..300), _) => Self::Success,
            (Some(_), _) => Self::Refusal,
            (None, Origin::Transmissions) => Self::Request,
            (None, _) => Self::Data,
        }
    }
}

impl From<Level> for Style {
    fn from(level: Level) -> Self {
        match level {
            Level::ERROR => Self::Error,
            Level::WARN => Self::Warn,
            Level::INFO => Self::Info,
            _ => Self::Debug,
        }
    }
}

impl Chart {
    /// The ladder of a run, its protocol timers and its violations included.
    #[must_use]
    pub fn of(scenario: &Scenario, outcome: &Outcome, evidence: &Evidence<'_>) -> Self {
        let mut rows = ladder::rows(scenario, evidence);
        rows.extend(ladder::timers(evidence));
        rows.extend(ladder::effects(scenario, evidence));
        rows.sort_by_key(|row| row.record);
        let mut drawing = Drawing {
            scenario,
            evidence,
            threads: Threads::of(evidence),
            columns: columns(scenario, evidence),
        };
        let rungs: Vec<_> = rows.iter().map(|row| drawing.rung(row)).collect();
        let (mut rungs, marks) = drawing.with_violations(&rows, rungs, &outcome.violations);
        let hosts = evidence.trace.hosts().len();
        Self {
            columns: arrange(drawing.columns, hosts, &mut rungs),
            stretches: stretches(&rungs),
            threads: drawing.threads.labels,
            rungs,
            marks,
        }
    }
}

fn columns(scenario: &Scenario, evidence: &Evidence<'_>) -> Vec<Column> {
    let hosts = evidence.trace.hosts().iter().zip(&scenario.hosts);
    let columns = hosts.map(|(traced, host)| Column {
        name: traced.name.clone(),
        detail: format!("{} at {}", host.actor.name, traced.address),
    });
    columns.collect()
}

struct Drawing<'a> {
    scenario: &'a Scenario,
    evidence: &'a Evidence<'a>,
    threads: Threads,
    columns: Vec<Column>,
}

impl Drawing<'_> {
    fn rung(&mut self, row: &Row) -> Rung {
        match &row.what {
            What::Message(message) => self.message(row, message),
            What::Local(local) => self.local(row, local),
        }
    }

    fn message(&mut self, row: &Row, message: &Message) -> Rung {
        let lost_by_fault = message.origin == Origin::Transmissions
            && message.sendings.iter().any(|sending| {
                let sent = self.evidence.transmissions.get(sending.place);
                let by_fault =
                    |reason| matches!(reason, LossReason::Fault(_) | LossReason::QueueFull(_));
                sent.is_some_and(
                    |sent| matches!(sent.fate, Fate::Lost { reason } if by_fault(reason)),
                )
            });
        let times = message.sendings.iter();
        Rung {
            at: row.at,
            style: Style::of(message),
            from: Some(self.column(message.from)),
            to: Some(self.column(message.to)),
            lost: !message.arrives(),
            faulted: lost_by_fault || !message.alterations.is_empty(),
            thread: self.threads.of_message(message),
            label: message.label.clone(),
            remarks: message.remarks(),
            sendings: times.map(|sending| (sending.at, sending.arrived)).collect(),
            text: content::of_message(self.evidence, message),
        }
    }

    fn local(&self, row: &Row, local: &Local) -> Rung {
        let (style, host) = match local.kind {
            Kind::Log(level) => (Style::from(level), local.host),
            Kind::Step => (Style::Step, local.host),
            Kind::Fault(fault) => (Style::Fault, local.host.or(self.place(fault))),
            Kind::FaultOver(fault) => (Style::FaultOver, local.host.or(self.place(fault))),
            Kind::Effect(_) => (Style::Fault, local.host),
            Kind::Panic => (Style::Panic, local.host),
            Kind::Timer => (Style::Timer, local.host),
        };
        Rung {
            at: row.at,
            style,
            from: host.map(HostId::index),
            to: None,
            lost: false,
            faulted: false,
            thread: self.threads.of_record(self.evidence, row.record),
            label: local.text.clone(),
            remarks: Vec::new(),
            sendings: Vec::new(),
            text: content::of_record(self.evidence, row.record, &local.text),
        }
    }

    /// The host that a fault is done to, if it is done to one.
    fn place(&self, fault: Option<usize>) -> Option<HostId> {
        match self.scenario.faults.get(fault?)?.place {
            Place::Host(host) => self.evidence.host(host.0),
            Place::Everywhere | Place::Link { .. } | Place::Between { .. } => None,
        }
    }

    /// Where an end is drawn; whoever is none of the hosts gets a column when first written to.
    fn column(&mut self, end: End) -> usize {
        if let End::Host(host) = end {
            return host.index();
        }
        let name = end.name(self.evidence);
        let known = self.columns.iter().position(|column| column.name == name);
        known.unwrap_or_else(|| {
            self.columns.push(Column {
                name,
                detail: "an address that nobody has".to_owned(),
            });
            self.columns.len() - 1
        })
    }

    /// Puts each violation behind what shows it, and tells where it stands then.
    fn with_violations(
        &self,
        rows: &[Row],
        rungs: Vec<Rung>,
        violations: &[Violation],
    ) -> (Vec<Rung>, Vec<usize>) {
        let place = |violation: &Violation| match violation.record {
            Some(record) => rows.partition_point(|row| row.record <= record),
            None => rows.partition_point(|row| row.at <= violation.at),
        };
        let mut placed: Vec<_> = violations.iter().map(place).enumerate().collect();
        placed.sort_by_key(|(_, place)| *place);
        let mut marks = vec![0; violations.len()];
        let mut all = Vec::with_capacity(rungs.len() + violations.len());
        let mut waiting = placed.into_iter().peekable();
        let ends = std::iter::once(None);
        for (index, rung) in rungs.into_iter().map(Some).chain(ends).enumerate() {
            while let Some((number, _)) = waiting.next_if(|(_, place)| *place <= index) {
                marks[number] = all.len();
                all.push(self.violation(&violations[number]));
            }
            all.extend(rung);
        }
        (all, marks)
    }

    fn violation(&self, violation: &Violation) -> Rung {
        Rung {
            at: violation.at,
            style: Style::Violation,
            from: violation.host.map(HostId::index),
            to: None,
            lost: false,
            faulted: false,
            thread: None,
            label: format!("{}: {}", violation.name, violation.text),
            remarks: Vec::new(),
            sendings: Vec::new(),
            text: failure::place(self.scenario, violation, self.evidence, false),
        }
    }
}
