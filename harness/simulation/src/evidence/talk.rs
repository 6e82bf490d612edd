//! What is said on TCP connections: AudioSocket frames, HTTP messages.
//!
//! Owns telling the protocols apart and cutting bytes into utterances, each with the moments at which it was whole. SIP over
//! TCP is none of this: its messages are transmissions like those over UDP.

mod events;
mod http;

use std::collections::VecDeque;
use std::fmt;

use bytes::{Buf, Bytes, BytesMut};
use linefault_network::{HostId, Packet, RecordId};
use linefault_protocol::audiosocket::{Frame, FrameError};

use super::stream::{Connection, Connections, Seen, Side, Stream};
use crate::trace::Record;

pub use self::events::EventChunk;
pub use self::http::{HttpMessage, HttpStart};

/// Something whole that one end of a connection said to the other.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Utterance {
    /// The place of its connection in [`super::Evidence::connections`].
    pub connection: usize,
    /// In which direction.
    pub side: Side,
    /// Where it begins in the stream.
    pub begin: usize,
    /// Where it ends in the stream.
    pub end: usize,
    /// When its last byte was sent first.
    pub sent: Seen,
    /// When all of it, and what came before, had arrived.
    pub arrived: Option<Seen>,
    /// What it is.
    pub what: What,
}

/// What can be said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum What {
    /// An AudioSocket frame.
    Frame(Frame),
    /// What cannot be an AudioSocket frame; what follows is not read.
    NoFrame(FrameError),
    /// An HTTP message, as far as its length is known beforehand: of a chunked one the head.
    Http(Box<HttpMessage>),
    /// The data of one chunk of an HTTP body.
    Chunk(Vec<u8>),
    /// The data of one chunk of an event stream.
    Events(Box<EventChunk>),
    /// Bytes of no protocol that is known here, up to the end of what was written at once.
    Bytes,
}

/// Reads utterances from the records of a run as they come.
#[derive(Debug, Default)]
pub(crate) struct Talk {
    pub(crate) connections: Connections,
    pub(crate) utterances: Vec<Utterance>,
    /// Of each connection's two directions.
    ears: Vec<[Ear; 2]>,
    /// How many utterances to make room for once somebody says something.
    likely: usize,
}

/// Where the reading of one direction has come to.
#[derive(Debug, Default)]
struct Ear {
    protocol: Option<Protocol>,
    /// How many pieces of the stream it has taken.
    taken: usize,
    /// What it has taken and not made an utterance of yet.
    rest: Bytes,
    /// Up to where utterances reach.
    heard: usize,
    body: http::Body,
    events: events::Events,
    deaf: bool,
    /// Of its utterances, the places of those that have not arrived yet, in order.
    under_way: VecDeque<usize>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Protocol {
    AudioSocket,
    Http,
    Sip,
    Unknown,
}

/// Something that became whole by one record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Heard {
    /// The utterance of that place was sent.
    Sent(usize),
    /// It arrived.
    Arrived(usize),
}

impl Utterance {
    /// Who said it.
    #[must_use]
    pub fn from(&self, connections: &[Connection]) -> Option<HostId> {
        connections.get(self.connection)?.sender(self.side)
    }

    /// Whom it was said to.
    #[must_use]
    pub fn to(&self, connections: &[Connection]) -> Option<HostId> {
        connections.get(self.connection)?.receiver(self.side)
    }

    /// The frame, if it is one.
    #[must_use]
    pub const fn frame(&self) -> Option<&Frame> {
        match &self.what {
            What::Frame(frame) => Some(frame),
            _ => None,
        }
    }

    /// The HTTP message, if it is one.
    #[must_use]
    pub const fn http(&self) -> Option<&HttpMessage> {
        match &self.what {
            What::Http(message) => Some(message),
            _ => None,
        }
    }
}

/// "audio 8 kHz", "HTTP POST /calls", "HTTP 200".
impl fmt::Display for What {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Frame(frame) => frame.fmt(f),
            Self::NoFrame(error) => write!(f, "no frame: {error}"),
            Self::Http(message) => match &message.start {
                HttpStart::Request { method, target } => write!(f, "HTTP {method} {target}"),
                HttpStart::Response { status } => write!(f, "HTTP {status}"),
            },
            Self::Events(chunk) => chunk.fmt(f),
            Self::Chunk(data) => write!(f, "HTTP chunk of {} bytes", data.len()),
            Self::Bytes => f.write_str("bytes of no known protocol"),
        }
    }
}

impl Talk {
    /// For a run of so many records: a frame is written, sent, delivered and read, so that of sound every fourth makes an
    /// utterance.
    pub(crate) fn among(records: usize) -> Self {
        Self {
            likely: records / 4,
            ..Self::default()
        }
    }

    /// Takes the next record, and tells what becomes whole by it.
    pub(crate) fn take(&mut self, id: RecordId, record: &Record, mut tell: impl FnMut(Heard)) {
        let Some(direction) = self.connections.take(id, record) else {
            return;
        };
        let first = self.utterances.len();
        self.listen(direction);
        (first..self.utterances.len()).for_each(|place| tell(Heard::Sent(place)));
        self.arrive(direction, tell);
    }

