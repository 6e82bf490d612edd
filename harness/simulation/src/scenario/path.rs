//! Dotted paths, as in `--set`, `[matrix]` and `only`: "run.platform", "timeline.faults.0.at".
//!
//! Owns the walk along the tables of keys and the tree together. Refuses paths that no key answers to.

use std::ops::Range;

use super::keys::{Key, Kind, Presence, Table, Tagged, Variant};
use super::reader::written;
use super::suggest::{did_you_mean, expected};
use super::tree::{Data, Node, Word};

/// What a path leads to.
pub(super) struct Place<'a> {
    pub(super) kind: &'a Kind,
    /// What the file says there.
    pub(super) node: Option<&'a Node>,
    /// What holds where the file says nothing.
    pub(super) default: Option<Node>,
}

/// A path that leads nowhere.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct PathError {
    /// The part that nothing answers to, as a range of the path.
    pub(super) part: Range<usize>,
    word: String,
    allowed: Vec<String>,
}

impl PathError {
    /// Message, label and help.
    pub(super) fn wording(&self) -> (String, String, Option<String>) {
        let allowed: Vec<&str> = self.allowed.iter().map(String::as_str).collect();
        let message = format!("the path leads nowhere: there is no `{}`", self.word);
        let help = did_you_mean(&self.word, allowed.iter().copied());
        let label = expected(&allowed, help.is_some());
        (message, label, help)
    }
}

/// The actor of the host that a step names.
pub(super) fn actor<'a>(root: &'a Node, step: &Node) -> Option<&'a str> {
    root.get("host")?
        .get(step.get("host")?.text()?)?
        .get("actor")?
        .text()
}

/// The variant that a table is, if its tag names one.
pub(super) fn variant<'t>(root: &Node, node: &Node, tagged: &'t Tagged) -> Option<&'t Variant> {
    let name = node.get(tagged.tag)?.text()?;
    let mut named = tagged
        .variants
        .iter()
        .filter(|variant| variant.name == name);
    named.find(|variant| variant.actor.is_none() || variant.actor == actor(root, node))
}

/// Where a path leads.
pub(super) fn locate<'a>(
    root: &'a Node,
    table: &'a Table,
    path: &str,
) -> Result<Place<'a>, PathError> {
    let mut place = None;
    let mut start = 0;
    for word in path.split('.') {
        let part = start..start + word.len();
        start = part.end + 1;
        let next = match &place {
            None => key(
                table.keys.iter().filter(|key| key.name != "matrix"),
                Some(root),
                word,
            ),
            Some(place) => step(root, place, word),
        };
        place = Some(next.map_err(|allowed| PathError {
            part,
            word: word.to_owned(),
            allowed,
        })?);
    }
    place.ok_or_else(|| PathError {
        part: 0..0,
        word: String::new(),
        allowed: Vec::new(),
    })
}

/// Puts a value where a path that was located leads, with the tables that are missing on the way.
pub(super) fn put(node: &mut Node, path: &str, value: Node) {
    let Some(word) = path.split('.').next().filter(|_| !path.is_empty()) else {
        *node = value;
        return;
    };
    let rest = path.get(word.len() + 1..).unwrap_or_default();
    if node.get_mut(word).is_none()
        && let Data::Table(entries) = &mut node.data
    {
        let table = Node {
            span: value.span,
            data: Data::Table(Vec::new()),
        };
        entries.push((
            Word {
                text: word.to_owned(),
                span: value.span,
            },
            table,
        ));
    }
    if let Some(next) = node.get_mut(word) {
        put(next, rest, value);
    }
}

/// One step further; otherwise what would have been possible.
fn step<'a>(root: &Node, place: &Place<'a>, word: &str) -> Result<Place<'a>, Vec<String>> {
    match place.kind {
        Kind::Table(table) => key(table.keys.iter(), place.node, word),
        Kind::Tagged(tagged) => {
            let chosen = place.node.and_then(|node| variant(root, node, tagged));
            let further = chosen
                .map(|variant| variant.keys.as_slice())
                .unwrap_or_default();
            key(tagged.common.keys.iter().chain(further), place.node, word)
        }
        Kind::Named(_, kind) => match place.node.and_then(|node| node.get(word)) {
            Some(node) => Ok(Place {
                kind,
                node: Some(node),
                default: None,
            }),
            None => {
                let entries = place.node.map(Node::entries).unwrap_or_default();
                Err(entries.iter().map(|(word, _)| word.text.clone()).collect())
            }
        },
        Kind::List(kind) | Kind::OneOrMore(kind) => {
            let items = place.node.map(Node::items).unwrap_or_default();
            let item = word
                .parse::<usize>()
                .ok()
                .and_then(|index| items.get(index));
            let place = item.map(|node| Place {
                kind,
                node: Some(node),
                default: None,
            });
            place.ok_or_else(|| {
                (0..items.len().min(10))
                    .map(|index| index.to_string())
                    .collect()
            })
        }
        _ => Err(Vec::new()),
    }
}

fn key<'a>(
    mut keys: impl Iterator<Item = &'a Key> + Clone,
    node: Option<&'a Node>,
    word: &str,
) -> Result<Place<'a>, Vec<String>> {
    let all = keys.clone();
    let Some(key) = keys.find(|key| key.name == word) else {
        return Err(all.map(|key| key.name.to_owned()).collect());
    };
    let default = match key.presence {
        Presence::Default(text) => Some(written(text, &key.kind)),
        _ => None,
    };
    let node = node.and_then(|node| node.get(word));
    let span = node.map(|node| node.span).unwrap_or_default();
    let default = default.map(|data| Node { span, data });
    Ok(Place {
        kind: &key.kind,
        node,
        default,
    })
}
