//! A run as a reviewer reads it: first the status codes and log levels, then everything in order.
//!
//! Owns the text of snapshots. Nothing in it depends on the machine, the wall clock or the build; branches,
//! tags and Call-IDs are numbered as they appear.

mod codes;
mod ladder;

use std::fmt::Write as _;

use linefault_network::Instant;
use tracing::Level;

use crate::evidence::Evidence;
use crate::ladder::Aliases;
use crate::oracle;
use crate::scenario::{Combination, KnownBad, Scenario};
use crate::trace::{Event, Trace};
use crate::verdict::{FaultOutcome, Outcome, Verdict};

pub use codes::{StatusLine, status_lines};
pub use ladder::{Line, ladder, lines};

/// The levels that are counted, the least urgent first.
pub const LEVELS: [Level; 3] = [Level::INFO, Level::WARN, Level::ERROR];

/// The whole snapshot of one test.
#[must_use]
pub fn render(
    scenario: &Scenario,
    combination: &Combination,
    known_bad: Option<usize>,
    outcome: &Outcome,
) -> String {
    let evidence = Evidence::new(&outcome.simulation);
    let twin = known_bad.and_then(|index| scenario.known_bads.get(index));
    let mut text = format!(
        "{}\n{}\n\n",
        scenario.title,
        heading(scenario, combination, twin, outcome)
    );
    for (title, lines) in summary(scenario, twin, outcome, &evidence) {
        for (index, line) in lines.iter().enumerate() {
            let title = if index == 0 { title } else { "" };
            let _ = writeln!(text, "{title:<14} {line}");
        }
    }
    text.push('\n');
    for line in ladder(scenario, &evidence) {
        text.push_str(&line.text);
        text.push('\n');
    }
    text
}

fn heading(
    scenario: &Scenario,
    combination: &Combination,
    twin: Option<&KnownBad>,
    outcome: &Outcome,
) -> String {
    let mut parts = Vec::new();
    parts.extend(
        combination
            .settings()
            .map(|(path, value)| format!("{path} = {value}")),
    );
    parts.push(format!("seed {}", scenario.run.seed));
    if let Some(twin) = twin {
        let host = &scenario.host(twin.host).name;
        parts.push(format!(
            "known bad: {host} with {}",
            twin.defects.join(", ")
        ));
    }
    parts.push(format!(
        "{} s simulated",
        hundredths(outcome.simulation.ended_at)
    ));
    parts.join(" · ")
}

/// Seconds with two decimals, rounded half up.
fn hundredths(at: Instant) -> String {
    let hundredths = (at.as_micros() + 5_000) / 10_000;
    format!("{}.{:02}", hundredths / 100, hundredths % 100)
}

