//! A scenario file as data that can be changed: exploration adds to it, shrinking takes away from it.
//!
//! Owns the changes and the way back to a file. Refuses to judge a change: whether what came of it is still a
//! scenario is the reader's to say, as with any other file.

use std::sync::Arc;

use super::diagnostic::Diagnostics;
use super::file::File;
use super::matrix::{Combination, Override};
use super::model::{Fault, Run, Scenario};
use super::path;
use super::tree::{Data, Node, Word};

/// One combination of a scenario file, as data.
#[derive(Clone)]
pub struct Draft {
    file: Arc<File>,
    root: Node,
}

impl Draft {
    /// The file in one combination and with some keys set from outside. What depends on the matrix is decided, and
    /// the matrix gone.
    ///
    /// # Errors
    /// An override that leads nowhere.
    pub fn new(
        file: &Arc<File>,
        combination: &Combination,
        overrides: &[Override],
    ) -> Result<Self, Diagnostics> {
        let (root, mistakes) = file.settled(combination, overrides);
        let mut draft = Self {
            file: Arc::clone(file),
            root,
        };
        draft.remove("matrix");
        file.checked(draft, mistakes)
    }

    /// The scenario that it describes by now.
    ///
    /// # Errors
    /// Every mistake that the changes have made of it. Places are those of the original file, where there are any.
    pub fn scenario(&self) -> Result<Scenario, Diagnostics> {
        let sources = self.file.sources(&[]);
        match self.file.lowered(&self.root) {
            (Some(scenario), mistakes) if mistakes.is_empty() => Ok(Scenario {
                sources,
                ..scenario
            }),
            (_, mistakes) => Err(Diagnostics::new(sources, mistakes)),
        }
    }

    /// What these inline tables would be as its faults, without reading everything else anew.
    ///
    /// # Errors
    /// Every mistake in them.
    pub fn faults(&self, tables: &[String], run: &Run) -> Result<Vec<Fault>, Diagnostics> {
        let items = tables.iter().map(|table| Node::argument(table, 0, 0));
        let faults = entry("faults", Data::List(items.collect()));
        let timeline = Node {
            span: self.root.span,
            data: Data::Table(vec![faults]),
        };
        let (faults, mistakes) = self.file.lowered_faults(&self.root, &timeline, run);
        self.file.checked(faults, mistakes)
    }

    /// Sets a key to a TOML value; what is no TOML is a text. Tables on the way are made.
    pub fn set(&mut self, path: &str, value: &str) {
        path::put(&mut self.root, path, Node::argument(value, 0, 0));
    }

    /// Sets a key to a list of TOML values.
    pub fn set_list(&mut self, path: &str, items: &[String]) {
        let items = items.iter().map(|item| Node::argument(item, 0, 0));
        let list = Node {
            span: self.root.span,
            data: Data::List(items.collect()),
        };
        path::put(&mut self.root, path, list);
    }

    /// Removes a key, or an item of a list. Whether it was there.
    pub fn remove(&mut self, path: &str) -> bool {
        let (parent, word) = match path.rsplit_once('.') {
            None => (Some(&mut self.root), path),
            Some((parent, word)) => (descend(&mut self.root, parent), word),
        };
        match parent.map(|parent| &mut parent.data) {
            Some(Data::Table(entries)) => {
                let before = entries.len();
                entries.retain(|(key, _)| key.text != word);
                entries.len() < before
            }
            Some(Data::List(items)) => {
                let index = word.parse().ok().filter(|index| *index < items.len());
                index.map(|index: usize| items.remove(index)).is_some()
            }
            _ => false,
        }
    }

    /// The keys of a table, in file order, or the indices of a list; nothing of what is neither.
    #[must_use]
    pub fn keys(&self, path: &str) -> Vec<String> {
        match self.node(path).map(|node| &node.data) {
            Some(Data::Table(entries)) => {
                entries.iter().map(|(word, _)| word.text.clone()).collect()
            }
            Some(Data::List(items)) => (0..items.len()).map(|index| index.to_string()).collect(),
            _ => Vec::new(),
        }
    }

    /// The value of a key as an override would write it; texts without quotes.
    #[must_use]
    pub fn value(&self, path: &str) -> Option<String> {
        self.node(path).map(Node::inline)
    }

    /// The value of a key as TOML.
    #[must_use]
    pub fn toml(&self, path: &str) -> Option<String> {
        self.node(path).map(Node::toml)
    }

    fn node(&self, path: &str) -> Option<&Node> {
        path.split('.')
            .try_fold(&self.root, |node, word| match &node.data {
                Data::List(items) => items.get(word.parse::<usize>().ok()?),
                _ => node.get(word),
            })
    }

    /// The file that it is by now: `head` as a comment in front, then the keys in the order of the format.
    #[must_use]
    pub fn to_toml(&self, schema: &str, head: &str) -> String {
        let mut text = format!("#:schema {schema}\n");
        for line in head.lines() {
            text.push_str(format!("# {line}").trim_end());
            text.push('\n');
        }
        let is_section = |node: &Node| match &node.data {
            Data::Table(_) => true,
            Data::List(items) => items.iter().any(|item| matches!(item.data, Data::Table(_))),
            _ => false,
        };
        let (sections, plain): (Vec<_>, Vec<_>) = self
            .root
            .entries()
            .iter()
            .partition(|(_, node)| is_section(node));
        for (word, node) in plain {
            text.push_str(&format!("{} = {}\n", word.toml(), node.toml()));
        }
        for (word, node) in sections {
            section(&mut text, word, node);
        }
        text
    }
}

