//! Short names for what chance made up: Call-IDs, branches and tags, numbered as they appear.

use std::collections::BTreeSet;

use crate::evidence::Evidence;

/// Shorter ones are not of chance's making but written by an author, and would be found everywhere.
const SHORTEST: usize = 8;

/// What to call each identifier of a run.
#[derive(Debug)]
pub(crate) struct Aliases {
    /// The longest identifier first, so that none is cut up by one that it contains.
    names: Vec<(String, String)>,
}

impl Aliases {
    pub(crate) fn of(evidence: &Evidence<'_>) -> Self {
        let mut names = Vec::new();
        let mut known = BTreeSet::new();
        let mut counts = [0_u32; 3];
        let messages = evidence
            .transmissions
            .iter()
            .filter_map(|sent| sent.message.as_deref());
        for message in messages {
            let identifiers = [
                (0, "call", Some(message.call_id.clone())),
                (1, "branch", Some(message.branch.clone())),
                (2, "tag", message.message.from_tag().map(str::to_owned)),
                (2, "tag", message.message.to_tag().map(str::to_owned)),
            ];
            for (kind, word, identifier) in identifiers {
                let Some(identifier) = identifier.filter(|identifier| identifier.len() >= SHORTEST)
                else {
                    continue;
                };
                if known.insert(identifier.clone()) {
                    counts[kind] += 1;
                    names.push((identifier, format!("{word}-{}", counts[kind])));
                }
            }
        }
        names.sort_by_key(|(identifier, _)| std::cmp::Reverse(identifier.len()));
        Self { names }
    }

    /// The text with every identifier replaced.
    pub(crate) fn apply(&self, text: &str) -> String {
        let present = self
            .names
            .iter()
            .filter(|(identifier, _)| text.contains(identifier.as_str()));
        present.fold(text.to_owned(), |text, (identifier, name)| {
            text.replace(identifier.as_str(), name)
        })
    }
}
