//! Event streams in HTTP bodies: which chunk completes which event.

use std::fmt;

use linefault_protocol::sse::{Decoder, Event, Item, Limits};

use super::What;

/// One chunk of an event stream, and what it completes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EventChunk {
    /// Its bytes.
    pub data: Vec<u8>,
    /// What it completes.
    pub items: Vec<Item>,
}

impl EventChunk {
    /// The events that it completes.
    pub fn events(&self) -> impl Iterator<Item = &Event> {
        self.items.iter().filter_map(|item| match item {
            Item::Event(event) => Some(event),
            Item::Retry(_) | Item::Id(_) => None,
        })
    }

    /// Whether it is one event without a name, as tokens are.
    #[must_use]
    pub fn is_plain(&self) -> bool {
        let mut events = self.events();
        events.next().is_some_and(|event| event.name == "message") && events.next().is_none()
    }
}

impl fmt::Display for EventChunk {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_plain() {
            return f.write_str("data");
        }
        let events: Vec<_> = self
            .events()
            .map(|event| match event.name.as_str() {
                "message" => "data".to_owned(),
                name => format!("event {name} {}", event.data),
            })
            .collect();
        if events.is_empty() {
            return write!(f, "{} bytes of an event stream", self.data.len());
        }
        f.write_str(&events.join(" · "))
    }
}

/// What is known of the event streams of one direction.
#[derive(Debug, Default)]
pub(super) struct Events(Option<Decoder>);

impl Events {
    /// Takes what was heard as HTTP; gives a chunk of an event stream as that.
    pub(super) fn hear(&mut self, what: What) -> What {
        match what {
            What::Http(message) => {
                let content_type = message.header("content-type").unwrap_or_default();
                let is_stream = content_type.starts_with("text/event-stream");
                self.0 = is_stream.then(|| Decoder::new(Limits::default(), ""));
                What::Http(message)
            }
            What::Chunk(data) => match &mut self.0 {
                Some(decoder) => {
                    let mut items = Vec::new();
                    // What cannot be read any further says nothing more.
                    let _ = decoder.feed(&data, &mut items);
                    What::Events(Box::new(EventChunk { data, items }))
                }
                None => What::Chunk(data),
            },
            other => other,
        }
    }
}