    /// Takes a packet as it is sent, without a record; returns the utterances that end in it, repeats included.
    pub(crate) fn carried(&mut self, packet: &Packet) -> Vec<usize> {
        let Some((direction, range)) = self.connections.pass(packet) else {
            return Vec::new();
        };
        self.listen(direction);
        let ends = |utterance: &Utterance| {
            (utterance.connection, utterance.side) == direction
                && range.start < utterance.end
                && utterance.end <= range.end
        };
        let utterances = self.utterances.iter().enumerate();
        let carried = utterances.filter(|(_, utterance)| ends(utterance));
        carried.map(|(place, _)| place).collect()
    }

    /// Reads what has been added to a direction.
    fn listen(&mut self, (connection, side): (usize, Side)) {
        if self.ears.len() <= connection {
            self.ears.resize_with(connection + 1, Default::default);
        }
        let ear = &mut self.ears[connection][side as usize];
        let line = &self.connections.all[connection];
        let stream = line.stream(side);
        if ear.protocol.is_none() {
            ear.protocol = protocol(line, side);
        }
        while let Some((end, what)) = ear.next(stream) {
            let Some(sent) = stream.sent_at(end) else {
                break;
            };
            if self.utterances.is_empty() {
                self.utterances.reserve(self.likely);
            }
            ear.under_way.push_back(self.utterances.len());
            self.utterances.push(Utterance {
                connection,
                side,
                begin: ear.heard,
                end,
                sent,
                arrived: None,
                what,
            });
            ear.heard = end;
        }
    }

    fn arrive(&mut self, direction: (usize, Side), mut tell: impl FnMut(Heard)) {
        let (connection, side) = direction;
        let Some(ears) = self.ears.get_mut(connection) else {
            return;
        };
        let ear = &mut ears[side as usize];
        let stream = self.connections.all[connection].stream(side);
        while let Some(place) = ear.under_way.front().copied() {
            let utterance = &mut self.utterances[place];
            if utterance.end > stream.arrived() {
                return;
            }
            utterance.arrived = stream.arrived_at(utterance.end);
            ear.under_way.pop_front();
            tell(Heard::Arrived(place));
        }
    }
}

impl Ear {
    /// The next utterance that is whole: where it ends, and what it is.
    fn next(&mut self, stream: &Stream) -> Option<(usize, What)> {
        if self.deaf {
            return None;
        }
        let (length, what) = match self.protocol? {
            Protocol::AudioSocket => {
                self.take(stream);
                self.frame()?
            }
            Protocol::Http => {
                self.take(stream);
                let (length, what) = self.body.next(&self.rest)?;
                (length, self.events.hear(what))
            }
            Protocol::Sip => return None,
            Protocol::Unknown => {
                let end = stream.length();
                return (end > self.heard).then_some((end, What::Bytes));
            }
        };
        self.rest.advance(length);
        Some((self.heard + length, what))
    }

    /// Takes what was sent meanwhile; without a copy if nothing is left of what was taken before.
    fn take(&mut self, stream: &Stream) {
        for piece in stream.pieces_from(self.taken) {
            self.taken += 1;
            if self.rest.is_empty() {
                self.rest = piece.clone();
                continue;
            }
            let rest = std::mem::take(&mut self.rest).try_into_mut();
            let mut joined = rest.unwrap_or_else(|shared| BytesMut::from(&shared[..]));
            joined.extend_from_slice(piece);
            self.rest = joined.freeze();
        }
    }

    fn frame(&mut self) -> Option<(usize, What)> {
        match Frame::first(&self.rest).transpose()? {
            Ok((frame, length)) => Some((length, What::Frame(frame))),
            Err(error) => {
                self.deaf = true;
                Some((self.rest.len(), What::NoFrame(error)))
            }
        }
    }
}

/// What a connection carries, by how its client begins; where the client has said nothing, by how the server does.
fn protocol(connection: &Connection, side: Side) -> Option<Protocol> {
    let all = |stream: &Stream| stream.bytes(0..stream.length());
    let (up, down) = (all(&connection.up), all(&connection.down));
    let first = if up.is_empty() { &down } else { &up };
    let begin = *first.first()?;
    if down.starts_with(b"HTTP/") {
        return Some(Protocol::Http);
    }
    if !begin.is_ascii_uppercase() && begin != b'\r' && begin != b'\n' {
        return Some(Protocol::AudioSocket);
    }
    let line = first
        .split(|byte| *byte == b'\n')
        .find(|line| line.len() > 1);
    let line = line.unwrap_or_default().trim_ascii_end();
    let says = |word: &[u8]| line.windows(word.len()).any(|window| window == word);
    if says(b"HTTP/1.") {
        Some(Protocol::Http)
    } else if says(b"SIP/2.0") || side == Side::Up && line.is_empty() {
        Some(Protocol::Sip)
    } else {
        Some(Protocol::Unknown)
    }
}

#[cfg(test)]
mod tests;
