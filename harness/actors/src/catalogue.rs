//! What an actor says of itself: its name, its settings, what it can be told to do, how to build one.
//!
//! Front ends (a scenario reader, a schema, a manual) are made from these tables alone.

use std::any::Any;
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::rc::Rc;
use std::time::Duration;

use crate::{Behaviour, Host};

/// Every actor there is. A new one is a file and a line here.
pub const CATALOGUE: &[&Entry] = &[
    &crate::audio_peer::ENTRY,
    &crate::audio_service::ENTRY,
    &crate::b2bua::ENTRY,
    &crate::buffering_proxy::ENTRY,
    &crate::http::ENTRY,
    &crate::phone::ENTRY,
    &crate::proxy::ENTRY,
    &crate::token_client::ENTRY,
    &crate::token_service::ENTRY,
];

/// The actor of that name.
#[must_use]
pub fn find(name: &str) -> Option<&'static Entry> {
    CATALOGUE.iter().copied().find(|entry| entry.name == name)
}

/// One kind of actor.
pub struct Entry {
    /// What scenario files call it.
    pub name: &'static str,
    /// What it is, in one sentence.
    pub doc: &'static str,
    /// The port that it serves on where none is given.
    pub port: u16,
    /// Its settings.
    pub settings: &'static [Setting],
    /// What it can be told to do.
    pub commands: &'static [CommandEntry],
    /// Points at which its program can be made to fail, as it names them to [`Host::at_point`].
    pub points: &'static [&'static str],
    /// Builds one from complete settings.
    pub build: Build,
}

/// Builds an actor from complete settings; the directory tells where other hosts are.
pub type Build = &'static (dyn Fn(&Settings, &Directory) -> Box<dyn Actor> + Send + Sync);

/// An actor that is configured but does not run yet; each start is a new life.
///
/// `Any`, so that a test can reach for the policies of an actor whose type it knows.
pub trait Actor: Any {
    /// Begins a life on that host, with nothing remembered from earlier ones.
    fn start(&self, host: &Host) -> Behaviour;

    /// Whether its code uses tokio's executor and clock, which whoever serves the host has to give it then.
    #[cfg(feature = "foreign")]
    fn is_foreign(&self) -> bool {
        false
    }
}

/// One thing that an actor can be told to do.
pub struct CommandEntry {
    /// What scenario files call it, "hang-up".
    pub name: &'static str,
    /// What it does, in one sentence.
    pub doc: &'static str,
    /// Its arguments.
    pub arguments: &'static [Setting],
}

/// One setting or argument.
pub struct Setting {
    /// Its key.
    pub name: &'static str,
    /// What it may hold.
    pub kind: Kind,
    /// Whether it must be given, and what it is otherwise.
    pub presence: Presence,
    /// What it means, in one sentence.
    pub doc: &'static str,
}

/// What a setting may hold.
#[derive(Clone, Copy)]
pub enum Kind {
    /// Any text.
    Text,
    /// One of these words.
    Choice(&'static [&'static str]),
    /// A whole number between two, both included.
    Integer(i64, i64),
    /// A length of time.
    Duration,
    /// Yes or no.
    Switch,
    /// The name of another host.
    Host,
    /// The name of another host, or a URI.
    HostOrUri,
    /// A table with keys of its own.
    Table(&'static [Setting]),
    /// A list of such things.
    List(&'static Kind),
}

/// Whether a setting must be given.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Presence {
    /// It must.
    Required,
    /// It need not, and then is absent.
    Optional,
    /// It need not, and then is this, written as in a scenario file without quotes: "60s", "true", "incident".
    Default(&'static str),
}

/// A value that passed the checks of its [`Kind`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Value {
    /// Of [`Kind::Text`], [`Kind::Choice`], [`Kind::Host`] and [`Kind::HostOrUri`].
    Text(String),
    /// Of [`Kind::Integer`].
    Integer(i64),
    /// Of [`Kind::Duration`].
    Duration(Duration),
    /// Of [`Kind::Switch`].
    Switch(bool),
    /// Of [`Kind::Table`].
    Table(Settings),
    /// Of [`Kind::List`].
    List(Vec<Value>),
}

/// Settings that were checked against their table and completed with its defaults.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Settings(BTreeMap<&'static str, Value>);

impl Settings {
    /// Sets a value, replacing what was there.
    pub fn insert(&mut self, name: &'static str, value: Value) {
        self.0.insert(name, value);
    }

    /// The value of that name.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Value> {
        self.0.get(name)
    }

    /// All values, by name.
    pub fn iter(&self) -> impl Iterator<Item = (&'static str, &Value)> {
        self.0.iter().map(|(name, value)| (*name, value))
    }

    /// A text, if there is one of that name.
    #[must_use]
    pub fn text(&self, name: &str) -> Option<&str> {
        match self.get(name)? {
            Value::Text(text) => Some(text),
            _ => None,
        }
    }

    /// A whole number, if there is one of that name.
    #[must_use]
    pub fn integer(&self, name: &str) -> Option<i64> {
        match self.get(name)? {
            Value::Integer(number) => Some(*number),
            _ => None,
        }
    }

    /// A length of time, if there is one of that name.
    #[must_use]
    pub fn duration(&self, name: &str) -> Option<Duration> {
        match self.get(name)? {
            Value::Duration(length) => Some(*length),
            _ => None,
        }
    }

    /// Whether a switch of that name is on.
    #[must_use]
    pub fn switch(&self, name: &str) -> bool {
        matches!(self.get(name), Some(Value::Switch(true)))
    }

    /// The texts of a list, if there is one of that name.
    #[must_use]
    pub fn texts<'a>(&'a self, name: &str) -> Option<Vec<&'a str>> {
        let Value::List(values) = self.get(name)? else {
            return None;
        };
        let text = |value: &'a Value| match value {
            Value::Text(text) => Some(text.as_str()),
            _ => None,
        };
        Some(values.iter().filter_map(text).collect())
    }

    /// A table, if there is one of that name.
    #[must_use]
    pub fn table(&self, name: &str) -> Option<&Settings> {
        match self.get(name)? {
            Value::Table(table) => Some(table),
            _ => None,
        }
    }
}

/// Something that an actor is told to do, with checked arguments.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Command {
    /// The name of its [`CommandEntry`].
    pub name: &'static str,
    /// Its arguments.
    pub arguments: Settings,
}

/// Who is where: what an actor's settings may refer to by a host's name.
#[derive(Clone, Debug, Default)]
pub struct Directory(Rc<BTreeMap<String, Listing>>);

impl Directory {
    /// A directory of those hosts.
    #[must_use]
    pub fn new(listings: BTreeMap<String, Listing>) -> Self {
        Self(Rc::new(listings))
    }

    /// All hosts, by name.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Listing)> {
        self.0
            .iter()
            .map(|(name, listing)| (name.as_str(), listing))
    }

    /// The host of that name.
    #[must_use]
    pub fn find(&self, name: &str) -> Option<&Listing> {
        self.0.get(name)
    }
}

/// One host as the others know it.
#[derive(Clone, Debug)]
pub struct Listing {
    /// Where it serves.
    pub address: SocketAddr,
    /// What it is configured to be.
    pub settings: Settings,
}
