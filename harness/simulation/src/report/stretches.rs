//! Which parts of a long ladder a reader may skip.
//!
//! Owns what counts as eventful. Folds nothing itself: a stretch says which rungs it is about and what they are, and
//! whoever renders it shows that in their place.

use std::collections::BTreeMap;
use std::ops::Range;

use super::chart::{Rung, Style};

/// Ladders up to here are shown whole.
const LONG: usize = 1000;
/// What is shown before and after each event, and at both ends.
const AROUND: usize = 12;
/// A stretch shorter than that is not worth a fold.
const SHORTEST: usize = 24;

/// Rungs that may be folded into one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stretch {
    /// Which rungs.
    pub rungs: Range<usize>,
    /// What they are: "1204 rows: 600 request, 604 success".
    pub summary: String,
}

/// The stretches of a ladder, in order; none in a short one.
pub(super) fn stretches(rungs: &[Rung]) -> Vec<Stretch> {
    if rungs.len() <= LONG {
        return Vec::new();
    }
    let mut found = Vec::new();
    let mut from = AROUND;
    let events = rungs.iter().enumerate().filter(|(_, rung)| eventful(rung));
    let ends = std::iter::once(rungs.len());
    for event in events.map(|(place, _)| place).chain(ends) {
        let until = event.saturating_sub(AROUND);
        if from + SHORTEST <= until {
            found.push(Stretch {
                rungs: from..until,
                summary: summary(&rungs[from..until]),
            });
        }
        from = from.max(event + AROUND + 1);
    }
    found
}

fn eventful(rung: &Rung) -> bool {
    let style = matches!(
        rung.style,
        Style::Warn
            | Style::Error
            | Style::Fault
            | Style::FaultOver
            | Style::Panic
            | Style::Violation
    );
    style || rung.lost || rung.faulted
}

fn summary(rungs: &[Rung]) -> String {
    let mut counts: BTreeMap<Style, usize> = BTreeMap::new();
    for rung in rungs {
        *counts.entry(rung.style).or_default() += 1;
    }
    let kinds = counts
        .iter()
        .map(|(style, count)| format!("{count} {}", style.name()));
    let kinds: Vec<_> = kinds.collect();
    format!("{} rows folded: {}", rungs.len(), kinds.join(", "))
}
