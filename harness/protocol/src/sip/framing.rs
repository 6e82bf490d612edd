//! Messages in a byte stream: RFC 3261 §18.3, RFC 5626 §4.4.1.
//!
//! Owns where one message ends and the next begins, however the stream was cut into pieces, and how much of it is kept.
//! Refuses to judge messages: [`super::parse_framed`] does.

use std::fmt;

use bytes::{Buf, Bytes, BytesMut};

use super::parse::{Limits, glance};

/// Cuts one direction of a connection into frames. It keeps what is not complete yet: no more than [`Limits::message`]
/// bytes, and what was fed and not asked for.
///
/// ```
/// use linefault_protocol::sip::framing::{Frame, Framer};
///
/// let mut framer = Framer::default();
/// framer.feed(b"\r\n\r\nSIP/2.0 200 OK\r\nContent-Le");
/// assert_eq!(framer.next_frame(), Some(Frame::LineBreak));
/// assert_eq!(framer.next_frame(), Some(Frame::Ping));
/// assert_eq!(framer.next_frame(), None);
/// framer.feed(b"ngth: 2\r\n\r\nhiSIP/2.0");
/// let message = b"SIP/2.0 200 OK\r\nContent-Length: 2\r\n\r\nhi";
/// assert_eq!(framer.next_frame(), Some(Frame::Message(message[..].into())));
/// ```
#[derive(Clone, Debug)]
pub struct Framer {
    limits: Limits,
    buffer: BytesMut,
    /// Bytes of the buffer in which the end of the header fields is known not to begin.
    scanned: usize,
    /// The length of the message that the buffer begins with, once its header fields are complete.
    length: Option<usize>,
    /// Whether this side was connected to: then two line breaks ask for one. Whoever connected is only answered, with as
    /// many as it has asked for (RFC 5626 §4.4.1).
    pinged: bool,
    /// Whether the latest frame was a [`Frame::LineBreak`] that may be the first half of a ping.
    after_line_break: bool,
    broken: bool,
}

/// One thing of a stream.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Frame {
    /// One whole message, from its start line to as many bytes of body as its Content-Length says.
    Message(Bytes),
    /// A message that says nothing usable about its length, or is too long: as much of it as is there. Where the next one
    /// begins nobody can know, so that this is the last frame of the stream.
    Last(Bytes, Fault),
    /// A line break between messages: the answer to a ping (RFC 5626 §4.4.1), or nothing (RFC 3261 §7.5).
    LineBreak,
    /// The second line break in a row from whoever connected: a ping, to be answered with one line break.
    Ping,
}

/// Why a stream cannot be read any further. Blames the peer's bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// A message without Content-Length, which RFC 3261 §20.14 demands over streams.
    NoLength,
    /// A Content-Length that is no number, or two of them.
    MalformedLength,
    /// A message longer than the limit.
    TooLarge,
    /// What does not even begin like a message.
    NotSip,
}

impl Framer {
    /// A framer for what comes on a connection that was accepted.
    #[must_use]
    pub fn new(limits: Limits) -> Self {
        Self {
            limits,
            pinged: true,
            buffer: BytesMut::new(),
            scanned: 0,
            length: None,
            after_line_break: false,
            broken: false,
        }
    }

    /// A framer for what comes back on a connection that this side has made: no line break there is a ping.
    #[must_use]
    pub fn of_answers(limits: Limits) -> Self {
        Self {
            pinged: false,
            ..Self::new(limits)
        }
    }

    /// Takes the next bytes of the stream; ignores them after [`Frame::Last`].
    pub fn feed(&mut self, bytes: &[u8]) {
        if !self.broken {
            self.buffer.extend_from_slice(bytes);
        }
    }

    /// The next frame, if it is complete. The frames are the same whichever pieces the stream was fed in; only how much
    /// a [`Frame::Last`] holds is not.
    pub fn next_frame(&mut self) -> Option<Frame> {
        if self.broken || self.buffer.is_empty() {
            return None;
        }
        if self.length.is_none() {
            match self.buffer[..] {
                [b'\r'] => return None,
                [b'\r', b'\n', ..] => return Some(self.line_break()),
                _ => {}
            }
        }
        self.after_line_break = false;
        if self.length.is_none() {
            match self.head() {
                Ok(length) => self.length = Some(length?),
                Err(fault) => return self.give_up(fault),
            }
        }
        let length = self.length.filter(|length| *length <= self.buffer.len())?;
        (self.length, self.scanned) = (None, 0);
        Some(Frame::Message(self.buffer.split_to(length).freeze()))
    }

    /// What is no frame yet: the beginning of a message, or nothing.
    #[must_use]
    pub fn unfinished(&self) -> &[u8] {
        &self.buffer
    }

    // RFC 3261 §7.5: line breaks before a start line are no part of the message.
    fn line_break(&mut self) -> Frame {
        self.buffer.advance(2);
        self.after_line_break = self.pinged && !self.after_line_break;
        if self.pinged && !self.after_line_break {
            Frame::Ping
        } else {
            Frame::LineBreak
        }
    }

    /// How long the message is that the buffer begins with; `None` if its header fields are not complete.
    fn head(&mut self) -> Result<Option<usize>, Fault> {
        const END: &[u8] = b"\r\n\r\n";
        let within = self.buffer.len().min(self.limits.message);
        let begin = self.scanned.min(within);
        let found = self.buffer[begin..within]
            .windows(END.len())
            .position(|four| four == END);
        let Some(found) = found else {
            self.scanned = within.saturating_sub(END.len() - 1);
            let full = self.buffer.len() >= self.limits.message;
            return if full { Err(Fault::TooLarge) } else { Ok(None) };
        };
        let head = begin + found + END.len();
        let body = body_length(&self.buffer[..head], &self.limits)?;
        let length = head
            .checked_add(body)
            .filter(|length| *length <= self.limits.message);
        length.map(Some).ok_or(Fault::TooLarge)
    }

    fn give_up(&mut self, fault: Fault) -> Option<Frame> {
        self.broken = true;
        let kept = self.buffer.len().min(self.limits.message);
        let rest = std::mem::take(&mut self.buffer).split_to(kept).freeze();
        Some(Frame::Last(rest, fault))
    }
}

impl Default for Framer {
    fn default() -> Self {
        Self::new(Limits::default())
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NoLength => "Missing Content-Length header field",
            Self::MalformedLength => "Malformed Content-Length header field",
            Self::TooLarge => "Message Too Large",
            Self::NotSip => "not a SIP message",
        })
    }
}

impl std::error::Error for Fault {}

/// The length of the body that a head announces which ends with its empty line.
fn body_length(head: &[u8], limits: &Limits) -> Result<usize, Fault> {
    let message = glance(head, limits).ok_or(Fault::NotSip)?;
    // Two that contradict each other are how one reader is made to see a message where another sees none.
    if message.fields_of("Content-Length").count() > 1 {
        return Err(Fault::MalformedLength);
    }
    let length = message.content_length();
    length
        .map_err(|_| Fault::MalformedLength)?
        .ok_or(Fault::NoLength)
}

#[cfg(test)]
mod tests;
