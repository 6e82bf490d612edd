//! The one reader: a tree of values against tables of keys.
//!
//! Owns every mistake that can be seen by looking at one table: unknown keys, missing ones, wrong types,
//! words that name nothing. It goes on after a mistake, so that all are found in one go. Refuses what only
//! shows when tables are held against each other; that is `lower`'s.

use super::diagnostic::{Diagnostic, Span};
use super::keys::{Key, Kind, Presence, Table, Tagged, Variant};
use super::path;
use super::record::Record;
use super::suggest::{all_of, did_you_mean, expected, one_of};
use super::tree::{Data, Node, Word};

/// Reads one tree.
pub(super) struct Reader<'a> {
    pub(super) root: &'a Node,
    pub(super) table: &'a Table,
    pub(super) mistakes: Vec<Diagnostic>,
}

impl<'a> Reader<'a> {
    /// A reader of that tree, whose keys are in that table.
    pub(super) const fn new(root: &'a Node, table: &'a Table) -> Self {
        Self {
            root,
            table,
            mistakes: Vec::new(),
        }
    }

    /// Reads the whole tree.
    pub(super) fn document(&mut self) -> Record {
        self.record(self.root, self.table, None)
    }

    /// Notes a mistake.
    pub(super) fn mistake(
        &mut self,
        span: Span,
        message: impl Into<String>,
        label: impl Into<String>,
        help: Option<String>,
    ) {
        let (message, label) = (message.into(), label.into());
        self.mistakes.push(Diagnostic {
            message,
            span,
            label,
            help,
        });
    }

