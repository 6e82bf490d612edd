//! Whether a run was right: the scenario's expectations, the oracles, and whether each fault had an effect.
//!
//! Owns the verdict on one test: a scenario in one combination, or its broken twin.

mod expectation;
mod fault;

use std::collections::BTreeSet;

use linefault_network::{HostId, Instant, RecordId};

use crate::defect::{self, Defect};
use crate::evidence::Evidence;
use crate::oracle::{self, LeftOver, left_over};
use crate::run::{End, FaultCount, Setup, Simulation, simulate};
use crate::scenario::{HostIndex, Scenario};
use crate::trace::Event;
use crate::twin::Noticed;

/// The violation of a fault that matched or changed nothing.
pub const FAULT_WITHOUT_EFFECT: &str = "fault-without-effect";
/// The violation of a run that was still busy at `time_max`.
pub const NEVER_QUIET: &str = "never-quiet";
/// The violation of a run with steps that wait for what will not come.
pub const DEADLOCK: &str = "deadlock";
/// The violation of a run whose hosts keep each other busy without time moving.
pub const STUCK: &str = "stuck";
/// The violation of a run in which more happens than a trace can hold.
pub const FLOODED: &str = "flooded";
/// The violation of a step for a host that is down.
pub const STEP_NOT_TAKEN: &str = "step-not-taken";

/// The names of all violations that do not come from a scenario's own expectations.
pub fn names() -> impl Iterator<Item = &'static str> {
    let oracles = oracle::CATALOGUE.iter().map(|oracle| oracle.name);
    oracles.chain([
        FAULT_WITHOUT_EFFECT,
        STEP_NOT_TAKEN,
        NEVER_QUIET,
        DEADLOCK,
        STUCK,
        FLOODED,
    ])
}

/// One test's result.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// The run.
    pub simulation: Simulation,
    /// What was wrong, in the order of the scenario's expectations, the oracles, the faults.
    pub violations: Vec<Violation>,
    /// What became of each fault, in the scenario's order.
    pub faults: Vec<FaultOutcome>,
    /// What was open at the end.
    pub left_over: Vec<LeftOver>,
    /// The verdict.
    pub verdict: Verdict,
}

/// The verdict on one test.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Nothing was wrong; for a broken twin, exactly what it names was wrong.
    Pass,
    /// The system under test is wrong.
    Violated,
    /// The broken twin's violations are not those that it names.
    Differs {
        /// Named, but not seen.
        missing: Vec<String>,
        /// Seen, but not named.
        unnamed: Vec<String>,
    },
}

impl Verdict {
    /// Whether the test passes.
    #[must_use]
    pub fn is_pass(&self) -> bool {
        *self == Self::Pass
    }

    /// One word for it: "pass", "violation", "differs".
    #[must_use]
    pub fn word(&self) -> &'static str {
        match self {
            Self::Pass => "pass",
            Self::Violated => "violation",
            Self::Differs { .. } => "differs",
        }
    }
}

/// Something that was wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation {
    /// The expectation's or the oracle's name.
    pub name: String,
    /// Where it comes from.
    pub source: Source,
    /// Who is to blame, if one host is.
    pub host: Option<HostId>,
    /// When it showed.
    pub at: Instant,
    /// The record that shows it best.
    pub record: Option<RecordId>,
    /// What was wanted and what was seen.
    pub text: String,
}

/// Who says that something is wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Source {
    /// The scenario's expectation of that index.
    Expect(usize),
    /// An oracle.
    Oracle,
    /// The twin run without the fault of that index.
    Fault(usize),
    /// The step of that index.
    Step(usize),
    /// The way in which the run ended.
    End,
}

/// What became of one fault.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FaultOutcome {
    /// When it began, and how much it concerned.
    pub count: FaultCount,
    /// Who first did something otherwise because of it.
    pub noticed: Option<Noticed>,
    /// The other faults, by index, without any one of which it would have changed something.
    pub masked_by: Vec<usize>,
}

/// Runs one test: the scenario, or the broken twin of that index.
#[must_use]
pub fn judge(scenario: &Scenario, known_bad: Option<usize>) -> Outcome {
    let twin = known_bad.and_then(|index| scenario.known_bads.get(index));
    let defects = planted(scenario, known_bad);
    let simulation = simulate(
        scenario,
        Setup {
            without: &[],
            defects: &defects,
        },
    );
    let outcome = match simulation.end {
        End::Flooded | End::Stuck => broken_off(simulation),
        _ => judge_whole(scenario, &defects, simulation),
    };
    let verdict = match twin {
        Some(twin) => compare(&outcome.violations, &twin.must_fail),
        None if outcome.violations.is_empty() => Verdict::Pass,
        None => Verdict::Violated,
    };
    Outcome { verdict, ..outcome }
}

