//! When two violations are one finding.

use std::fmt;

use crate::scenario::Scenario;
use crate::trace::Trace;
use crate::verdict::Violation;

/// What a violation is, apart from times, names and numbers: runs that show the same kind show the same fault, as far as
/// can be told from outside.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Kind {
    /// The oracle's or the expectation's name.
    pub name: String,
    /// The actor of the host that is blamed, if one is.
    pub actor: Option<String>,
    /// The violation's text without what differs from run to run.
    pub shape: String,
}

impl Kind {
    /// The kind of a violation of that scenario's run.
    pub(super) fn of(violation: &Violation, scenario: &Scenario, trace: &Trace) -> Self {
        let host = violation.host.map(|host| trace.host_name(host));
        let host = host.and_then(|name| scenario.host_index(name));
        let actor = host.map(|host| scenario.host(host).actor.name.to_owned());
        Self {
            name: violation.name.clone(),
            actor,
            shape: shape(&violation.text, scenario),
        }
    }

    /// A short name for it, the same in every run and on every machine.
    #[must_use]
    pub fn hash(&self) -> String {
        let actor = self.actor.as_deref().unwrap_or_default();
        let text = format!("{}\n{actor}\n{}", self.name, self.shape);
        let hash = xxhash_rust::xxh3::xxh3_64(text.as_bytes());
        format!("{:08x}", hash >> 32)
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.actor {
            Some(actor) => write!(f, "{} of a {actor}", self.name),
            None => f.write_str(&self.name),
        }
    }
}

/// The words of a text that are no names of hosts and hold no digit, quotation or address; a status code stays, since it
/// tells faults apart.
fn shape(text: &str, scenario: &Scenario) -> String {
    let is_status = |word: &str| word.len() == 3 && word.bytes().all(|b| b.is_ascii_digit());
    let varies = |word: &str| {
        let bare = word.trim_matches(|c: char| !c.is_ascii_alphanumeric());
        let holds = |c: char| c.is_ascii_digit() || "`\"'@=".contains(c);
        (word.contains(holds) && !is_status(bare)) || scenario.host_index(bare).is_some()
    };
    let words = text.split_ascii_whitespace();
    let kept: Vec<&str> = words
        .map(|word| if varies(word) { "…" } else { word })
        .collect();
    kept.join(" ")
}