    /// The author's names of a kind of thing: "host", "lan".
    pub(super) fn names(&self, of: &str) -> Vec<&'a str> {
        let entries = self.root.get(of).map(Node::entries).unwrap_or_default();
        entries.iter().map(|(word, _)| word.text.as_str()).collect()
    }

    /// The actor on the host of that name, if there is such a host and such an actor.
    pub(super) fn actor_of(&self, host: &str) -> Option<&'a str> {
        let actor = self.root.get("host")?.get(host)?.get("actor")?.text()?;
        let hosts = self.table.keys.iter().find(|key| key.name == "host")?;
        let Kind::Named(_, item) = &hosts.kind else {
            return None;
        };
        let Kind::Tagged(tagged) = &**item else {
            return None;
        };
        tagged
            .variants
            .iter()
            .any(|variant| variant.name == actor)
            .then_some(actor)
    }

    /// Reads a table: its own keys, and further ones where it comes in variants.
    pub(super) fn record(
        &mut self,
        node: &Node,
        table: &Table,
        variant: Option<&Variant>,
    ) -> Record {
        let further = variant
            .map(|variant| variant.keys.as_slice())
            .unwrap_or_default();
        let keys: Vec<&Key> = table.keys.iter().chain(further).collect();
        let mut record = Record {
            span: node.span,
            variant: variant.map(|variant| variant.name),
            ..Record::default()
        };
        for (word, value) in node.entries() {
            match keys.iter().find(|key| key.name == word.text) {
                Some(key) => {
                    record.written.push((key.name, value.span));
                    self.field(&mut record, key, value);
                }
                None => self.unknown_key(word, &keys, variant),
            }
        }
        for key in keys.iter().filter(|key| node.get(key.name).is_none()) {
            match key.presence {
                Presence::Optional => {}
                Presence::Required => self.missing(node.span, key, variant),
                Presence::Default(text) => {
                    let value = Node {
                        span: node.span,
                        data: written(text, &key.kind),
                    };
                    self.field(&mut record, key, &value);
                }
            }
        }
        self.exclusive(node, table.one_of);
        record
    }

    /// Reads a table that comes in variants.
    pub(super) fn tagged(&mut self, node: &Node, tagged: &Tagged) -> Option<Record> {
        match path::variant(self.root, node, tagged) {
            Some(variant) => Some(self.record(node, &tagged.common, Some(variant))),
            None => {
                self.unknown_variant(node, tagged);
                self.apart_from_variant(node, tagged);
                None
            }
        }
    }

    /// Judges what does not depend on the variant: a slip in a duration or a host is one whatever was meant.
    fn apart_from_variant(&mut self, node: &Node, tagged: &Tagged) {
        let further = tagged.variants.iter().flat_map(|variant| &variant.keys);
        let keys: Vec<&Key> = tagged.common.keys.iter().chain(further).collect();
        for (word, value) in node.entries() {
            let named: Vec<_> = keys.iter().filter(|key| key.name == word.text).collect();
            let is_clear =
                |key: &&&Key| matches!(key.kind, Kind::Duration | Kind::Trigger | Kind::Host);
            if let Some(key) = named.first().filter(|_| named.iter().all(is_clear)) {
                self.value(value, &key.kind);
            }
        }
    }

    fn field(&mut self, record: &mut Record, key: &Key, node: &Node) {
        if let Some(value) = self.value(node, &key.kind) {
            record.fields.insert(key.name, value);
        }
    }

    fn unknown_key(&mut self, word: &Word, keys: &[&Key], variant: Option<&Variant>) {
        let names = || keys.iter().map(|key| key.name);
        let message = match variant {
            Some(variant) => format!("`{}` has no key `{}`", variant.name, word.text),
            None => format!("there is no key `{}` here", word.text),
        };
        let hint = variant.and_then(|variant| variant.hint.as_ref());
        let hint = hint.filter(|hint| hint.keys.contains(&word.text.as_str()));
        let help = did_you_mean(&word.text, names()).or_else(|| hint.map(|hint| hint.text.clone()));
        let label = format!("expected {}", one_of(names()));
        self.mistake(word.span, message, label, help);
    }

    fn missing(&mut self, span: Span, key: &Key, variant: Option<&Variant>) {
        let message = match variant {
            Some(variant) if variant.keys.iter().any(|own| own.name == key.name) => {
                format!("`{}` needs `{}`", variant.name, key.name)
            }
            _ => format!("`{}` is missing", key.name),
        };
        let label = format!("expected `{}`: {}", key.name, key.kind.description());
        self.mistake(span, message, label, Some(key.doc.to_owned()));
    }

    fn exclusive(&mut self, node: &Node, names: &'static [&'static str]) {
        let given = node
            .entries()
            .iter()
            .filter(|(word, _)| names.contains(&word.text.as_str()));
        let given: Vec<&Word> = given.map(|(word, _)| word).collect();
        match given[..] {
            [] if !names.is_empty() => {
                let message = format!("{} is missing", one_of(names.iter().copied()));
                self.mistake(node.span, message, "expected one of them", None);
            }
            [first, second, ..] => {
                let message = format!("both `{}` and `{}` are given", first.text, second.text);
                let label = format!("expected only one of {}", all_of(names.iter().copied()));
                self.mistake(second.span, message, label, None);
            }
            _ => {}
        }
    }

    /// Of a table whose variant is unknown no key is called unknown: any of them may belong to what was meant.
    fn unknown_variant(&mut self, node: &Node, tagged: &Tagged) {
        let Some(tag) = node.get(tagged.tag) else {
            let key = tagged.common.keys.iter().find(|key| key.name == tagged.tag);
            return key
                .into_iter()
                .for_each(|key| self.missing(node.span, key, None));
        };
        let Some(word) = tag.text() else {
            return self.wrong_type(tag, &format!("the name of a kind of {}", tagged.what));
        };
        let named = tagged.variants.iter().find(|variant| variant.name == word);
        let owner = named.and_then(|variant| variant.actor);
        let of_actors = tagged
            .variants
            .iter()
            .any(|variant| variant.actor.is_some());
        let actor = node.get("host").and_then(Node::text).filter(|_| of_actors);
        let actor = actor.and_then(|host| self.actor_of(host));
        let Some(actor) = actor else {
            if owner.is_some() {
                // The command exists; whose it is cannot be told before the host and its actor are right.
                return self.host_of(node, tagged);
            }
            let names: Vec<&str> = tagged.variants.iter().map(|variant| variant.name).collect();
            let message = format!("there is no {} `{word}`", tagged.what);
            let help = did_you_mean(word, names.iter().copied());
            let label = expected(&names, help.is_some());
            return self.mistake(tag.span, message, label, help);
        };
        let own = tagged
            .variants
            .iter()
            .filter(|variant| variant.actor.is_none_or(|of| of == actor));
        let own: Vec<&str> = own.map(|variant| variant.name).collect();
        let help = match owner {
            Some(owner) => Some(format!("`{word}` is a command of the actor `{owner}`")),
            None => did_you_mean(word, own.iter().copied()),
        };
        let message = format!("the actor `{actor}` has no command `{word}`");
        self.mistake(tag.span, message, format!("expected {}", one_of(own)), help);
    }

    fn host_of(&mut self, node: &Node, tagged: &Tagged) {
        let Some(key) = tagged.common.keys.iter().find(|key| key.name == "host") else {
            return;
        };
        match node.get(key.name) {
            Some(host) => drop(self.value(host, &key.kind)),
            None => self.missing(node.span, key, None),
        }
    }

    /// Says that a value is of the wrong type.
    pub(super) fn wrong_type(&mut self, node: &Node, expected: &str) {
        let one_of =
            |beginnings: &[&str]| beginnings.iter().any(|begins| expected.starts_with(begins));
        let help = match &node.data {
            Data::Text(_) if one_of(&["a whole number"]) => {
                Some("numbers are written without quotes")
            }
            Data::Integer(_) | Data::Float(_)
                if one_of(&["a whole number", "true", "a list", "a table"]) =>
            {
                None
            }
            Data::Integer(_) | Data::Float(_) => Some("texts are written in quotes"),
            _ => None,
        };
        let help = help.map(str::to_owned);
        self.mistake(
            node.span,
            format!("expected {expected}"),
            format!("found {}", node.data.description()),
            help,
        );
    }
}

/// The default of a key as if it stood in the file.
pub(super) fn written(text: &str, kind: &Kind) -> Data {
    match kind {
        Kind::Integer(..) => text
            .parse()
            .map_or_else(|_| Data::Text(text.to_owned()), Data::Integer),
        Kind::Switch => text
            .parse()
            .map_or_else(|_| Data::Text(text.to_owned()), Data::Switch),
        Kind::Table(_) | Kind::Fields | Kind::Only if text.is_empty() => Data::Table(Vec::new()),
        Kind::List(item) => {
            let items = text
                .split(',')
                .map(str::trim)
                .filter(|item| !item.is_empty());
            Data::List(
                items
                    .map(|text| Node {
                        span: Span::default(),
                        data: written(text, item),
                    })
                    .collect(),
            )
        }
        _ => Data::Text(text.to_owned()),
    }
}
