//! Actors and network faults, seen as tables of keys.
//!
//! The only place that knows how those crates describe themselves.

use linefault_actors::catalogue::{self, Entry, Setting, Settings};

use super::keys::{Key, Kind, Table, Variant};
use super::record::{Record, Value};
use super::tables::Vocabulary;

/// An actor as a variant of a host.
pub(super) fn actor(entry: &Entry) -> Variant {
    Variant {
        name: entry.name,
        actor: None,
        doc: entry.doc,
        keys: keys(entry.settings),
    }
}

/// An actor's commands as variants of a step.
pub(super) fn commands(entry: &Entry) -> impl Iterator<Item = Variant> {
    entry.commands.iter().map(|command| Variant {
        name: command.name,
        actor: Some(entry.name),
        doc: command.doc,
        keys: keys(command.arguments),
    })
}

/// What was read, as actors and faults take it.
pub(super) fn settings(record: &Record, keys: &[Key]) -> Settings {
    let mut settings = Settings::default();
    for key in keys {
        if let Some(value) = record
            .value(key.name)
            .and_then(|value| setting(value, &key.kind))
        {
            settings.insert(key.name, value);
        }
    }
    settings
}

fn keys(settings: &'static [Setting]) -> Vec<Key> {
    let key = |setting: &'static Setting| Key {
        name: setting.name,
        kind: kind(&setting.kind),
        presence: setting.presence,
        doc: setting.doc,
    };
    settings.iter().map(key).collect()
}

fn kind(kind: &'static catalogue::Kind) -> Kind {
    match kind {
        catalogue::Kind::Text => Kind::Text,
        catalogue::Kind::Choice(words) => Kind::Choice(words.to_vec()),
        catalogue::Kind::Integer(min, max) => Kind::Integer(i128::from(*min), i128::from(*max)),
        catalogue::Kind::Duration => Kind::Duration,
        catalogue::Kind::Switch => Kind::Switch,
        catalogue::Kind::Host => Kind::Host,
        catalogue::Kind::HostOrUri => Kind::HostOrUri,
        catalogue::Kind::Table(settings) => Kind::Table(Table::new(keys(settings))),
        catalogue::Kind::List(item) => self::kind(item).list(),
    }
}

fn setting(value: &Value, kind: &Kind) -> Option<catalogue::Value> {
    Some(match (value, kind) {
        (Value::Text(text), _) => catalogue::Value::Text(text.clone()),
        (Value::Host(_, name), _) => catalogue::Value::Text(name.clone()),
        (Value::Integer(number), _) => catalogue::Value::Integer(i64::try_from(*number).ok()?),
        (Value::Ratio(parts), _) => catalogue::Value::Integer(i64::from(*parts)),
        (Value::Duration(length), _) => catalogue::Value::Duration(*length),
        (Value::Switch(on), _) => catalogue::Value::Switch(*on),
        (Value::Table(record), Kind::Table(table)) => {
            catalogue::Value::Table(settings(record, &table.keys))
        }
        (Value::List(items), Kind::List(kind)) => catalogue::Value::List(
            items
                .iter()
                .filter_map(|(_, item)| setting(item, kind))
                .collect(),
        ),
        _ => return None,
    })
}

/// All that there is.
pub(super) fn vocabulary() -> Vocabulary {
    Vocabulary {
        actors: catalogue::CATALOGUE.to_vec(),
        faults: Vec::new(),
    }
}