type Section = (&'static str, Vec<String>);

fn summary(
    scenario: &Scenario,
    twin: Option<&KnownBad>,
    outcome: &Outcome,
    evidence: &Evidence<'_>,
) -> Vec<Section> {
    let aliases = Aliases::of(evidence);
    vec![
        ("status codes", or_nothing(status_codes(evidence))),
        ("log levels", or_nothing(log_levels(evidence.trace))),
        (
            "faults",
            or_nothing(fault_lines(scenario, outcome, evidence)),
        ),
        ("left over", or_nothing(left_over_lines(outcome, evidence))),
        ("verdict", verdict_lines(twin, outcome, evidence, &aliases)),
    ]
}

fn or_nothing(lines: Vec<String>) -> Vec<String> {
    if lines.is_empty() {
        vec!["nothing".to_owned()]
    } else {
        lines
    }
}

/// How often each host logged at each level; hosts that log nothing are left out.
#[must_use]
pub fn log_counts(trace: &Trace) -> Vec<(&str, [usize; 3])> {
    let mut counts: Vec<_> = trace
        .hosts()
        .iter()
        .map(|host| (host.name.as_str(), [0; 3]))
        .collect();
    for record in trace.records() {
        let Event::Log(line) = &record.event else {
            continue;
        };
        let level = LEVELS.iter().position(|level| *level == line.level);
        let host = record.host.and_then(|host| counts.get_mut(host.index()));
        if let (Some(level), Some((_, counts))) = (level, host) {
            counts[level] += 1;
        }
    }
    counts.retain(|(_, counts)| counts.iter().any(|count| *count > 0));
    counts
}

/// What [`status_lines`] gives, as a snapshot shows it: "proxy → alice   200 REGISTER · 100 180 200 INVITE".
#[must_use]
pub fn status_codes(evidence: &Evidence<'_>) -> Vec<String> {
    codes::table(evidence, &status_lines(evidence))
}

/// What [`log_counts`] gives, as a snapshot shows it: "proxy  INFO 9 · WARN 1 · ERROR 0".
#[must_use]
pub fn log_levels(trace: &Trace) -> Vec<String> {
    let counts = log_counts(trace);
    let width = counts.iter().map(|(name, _)| name.len()).max().unwrap_or(0);
    let line = |(name, counts): &(&str, [usize; 3])| {
        let levels = LEVELS
            .iter()
            .zip(counts)
            .map(|(level, count)| format!("{level} {count}"));
        format!("{name:<width$}  {}", levels.collect::<Vec<_>>().join(" · "))
    };
    counts.iter().map(line).collect()
}

fn fault_lines(scenario: &Scenario, outcome: &Outcome, evidence: &Evidence<'_>) -> Vec<String> {
    let width = scenario
        .faults
        .iter()
        .map(|fault| fault.display.chars().count())
        .max()
        .unwrap_or(0);
    let line = |(fault, outcome): (&crate::scenario::Fault, &FaultOutcome)| {
        let display = &fault.display;
        format!("{display:<width$}   {}", fault_text(outcome, evidence))
    };
    scenario
        .faults
        .iter()
        .zip(&outcome.faults)
        .map(line)
        .collect()
}

fn fault_text(outcome: &FaultOutcome, evidence: &Evidence<'_>) -> String {
    let Some(armed_at) = outcome.count.armed_at else {
        return "never armed".to_owned();
    };
    let noticed = outcome
        .noticed
        .map_or("changed nothing".to_owned(), |noticed| {
            format!("noticed by {} at {}", evidence.name(noticed.by), noticed.at)
        });
    format!(
        "armed {armed_at} · matched {} · {noticed}",
        outcome.count.matched
    )
}

/// What was open at the end, a line each.
#[must_use]
pub fn left_over_lines(outcome: &Outcome, evidence: &Evidence<'_>) -> Vec<String> {
    let aliases = Aliases::of(evidence);
    let line = |thing: &oracle::LeftOver| {
        let label = aliases.apply(&thing.label);
        format!(
            "{}  {} {label}  since {}",
            evidence.name(thing.host),
            thing.kind,
            thing.opened_at
        )
    };
    outcome.left_over.iter().map(line).collect()
}

fn verdict_lines(
    twin: Option<&KnownBad>,
    outcome: &Outcome,
    evidence: &Evidence<'_>,
    aliases: &Aliases,
) -> Vec<String> {
    let first = match (&outcome.verdict, twin) {
        (Verdict::Pass, None) => "pass".to_owned(),
        (Verdict::Pass, Some(_)) => "pass: broken as named".to_owned(),
        (Verdict::Violated, _) => "violation".to_owned(),
        (Verdict::Differs { missing, unnamed }, _) => {
            let missing = missing.iter().map(|name| format!("{name} did not object"));
            let unnamed = unnamed
                .iter()
                .map(|name| format!("{name} objects, but is not named"));
            format!(
                "differs from what is named: {}",
                missing.chain(unnamed).collect::<Vec<_>>().join(", ")
            )
        }
    };
    let violations = outcome.violations.iter().map(|violation| {
        let host = violation
            .host
            .map_or(String::new(), |host| format!("{}: ", evidence.name(host)));
        format!(
            "✗ {}  {host}{}",
            violation.name,
            aliases.apply(&violation.text)
        )
    });
    std::iter::once(first).chain(violations).collect()
}
