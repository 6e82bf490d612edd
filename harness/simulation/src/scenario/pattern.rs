//! Which messages are meant.
//!
//! Owns the notation `INVITE`, `200 INVITE`, `4xx BYE`, `any REGISTER`, `any` of SIP, and leads to those of the protocols
//! on TCP. Refuses to look further into a message than its method and status: header fields and bodies are asked for by
//! keys of their own.

use std::fmt;

use linefault_protocol::sip::{Message, Status};

use super::stream_pattern::{PROTOCOLS, StreamPattern};
use super::suggest::nearest;

/// A set of messages. Its text is canonical: one way to write each set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pattern {
    part: Part,
    /// None: every method.
    method: Option<Box<str>>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Part {
    Request,
    Status(u16),
    /// The hundreds digit.
    Class(u16),
    Any,
    /// Not SIP's.
    Stream(StreamPattern),
}

/// What is wrong with the text of a pattern.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum PatternError {
    /// Nothing there.
    Empty,
    /// A status without its method: this one.
    NoMethod(String),
    /// A number beyond 100–699, or a class beyond 1xx–6xx.
    Status(String),
    /// No method name: this word. The nearest method, where there is one.
    Method(String, Option<String>),
    /// More words than a pattern has.
    Words(String),
    /// That protocol has no such message. The one that was meant, perhaps.
    Stream(&'static str, String, Option<&'static str>),
}

/// The methods that the protocol crate has names for.
pub(crate) const METHODS: [&str; 14] = [
    "INVITE",
    "ACK",
    "BYE",
    "CANCEL",
    "OPTIONS",
    "REGISTER",
    "PRACK",
    "UPDATE",
    "INFO",
    "SUBSCRIBE",
    "NOTIFY",
    "REFER",
    "MESSAGE",
    "PUBLISH",
];

impl Pattern {
    /// Reads the notation.
    pub(super) fn parse(text: &str) -> Result<Self, PatternError> {
        let words: Vec<&str> = text.split_ascii_whitespace().collect();
        match words[..] {
            [] => Err(PatternError::Empty),
            ["any"] => Ok(Self {
                part: Part::Any,
                method: None,
            }),
            [protocol, ref rest @ ..] if PROTOCOLS.contains(&protocol) => stream(protocol, rest),
            [word] if part(word).is_ok_and(|part| part.is_some()) => {
                Err(PatternError::NoMethod(word.to_owned()))
            }
            [word] => Ok(Self {
                part: Part::Request,
                method: Some(method(word)?),
            }),
            [first, second] => {
                let part = part(first)?.ok_or_else(|| PatternError::Words(text.to_owned()))?;
                Ok(Self {
                    part,
                    method: Some(method(second)?),
                })
            }
            _ => Err(PatternError::Words(text.to_owned())),
        }
    }

    /// Whether a message is meant.
    #[must_use]
    pub fn matches(&self, message: &Message) -> bool {
        self.selects(
            message.method().as_str(),
            message.status().map(Status::code),
        )
    }

    /// Whether it means any message of that method, whatever its status.
    #[must_use]
    pub fn concerns(&self, method: &str) -> bool {
        self.stream().is_none() && self.method.as_deref().is_none_or(|wanted| wanted == method)
    }

    /// The pattern of another protocol, if it is one.
    #[must_use]
    pub const fn stream(&self) -> Option<&StreamPattern> {
        match &self.part {
            Part::Stream(pattern) => Some(pattern),
            _ => None,
        }
    }

    /// Whether a message with that method (of a response: its CSeq's) and status is meant.
    #[must_use]
    pub fn selects(&self, method: &str, status: Option<u16>) -> bool {
        let part = match (&self.part, status) {
            (Part::Any, _) | (Part::Request, None) => true,
            (Part::Status(wanted), Some(status)) => *wanted == status,
            (Part::Class(wanted), Some(status)) => *wanted == status / 100,
            _ => false,
        };
        part && self.concerns(method)
    }
}

