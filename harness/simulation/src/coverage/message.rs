//! Kinds of messages, coarse enough for a table.

use std::fmt;

use linefault_protocol::audiosocket::Frame;
use linefault_protocol::sip::Method;

use crate::evidence::SipMessage;
use crate::evidence::talk::{HttpStart, What};
use crate::scenario::METHODS as NAMED;

/// A kind of message: a SIP request by its method, a SIP response by class and method, a frame, an event, what else there
/// is on the wire.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MessageKind(u8);

/// Methods that have a column: those that scenario files can name; the last is every other.
const METHODS: [&str; NAMED.len() + 1] = {
    let mut methods = ["another method"; NAMED.len() + 1];
    let mut place = 0;
    while place < NAMED.len() {
        methods[place] = NAMED[place];
        place += 1;
    }
    methods
};

/// Requests, and responses of six classes, of each method.
const SIP: u8 = 7 * METHODS.len() as u8;

const OTHERS: [&str; 27] = [
    "audiosocket hangup",
    "audiosocket uuid",
    "audiosocket dtmf",
    "audiosocket audio",
    "audiosocket error",
    "audiosocket unknown",
    "audiosocket garbage",
    "http GET",
    "http POST",
    "http another method",
    "http 1xx",
    "http 2xx",
    "http 3xx",
    "http 4xx",
    "http 5xx",
    "http chunk",
    "sse data",
    "sse event done",
    "sse event error",
    "sse another event",
    "keep-alive",
    "datagram",
    "TCP SYN",
    "TCP FIN",
    "TCP RST",
    "TCP ACK",
    "TCP data",
];

/// Behind everything else: an error of a router or a kernel.
const ICMP: &str = "ICMP";

impl MessageKind {
    pub(super) const ICMP: Self = Self(SIP + OTHERS.len() as u8);

    /// All of them, requests before responses.
    pub fn all() -> impl Iterator<Item = Self> {
        (0..=Self::ICMP.0).map(Self)
    }

    /// The kind of that name, as it is displayed.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        if name == ICMP {
            return Some(Self::ICMP);
        }
        if let Some(place) = OTHERS.iter().position(|other| *other == name) {
            return u8::try_from(place).ok().map(|place| Self(SIP + place));
        }
        let class = name
            .as_bytes()
            .first()
            .filter(|digit| (b'1'..=b'6').contains(digit) && name[1..].starts_with("xx "));
        let (class, method) = match class {
            Some(digit) => (digit - b'0', &name[4..]),
            None => (0, name),
        };
        let place = METHODS.iter().position(|known| *known == method)?;
        Some(Self::sip(class, place))
    }

    /// The kind of a SIP message.
    #[must_use]
    pub fn of_sip(message: &SipMessage) -> Self {
        let class = message.status.map_or(0, |status| (status / 100).min(6));
        Self::sip(class.to_le_bytes()[0], method(&message.method))
    }

    /// The kind of what is said on a TCP connection.
    #[must_use]
    pub fn of_stream(what: &What) -> Self {
        Self::other(match what {
            What::Frame(Frame::HangUp) => "audiosocket hangup",
            What::Frame(Frame::Uuid(_)) => "audiosocket uuid",
            What::Frame(Frame::Dtmf(_)) => "audiosocket dtmf",
            What::Frame(Frame::Audio { .. }) => "audiosocket audio",
            What::Frame(Frame::Error(_)) => "audiosocket error",
            What::Frame(Frame::Unknown { .. }) => "audiosocket unknown",
            What::NoFrame(_) => "audiosocket garbage",
            What::Http(message) => http(&message.start),
            What::Chunk(_) => "http chunk",
            What::Events(chunk) => {
                let names = chunk.events().map(|event| event.name.as_str());
                sse(names.last().unwrap_or("message"))
            }
            What::Bytes => "TCP data",
        })
    }

    /// One of the kinds that are no SIP message.
    pub(super) fn other(name: &'static str) -> Self {
        let place = OTHERS.iter().position(|other| *other == name);
        let place = place.and_then(|place| u8::try_from(place).ok());
        place.map_or(Self::ICMP, |place| Self(SIP + place))
    }

    fn sip(class: u8, method: usize) -> Self {
        let place = usize::from(class) * METHODS.len() + method;
        u8::try_from(place).map_or(Self::ICMP, Self)
    }
}

fn method(method: &Method) -> usize {
    let name = method.as_str();
    let place = METHODS.iter().position(|known| *known == name);
    place.unwrap_or(METHODS.len() - 1)
}

fn http(start: &HttpStart) -> &'static str {
    match start {
        HttpStart::Request { method, .. } => match method.as_str() {
            "GET" => "http GET",
            "POST" => "http POST",
            _ => "http another method",
        },
        HttpStart::Response { status } => match status / 100 {
            1 => "http 1xx",
            2 => "http 2xx",
            3 => "http 3xx",
            4 => "http 4xx",
            _ => "http 5xx",
        },
    }
}

fn sse(event: &str) -> &'static str {
    match event {
        "message" => "sse data",
        "done" => "sse event done",
        "error" => "sse event error",
        _ => "sse another event",
    }
}

/// "INVITE", "2xx INVITE", "audiosocket audio".
impl fmt::Display for MessageKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(other) = self.0.checked_sub(SIP) {
            return f.write_str(OTHERS.get(usize::from(other)).unwrap_or(&ICMP));
        }
        let place = usize::from(self.0);
        let (class, method) = (place / METHODS.len(), METHODS[place % METHODS.len()]);
        match class {
            0 => f.write_str(method),
            class => write!(f, "{class}xx {method}"),
        }
    }
}
