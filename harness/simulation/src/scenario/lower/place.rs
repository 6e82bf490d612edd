//! Whom faults concern.

use super::super::diagnostic::Span;
use super::super::model::{HostIndex, Place, Selection};
use super::super::record::{Record, Value};
use super::super::tables::{Acts, FaultKind};
use super::Lowering;

impl Lowering<'_, '_> {
    /// Whom a fault concerns: exactly one way to say it, and one that the fault understands.
    pub(super) fn place(&mut self, record: &Record, kind: &FaultKind) -> Option<Place> {
        let given: Vec<&str> = ["host", "from", "between"]
            .into_iter()
            .filter(|key| record.given(key))
            .collect();
        if let [first, second, ..] = given[..] {
            let message = format!("`{}` has two places: `{first}` and `{second}`", kind.name);
            self.reader.mistake(
                record.place(second),
                message,
                format!("expected only one of {}", kind.acts.places()),
                None,
            );
            return None;
        }
        if record.given("from") != record.given("to") {
            let (there, missing) = if record.given("from") {
                ("from", "to")
            } else {
                ("to", "from")
            };
            let message = format!("`{there}` without `{missing}`");
            self.reader
                .mistake(record.place(there), message, "a link has two ends", None);
            return None;
        }
        if record.given("one_way") && !record.given("between") {
            let label = "a link is directed anyhow, and a host has no direction";
            self.reader.mistake(
                record.place("one_way"),
                "`one_way` without `between`",
                label,
                None,
            );
        }
        match given.first() {
            Some(&"host") => Some(Place::Host(record.host("host")?)),
            Some(&"from") => Some(Place::Link {
                from: record.host("from")?,
                to: record.host("to")?,
            }),
            Some(_) => self.between(record),
            None if kind.acts == Acts::Packets && record.given("message") => {
                Some(Place::Everywhere)
            }
            // That a fault of hosts lacks its host is already said.
            None if kind.acts == Acts::Hosts => None,
            None => {
                let message = format!("`{}` names nobody", kind.name);
                self.reader.mistake(
                    record.span,
                    message,
                    format!("expected {}", kind.acts.places()),
                    None,
                );
                None
            }
        }
    }

    fn between(&mut self, record: &Record) -> Option<Place> {
        let groups = record.list("between");
        let [(_, Value::List(left)), (_, Value::List(right))] = groups else {
            let label = "expected two lists of hosts: [[\"alice\"], [\"proxy\", \"bob\"]]";
            self.reader.mistake(
                record.place("between"),
                "`between` takes two groups",
                label,
                None,
            );
            return None;
        };
        for (group, (span, _)) in [left, right].into_iter().zip(groups) {
            if group.is_empty() {
                self.reader
                    .mistake(*span, "an empty group", "expected at least one host", None);
            }
        }
        for (span, host) in right {
            if left.iter().any(|(_, other)| other == host)
                && let Value::Host(_, name) = host
            {
                let label = "also in the first group";
                self.reader
                    .mistake(*span, format!("`{name}` is in both groups"), label, None);
            }
        }
        let one_way = record.switch("one_way");
        Some(Place::Between {
            left: indexes(left),
            right: indexes(right),
            one_way,
        })
    }

    pub(super) fn display(&self, fault: &str, selection: &Selection, place: &Place) -> String {
        let names = self.reader.names("host");
        let name = |index: &HostIndex| names.get(index.0).copied().unwrap_or_default();
        let group = |group: &[HostIndex]| group.iter().map(name).collect::<Vec<_>>().join(", ");
        let mut text = fault.to_owned();
        if let Some(pattern) = &selection.message {
            text += &format!(" {pattern}");
        }
        match place {
            Place::Everywhere => {}
            Place::Host(host) => text += &format!(" {}", name(host)),
            Place::Link { from, to } => text += &format!(" {} → {}", name(from), name(to)),
            Place::Between {
                left,
                right,
                one_way,
            } => {
                let arrow = if *one_way { '→' } else { '↔' };
                text += &format!(" {} {arrow} {}", group(left), group(right));
            }
        }
        text
    }
}

fn indexes(hosts: &[(Span, Value)]) -> Vec<HostIndex> {
    let index = |(_, value): &(Span, Value)| match value {
        Value::Host(index, _) => Some(*index),
        _ => None,
    };
    hosts.iter().filter_map(index).collect()
}
