//! The nearest run that passes: the same without one of its faults, and where the two part.

use std::fmt::Write as _;

use crate::evidence::Evidence;
use crate::run::{Setup, Simulation, simulate};
use crate::scenario::{Fault, Scenario};
use crate::snapshot::{Line, ladder};
use crate::twin::{Noticed, first_difference};
use crate::verdict::{self, Outcome, Violation};

/// Where a run parts from the same one without a single fault, if that violates nothing of the name; of several such runs
/// from the one that it parts from last. Nothing if every one of them fails as well, or there is no fault.
pub(super) fn nearest(
    scenario: &Scenario,
    known_bad: Option<usize>,
    outcome: &Outcome,
    violation: &Violation,
    color: bool,
) -> String {
    let passing = scenario.faults.iter().filter_map(|fault| {
        let run = passes_without(scenario, known_bad, fault, violation)?;
        let noticed = first_difference(&outcome.simulation, &run)?;
        Some((fault, run, noticed))
    });
    let last = passing.max_by_key(|(_, _, noticed)| noticed.at);
    last.map_or_else(String::new, |(fault, run, noticed)| {
        let parts = parts(scenario, &outcome.simulation, &run, noticed);
        scenario.point(
            fault.span,
            "without this fault it passes",
            &parts,
            None,
            color,
        )
    })
}

fn passes_without(
    scenario: &Scenario,
    known_bad: Option<usize>,
    fault: &Fault,
    violation: &Violation,
) -> Option<Simulation> {
    let defects = &verdict::planted(scenario, known_bad);
    let without = &[fault.index];
    let run = simulate(scenario, Setup { without, defects });
    let same = verdict::violations(scenario, &Evidence::new(&run), &run);
    let passes = same.iter().all(|other| other.name != violation.name);
    passes.then_some(run)
}

/// Who first does something else, and the first lines that differ from then on.
fn parts(scenario: &Scenario, run: &Simulation, passing: &Simulation, noticed: Noticed) -> String {
    let name = run.trace.host_name(noticed.by);
    let mut text = format!(
        "the runs part at {}, where {name} does something else",
        noticed.at
    );
    let [ours, theirs] = [run, passing].map(|run| ladder(scenario, &Evidence::new(run)));
    for (which, lines, others) in [("here", &ours, &theirs), ("without", &theirs, &ours)] {
        let own = |line: &&Line| line.at >= noticed.at && !others.contains(line);
        if let Some(line) = lines.iter().find(own) {
            let _ = write!(text, "\n{which}: {}", line.text.trim_start());
        }
    }
    text
}