impl fmt::Display for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.part {
            Part::Request => {}
            Part::Status(status) => write!(f, "{status}")?,
            Part::Class(class) => write!(f, "{class}xx")?,
            Part::Any => f.write_str("any")?,
            Part::Stream(pattern) => write!(f, "{pattern}")?,
        }
        match &self.method {
            None => Ok(()),
            Some(method) if self.part == Part::Request => f.write_str(method),
            Some(method) => write!(f, " {method}"),
        }
    }
}

/// A pattern of another protocol: its name, then one word.
fn stream(protocol: &str, rest: &[&str]) -> Result<Pattern, PatternError> {
    let word = rest.join(" ");
    let named = PROTOCOLS.into_iter().find(|known| *known == protocol);
    let pattern = StreamPattern::parse(protocol, &word);
    let pattern = pattern.ok_or_else(|| {
        let near = StreamPattern::near(protocol, &word);
        PatternError::Stream(named.unwrap_or("stream"), word, near)
    })?;
    Ok(Pattern {
        part: Part::Stream(pattern),
        method: None,
    })
}

/// The first word of a pattern with two: which of a method's messages. None if it is a word of another kind.
fn part(word: &str) -> Result<Option<Part>, PatternError> {
    let wrong = || PatternError::Status(word.to_owned());
    if word == "any" {
        return Ok(Some(Part::Any));
    }
    if let Some(class) = word.strip_suffix("xx") {
        return match class.parse() {
            Ok(class @ 1..=6) => Ok(Some(Part::Class(class))),
            _ => Err(wrong()),
        };
    }
    if !word.starts_with(|c: char| c.is_ascii_digit()) {
        return Ok(None);
    }
    // RFC 3261 §7.2: a status code has three digits, the first of which is 1 to 6.
    match word.parse() {
        Ok(status @ 100..=699) if word.len() == 3 => Ok(Some(Part::Status(status))),
        _ => Err(wrong()),
    }
}

/// Any token is a method (RFC 3261 §7.1), but one that almost is a known one is a slip of the pen.
fn method(word: &str) -> Result<Box<str>, PatternError> {
    if METHODS.contains(&word) {
        return Ok(word.into());
    }
    let capitals = word.to_ascii_uppercase();
    let near = nearest(&capitals, METHODS.iter().copied()).map(str::to_owned);
    // RFC 3261 §25.1: token; letters in capitals, since methods are case-sensitive and every registered one is.
    let token = word
        .bytes()
        .all(|b| b.is_ascii_uppercase() || b.is_ascii_digit() || b"-.!%*_+`'~".contains(&b));
    if token && near.is_none() && word.starts_with(|c: char| c.is_ascii_uppercase()) {
        return Ok(word.into());
    }
    Err(PatternError::Method(word.to_owned(), near))
}

impl fmt::Display for PatternError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Empty => f.write_str("an empty message pattern"),
            Self::NoMethod(part) => write!(f, "`{part}` lacks the method that it answers"),
            Self::Status(word) => write!(f, "`{word}` is no SIP status"),
            Self::Method(word, _) => write!(f, "`{word}` is no SIP method"),
            Self::Words(text) => write!(f, "`{text}` is no message pattern"),
            Self::Stream(protocol, word, _) => write!(f, "{protocol} has no `{word}`"),
        }
    }
}