/// A table, a table of named tables, or a list of tables.
fn section(text: &mut String, word: &Word, node: &Node) {
    let named = ["lan", "host"].contains(&word.text.as_str());
    match &node.data {
        Data::List(items) => items.iter().for_each(|item| {
            text.push_str(&format!("\n[[{}]]\n", word.toml()));
            lines(text, item);
        }),
        _ if named => node.entries().iter().for_each(|(name, table)| {
            text.push_str(&format!("\n[{}.{}]\n", word.toml(), name.toml()));
            lines(text, table);
        }),
        _ => {
            text.push_str(&format!("\n[{}]\n", word.toml()));
            lines(text, node);
        }
    }
}

/// The keys of a table, one a line; a list of tables with one item a line.
fn lines(text: &mut String, table: &Node) {
    for (word, node) in table.entries() {
        let tables = node
            .items()
            .iter()
            .any(|item| matches!(item.data, Data::Table(_)));
        if tables {
            text.push_str(&format!("{} = [\n", word.toml()));
            for item in node.items() {
                text.push_str(&format!("  {},\n", item.toml()));
            }
            text.push_str("]\n");
        } else {
            text.push_str(&format!("{} = {}\n", word.toml(), node.toml()));
        }
    }
}

fn entry(key: &str, data: Data) -> (Word, Node) {
    let word = Word {
        text: key.to_owned(),
        span: super::diagnostic::Span::default(),
    };
    let span = word.span;
    (word, Node { span, data })
}

fn descend<'a>(root: &'a mut Node, path: &str) -> Option<&'a mut Node> {
    path.split('.')
        .try_fold(root, |node, word| node.get_mut(word))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::suite::names;

    const TEXT: &str = r#"
title = "A \"call\" \\ and more"
tags = ["a", "b"]

[matrix]
"run.platform" = ["macos", "linux"]

[run]
seed = 7

[lan.office]
subnet = "192.168.8.0/24"

[host.proxy]
actor = "proxy"
domain = "sim.test"

[host.alice]
actor = "phone"
user = "1001"
registrar = "proxy"
answer = { ring = "100ms", pick_up = "1s" }

[[link]]
from = "alice"
to = "proxy"
latency = "1ms"

[timeline]
steps = [
  { at = "0s", host = "alice", do = "register" },
  { at = "1s", host = "proxy", do = "send", to = "alice", raw = "OPTIONS\n\tx" },
]
faults = [{ at = "2s", fault = "power-off", host = "alice", for = "3s" }]
"#;

    fn draft() -> Draft {
        let file = File::read("test.toml", TEXT, &names()).map_err(|wrong| wrong.render(false));
        let file = Arc::new(file.unwrap_or_else(|wrong| panic!("{wrong}")));
        let combination = file.combinations().remove(0);
        Draft::new(&file, &combination, &[])
            .unwrap_or_else(|wrong| panic!("{}", wrong.render(false)))
    }

    /// What was written and read again is the same data: nothing is lost on the way to a file and back.
    #[test]
    fn a_draft_survives_the_way_to_a_file_and_back() {
        let draft = draft();
        let text = draft.to_toml("../scenario.schema.json", "What it is.\n\nAnd why.");
        let read = File::read("again.toml", &text, &names());
        let read = Arc::new(read.unwrap_or_else(|wrong| panic!("{}", wrong.render(false))));
        let again = Draft::new(&read, &Combination::default(), &[]);
        let again = again.unwrap_or_else(|wrong| panic!("{}", wrong.render(false)));
        assert_eq!(
            again.to_toml("../scenario.schema.json", "What it is.\n\nAnd why."),
            text
        );
        insta::assert_snapshot!(text);
    }

    /// The faults that are read apart are those that the whole file has.
    #[test]
    fn faults_that_are_read_apart_are_the_faults_of_the_file() {
        let mut draft = draft();
        let scenario = draft.scenario().expect("sound");
        let tables = [
            "{ at = \"4s\", fault = \"drop\", from = \"alice\", to = \"proxy\", message = \"INVITE\" }",
        ];
        let tables = tables.map(str::to_owned);
        let apart = draft.faults(&tables, &scenario.run).expect("sound");
        draft.set_list("timeline.faults", &tables);
        let whole = draft.scenario().expect("sound").faults;
        assert_eq!(format!("{apart:?}"), format!("{whole:?}"));
        assert!(
            draft
                .faults(&["{ fault = \"drop\" }".to_owned()], &scenario.run)
                .is_err()
        );
    }

    #[test]
    fn keys_and_items_can_be_taken_away() {
        let mut draft = draft();
        assert_eq!(draft.keys("timeline.steps"), ["0", "1"]);
        assert!(draft.remove("timeline.steps.0"));
        assert_eq!(draft.keys("timeline.steps"), ["0"]);
        assert_eq!(draft.value("timeline.steps.0.do").as_deref(), Some("send"));
        assert!(draft.remove("host.alice.answer"));
        assert!(!draft.remove("host.alice.answer"));
        assert!(!draft.remove("timeline.steps.7"));
        assert_eq!(draft.keys("host"), ["proxy", "alice"]);
        assert!(draft.remove("host.alice"));
        assert!(
            draft.scenario().is_err(),
            "the link names a host that is gone"
        );
    }
}
