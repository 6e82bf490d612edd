//! Where two runs part: the last that they have in common, the first in which they differ, and what led to each.
//!
//! Owns the comparison of whole traces and the check that a run repeats itself. Refuses to say which run is right, and what
//! the difference means to an actor: that is [`crate::twin`]'s.

use std::fmt;

use linefault_network::RecordId;

use crate::run::{Setup, simulate};
use crate::scenario::Scenario;
use crate::trace::{Line, Trace, TraceHash};

/// How many common records are shown.
const COMMON: usize = 5;
/// How many records of a chain of causes are shown.
const CAUSES: usize = 12;

/// The first difference between two runs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Divergence {
    /// How many records are the same.
    pub common: usize,
    /// The last of them, in order.
    pub before: Vec<Line>,
    /// What comes next in the one run; nothing if it is over. If both are, they differ in what lines do not show.
    pub left: Option<Story>,
    /// What comes next in the other.
    pub right: Option<Story>,
}

/// A record and what led to it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Story {
    /// The record.
    pub line: Line,
    /// Its cause, that one's cause, and so on.
    pub causes: Vec<Line>,
}

/// A run whose records can be read as lines, one by one.
pub trait Lines {
    /// The record of that number, counted from 0.
    fn line(&self, place: usize) -> Option<Line>;
}

impl Lines for Trace {
    fn line(&self, place: usize) -> Option<Line> {
        let id = RecordId(u32::try_from(place).ok()?);
        Some(Line::of(self, id, self.get(id)?))
    }
}

impl Lines for Vec<Line> {
    fn line(&self, place: usize) -> Option<Line> {
        self.get(place).cloned()
    }
}

impl Divergence {
    /// The first difference; nothing if every record is the same.
    #[must_use]
    pub fn between(left: &dyn Lines, right: &dyn Lines) -> Option<Self> {
        let mut common = 0;
        let (ours, theirs) = loop {
            match (left.line(common), right.line(common)) {
                (None, None) => return None,
                (ours, theirs) if ours != theirs => break (ours, theirs),
                _ => common += 1,
            }
        };
        let last = common.saturating_sub(COMMON)..common;
        Some(Self {
            common,
            before: last.filter_map(|place| left.line(place)).collect(),
            left: ours.map(|line| Story::of(line, left)),
            right: theirs.map(|line| Story::of(line, right)),
        })
    }
}

impl Story {
    fn of(line: Line, run: &dyn Lines) -> Self {
        // A cause comes earlier; of a file nobody knows.
        let cause = |line: &Line| {
            let id = line.cause.filter(|id| *id < line.id)?;
            run.line(id as usize)
        };
        let causes = std::iter::successors(cause(&line), cause).take(CAUSES);
        Self {
            causes: causes.collect(),
            line,
        }
    }
}

/// Runs a scenario twice: the hash of its trace if both runs are the same.
///
/// # Errors
/// They are not, which is a fault of linefault or of an actor that makes chance, time or order of its own.
pub fn self_check(scenario: &Scenario, setup: Setup<'_>) -> Result<TraceHash, Box<Divergence>> {
    check_again(&simulate(scenario, setup).trace, scenario, setup)
}

/// As [`self_check`], where one run is done already.
///
/// # Errors
/// As there.
pub fn check_again(
    first: &Trace,
    scenario: &Scenario,
    setup: Setup<'_>,
) -> Result<TraceHash, Box<Divergence>> {
    let second = simulate(scenario, setup).trace;
    let hash = first.hash();
    if hash == second.hash() {
        return Ok(hash);
    }
    let unseen = || Divergence {
        common: first.records().len(),
        before: Vec::new(),
        left: None,
        right: None,
    };
    Err(Box::new(
        Divergence::between(first, &second).unwrap_or_else(unseen),
    ))
}

impl fmt::Display for Divergence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let common = self.common;
        if (&self.left, &self.right) == (&None, &None) {
            return writeln!(f, "{common} records read the same, but their hashes differ");
        }
        writeln!(f, "{common} records are the same; the last of them:")?;
        for line in &self.before {
            writeln!(f, "  {line}")?;
        }
        tell(f, "A", self.left.as_ref(), self.right.as_ref())?;
        tell(f, "B", self.right.as_ref(), self.left.as_ref())
    }
}

impl std::error::Error for Divergence {}

/// One side: the record, what of it the other side does not say, and how it came to it.
fn tell(
    f: &mut fmt::Formatter<'_>,
    name: &str,
    this: Option<&Story>,
    other: Option<&Story>,
) -> fmt::Result {
    let Some(story) = this else {
        return writeln!(f, "{name} is over");
    };
    writeln!(f, "{name} {}", story.line)?;
    if let Some(other) = other.filter(|other| other.line.event == story.line.event) {
        for (field, value) in &story.line.fields {
            let theirs = other.line.fields.iter().find(|(name, _)| name == field);
            if let Some(theirs) = theirs.filter(|(_, theirs)| theirs != value) {
                writeln!(f, "    {field} differs: {}", around(value, &theirs.1))?;
            }
        }
    }
    for cause in &story.causes {
        writeln!(f, "    because {}", cause.to_string().trim_start())?;
    }
    Ok(())
}

/// The place at which a value differs from another, with a little before it.
fn around(value: &str, other: &str) -> String {
    const BEFORE: usize = 24;
    const SHOWN: usize = 80;
    let pairs = value.chars().zip(other.chars());
    let same = pairs.take_while(|(ours, theirs)| ours == theirs).count();
    let from = same.saturating_sub(BEFORE);
    let shown: String = value.chars().skip(from).take(SHOWN).collect();
    let (begin, end) = (
        if from > 0 { "…" } else { "" },
        if value.chars().count() > from + SHOWN {
            "…"
        } else {
            ""
        },
    );
    format!("{begin}{shown}{end}")
}

#[cfg(test)]
mod tests;
