//! An event stream, read as it arrives.

use std::fmt;

/// How much of a stream may be held back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of one line.
    pub line: usize,
    /// Bytes of one event's data.
    pub data: usize,
}

impl Default for Limits {
    /// 64 KiB a line and 256 KiB an event: far above any token, far below what would hurt.
    fn default() -> Self {
        Self {
            line: 64 * 1024,
            data: 256 * 1024,
        }
    }
}

/// What a stream says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Item {
    /// A complete event with data.
    Event(Event),
    /// The time to wait before a reconnect, in milliseconds. Counts at once, not only with the next event.
    Retry(u64),
    /// A block without data ended that set the last event id; to nothing, if empty.
    Id(String),
}

/// One event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    /// Its name, "message" where it has none.
    pub name: String,
    /// Its data, lines joined by LF.
    pub data: String,
    /// The last event id as of this event: its own, or that of an earlier one.
    pub last_id: String,
}

/// A stream that cannot be read any further; nothing more comes out of its decoder.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DecodeError {
    /// The peer sends a line without end.
    LineTooLong {
        /// Bytes allowed.
        limit: usize,
    },
    /// The peer sends an event without end.
    EventTooLong {
        /// Bytes allowed.
        limit: usize,
    },
}

/// Reads an event stream piece by piece; how it is cut makes no difference (WHATWG HTML §9.2.6).
///
/// What is incomplete at the end of the stream is dropped with the decoder.
#[derive(Clone, Debug)]
pub struct Decoder {
    limits: Limits,
    line: Vec<u8>,
    at_start: bool,
    after_cr: bool,
    name: String,
    data: String,
    has_data: bool,
    id: String,
    announced_id: String,
    broken: Option<DecodeError>,
}

impl Decoder {
    /// At the beginning of a stream. `last_id` is what the client has sent as Last-Event-ID: an event without an id of
    /// its own leaves it as it is.
    #[must_use]
    pub fn new(limits: Limits, last_id: &str) -> Self {
        Self {
            limits,
            line: Vec::new(),
            at_start: true,
            after_cr: false,
            name: String::new(),
            data: String::new(),
            has_data: false,
            id: last_id.to_owned(),
            announced_id: last_id.to_owned(),
            broken: None,
        }
    }

    /// Takes the next bytes and appends what they complete.
    ///
    /// # Errors
    /// A line or an event is longer than the limits allow; again at every later call.
    pub fn feed(&mut self, bytes: &[u8], items: &mut Vec<Item>) -> Result<(), DecodeError> {
        if let Some(error) = self.broken {
            return Err(error);
        }
        let result = self.take(bytes, items);
        self.broken = result.err();
        result
    }

    fn take(&mut self, mut bytes: &[u8], items: &mut Vec<Item>) -> Result<(), DecodeError> {
        // A CRLF that was cut in two: its CR has ended the line already.
        if self.after_cr && !bytes.is_empty() {
            self.after_cr = false;
            bytes = bytes.strip_prefix(b"\n").unwrap_or(bytes);
        }
        while let Some(end) = bytes.iter().position(|byte| matches!(byte, b'\r' | b'\n')) {
            self.extend_line(&bytes[..end])?;
            self.end_line(items)?;
            let cr = bytes[end] == b'\r';
            bytes = &bytes[end + 1..];
            self.after_cr = cr && bytes.is_empty();
            if cr {
                bytes = bytes.strip_prefix(b"\n").unwrap_or(bytes);
            }
        }
        self.extend_line(bytes)
    }

    fn extend_line(&mut self, part: &[u8]) -> Result<(), DecodeError> {
        let limit = self.limits.line;
        if self.line.len() + part.len() > limit {
            return Err(DecodeError::LineTooLong { limit });
        }
        self.line.extend_from_slice(part);
        Ok(())
    }

    fn end_line(&mut self, items: &mut Vec<Item>) -> Result<(), DecodeError> {
        let line = std::mem::take(&mut self.line);
        // A stream may begin with one byte order mark; a later one is text.
        let start = std::mem::take(&mut self.at_start);
        let bytes = line.strip_prefix(b"\xEF\xBB\xBF").filter(|_| start);
        // Line breaks are ASCII, so that decoding line by line replaces the same bytes as decoding the whole stream.
        let text = String::from_utf8_lossy(bytes.unwrap_or(&line));
        let result = self.field(&text, items);
        self.line = line;
        self.line.clear();
        result
    }

    fn field(&mut self, line: &str, items: &mut Vec<Item>) -> Result<(), DecodeError> {
        if line.is_empty() {
            self.dispatch(items);
            return Ok(());
        }
        let (field, value) = line.split_once(':').unwrap_or((line, ""));
        let value = value.strip_prefix(' ').unwrap_or(value);
        match field {
            "event" => value.clone_into(&mut self.name),
            "data" => return self.extend_data(value),
            "id" if !value.contains('\0') => value.clone_into(&mut self.id),
            "retry" => items.extend(milliseconds(value).map(Item::Retry)),
            // A comment (nothing before the colon), or a field that nobody knows.
            _ => {}
        }
        Ok(())
    }

    fn extend_data(&mut self, value: &str) -> Result<(), DecodeError> {
        let limit = self.limits.data;
        if self.data.len() + value.len() + 1 > limit {
            return Err(DecodeError::EventTooLong { limit });
        }
        if std::mem::replace(&mut self.has_data, true) {
            self.data.push('\n');
        }
        self.data.push_str(value);
        Ok(())
    }

    /// A blank line: the event is complete, and only now does its id count.
    fn dispatch(&mut self, items: &mut Vec<Item>) {
        let name = std::mem::take(&mut self.name);
        let data = std::mem::take(&mut self.data);
        let has_data = std::mem::take(&mut self.has_data);
        let changed = self.announced_id != self.id;
        self.id.clone_into(&mut self.announced_id);
        if has_data {
            items.push(Item::Event(Event {
                name: if name.is_empty() {
                    "message".to_owned()
                } else {
                    name
                },
                data,
                last_id: self.id.clone(),
            }));
        } else if changed {
            items.push(Item::Id(self.id.clone()));
        }
    }
}

/// A value that is digits and nothing else; one that is too large to count is for ever.
fn milliseconds(value: &str) -> Option<u64> {
    let digits = !value.is_empty() && value.bytes().all(|byte| byte.is_ascii_digit());
    digits.then(|| value.parse().unwrap_or(u64::MAX))
}

impl fmt::Display for DecodeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::LineTooLong { limit } => write!(f, "a line of more than {limit} bytes"),
            Self::EventTooLong { limit } => write!(f, "an event of more than {limit} bytes"),
        }
    }
}

impl std::error::Error for DecodeError {}

#[cfg(test)]
mod tests;