impl PatternError {
    /// What is allowed instead.
    pub(super) fn allowed(&self) -> &'static str {
        match self {
            Self::Status(_) => "a status is 100 to 699, or a class 1xx to 6xx",
            Self::Method(..) => "a method is written in capitals",
            Self::Stream("http", ..) => "write `http POST`, `http 200`, `http 5xx` or `http any`",
            Self::Stream("sse", ..) => "write `sse event done`, `sse data` or `sse any`",
            Self::Stream(..) => {
                "write `audiosocket` and one of hangup, uuid, dtmf, audio, error, unknown, any"
            }
            _ => "write `INVITE`, `200 INVITE`, `4xx BYE`, `any REGISTER` or `any`",
        }
    }

    /// The way out.
    pub(super) fn help(&self) -> Option<String> {
        match self {
            Self::NoMethod(part) => Some(format!("write `{part} INVITE`, say")),
            Self::Method(_, Some(near)) => Some(format!("did you mean `{near}`?")),
            Self::Stream(protocol, _, Some(near)) => {
                Some(format!("did you mean `{protocol} {near}`?"))
            }
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pattern(text: &str) -> Pattern {
        Pattern::parse(text).unwrap()
    }

    #[test]
    fn each_notation_selects_its_messages_and_no_others() {
        // Columns: pattern; does it select INVITE, 200 INVITE, 404 INVITE, BYE, 404 BYE.
        let rows = [
            ("INVITE", [true, false, false, false, false]),
            ("200 INVITE", [false, true, false, false, false]),
            ("4xx BYE", [false, false, false, false, true]),
            ("any INVITE", [true, true, true, false, false]),
            ("any", [true, true, true, true, true]),
        ];
        let messages = [
            ("INVITE", None),
            ("INVITE", Some(200)),
            ("INVITE", Some(404)),
            ("BYE", None),
            ("BYE", Some(404)),
        ];
        for (text, expected) in rows {
            let found = messages.map(|(method, status)| pattern(text).selects(method, status));
            assert_eq!(found, expected, "{text}");
        }
    }

    #[test]
    fn the_text_of_a_pattern_reads_back_as_the_same_pattern() {
        for text in [
            "INVITE",
            "200 INVITE",
            "4xx BYE",
            "any REGISTER",
            "any",
            "X-PING",
            "audiosocket hangup",
            "audiosocket any",
            "http POST",
            "http 404",
            "http 5xx",
            "sse event done",
            "sse data",
            "sse any",
        ] {
            assert_eq!(pattern(text).to_string(), text);
        }
        assert_eq!(pattern("  200   INVITE ").to_string(), "200 INVITE");
    }

    #[test]
    fn near_misses_are_refused_with_the_name_meant() {
        let near = |word: &str, name: &str| {
            assert_eq!(
                Pattern::parse(word),
                Err(PatternError::Method(word.to_owned(), Some(name.to_owned())))
            );
        };
        near("INVTIE", "INVITE");
        near("invite", "INVITE");
        near("REGSITER", "REGISTER");
    }

    #[test]
    fn a_pattern_of_another_protocol_means_no_sip_message() {
        let hang_up = pattern("audiosocket hangup");
        assert!(!hang_up.selects("INVITE", None) && !hang_up.concerns("INVITE"));
        assert_eq!(
            Pattern::parse("audiosocket hang-up"),
            Err(PatternError::Stream(
                "audiosocket",
                "hang-up".into(),
                Some("hangup")
            ))
        );
        assert_eq!(
            Pattern::parse("http 700"),
            Err(PatternError::Stream("http", "700".into(), None))
        );
    }

    #[test]
    fn what_is_no_pattern_says_why() {
        assert_eq!(Pattern::parse(" "), Err(PatternError::Empty));
        assert_eq!(
            Pattern::parse("200"),
            Err(PatternError::NoMethod("200".into()))
        );
        assert_eq!(
            Pattern::parse("700 BYE"),
            Err(PatternError::Status("700".into()))
        );
        assert_eq!(
            Pattern::parse("+20 BYE"),
            Err(PatternError::Words("+20 BYE".into()))
        );
        assert_eq!(
            Pattern::parse("7xx BYE"),
            Err(PatternError::Status("7xx".into()))
        );
        assert_eq!(
            Pattern::parse("200 OK INVITE"),
            Err(PatternError::Words("200 OK INVITE".into()))
        );
    }
}
