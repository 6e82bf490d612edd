//! The error event of a token stream: what went wrong, as JSON.

use std::fmt;

use serde_json::{Map, Value};

/// What an `event: error` says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// What kind of thing went wrong.
    pub kind: FailureKind,
    /// Whether the stream goes on.
    pub severity: Severity,
    /// What happened, for a person.
    pub message: String,
    /// What happened, for a program.
    pub code: Option<String>,
    /// Whether it is worth trying again.
    pub recoverable: bool,
    /// The request that it belongs to, as in `X-Request-ID`.
    pub request_id: String,
    /// Where in the program; in development only.
    pub traceback: Option<String>,
}

/// A word of a fixed list, as it stands in JSON.
macro_rules! words {
    ($(#[$doc:meta])* $name:ident { $($(#[$row:meta])* $variant:ident = $word:literal,)* }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum $name { $($(#[$row])* $variant,)* }

        impl $name {
            /// All of them.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];

            /// The word on the wire.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $word,)* }
            }

            fn read(word: &str) -> Option<Self> {
                match word { $($word => Some(Self::$variant),)* _ => None }
            }
        }
    };
}

words! {
    /// What kind of thing went wrong: report D's list, closed.
    FailureKind {
        /// The request is not acceptable.
        Validation = "validation",
        /// What was asked for cannot be done.
        Business = "business",
        /// The program is at fault.
        System = "system",
        /// It took too long, or grew too long.
        Timeout = "timeout",
        /// Too much was asked for at once.
        RateLimit = "rate_limit",
    }
}

words! {
    /// How bad it is.
    Severity {
        /// The stream goes on.
        Warning = "warning",
        /// The stream ends.
        Error = "error",
        /// The stream ends, and another will not do better.
        Fatal = "fatal",
    }
}

impl Failure {
    /// The data of the event.
    #[must_use]
    pub fn to_json(&self) -> String {
        let mut object = Map::new();
        let mut put = |key: &str, value: Value| object.insert(key.to_owned(), value);
        put("type", self.kind.as_str().into());
        put("severity", self.severity.as_str().into());
        put("message", self.message.as_str().into());
        if let Some(code) = &self.code {
            put("code", code.as_str().into());
        }
        put("recoverable", self.recoverable.into());
        put("request_id", self.request_id.as_str().into());
        if let Some(traceback) = &self.traceback {
            put("traceback", traceback.as_str().into());
        }
        Value::Object(object).to_string()
    }

    /// Reads the data of an event. Keys that nobody knows are passed over.
    ///
    /// # Errors
    /// It is no JSON object, or lacks a key, or has one of another type or with an unknown word.
    pub fn read(data: &str) -> Result<Self, UnreadableFailure> {
        let value: Value = serde_json::from_str(data).map_err(|_| UnreadableFailure::NotJson)?;
        let object = value.as_object().ok_or(UnreadableFailure::NotAnObject)?;
        let optional = |key: &'static str| match object.get(key) {
            None | Some(Value::Null) => Ok(None),
            Some(Value::String(text)) => Ok(Some(text.clone())),
            Some(_) => Err(UnreadableFailure::Wrong(key)),
        };
        let text = |key| optional(key)?.ok_or(UnreadableFailure::Missing(key));
        let recoverable = object
            .get("recoverable")
            .ok_or(UnreadableFailure::Missing("recoverable"))?;
        Ok(Self {
            kind: FailureKind::read(&text("type")?).ok_or(UnreadableFailure::Wrong("type"))?,
            severity: Severity::read(&text("severity")?)
                .ok_or(UnreadableFailure::Wrong("severity"))?,
            message: text("message")?,
            code: optional("code")?,
            recoverable: recoverable
                .as_bool()
                .ok_or(UnreadableFailure::Wrong("recoverable"))?,
            request_id: text("request_id")?,
            traceback: optional("traceback")?,
        })
    }
}

/// The data of an error event that does not say what went wrong: the service's mistake.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UnreadableFailure {
    /// Not JSON at all.
    NotJson,
    /// JSON, but no object.
    NotAnObject,
    /// This key is missing.
    Missing(&'static str),
    /// This key has another type, or a word that is not of its list.
    Wrong(&'static str),
}

impl fmt::Display for UnreadableFailure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotJson => f.write_str("an error event that is no JSON"),
            Self::NotAnObject => f.write_str("an error event that is no JSON object"),
            Self::Missing(key) => write!(f, "an error event without `{key}`"),
            Self::Wrong(key) => write!(f, "an error event with a wrong `{key}`"),
        }
    }
}

impl std::error::Error for UnreadableFailure {}

#[cfg(test)]
mod tests {
    use super::*;

    fn failure() -> Failure {
        Failure {
            kind: FailureKind::RateLimit,
            severity: Severity::Error,
            message: "too many \"tokens\"\n".to_owned(),
            code: None,
            recoverable: true,
            request_id: "r-1".to_owned(),
            traceback: None,
        }
    }

    #[test]
    fn what_is_written_is_read_back_and_the_optional_is_left_out() {
        let json = failure().to_json();
        let expected = r#"{"type":"rate_limit","severity":"error","message":"too many \"tokens\"\n","recoverable":true,"request_id":"r-1"}"#;
        assert_eq!(json, expected);
        assert_eq!(Failure::read(&json), Ok(failure()));
        let full = Failure {
            code: Some("429".to_owned()),
            traceback: Some("line 1\nline 2".to_owned()),
            ..failure()
        };
        assert_eq!(Failure::read(&full.to_json()), Ok(full));
    }

    #[test]
    fn each_way_to_say_nothing_is_named() {
        use UnreadableFailure::{Missing, NotAnObject, NotJson, Wrong};
        let rows = [
            ("oops", NotJson),
            ("[]", NotAnObject),
            ("{\"recoverable\":true}", Missing("type")),
            (
                "{\"type\":\"network\",\"severity\":\"error\",\"recoverable\":true}",
                Wrong("type"),
            ),
            ("{\"type\":7,\"recoverable\":true}", Wrong("type")),
            (
                "{\"type\":\"system\",\"severity\":\"bad\",\"recoverable\":true}",
                Wrong("severity"),
            ),
            ("{}", Missing("recoverable")),
        ];
        for (data, expected) in rows {
            assert_eq!(Failure::read(data), Err(expected), "{data}");
        }
    }
}
