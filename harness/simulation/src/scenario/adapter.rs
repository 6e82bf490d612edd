//! Actors and network faults, seen as tables of keys.
//!
//! The only place that knows how those crates describe themselves.

use linefault_actors::catalogue::{self, Entry, Setting, Settings};
use linefault_network::fault::{self, ArgError, ArgValue, Args, Param, ParamKind};

use crate::injection;

use super::keys::{Key, Kind, Presence, Table, Variant};
use super::record::{Record, Value};
use super::tables::{Acts, FaultKind, Vocabulary};

/// An actor as a variant of a host.
pub(super) fn actor(entry: &Entry) -> Variant {
    Variant {
        name: entry.name,
        actor: None,
        doc: entry.doc,
        keys: keys(entry.settings),
        hint: None,
    }
}

/// An actor's commands as variants of a step.
pub(super) fn commands(entry: &Entry) -> impl Iterator<Item = Variant> {
    entry.commands.iter().map(|command| Variant {
        name: command.name,
        actor: Some(entry.name),
        doc: command.doc,
        keys: keys(command.arguments),
        hint: None,
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
    let network = fault::CATALOGUE.iter().map(fault_kind);
    let faults = network.chain([inject()]).collect();
    Vocabulary {
        actors: catalogue::CATALOGUE.to_vec(),
        faults,
    }
}

fn fault_kind(entry: &fault::Entry) -> FaultKind {
    let acts = match entry.acts {
        fault::Acts::Packets | fault::Acts::Sends => Acts::Packets,
        fault::Acts::Hosts => Acts::Hosts,
        fault::Acts::Faults => Acts::Faults,
    };
    FaultKind {
        name: entry.name,
        doc: entry.doc,
        acts,
        keys: entry.params.iter().map(param).collect(),
    }
}

fn param(param: &Param) -> Key {
    let kind = match param.kind {
        ParamKind::Duration => Kind::Duration,
        ParamKind::Count => Kind::Integer(0, i128::from(i64::MAX)),
        ParamKind::Choice(words) => Kind::Choice(words.to_vec()),
    };
    let presence = param.default.map_or(Presence::Required, Presence::Default);
    Key {
        name: param.name,
        kind,
        presence,
        doc: param.doc,
    }
}

/// The one fault that is not the network's: the actor's own program fails.
fn inject() -> FaultKind {
    let actors = catalogue::CATALOGUE.iter();
    let points = actors.flat_map(|entry| entry.points).copied().collect();
    let key = |name, kind, presence, doc| Key {
        name,
        kind,
        presence,
        doc,
    };
    FaultKind {
        name: injection::NAME,
        doc: "The actor's own program fails at a point: it gets an error there, or panics.",
        acts: Acts::Hosts,
        keys: vec![
            key(
                "point",
                Kind::Choice(points),
                Presence::Required,
                "Where in the program.",
            ),
            key(
                "as",
                Kind::Choice(vec!["error", "panic"]),
                Presence::Default("error"),
                "How it fails.",
            ),
            key(
                "times",
                Kind::Integer(1, i128::from(u32::MAX)),
                Presence::Optional,
                "How often; each time where absent.",
            ),
        ],
    }
}

/// What the network objects to in a fault's parameters: which one, and why.
pub(super) fn objection(fault: &str, arguments: &Settings) -> Option<ArgError> {
    network_fault(fault, arguments)?.err()
}

/// The network's fault of that name, with those parameters; nothing if it has none of that name.
pub(crate) fn network_fault(
    name: &str,
    arguments: &Settings,
) -> Option<Result<fault::Fault, ArgError>> {
    let entry = fault::find(name)?;
    Some(entry.make(&self::arguments(entry, arguments)))
}

/// A fault's own parameters, as the network takes them.
fn arguments(entry: &fault::Entry, arguments: &Settings) -> Args {
    let given = entry.params.iter().filter_map(|param| {
        let value = match (param.kind, arguments.get(param.name)?) {
            (ParamKind::Duration, catalogue::Value::Duration(length)) => {
                ArgValue::Duration(*length)
            }
            (ParamKind::Count, catalogue::Value::Integer(number)) => {
                ArgValue::Count(u64::try_from(*number).ok()?)
            }
            (ParamKind::Choice(_), catalogue::Value::Text(word)) => ArgValue::Choice(word.clone()),
            _ => return None,
        };
        Some((param.name, value))
    });
    given.fold(Args::new(), |args, (name, value)| args.with(name, value))
}
