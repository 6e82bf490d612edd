//! What a test's author is told when it does not pass: what was wanted, where that is written, what happened
//! instead, the moment around it, where it parts from the nearest run that passes, and the command that shows it again.
//! In that order, and no longer than a screen or two however much is wrong: a report has the rest.

mod passing;

use std::collections::BTreeSet;
use std::fmt::Write as _;

use crate::evidence::Evidence;
use crate::oracle;
use crate::scenario::Scenario;
use crate::snapshot::ladder;
use crate::verdict::{Outcome, Source, Verdict, Violation};

/// Lines of the ladder shown before and after the moment.
const BEFORE: usize = 8;
const AFTER: usize = 3;
/// Violations shown in full; of others only the names. One mistake often makes many oracles object.
const SHOWN: usize = 4;

/// The text for one test that did not pass.
#[must_use]
pub(crate) fn render(
    scenario: &Scenario,
    known_bad: Option<usize>,
    outcome: &Outcome,
    replay: &str,
    color: bool,
) -> String {
    let mut text = String::new();
    let evidence = Evidence::new(&outcome.simulation);
    if let Verdict::Differs { missing, unnamed } = &outcome.verdict {
        text.push_str(&differs(scenario, known_bad, missing, unnamed, color));
    }
    let unwanted = |violation: &&Violation| match &outcome.verdict {
        Verdict::Differs { unnamed, .. } => unnamed.contains(&violation.name),
        Verdict::Pass | Verdict::Violated => true,
    };
    let shown: Vec<_> = outcome.violations.iter().filter(unwanted).collect();
    for violation in shown.iter().take(SHOWN) {
        text.push_str(&place(scenario, violation, &evidence, color));
    }
    text.push_str(&others(shown.get(SHOWN..).unwrap_or_default()));
    if let Some(first) = shown.first() {
        text.push_str(&moment(scenario, first, &evidence));
        text.push_str(&passing::nearest(
            scenario, known_bad, outcome, first, color,
        ));
    }
    let _ = writeln!(text, "replay: {replay}");
    text
}

fn differs(
    scenario: &Scenario,
    known_bad: Option<usize>,
    missing: &[String],
    unnamed: &[String],
    color: bool,
) -> String {
    let Some(twin) = known_bad.and_then(|index| scenario.known_bads.get(index)) else {
        return String::new();
    };
    let missing = missing
        .iter()
        .map(|name| format!("`{name}` did not object"));
    let unnamed = unnamed
        .iter()
        .map(|name| format!("`{name}` objects, but is not named"));
    let label = missing.chain(unnamed).collect::<Vec<_>>().join("; ");
    scenario.point(
        twin.span,
        "the broken twin fails otherwise than must_fail says",
        &label,
        None,
        color,
    )
}

/// Where it is written that this is wrong, and what was seen.
pub(crate) fn place(
    scenario: &Scenario,
    violation: &Violation,
    evidence: &Evidence<'_>,
    color: bool,
) -> String {
    let span = match violation.source {
        Source::Expect(index) => scenario.expects.get(index).map(|expect| expect.span),
        Source::Fault(index) => scenario.faults.get(index).map(|fault| fault.span),
        Source::Step(index) => scenario.steps.get(index).map(|step| step.span),
        Source::Oracle | Source::End => None,
    };
    match span {
        Some(span) => scenario.point(span, &violation.name, &violation.text, None, color),
        None => without_place(violation, evidence),
    }
}

/// What no file says: an oracle's demand with its source, or how a run must end.
fn without_place(violation: &Violation, evidence: &Evidence<'_>) -> String {
    let mut oracles = oracle::CATALOGUE.iter();
    let oracle = oracles.find(|oracle| oracle.name == violation.name);
    let expected = oracle.map_or(String::new(), |oracle| {
        format!("   expected: {} ({})\n", oracle.doc, oracle.source)
    });
    let host = violation
        .host
        .map_or(String::new(), |host| format!("{}: ", evidence.name(host)));
    let (name, text, at) = (&violation.name, &violation.text, violation.at);
    format!("error: {name}\n{expected}   seen: {host}{text} (at {at})\n")
}

/// The names of what is not shown, and how many there are.
fn others(violations: &[&Violation]) -> String {
    let names: BTreeSet<_> = violations.iter().map(|other| other.name.as_str()).collect();
    let names: Vec<_> = names.into_iter().collect();
    match violations.len() {
        0 => String::new(),
        more => format!("and {more} more: {}\n", names.join(", ")),
    }
}

/// The ladder around the moment at which it showed.
fn moment(scenario: &Scenario, violation: &Violation, evidence: &Evidence<'_>) -> String {
    let lines = ladder(scenario, evidence);
    let middle = lines
        .iter()
        .position(|line| line.at > violation.at)
        .unwrap_or(lines.len());
    let (from, to) = (
        middle.saturating_sub(BEFORE),
        (middle + AFTER).min(lines.len()),
    );
    let mut text = format!("around {}:\n", violation.at);
    for line in &lines[from..to] {
        let _ = writeln!(text, "  {}", line.text);
    }
    text
}

#[cfg(test)]
mod tests {
    use linefault_network::Instant;

    use super::*;

    // However much objects, it is one line, which hides nobody.
    #[test]
    fn what_is_not_shown_is_counted_and_named_once() {
        let violation = |name: &str| Violation {
            name: name.to_owned(),
            source: Source::Oracle,
            host: None,
            at: Instant::START,
            record: None,
            text: "a long story".to_owned(),
        };
        let (first, second) = (violation("ends-agree"), violation("left-over"));
        let text = others(&[&second, &first, &second]);
        assert_eq!(text, "and 3 more: ends-agree, left-over\n");
        assert_eq!(others(&[]), "");
    }
}
