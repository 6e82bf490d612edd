//! What the reader makes of tables: values that passed the checks of their kinds, by key.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::time::Duration;

use super::diagnostic::Span;
use super::model::{HostIndex, Latency, Trigger};
use super::pattern::Pattern;
use super::subnet::Subnet;

/// A value that passed the checks of its kind.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Value {
    Text(String),
    Integer(i128),
    Duration(Duration),
    Latency(Latency),
    Ratio(u32),
    Switch(bool),
    Pattern(Pattern),
    Trigger(Trigger),
    Address(IpAddr, Option<u16>),
    Subnet(Subnet),
    Lan(usize),
    Host(HostIndex, String),
    Table(Record),
    Named(Vec<(String, Span, Record)>),
    List(Vec<(Span, Value)>),
    Fields(Vec<(String, String)>),
    /// Whether what it asks for is so.
    Only(bool),
}

/// A table that passed the checks of its keys; those that did not pass are missing.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Record {
    pub(super) span: Span,
    /// The variant, of a table that comes in variants.
    pub(super) variant: Option<&'static str>,
    /// The keys that stand in the file, also those whose value was refused.
    pub(super) written: Vec<(&'static str, Span)>,
    pub(super) fields: BTreeMap<&'static str, Value>,
}

impl Record {
    /// The value of a key.
    pub(super) fn value(&self, name: &str) -> Option<&Value> {
        self.fields.get(name)
    }

    /// Whether the file itself gives a key, rightly or not.
    pub(super) fn given(&self, name: &str) -> bool {
        self.written.iter().any(|(key, _)| *key == name)
    }

    /// Where the value of a key stands; the table itself where it is absent.
    pub(super) fn place(&self, name: &str) -> Span {
        self.written
            .iter()
            .find(|(key, _)| *key == name)
            .map_or(self.span, |(_, span)| *span)
    }

    pub(super) fn text(&self, name: &str) -> Option<&str> {
        match self.value(name)? {
            Value::Text(text) => Some(text),
            _ => None,
        }
    }

    pub(super) fn integer(&self, name: &str) -> Option<i128> {
        match self.value(name)? {
            Value::Integer(number) => Some(*number),
            _ => None,
        }
    }

    pub(super) fn count(&self, name: &str) -> Option<u32> {
        u32::try_from(self.integer(name)?).ok()
    }

    pub(super) fn duration(&self, name: &str) -> Option<Duration> {
        match self.value(name)? {
            Value::Duration(length) => Some(*length),
            _ => None,
        }
    }

    pub(super) fn latency(&self, name: &str) -> Option<Latency> {
        match self.value(name)? {
            Value::Latency(latency) => Some(*latency),
            _ => None,
        }
    }

    pub(super) fn switch(&self, name: &str) -> bool {
        matches!(self.value(name), Some(Value::Switch(true)))
    }

    pub(super) fn pattern(&self, name: &str) -> Option<&Pattern> {
        match self.value(name)? {
            Value::Pattern(pattern) => Some(pattern),
            _ => None,
        }
    }

    pub(super) fn host(&self, name: &str) -> Option<HostIndex> {
        match self.value(name)? {
            Value::Host(index, _) => Some(*index),
            _ => None,
        }
    }

    pub(super) fn table(&self, name: &str) -> Option<&Record> {
        match self.value(name)? {
            Value::Table(record) => Some(record),
            _ => None,
        }
    }

    pub(super) fn named(&self, name: &str) -> &[(String, Span, Record)] {
        match self.value(name) {
            Some(Value::Named(records)) => records,
            _ => &[],
        }
    }

    pub(super) fn list(&self, name: &str) -> &[(Span, Value)] {
        match self.value(name) {
            Some(Value::List(items)) => items,
            _ => &[],
        }
    }

    /// The tables of a list.
    pub(super) fn records(&self, name: &str) -> impl Iterator<Item = &Record> {
        self.list(name).iter().filter_map(|(_, value)| match value {
            Value::Table(record) => Some(record),
            _ => None,
        })
    }

    /// The texts of a list.
    pub(super) fn texts(&self, name: &str) -> impl Iterator<Item = (Span, &str)> {
        self.list(name)
            .iter()
            .filter_map(|(span, value)| match value {
                Value::Text(text) => Some((*span, text.as_str())),
                _ => None,
            })
    }
}
