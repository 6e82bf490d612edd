//! The rows of a run as text, a line each.

use linefault_network::Instant;

use crate::evidence::Evidence;
use crate::ladder::{self, Kind, Local, Message, Row, What};
use crate::scenario::Scenario;

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
    lines(&ladder::rows(scenario, evidence), evidence)
}

/// Rows as lines.
#[must_use]
pub fn lines(rows: &[Row], evidence: &Evidence<'_>) -> Vec<Line> {
    let hosts = evidence.trace.hosts().iter();
    let names = hosts.map(|host| host.name.chars().count());
    let width = names.max().unwrap_or(0);
    let line = |row: &Row| {
        let text = match &row.what {
            What::Message(message) => between(message, evidence, width),
            What::Local(local) => at_one(local, evidence, width),
        };
        Line {
            at: row.at,
            text: format!("{:>9}  {}", row.at.to_string(), text.trim_end()),
        }
    };
    rows.iter().map(line).collect()
}

fn between(message: &Message, evidence: &Evidence<'_>, width: usize) -> String {
    let arrow = if message.arrives() {
        "──▶"
    } else {
        "──✗"
    };
    let (from, to) = (message.from.name(evidence), message.to.name(evidence));
    let mut line = format!("{from:<width$} {arrow} {to:<width$}   {}", message.label);
    for remark in message.remarks() {
        line.push_str("   ");
        line.push_str(&remark);
    }
    line
}

fn at_one(local: &Local, evidence: &Evidence<'_>, width: usize) -> String {
    let host = local.host.map_or("", |host| evidence.name(host));
    let sign = match local.kind {
        Kind::Log(level) => {
            let level = level.to_string();
            return format!("{host:<width$} {level:<5} {:<width$}  {}", "", local.text);
        }
        Kind::Step => "▷",
        Kind::Fault(_) | Kind::Effect(_) | Kind::Panic => "✗",
        Kind::FaultOver(_) => "✓",
        Kind::Timer => "◷",
    };
    format!("{host:<width$}  {sign}  {:<width$}   {}", "", local.text)
}
