//! Which messages on TCP connections are meant.
//!
//! Owns the notations `audiosocket hangup`, `http 200` and `sse event done`.

use std::fmt;

use linefault_protocol::audiosocket::Frame;

use super::suggest::nearest;
use crate::evidence::talk::{HttpStart, What};

/// A set of messages of one protocol. Its text is canonical: one way to write each set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StreamPattern {
    /// AudioSocket frames.
    AudioSocket(FrameKind),
    /// HTTP messages.
    Http(HttpPart),
    /// Server-sent events.
    Sse(SsePart),
}

/// Kinds of AudioSocket frames.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names are the frames'")]
pub enum FrameKind {
    HangUp,
    Uuid,
    Dtmf,
    Audio,
    Error,
    /// A kind that has no name.
    Unknown,
    Any,
}

/// Kinds of HTTP messages.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum HttpPart {
    /// Requests of that method.
    Request(Box<str>),
    /// Responses with that status.
    Status(u16),
    /// Responses whose status begins with that digit.
    Class(u16),
    /// Every message.
    Any,
}

/// Kinds of server-sent events.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SsePart {
    /// Events of that name.
    Event(Box<str>),
    /// Events without a name.
    Data,
    /// Every event.
    Any,
}

/// The first words of the notations.
pub(super) const PROTOCOLS: [&str; 3] = ["audiosocket", "http", "sse"];

const FRAMES: [(&str, FrameKind); 7] = [
    ("hangup", FrameKind::HangUp),
    ("uuid", FrameKind::Uuid),
    ("dtmf", FrameKind::Dtmf),
    ("audio", FrameKind::Audio),
    ("error", FrameKind::Error),
    ("unknown", FrameKind::Unknown),
    ("any", FrameKind::Any),
];

impl StreamPattern {
    /// Reads what stands behind the name of a protocol; nothing if the protocol has no such messages.
    pub(super) fn parse(protocol: &str, word: &str) -> Option<Self> {
        match protocol {
            "audiosocket" => {
                let known = FRAMES.iter().find(|(name, _)| *name == word)?;
                Some(Self::AudioSocket(known.1))
            }
            "http" => http(word).map(Self::Http),
            "sse" => sse(word).map(Self::Sse),
            _ => None,
        }
    }

    /// The word that was meant, perhaps.
    pub(super) fn near(protocol: &str, word: &str) -> Option<&'static str> {
        let names = FRAMES.iter().map(|(name, _)| *name);
        (protocol == "audiosocket").then(|| nearest(word, names))?
    }

    /// The narrowest patterns that mean this: one for each event of a chunk, one for anything else that has a name.
    #[must_use]
    pub fn of(what: &What) -> Vec<Self> {
        match what {
            What::Frame(frame) => FRAMES
                .iter()
                .find(|(_, kind)| kind.matches(frame))
                .map(|(_, kind)| Self::AudioSocket(*kind))
                .into_iter()
                .collect(),
            What::Http(message) => vec![Self::Http(match &message.start {
                HttpStart::Request { method, .. } => HttpPart::Request(method.as_str().into()),
                HttpStart::Response { status } => HttpPart::Status(*status),
            })],
            What::Events(chunk) => {
                let part = |name: &str| match name {
                    "" => SsePart::Data,
                    name => SsePart::Event(name.into()),
                };
                chunk
                    .events()
                    .map(|event| Self::Sse(part(&event.name)))
                    .collect()
            }
            What::NoFrame(_) | What::Chunk(_) | What::Bytes => Vec::new(),
        }
    }

    /// Whether that is meant.
    #[must_use]
    pub fn matches(&self, what: &What) -> bool {
        match (self, what) {
            (Self::AudioSocket(kind), What::Frame(frame)) => kind.matches(frame),
            (Self::Http(part), What::Http(message)) => part.matches(&message.start),
            (Self::Sse(part), What::Events(chunk)) => {
                chunk.events().any(|event| part.matches(&event.name))
            }
            _ => false,
        }
    }
}

fn sse(word: &str) -> Option<SsePart> {
    match word.split_once(' ') {
        None if word == "any" => Some(SsePart::Any),
        None if word == "data" => Some(SsePart::Data),
        Some(("event", name)) if !name.contains(' ') => Some(SsePart::Event(name.into())),
        _ => None,
    }
}

fn http(word: &str) -> Option<HttpPart> {
    if word == "any" {
        return Some(HttpPart::Any);
    }
    if let Some(class) = word.strip_suffix("xx") {
        let class = class.parse().ok();
        return class
            .filter(|class| (1..=5).contains(class))
            .map(HttpPart::Class);
    }
    if let Ok(status) = word.parse::<u16>() {
        return (100..=599)
            .contains(&status)
            .then_some(HttpPart::Status(status));
    }
    let method = !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_uppercase());
    method.then(|| HttpPart::Request(word.into()))
}

impl FrameKind {
    fn matches(self, frame: &Frame) -> bool {
        let kind = match frame {
            Frame::HangUp => Self::HangUp,
            Frame::Uuid(_) => Self::Uuid,
            Frame::Dtmf(_) => Self::Dtmf,
            Frame::Audio { .. } => Self::Audio,
            Frame::Error(_) => Self::Error,
            Frame::Unknown { .. } => Self::Unknown,
        };
        self == Self::Any || self == kind
    }
}

impl HttpPart {
    fn matches(&self, start: &HttpStart) -> bool {
        match (self, start) {
            (Self::Any, _) => true,
            (Self::Request(wanted), HttpStart::Request { method, .. }) => **wanted == **method,
            (Self::Status(wanted), HttpStart::Response { status }) => wanted == status,
            (Self::Class(wanted), HttpStart::Response { status }) => *wanted == status / 100,
            _ => false,
        }
    }
}

impl SsePart {
    fn matches(&self, name: &str) -> bool {
        match self {
            Self::Any => true,
            Self::Data => name == "message",
            Self::Event(wanted) => **wanted == *name,
        }
    }
}

impl fmt::Display for StreamPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::AudioSocket(kind) => {
                let name = FRAMES.iter().find(|(_, known)| known == kind);
                write!(f, "audiosocket {}", name.map_or("any", |(name, _)| name))
            }
            Self::Http(HttpPart::Any) => f.write_str("http any"),
            Self::Http(HttpPart::Request(method)) => write!(f, "http {method}"),
            Self::Http(HttpPart::Status(status)) => write!(f, "http {status}"),
            Self::Http(HttpPart::Class(class)) => write!(f, "http {class}xx"),
            Self::Sse(SsePart::Any) => f.write_str("sse any"),
            Self::Sse(SsePart::Data) => f.write_str("sse data"),
            Self::Sse(SsePart::Event(name)) => write!(f, "sse event {name}"),
        }
    }
}