/// Runs a scenario and says what was wrong, without asking whether each fault had an effect: that takes one more run for
/// each. What `look` makes of the run comes along; nothing if the run had to be broken off.
pub fn observe<T>(
    scenario: &Scenario,
    defects: &[(HostIndex, &'static Defect)],
    look: impl FnOnce(&Evidence<'_>) -> T,
) -> (Simulation, Vec<Violation>, Option<T>) {
    let setup = Setup {
        without: &[],
        defects,
    };
    let simulation = simulate(scenario, setup);
    if matches!(simulation.end, End::Flooded | End::Stuck) {
        let violations = end_violation(&simulation).into_iter().collect();
        return (simulation, violations, None);
    }
    let evidence = Evidence::new(&simulation);
    let violations = violations(scenario, &evidence, &simulation);
    let looked = look(&evidence);
    (simulation, violations, Some(looked))
}

/// Everything that is wrong with a run, but for faults without effect.
pub(crate) fn violations(
    scenario: &Scenario,
    evidence: &Evidence<'_>,
    simulation: &Simulation,
) -> Vec<Violation> {
    let mut violations = end_violation(simulation).into_iter().collect::<Vec<_>>();
    violations.extend(expectation::broken(scenario, evidence));
    violations.extend(oracle_findings(evidence));
    violations.extend(steps_not_taken(scenario, simulation));
    violations
}

/// A run that had to be broken off says nothing but that.
fn broken_off(simulation: Simulation) -> Outcome {
    let unjudged = |count: &FaultCount| FaultOutcome {
        count: *count,
        noticed: None,
        masked_by: Vec::new(),
    };
    Outcome {
        violations: end_violation(&simulation).into_iter().collect(),
        faults: simulation.faults.iter().map(unjudged).collect(),
        left_over: Vec::new(),
        verdict: Verdict::Violated,
        simulation,
    }
}

fn judge_whole(
    scenario: &Scenario,
    defects: &[(HostIndex, &'static Defect)],
    simulation: Simulation,
) -> Outcome {
    let evidence = Evidence::new(&simulation);
    let faults = fault::outcomes(scenario, &simulation, defects);
    let mut violations = violations(scenario, &evidence, &simulation);
    violations.extend(fault::idle(scenario, &simulation, &faults));
    let left_over = left_over(&evidence);
    Outcome {
        violations,
        faults,
        left_over,
        verdict: Verdict::Violated,
        simulation,
    }
}

/// What is planted in the broken twin of that index, and in whom; nothing in the scenario itself.
pub(crate) fn planted(
    scenario: &Scenario,
    known_bad: Option<usize>,
) -> Vec<(HostIndex, &'static Defect)> {
    let twin = known_bad.and_then(|index| scenario.known_bads.get(index));
    let planted = twin.into_iter().flat_map(|twin| {
        let names = twin.defects.iter();
        names.filter_map(|name| Some((twin.host, defect::find(name)?)))
    });
    planted.collect()
}

fn compare(violations: &[Violation], named: &[String]) -> Verdict {
    let seen: BTreeSet<_> = violations
        .iter()
        .map(|violation| violation.name.as_str())
        .collect();
    let named: BTreeSet<_> = named.iter().map(String::as_str).collect();
    let owned = |names: Vec<&&str>| names.into_iter().map(|name| (*name).to_owned()).collect();
    let missing: Vec<_> = named.difference(&seen).collect();
    let unnamed: Vec<_> = seen.difference(&named).collect();
    if missing.is_empty() && unnamed.is_empty() {
        return Verdict::Pass;
    }
    Verdict::Differs {
        missing: owned(missing),
        unnamed: owned(unnamed),
    }
}

fn end_violation(simulation: &Simulation) -> Option<Violation> {
    let (name, text) = match &simulation.end {
        End::Quiet | End::RunUntil => return None,
        End::TimeMax => (
            NEVER_QUIET,
            "still busy at time_max: it is too short, or something repeats without end".to_owned(),
        ),
        End::Flooded => (
            FLOODED,
            "more happens than a trace can hold: something repeats too fast".to_owned(),
        ),
        End::Stuck => (
            STUCK,
            "time does not move: the hosts keep each other busy at one instant".to_owned(),
        ),
        End::Deadlock { steps } => {
            let list: Vec<_> = steps
                .iter()
                .map(|index| format!("step {}", index + 1))
                .collect();
            let text = format!(
                "nothing can run any more, but {} still waits",
                list.join(", ")
            );
            (DEADLOCK, text)
        }
    };
    Some(Violation {
        name: name.to_owned(),
        source: Source::End,
        host: None,
        at: simulation.ended_at,
        record: None,
        text,
    })
}

fn steps_not_taken(scenario: &Scenario, simulation: &Simulation) -> Vec<Violation> {
    let missed = simulation.trace.iter().filter_map(|(id, record)| {
        let Event::Step(step) = &record.event else {
            return None;
        };
        let why = step.refused?;
        let expected = scenario
            .steps
            .get(step.index)
            .is_some_and(|step| step.may_miss);
        (!expected).then(|| Violation {
            name: STEP_NOT_TAKEN.to_owned(),
            source: Source::Step(step.index),
            host: record.host,
            at: record.at,
            record: Some(id),
            text: format!("{} at {}: {why}", step.text, record.at),
        })
    });
    missed.collect()
}

fn oracle_findings(evidence: &Evidence<'_>) -> Vec<Violation> {
    let judged = oracle::CATALOGUE.iter().flat_map(|oracle| {
        (oracle.judge)(evidence)
            .into_iter()
            .map(|finding| Violation {
                name: oracle.name.to_owned(),
                source: Source::Oracle,
                host: finding.host,
                at: finding.at,
                record: finding.record,
                text: finding.text,
            })
    });
    judged.collect()
}
