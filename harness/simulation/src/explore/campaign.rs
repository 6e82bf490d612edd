//! Many seeds of many plans, on all cores.
//!
//! Owns the blocks of seeds that workers take, and the tally of what they saw. A block's tally is a function of the
//! binary, the plan and the seeds, and tallies add up in any order: so neither the number of workers nor who ran what
//! shows in a result.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::thread;

use super::{Explored, Explorer, Kind, Plan, Seen};
use crate::coverage::Coverage;
use crate::panics;

/// Seeds in one block.
pub const BLOCK: u64 = 50;

/// Every seed that this divides is run twice: 5 % of them.
const CHECK_EVERY: u64 = 20;

/// What a number of runs showed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// How many runs there were.
    pub runs: u64,
    /// How many of them violated something.
    pub violating: u64,
    /// How many were run twice, to see whether they are the same.
    pub checked: u64,
    /// What was violated first in them, by kind.
    pub findings: BTreeMap<Kind, Finding>,
    /// What became of the drawn faults, by their names.
    pub faults: BTreeMap<String, FaultTally>,
    /// What was tried.
    pub coverage: Coverage,
    /// Seeds with which linefault itself failed, and how.
    pub crashes: BTreeMap<u64, String>,
}

/// A kind of violation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// The lowest seed that showed it before anything else.
    pub seed: u64,
    /// What was seen with that seed.
    pub seen: Seen,
    /// How many faults were drawn for it.
    pub drawn: usize,
    /// How many runs showed it before anything else.
    pub runs: u64,
}

/// What became of the drawn faults of one name.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct FaultTally {
    /// How many were drawn.
    pub drawn: u64,
    /// How many of those concerned a packet, call or host.
    pub matched: u64,
    /// How many altered one.
    pub applied: u64,
}

/// One block of seeds of one plan.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Block {
    /// Which plan.
    pub plan: usize,
    /// Which seeds.
    pub seeds: Range<u64>,
}

/// The blocks of a campaign: seed by seed through all plans, so that whoever stops early has seen some of each.
#[must_use]
pub fn blocks(plans: usize, seeds: &Range<u64>) -> Vec<Block> {
    let begins = (seeds.start..seeds.end).step_by(BLOCK as usize);
    let blocks = begins.flat_map(|begin| {
        let end = begin.saturating_add(BLOCK).min(seeds.end);
        (0..plans).map(move |plan| Block {
            plan,
            seeds: begin..end,
        })
    });
    blocks.collect()
}

/// Runs blocks on so many threads and hands on each block's tally as it is done, in whatever order. `go_on` is asked
/// before each block.
pub fn run(
    plans: &[Plan],
    blocks: &[Block],
    workers: usize,
    go_on: &(dyn Fn() -> bool + Sync),
    take: &mut (dyn FnMut(usize, Tally) + Send),
) {
    let next = AtomicUsize::new(0);
    let take = Mutex::new(take);
    thread::scope(|scope| {
        for _ in 0..workers.clamp(1, blocks.len().max(1)) {
            scope.spawn(|| {
                let explorers: Vec<_> = plans.iter().map(Explorer::new).collect();
                while go_on() {
                    let place = next.fetch_add(1, Ordering::Relaxed);
                    let Some(block) = blocks.get(place) else {
                        return;
                    };
                    let tally = tally(&explorers[block.plan], block.seeds.clone());
                    // A panic in `take` is the caller's own; the other workers' tallies are still good.
                    let mut take = take.lock().unwrap_or_else(PoisonError::into_inner);
                    take(place, tally);
                }
            });
        }
    });
}

/// Runs some seeds.
#[must_use]
pub fn tally(explorer: &Explorer<'_>, seeds: Range<u64>) -> Tally {
    let mut tally = Tally::default();
    for seed in seeds {
        tally.runs += 1;
        match panics::catch(|| explorer.run(seed)) {
            Ok(Ok(explored)) => tally.add(explorer, seed, &explored),
            Ok(Err(wrong)) => drop(tally.crashes.insert(seed, wrong.render(false))),
            Err(panic) => drop(tally.crashes.insert(seed, panic)),
        }
    }
    tally
}

impl Tally {
    fn add(&mut self, explorer: &Explorer<'_>, seed: u64, explored: &Explored) {
        self.coverage.merge(&explored.coverage);
        if seed.is_multiple_of(CHECK_EVERY) {
            self.checked += 1;
            if let Err(divergence) = explorer.check_again(explored) {
                let how = format!("the same run was another the second time\n{divergence}");
                self.crashes.insert(seed, how);
            }
        }
        let counted = explored
            .scenario
            .faults
            .iter()
            .zip(&explored.simulation.faults);
        for (fault, count) in counted {
            let tally = self.faults.entry(fault.name.to_owned()).or_default();
            tally.drawn += 1;
            tally.matched += u64::from(count.matched > 0);
            tally.applied += u64::from(count.applied > 0);
        }
        let Some((kind, seen)) = explored.first() else {
            return;
        };
        self.violating += 1;
        let finding = Finding {
            seed,
            seen: seen.clone(),
            drawn: explored.scenario.faults.len(),
            runs: 1,
        };
        self.note(kind, finding);
    }

    fn note(&mut self, kind: &Kind, finding: Finding) {
        match self.findings.get_mut(kind) {
            None => drop(self.findings.insert(kind.clone(), finding)),
            Some(known) => {
                let runs = known.runs + finding.runs;
                if finding.seed < known.seed {
                    *known = finding;
                }
                known.runs = runs;
            }
        }
    }

    /// Adds what other runs showed.
    pub fn merge(&mut self, other: &Self) {
        self.runs += other.runs;
        self.violating += other.violating;
        self.checked += other.checked;
        self.coverage.merge(&other.coverage);
        for (kind, finding) in &other.findings {
            self.note(kind, finding.clone());
        }
        for (name, theirs) in &other.faults {
            let ours = self.faults.entry(name.clone()).or_default();
            ours.drawn += theirs.drawn;
            ours.matched += theirs.matched;
            ours.applied += theirs.applied;
        }
        self.crashes
            .extend(other.crashes.iter().map(|(seed, how)| (*seed, how.clone())));
    }
}
