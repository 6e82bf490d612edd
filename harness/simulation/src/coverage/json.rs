//! Coverage as JSON, for files that are merged later.
//!
//! An object of objects, each count at the end of a path of names: `touched.drop.2xx INVITE`. What is not there is 0.

use std::fmt;

use linefault_actors::checkpoint::{self, Checkpoint, Group};
use linefault_protocol::sip::transaction::{Kind, State, Timer};
use serde_json::{Map, Value};

use super::item::checkpoints;
use super::{Coverage, FaultKind, Item, MessageKind};

/// JSON that is no coverage of this version. Blames the file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CoverageError {
    /// Something else than an object or a number stands at that path.
    Shape {
        /// Names from the outside in; none for the whole.
        path: Vec<String>,
    },
    /// Nothing of that name is counted.
    Unknown {
        /// Names from the outside in.
        path: Vec<String>,
    },
}

impl fmt::Display for CoverageError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Shape { path } if path.is_empty() => f.write_str("coverage is not an object"),
            Self::Shape { path } => write!(
                f,
                "coverage: {} is neither an object nor a count",
                path.join(".")
            ),
            Self::Unknown { path } => write!(
                f,
                "coverage: nothing called {} is counted: is it from another version?",
                path.join(".")
            ),
        }
    }
}

impl std::error::Error for CoverageError {}

const RUNS: &str = "runs";

impl Coverage {
    /// The counts as JSON; equal coverage gives equal JSON.
    #[must_use]
    pub fn to_json(&self) -> Value {
        let mut whole = Map::new();
        whole.insert(RUNS.to_owned(), self.runs.into());
        for (item, count) in self.items() {
            put(&mut whole, &path(item), count);
        }
        Value::Object(whole)
    }

    /// Reads what [`Coverage::to_json`] wrote.
    ///
    /// # Errors
    /// It is something else, or knows things that this version does not.
    pub fn from_json(value: &Value) -> Result<Self, CoverageError> {
        let mut coverage = Self::default();
        coverage.read(value, &mut Vec::new())?;
        Ok(coverage)
    }

    fn read(&mut self, value: &Value, path: &mut Vec<String>) -> Result<(), CoverageError> {
        let shape = |path: &[String]| CoverageError::Shape {
            path: path.to_vec(),
        };
        if let Value::Object(names) = value {
            // Deeper than any item, and so none of ours.
            if path.len() > DEEPEST {
                return Err(shape(path));
            }
            for (name, inner) in names {
                path.push(name.clone());
                self.read(inner, path)?;
                path.pop();
            }
            return Ok(());
        }
        let count = value.as_u64().filter(|_| !path.is_empty());
        let count = count.ok_or_else(|| shape(path))?;
        let names: Vec<&str> = path.iter().map(String::as_str).collect();
        if names == [RUNS] {
            self.runs = count;
            return Ok(());
        }
        let item = item(&names).ok_or_else(|| CoverageError::Unknown { path: path.clone() })?;
        if count > 0 {
            self.counts.insert(item, count);
        }
        Ok(())
    }
}

/// The most names on a path.
const DEEPEST: usize = 4;

fn put(whole: &mut Map<String, Value>, path: &[String], count: u64) {
    let [name, inner @ ..] = path else { return };
    if inner.is_empty() {
        whole.insert(name.clone(), count.into());
        return;
    }
    let object = whole
        .entry(name.as_str())
        .or_insert_with(|| Value::Object(Map::new()));
    if let Value::Object(object) = object {
        put(object, inner, count);
    }
}

fn path(item: Item) -> Vec<String> {
    let names = |names: &[&dyn fmt::Display]| names.iter().map(ToString::to_string).collect();
    match item {
        Item::Armed(fault) => names(&[&"armed", &fault]),
        Item::Missed(fault) => names(&[&"missed", &fault]),
        Item::Chance(fault, message) => names(&[&"chances", &fault, &message]),
        Item::Touched(fault, message) => names(&[&"touched", &fault, &message]),
        Item::State(kind, state) => names(&[&"states", &kind, &state]),
        Item::Set(timer) => names(&[&"set", &timer]),
        Item::Fired(kind, state, timer) => names(&[&"fired", &kind, &state, &timer]),
        Item::Group(place) => {
            let group = checkpoint::CATALOGUE.get(usize::from(place));
            names(&[&"groups", &group.map_or("", |group| group.name)])
        }
        Item::Checkpoint(place) => {
            let found = checkpoints().find(|(it, ..)| *it == place);
            let (group, name) = found.map_or(("", ""), |(_, _, group, it)| (group.name, it.name));
            names(&[&"checkpoints", &group, &name])
        }
    }
}

fn item(path: &[&str]) -> Option<Item> {
    let kind = |name: &str| Kind::ALL.into_iter().find(|kind| kind.name() == name);
    let state = |name: &str| State::ALL.into_iter().find(|state| state.name() == name);
    let timer = |name: &str| Timer::ALL.into_iter().find(|timer| timer.name() == name);
    match *path {
        ["armed", fault] => FaultKind::named(fault).map(Item::Armed),
        ["missed", fault] => FaultKind::named(fault).map(Item::Missed),
        ["chances", fault, message] => Some(Item::Chance(
            FaultKind::named(fault)?,
            MessageKind::named(message)?,
        )),
        ["touched", fault, message] => Some(Item::Touched(
            FaultKind::named(fault)?,
            MessageKind::named(message)?,
        )),
        ["states", machine, name] => Some(Item::State(kind(machine)?, state(name)?)),
        ["set", name] => timer(name).map(Item::Set),
        ["fired", machine, at, name] => Some(Item::Fired(kind(machine)?, state(at)?, timer(name)?)),
        ["groups", name] => {
            let mut groups = (0..).zip(checkpoint::CATALOGUE);
            let (place, _) = groups.find(|(_, group)| group.name == name)?;
            Some(Item::Group(place))
        }
        ["checkpoints", group, name] => {
            let of = |it: &(u16, u16, &Group, &Checkpoint)| (it.2.name, it.3.name);
            let found = checkpoints().find(|it| of(it) == (group, name))?;
            Some(Item::Checkpoint(found.0))
        }
        _ => None,
    }
}
