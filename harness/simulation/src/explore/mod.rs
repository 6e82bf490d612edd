//! Searching for faults that nobody wrote down: drawn schedules of faults, run by seed, judged by every oracle and by
//! whether the system recovers.
//!
//! A [`Plan`] makes a scenario ready; an [`Explorer`] runs seeds of it; [`campaign`] runs many on all cores; [`shrink`]
//! makes what was found small, and [`found`] a scenario file of it. Everything is a function of the scenario, the seed and
//! the binary: neither the number of workers nor the order of runs shows in a result.

pub mod aims;
pub mod campaign;
pub mod found;
mod kind;
pub mod part;
mod plan;
mod schedule;
pub mod shrink;
pub(crate) mod staged;

use std::collections::BTreeMap;

use linefault_network::Instant;

use crate::coverage::Coverage;
use crate::divergence::Divergence;
use crate::evidence::Evidence;
use crate::lives::Lives;
use crate::oracle::keeps_a_dead_call;
use crate::run::Simulation;
use crate::scenario::{Diagnostics, Scenario};
use crate::trace::TraceHash;
use crate::verdict::{Source, Violation};

pub use kind::Kind;
pub use plan::{Plan, Planted, Unexplorable};
use schedule::Draws;
pub use schedule::Schedule;

/// Runs seeds of one plan.
pub struct Explorer<'p> {
    plan: &'p Plan,
    draws: Draws,
}

/// One explored run.
#[derive(Debug)]
pub struct Explored {
    /// What was drawn.
    pub schedule: Schedule,
    /// The scenario that ran.
    pub scenario: Scenario,
    /// The run.
    pub simulation: Simulation,
    /// What it has tried.
    pub coverage: Coverage,
    /// What was wrong, by kind; of each kind the first.
    pub violations: BTreeMap<Kind, Seen>,
}

/// A violation of some kind, as one run showed it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Seen {
    /// When it showed.
    pub at: Instant,
    /// What was wanted and what was seen.
    pub text: String,
}

impl<'p> Explorer<'p> {
    /// An explorer of that plan.
    #[must_use]
    pub fn new(plan: &'p Plan) -> Self {
        let draws = Draws::new(plan.aims(), plan.window(), plan.first_steps());
        Self { plan, draws }
    }

    /// Its plan.
    #[must_use]
    pub const fn plan(&self) -> &'p Plan {
        self.plan
    }

    /// What is drawn for that seed.
    #[must_use]
    pub fn schedule(&self, seed: u64) -> Schedule {
        let mut schedule = self.draws.draw(seed);
        self.plan.spread(&mut schedule);
        schedule
    }

    /// Runs one seed.
    ///
    /// # Errors
    /// A drawn fault is none that the format allows: a mistake of ours.
    pub fn run(&self, seed: u64) -> Result<Explored, Diagnostics> {
        let schedule = self.schedule(seed);
        let scenario = self.plan.scenario(seed, &schedule)?;
        let (simulation, mut violations, coverage) = self.plan.run(&scenario);
        keep_what_can_recover(&simulation, &mut violations);
        self.plan
            .keep_what_should_recover(&scenario, &mut violations);
        let violations = by_kind(&violations, &scenario, &simulation);
        Ok(Explored {
            schedule,
            scenario,
            simulation,
            coverage,
            violations,
        })
    }

    /// Runs it again: the hash of its trace, if that is the same.
    ///
    /// # Errors
    /// It is not, which is a fault of linefault or of an actor that makes chance, time or order of its own.
    pub fn check_again(&self, explored: &Explored) -> Result<TraceHash, Box<Divergence>> {
        let first = &explored.simulation.trace;
        self.plan.check_again(&explored.scenario, first)
    }
}

impl Explored {
    /// The kind of violation that showed first: what else shows later follows from it more often than not.
    #[must_use]
    pub fn first(&self) -> Option<(&Kind, &Seen)> {
        self.violations.iter().min_by_key(|(_, seen)| seen.at)
    }
}

/// Drops the expectations of recovery where nothing can recover: if the program of some host is down at the end, since what
/// has panicked stays down unless somebody starts it; and if some host keeps a call whose ends have both died, since without
/// a session timer (RFC 4028) nothing ends that.
fn keep_what_can_recover(simulation: &Simulation, violations: &mut Vec<Violation>) {
    let expects = |it: &Violation| matches!(it.source, Source::Expect(_));
    if !violations.iter().any(expects) {
        return;
    }
    let lives = Lives::of(&simulation.trace);
    let mut hosts = simulation.trace.hosts().iter();
    let is_down = hosts.any(|host| !lives.is_running(host.id, simulation.ended_at));
    if is_down || keeps_a_dead_call(&Evidence::new(simulation)) {
        violations.retain(|it| !expects(it));
    }
}

/// The violations by kind; of each kind the first.
fn by_kind(
    violations: &[Violation],
    scenario: &Scenario,
    simulation: &Simulation,
) -> BTreeMap<Kind, Seen> {
    let mut kinds: BTreeMap<Kind, Seen> = BTreeMap::new();
    for violation in violations {
        let kind = Kind::of(violation, scenario, &simulation.trace);
        let seen = Seen {
            at: violation.at,
            text: violation.text.clone(),
        };
        let known = kinds.entry(kind).or_insert_with(|| seen.clone());
        if seen.at < known.at {
            *known = seen;
        }
    }
    kinds
}
