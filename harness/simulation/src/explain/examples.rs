//! An example for each fault, actor, step, oracle and defect: where in the scenarios one stands, and its text.
//!
//! The command has no scenarios with it, so it carries the excerpts; a test holds them against the files, and
//! `UPDATE_MANUAL=1` replaces those that no longer stand there.

use std::fmt;

use super::Subject;

/// The excerpts: `## subject name`, the scenario's path, the lines.
const EXCERPTS: &str = include_str!("examples.txt");

/// What begins an excerpt.
const BEGIN: &str = "## ";

/// An excerpt of a scenario.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Example {
    /// The scenario's file below `scenarios`, without its ending.
    pub scenario: &'static str,
    /// Lines of it.
    pub text: &'static str,
}

impl Example {
    /// The example of a name, where its page has one of its own.
    #[must_use]
    pub fn of(subject: Subject, name: &str) -> Option<Self> {
        let wanted = format!("{} {name}", subject.name());
        let excerpts = EXCERPTS.split(BEGIN).skip(1);
        let mut parts = excerpts.map(|excerpt| excerpt.splitn(3, '\n'));
        parts.find_map(|mut parts| {
            let found = parts.next()? == wanted;
            let (scenario, text) = (parts.next()?, parts.next()?);
            found.then_some(Self {
                scenario,
                text: text.trim_end(),
            })
        })
    }
}

impl fmt::Display for Example {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { scenario, text } = self;
        write!(
            f,
            "\nAs in `scenarios/{scenario}.toml`:\n\n```toml\n{text}\n```\n"
        )
    }
}
