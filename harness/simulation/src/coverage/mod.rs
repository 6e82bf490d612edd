//! What a campaign of runs has tried: which faults hit which messages, which timers fired in which states, by which
//! checkpoints the actors' programs came.
//!
//! Owns counting and its two tables. Reads nothing but traces, and takes what is possible from where it is decided: the
//! catalogue of faults, the tables of the transaction machines. Refuses to judge: a hole is no violation.

mod item;
mod json;
mod message;
mod reader;
mod said;
mod table;
#[cfg(test)]
mod tests;
mod touch;

use std::collections::BTreeMap;

use crate::evidence::Evidence;
use crate::scenario::Scenario;

pub use item::{FaultKind, Item};
pub use json::CoverageError;
pub use message::MessageKind;

/// In how many runs each thing happened that is worth trying.
///
/// Runs are counted, not occurrences: what repeats within one run is tried once. Merging is commutative and associative,
/// so that the sum over a campaign does not depend on who ran what.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Coverage {
    runs: u64,
    counts: BTreeMap<Item, u64>,
}

impl Coverage {
    /// What one run tried.
    #[must_use]
    pub fn of(evidence: &Evidence<'_>, scenario: &Scenario) -> Self {
        let items = reader::items(evidence, scenario);
        Self {
            runs: 1,
            counts: items.into_iter().map(|item| (item, 1)).collect(),
        }
    }

    /// Adds other runs to these. Counts stop at their greatest value.
    pub fn merge(&mut self, other: &Self) {
        self.runs = self.runs.saturating_add(other.runs);
        for (item, count) in &other.counts {
            let sum = self.counts.entry(*item).or_default();
            *sum = sum.saturating_add(*count);
        }
    }

    /// How many runs these are.
    #[must_use]
    pub const fn runs(&self) -> u64 {
        self.runs
    }

    /// In how many of them that happened.
    #[must_use]
    pub fn count(&self, item: Item) -> u64 {
        self.counts.get(&item).copied().unwrap_or_default()
    }

    /// Everything that happened in any of them, in order, with the number of runs.
    pub fn items(&self) -> impl Iterator<Item = (Item, u64)> {
        self.counts.iter().map(|(item, count)| (*item, *count))
    }

    fn has(&self, item: Item) -> bool {
        self.counts.contains_key(&item)
    }
}
