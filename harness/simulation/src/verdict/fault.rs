//! Whether each fault changed anything: the twin runs, and what they say.

use super::{FAULT_WITHOUT_EFFECT, FaultOutcome, Source, Violation};
use crate::defect::Defect;
use crate::run::{FaultCount, Setup, Simulation, simulate};
use crate::scenario::{HostIndex, Scenario};
use crate::twin::first_difference;

/// What became of each fault, from a twin run without it.
pub(super) fn outcomes(
    scenario: &Scenario,
    run: &Simulation,
    defects: &[(HostIndex, &'static Defect)],
) -> Vec<FaultOutcome> {
    let outcome = |(index, count): (usize, &FaultCount)| {
        let noticed = count.armed_at.and_then(|_| {
            let without = &with_undoings(scenario, index);
            first_difference(run, &simulate(scenario, Setup { without, defects }))
        });
        let hidden = noticed.is_none() && count.matched > 0 && scenario.faults.len() > 1;
        let masked_by = if hidden {
            maskers(scenario, index, defects)
        } else {
            Vec::new()
        };
        FaultOutcome {
            count: *count,
            noticed,
            masked_by,
        }
    };
    run.faults.iter().enumerate().map(outcome).collect()
}

/// A fault and those that only undo it. A restart would end the process of a host that nobody has killed: left
/// alone in the twin run it would do much the same as the pair.
fn with_undoings(scenario: &Scenario, index: usize) -> Vec<usize> {
    let stops = |name: &str| matches!(name, "kill" | "crash" | "power-off" | "freeze");
    let undoes = |name: &str| matches!(name, "restart" | "resume");
    let mut together = vec![index];
    if let Some(fault) = scenario.faults.get(index).filter(|fault| stops(fault.name)) {
        let later = scenario.faults.iter().skip(index + 1);
        let undoings = later.filter(|other| undoes(other.name) && other.place == fault.place);
        together.extend(undoings.map(|other| other.index));
    }
    together
}

/// The other faults without which this one changes something.
fn maskers(
    scenario: &Scenario,
    hidden: usize,
    defects: &[(HostIndex, &'static Defect)],
) -> Vec<usize> {
    let run = |without: &[usize]| simulate(scenario, Setup { without, defects });
    let others = (0..scenario.faults.len()).filter(|other| *other != hidden);
    let masks =
        others.filter(|other| first_difference(&run(&[*other]), &run(&[*other, hidden])).is_some());
    masks.collect()
}

/// One violation for each that changed nothing and may not miss.
pub(super) fn idle(
    scenario: &Scenario,
    run: &Simulation,
    outcomes: &[FaultOutcome],
) -> Vec<Violation> {
    let judged = scenario.faults.iter().zip(outcomes);
    let idle = judged.filter(|(fault, outcome)| !fault.may_miss && outcome.noticed.is_none());
    let violations = idle.map(|(fault, outcome)| Violation {
        name: FAULT_WITHOUT_EFFECT.to_owned(),
        source: Source::Fault(fault.index),
        host: None,
        at: outcome.count.armed_at.unwrap_or(run.ended_at),
        record: None,
        text: idle_text(scenario, outcome),
    });
    violations.collect()
}

fn idle_text(scenario: &Scenario, outcome: &FaultOutcome) -> String {
    let FaultCount {
        armed_at,
        matched,
        applied,
        ..
    } = outcome.count;
    let Some(armed_at) = armed_at else {
        return "never began: what it waits for was not seen".to_owned();
    };
    if matched == 0 {
        return format!("armed at {armed_at}, but nothing matched");
    }
    let masked = |index: &usize| {
        scenario
            .faults
            .get(*index)
            .map(|fault| fault.display.clone())
    };
    let masks: Vec<_> = outcome.masked_by.iter().filter_map(masked).collect();
    let why = if masks.is_empty() {
        "without it every actor does the same".to_owned()
    } else {
        format!("masked by {}", masks.join(", "))
    };
    format!("armed at {armed_at}, matched {matched}, applied {applied}, changed nothing: {why}")
}
