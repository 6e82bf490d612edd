//! The file as written: an owned tree of values, each with its place, in file order.
//!
//! Owns TOML. Refuses to know what any key means.

use std::ops::Range;

use toml::Spanned;
use toml::de::{DeTable, DeValue};
use toml_writer::{TomlKeyBuilder, TomlStringBuilder, TomlWrite as _};

use super::diagnostic::{Diagnostic, Span};

/// A value and where it stands.
#[derive(Clone, Debug)]
pub(super) struct Node {
    pub(super) span: Span,
    pub(super) data: Data,
}

/// What a value holds.
#[derive(Clone, Debug)]
pub(super) enum Data {
    Text(String),
    /// Saturated at the ends of the range, which are beyond every number that a key takes.
    Integer(i128),
    Float(String),
    Switch(bool),
    Date,
    List(Vec<Node>),
    Table(Vec<(Word, Node)>),
}

/// A key and where it stands.
#[derive(Clone, Debug)]
pub(super) struct Word {
    pub(super) text: String,
    pub(super) span: Span,
}

impl Node {
    /// Reads a file.
    pub(super) fn document(text: &str) -> Result<Self, Diagnostic> {
        let table = DeTable::parse(text).map_err(|error| syntax(&error, 0))?;
        let span = Span::new(0, 0..0);
        Ok(Self {
            span,
            data: Data::Table(entries(table.into_inner(), 0, 0)),
        })
    }

    /// Reads what an override sets a key to: a TOML value, or a word without quotes.
    pub(super) fn argument(argument: &str, from: usize, source: usize) -> Self {
        let text = argument.get(from..).unwrap_or_default();
        match DeValue::parse(text) {
            Ok(value) => node(value, source, from),
            Err(_) => Self {
                span: Span::new(source, from..argument.len()),
                data: Data::Text(text.to_owned()),
            },
        }
    }

    /// The value of a key, if this is a table that has it.
    pub(super) fn get(&self, key: &str) -> Option<&Self> {
        self.entries()
            .iter()
            .find(|(word, _)| word.text == key)
            .map(|(_, node)| node)
    }

    /// The same, to be changed.
    pub(super) fn get_mut(&mut self, key: &str) -> Option<&mut Self> {
        match &mut self.data {
            Data::Table(entries) => entries
                .iter_mut()
                .find(|(word, _)| word.text == key)
                .map(|(_, node)| node),
            Data::List(items) => items.get_mut(key.parse::<usize>().ok()?),
            _ => None,
        }
    }

    /// Keys and values, if this is a table.
    pub(super) fn entries(&self) -> &[(Word, Self)] {
        match &self.data {
            Data::Table(entries) => entries,
            _ => &[],
        }
    }

    /// The items, if this is a list.
    pub(super) fn items(&self) -> &[Self] {
        match &self.data {
            Data::List(items) => items,
            _ => &[],
        }
    }

    /// The value on one line, as an override would write it; texts without quotes.
    pub(super) fn inline(&self) -> String {
        match &self.data {
            Data::Text(text) | Data::Float(text) => text.clone(),
            Data::Integer(number) => number.to_string(),
            Data::Switch(on) => on.to_string(),
            Data::Date => "a date".to_owned(),
            Data::List(items) => {
                let items: Vec<String> = items.iter().map(Self::inline).collect();
                format!("[{}]", items.join(", "))
            }
            Data::Table(entries) => {
                let pair =
                    |(word, node): &(Word, Self)| format!("{} = {}", word.text, node.inline());
                let pairs: Vec<String> = entries.iter().map(pair).collect();
                format!("{{ {} }}", pairs.join(", "))
            }
        }
    }

    /// The value as TOML, on one line.
    pub(super) fn toml(&self) -> String {
        match &self.data {
            Data::Text(text) => quoted(text),
            Data::List(items) => {
                let items: Vec<String> = items.iter().map(Self::toml).collect();
                format!("[{}]", items.join(", "))
            }
            Data::Table(entries) if entries.is_empty() => "{}".to_owned(),
            Data::Table(entries) => {
                let pair =
                    |(word, node): &(Word, Self)| format!("{} = {}", word.toml(), node.toml());
                let pairs: Vec<String> = entries.iter().map(pair).collect();
                format!("{{ {} }}", pairs.join(", "))
            }
            _ => self.inline(),
        }
    }

    /// The text, if this is one.
    pub(super) fn text(&self) -> Option<&str> {
        match &self.data {
            Data::Text(text) => Some(text),
            _ => None,
        }
    }
}

impl Word {
    /// The key as TOML, in quotes only where it needs them.
    pub(super) fn toml(&self) -> String {
        let mut text = String::new();
        // Writing to a text cannot fail.
        let _ = text.key(TomlKeyBuilder::new(&self.text).as_default());
        text
    }
}

impl Data {
    /// What this is, in a sentence: "found a whole number".
    pub(super) const fn description(&self) -> &'static str {
        match self {
            Self::Text(_) => "a text",
            Self::Integer(_) => "a whole number",
            Self::Float(_) => "a decimal number",
            Self::Switch(_) => "true or false",
            Self::Date => "a date",
            Self::List(_) => "a list",
            Self::Table(_) => "a table",
        }
    }
}

/// A basic string: all on one line, whatever it holds.
fn quoted(text: &str) -> String {
    let mut quoted = String::new();
    // Writing to a text cannot fail.
    let _ = quoted.value(TomlStringBuilder::new(text).as_basic());
    quoted
}

/// The first mistake of syntax.
fn syntax(error: &toml::de::Error, source: usize) -> Diagnostic {
    let mut lines = error.message().splitn(2, ", expected ");
    let message = lines.next().unwrap_or_default();
    let label = lines.next().map_or_else(
        || "here".to_owned(),
        |expected| format!("expected {expected}"),
    );
    Diagnostic {
        message: format!("not TOML: {message}"),
        span: Span::new(source, error.span().unwrap_or_default()),
        label,
        help: None,
    }
}

/// TOML limits its own nesting, so that neither this nor a drop of the tree can exhaust the stack.
fn node(value: Spanned<DeValue<'_>>, source: usize, offset: usize) -> Node {
    let span = shifted(value.span(), source, offset);
    let data = match value.into_inner() {
        DeValue::String(text) => Data::Text(text.into_owned()),
        DeValue::Integer(number) => Data::Integer(integer(number.as_str(), number.radix())),
        DeValue::Float(number) => Data::Float(number.as_str().to_owned()),
        DeValue::Boolean(on) => Data::Switch(on),
        DeValue::Datetime(_) => Data::Date,
        DeValue::Array(items) => Data::List(
            items
                .into_iter()
                .map(|item| node(item, source, offset))
                .collect(),
        ),
        DeValue::Table(table) => Data::Table(entries(table, source, offset)),
    };
    Node { span, data }
}

fn entries(table: DeTable<'_>, source: usize, offset: usize) -> Vec<(Word, Node)> {
    let mut entries: Vec<(Word, Node)> = table
        .into_iter()
        .map(|(key, value)| {
            let span = shifted(key.span(), source, offset);
            let text = key.into_inner().into_owned();
            (Word { text, span }, node(value, source, offset))
        })
        .collect();
    entries.sort_by_key(|(word, _)| word.span);
    entries
}

fn shifted(range: Range<usize>, source: usize, offset: usize) -> Span {
    Span::new(source, range.start + offset..range.end + offset)
}

fn integer(digits: &str, radix: u32) -> i128 {
    let beyond = if digits.starts_with('-') {
        i128::MIN
    } else {
        i128::MAX
    };
    i128::from_str_radix(digits, radix).unwrap_or(beyond)
}
