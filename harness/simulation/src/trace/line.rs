//! A record as one line: for eyes, and as JSON for programs and other builds.

use std::fmt;

use linefault_network::{Instant, RecordId};
use serde_json::{Map, Value, json};

use super::words::describe;
use super::{Record, Trace};

/// How much of a particular is shown to eyes.
const LONGEST: usize = 72;

/// One record, with everything that it says in words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// Its number, from 0.
    pub id: u32,
    /// When.
    pub at: Instant,
    /// On which host, by name.
    pub host: Option<String>,
    /// The number of the record that led to it.
    pub cause: Option<u32>,
    /// What it is called.
    pub event: String,
    /// Its particulars, by name, in order.
    pub fields: Vec<(String, String)>,
}

/// A text that is no line of a trace. Blames the file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LineError {
    /// It is not JSON: what the reader says.
    NotJson(String),
    /// It is JSON without this key, or with something else there.
    Missing(&'static str),
}

impl fmt::Display for LineError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotJson(why) => write!(f, "not JSON: {why}"),
            Self::Missing(key) => write!(
                f,
                "`{key}` is missing or something else: not a record as `linefault replay --json` prints it"
            ),
        }
    }
}

impl std::error::Error for LineError {}

impl Line {
    /// The line of a record of that trace.
    #[must_use]
    pub fn of(trace: &Trace, id: RecordId, record: &Record) -> Self {
        let (event, fields) = describe(&record.event);
        let fields = fields.into_iter();
        Self {
            id: id.0,
            at: record.at,
            host: record.host.map(|host| trace.host_name(host).to_owned()),
            cause: record.cause.map(|cause| cause.0),
            event: event.to_owned(),
            fields: fields
                .map(|(name, value)| (name.to_owned(), value))
                .collect(),
        }
    }

    /// One JSON object: `id`, `at_us`, `host`, `cause`, `event`, and `fields` as an array of name and value, since names
    /// may repeat.
    #[must_use]
    pub fn to_json(&self) -> Value {
        json!({
            "id": self.id,
            "at_us": self.at.as_micros(),
            "host": self.host,
            "cause": self.cause,
            "event": self.event,
            "fields": self.fields,
        })
    }

    /// Reads what [`Line::to_json`] wrote.
    ///
    /// # Errors
    /// It is something else.
    pub fn from_json(text: &str) -> Result<Self, LineError> {
        let value: Value =
            serde_json::from_str(text).map_err(|error| LineError::NotJson(error.to_string()))?;
        let object = value.as_object().ok_or(LineError::Missing("id"))?;
        let word = |key| object.get(key).and_then(Value::as_str);
        Ok(Self {
            id: number(object, "id")?.ok_or(LineError::Missing("id"))?,
            at: Instant::from_micros(
                object
                    .get("at_us")
                    .and_then(Value::as_u64)
                    .ok_or(LineError::Missing("at_us"))?,
            ),
            host: word("host").map(str::to_owned),
            cause: number(object, "cause")?,
            event: word("event").ok_or(LineError::Missing("event"))?.to_owned(),
            fields: fields(object).ok_or(LineError::Missing("fields"))?,
        })
    }
}

/// A number that fits, or nothing for null.
fn number(object: &Map<String, Value>, key: &'static str) -> Result<Option<u32>, LineError> {
    match object.get(key) {
        Some(Value::Null) => Ok(None),
        value => {
            let number = value.and_then(Value::as_u64);
            let number = number.and_then(|number| u32::try_from(number).ok());
            number.map(Some).ok_or(LineError::Missing(key))
        }
    }
}

fn fields(object: &Map<String, Value>) -> Option<Vec<(String, String)>> {
    let pairs = object.get("fields")?.as_array()?.iter();
    let pair = |pair: &Value| {
        let pair = pair.as_array()?;
        let (name, value) = (pair.first()?.as_str()?, pair.get(1)?.as_str()?);
        Some((name.to_owned(), value.to_owned()))
    };
    pairs.map(pair).collect()
}

/// `12.005000  #431 ← #429  proxy  log level=WARN message=target unreachable`
impl fmt::Display for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let micros = self.at.as_micros();
        let at = format!("{}.{:06}", micros / 1_000_000, micros % 1_000_000);
        let cause = self.cause.map_or(String::new(), |id| format!("← #{id}"));
        let (id, host) = (format!("#{}", self.id), self.host.as_deref().unwrap_or("-"));
        write!(f, "{at:>12}  {id:<6} {cause:<8}  {host}  {}", self.event)?;
        for (name, value) in &self.fields {
            write!(f, " {name}={}", shown(value))?;
        }
        Ok(())
    }
}

/// The beginning of a long value, and how much is left out.
fn shown(value: &str) -> String {
    let length = value.chars().count();
    if length <= LONGEST {
        return value.to_owned();
    }
    let begin: String = value.chars().take(LONGEST).collect();
    format!("{begin}… ({length} characters)")
}
