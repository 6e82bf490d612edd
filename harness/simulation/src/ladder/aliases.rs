//! Short names for what chance made up: Call-IDs, branches and tags, numbered as they appear.

use std::collections::{BTreeMap, BTreeSet};

use crate::evidence::Evidence;

/// Shorter ones are not of chance's making but written by an author, and would be found everywhere.
const SHORTEST: usize = 8;

/// What to call each identifier of a run.
#[derive(Debug, Default)]
pub(crate) struct Aliases {
    /// By how they begin; of those that begin alike the longest first, so that none is cut up by one that it contains.
    names: BTreeMap<[u8; SHORTEST], Vec<(String, String)>>,
}

impl Aliases {
    pub(crate) fn of(evidence: &Evidence<'_>) -> Self {
        let mut aliases = Self::default();
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
                    aliases.add(identifier, format!("{word}-{}", counts[kind]));
                }
            }
        }
        aliases
    }

    fn add(&mut self, identifier: String, name: String) {
        let Some(begin) = identifier.as_bytes().first_chunk() else {
            return;
        };
        let alike = self.names.entry(*begin).or_default();
        let place = alike.partition_point(|(known, _)| known.len() >= identifier.len());
        alike.insert(place, (identifier, name));
    }

    /// The text with every identifier replaced. Takes as long as the text is, however many identifiers there are.
    pub(crate) fn apply(&self, text: &str) -> String {
        let mut applied = String::with_capacity(text.len());
        let mut rest = text;
        while let Some(first) = rest.chars().next() {
            match self.at_front(rest) {
                Some((identifier, name)) => {
                    applied.push_str(name);
                    rest = &rest[identifier.len()..];
                }
                None => {
                    applied.push(first);
                    rest = &rest[first.len_utf8()..];
                }
            }
        }
        applied
    }

    fn at_front(&self, text: &str) -> Option<&(String, String)> {
        let alike = self.names.get(text.as_bytes().first_chunk()?)?;
        alike
            .iter()
            .find(|(identifier, _)| text.starts_with(identifier.as_str()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    // Of two that begin alike the longer one counts, wherever they were added; what is none stays.
    #[test]
    fn identifiers_are_replaced_wherever_they_stand() {
        let mut aliases = Aliases::default();
        aliases.add("z9hG4bK-a".to_owned(), "branch-1".to_owned());
        aliases.add("z9hG4bK-abc".to_owned(), "branch-2".to_owned());
        aliases.add("12345678".to_owned(), "tag-1".to_owned());
        let text = "é z9hG4bK-abc=z9hG4bK-ab;012345678 1234567";
        assert_eq!(aliases.apply(text), "é branch-2=branch-1b;0tag-1 1234567");
    }
}
