//! What holds only in some combinations: the axes of the matrix, and `only`.

use std::collections::BTreeSet;

use super::keys::Kind;
use super::path;
use super::reader::Reader;
use super::record::Value;
use super::suggest::{did_you_mean, one_of};
use super::tree::{Data, Node, Word};

impl Reader<'_> {
    /// The shape of the matrix; its values are checked where they are put.
    pub(super) fn matrix(&mut self, node: &Node) {
        for (word, item) in node.entries() {
            if matches!(item.data, Data::Table(_)) {
                let help = Some("write the path in quotes: \"run.platform\" = [...]".to_owned());
                self.mistake(
                    word.span,
                    "an axis is one dotted path",
                    "found a table",
                    help,
                );
                continue;
            }
            if let Err(error) = path::locate(self.root, self.table, &word.text) {
                let (message, label, help) = error.wording();
                self.mistake(word.span, message, label, help);
                continue;
            }
            match &item.data {
                Data::List(items) if items.is_empty() => {
                    let message = format!("the axis `{}` has no values", word.text);
                    self.mistake(item.span, message, "expected at least one value", None);
                }
                Data::List(items) => self.repeated(items),
                _ => self.wrong_type(item, "a list"),
            }
        }
    }

    fn repeated(&mut self, items: &[Node]) {
        let mut seen = BTreeSet::new();
        for item in items {
            let value = item.inline();
            if seen.contains(&value) {
                let message = format!("`{value}` stands twice on one axis");
                self.mistake(item.span, message, "expected another value", None);
            }
            seen.insert(value);
        }
    }

    /// Whether all that is asked for is so in this combination.
    pub(super) fn only(&mut self, node: &Node) -> bool {
        node.entries()
            .iter()
            .fold(true, |holds, (word, item)| self.asked(word, item) && holds)
    }

    fn asked(&mut self, word: &Word, item: &Node) -> bool {
        if matches!(item.data, Data::Table(_)) {
            let help =
                Some("write the path in quotes: { \"run.platform\" = \"macos\" }".to_owned());
            self.mistake(
                word.span,
                "`only` asks for one dotted path",
                "found a table",
                help,
            );
            return false;
        }
        let place = match path::locate(self.root, self.table, &word.text) {
            Ok(place) => place,
            Err(error) => {
                let (message, label, help) = error.wording();
                self.mistake(word.span, message, label, help);
                return false;
            }
        };
        let asked = match &item.data {
            Data::List(items) => items.as_slice(),
            _ => std::slice::from_ref(item),
        };
        let found = place.node.or(place.default.as_ref());
        let found = found.and_then(|node| self.quietly(node, place.kind));
        let values: Vec<Value> = asked
            .iter()
            .filter_map(|item| self.value(item, place.kind))
            .collect();
        self.beyond_axis(&word.text, asked);
        values.iter().any(|value| Some(value) == found.as_ref())
    }

    /// A value that is on no axis would never apply.
    fn beyond_axis(&mut self, path: &str, asked: &[Node]) {
        let root = self.root;
        let Some(axis) = root.get("matrix").and_then(|matrix| matrix.get(path)) else {
            return;
        };
        for item in asked {
            if !axis.items().is_empty()
                && axis
                    .items()
                    .iter()
                    .all(|value| value.inline() != item.inline())
            {
                let values: Vec<String> = axis.items().iter().map(Node::inline).collect();
                let label = format!("expected {}", one_of(values.iter().map(String::as_str)));
                let message = format!("`{}` is not on the axis `{path}`", item.inline());
                let help = did_you_mean(&item.inline(), values.iter().map(String::as_str));
                self.mistake(item.span, message, label, help);
            }
        }
    }

    /// Reads what is reported elsewhere if it is wrong.
    fn quietly(&mut self, node: &Node, kind: &Kind) -> Option<Value> {
        let known = self.mistakes.len();
        let value = self.value(node, kind);
        self.mistakes.truncate(known);
        value
    }
}
