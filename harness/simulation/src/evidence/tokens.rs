//! Token streams as the wire tells of them: who asked for what, and which events came.
//!
//! Owns reading HTTP exchanges on `/stream` as report D's. Refuses to judge.

use linefault_network::HostId;
use linefault_protocol::sse::Event;

use super::Evidence;
use super::stream::{Connection, Seen, Side};
use super::talk::{EventChunk, HttpMessage, HttpStart, Utterance, What};

/// One request for tokens, or the attempt at one, and what came back.
#[derive(Clone, Debug)]
pub struct Exchange {
    /// The place of its connection in [`Evidence::connections`].
    pub connection: usize,
    /// Who asked.
    pub client: HostId,
    /// Who has the address that was asked, if anybody.
    pub server: Option<HostId>,
    /// When the request was sent.
    pub asked: Seen,
    /// The `X-Request-ID` of the request.
    pub request_id: String,
    /// The `Last-Event-ID` of the request.
    pub last_id: String,
    /// The head of the response, when it was sent, and when it arrived.
    pub head: Option<Head>,
    /// The events, in order.
    pub events: Vec<Told>,
    /// Bytes of the stream that look like the head of another response.
    pub status_inside: Option<Seen>,
    /// When the service ended the response properly, if it did.
    pub ended: Option<Seen>,
}

/// The head of a response.
#[derive(Clone, Debug)]
pub struct Head {
    /// The message.
    pub message: HttpMessage,
    /// When it was sent.
    pub sent: Seen,
    /// When the client read it; nothing if it never did.
    pub read: Option<Seen>,
}

/// One event of a stream.
#[derive(Clone, Debug)]
pub struct Told {
    /// What it says.
    pub event: Event,
    /// When it was sent.
    pub sent: Seen,
    /// When the client read it; nothing if it never did, as when it comes to a connection that the client has closed.
    pub read: Option<Seen>,
}

impl Exchange {
    /// The status of the response.
    #[must_use]
    pub fn status(&self) -> Option<u16> {
        self.head.as_ref()?.message.status()
    }

    /// Whether the response is an event stream.
    #[must_use]
    pub fn streams(&self) -> bool {
        self.status() == Some(200) && self.content_type() == "text/event-stream"
    }

    /// The text of a JSON answer, if it is one that can be read.
    #[must_use]
    pub fn json_text(&self) -> Option<String> {
        let message = &self.head.as_ref()?.message;
        let json = self.status() == Some(200) && self.content_type() == "application/json";
        let value: serde_json::Value =
            json.then(|| serde_json::from_slice(&message.body).ok())??;
        Some(value.get("text")?.as_str()?.to_owned())
    }

    fn content_type(&self) -> &str {
        let head = self.head.as_ref();
        let value = head.and_then(|head| head.message.header("content-type"));
        value.unwrap_or_default()
    }

    /// Whether the service said how the stream ended.
    #[must_use]
    pub fn says_its_end(&self) -> bool {
        let last = self.events.last();
        last.is_some_and(|last| matches!(last.event.name.as_str(), "done" | "error"))
    }
}

impl Told {
    /// The session and the number in an event's id, as report D's service writes them: `SESSION-NUMBER`.
    #[must_use]
    pub fn place(&self) -> Option<(&str, u64)> {
        let (session, number) = self.event.last_id.rsplit_once('-')?;
        Some((session, number.parse().ok()?))
    }

    /// Whether it is a token.
    #[must_use]
    pub fn is_token(&self) -> bool {
        self.event.name == "message"
    }
}

/// All exchanges of a run, by connection and then in order; see [`Evidence::token_exchanges`].
pub(super) fn exchanges(evidence: &Evidence<'_>) -> Vec<Exchange> {
    let mut readers: Vec<Reader> = Vec::new();
    readers.resize_with(evidence.connections.len(), Reader::default);
    for utterance in &evidence.utterances {
        let line = &evidence.connections[utterance.connection];
        readers[utterance.connection].take(line, utterance);
    }
    readers.into_iter().flat_map(|reader| reader.done).collect()
}

/// Reads one connection.
#[derive(Default)]
struct Reader {
    done: Vec<Exchange>,
    /// The exchange whose response comes next, or is coming.
    place: usize,
}

impl Reader {
    fn take(&mut self, line: &Connection, utterance: &Utterance) {
        match (&utterance.what, utterance.side) {
            (What::Http(message), Side::Up) => self.request(line, utterance, message),
            (What::Http(message), Side::Down) => self.response(line, utterance, message),
            (What::Events(chunk), Side::Down) => self.chunk(line, utterance, chunk),
            _ => {}
        }
    }

    fn request(&mut self, line: &Connection, utterance: &Utterance, message: &HttpMessage) {
        let HttpStart::Request { target, .. } = &message.start else {
            return;
        };
        if !target.starts_with("/stream") {
            return;
        }
        let header = |name| message.header(name).unwrap_or_default().to_owned();
        self.done.push(Exchange {
            connection: utterance.connection,
            client: line.client,
            server: line.server,
            asked: utterance.sent,
            request_id: header("x-request-id"),
            last_id: header("last-event-id"),
            head: None,
            events: Vec::new(),
            status_inside: None,
            ended: None,
        });
    }

    fn response(&mut self, line: &Connection, utterance: &Utterance, message: &HttpMessage) {
        let Some(exchange) = self.done.get_mut(self.place) else {
            return;
        };
        exchange.head = Some(Head {
            message: message.clone(),
            sent: utterance.sent,
            read: line.down.read_at(utterance.end),
        });
        if !exchange.streams() {
            self.place += 1;
        }
    }

    fn chunk(&mut self, line: &Connection, utterance: &Utterance, chunk: &EventChunk) {
        let Some(exchange) = self.done.get_mut(self.place) else {
            return;
        };
        // RFC 9112 §7.1: the last chunk is an empty one.
        if chunk.data.is_empty() {
            exchange.ended = Some(utterance.sent);
            self.place += 1;
            return;
        }
        if chunk.data.windows(7).any(|window| window == b"HTTP/1.") {
            exchange.status_inside.get_or_insert(utterance.sent);
        }
        let told = chunk.events().map(|event| Told {
            event: event.clone(),
            sent: utterance.sent,
            read: line.down.read_at(utterance.end),
        });
        exchange.events.extend(told);
    }
}
