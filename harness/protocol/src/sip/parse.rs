//! From a datagram to a message, or to what must be done with it instead.
//!
//! Owns the line between accepted, answered with an error, and thrown away. Refuses what only an element can judge:
//! unknown methods, URI schemes, extensions and hop counts pass.

mod lines;
mod start_line;

use std::fmt;

use bytes::Bytes;
use lines::Lines;
use start_line::read_start;

use super::digest::Algorithm;
use super::essentials::Essentials;
use super::header::{Field, FieldError};
use super::message::{Message, Parts, USUAL_FIELDS};
use super::{Method, Status, Via};

/// How large a message may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of a message, 65,536 by default; a larger request is rejected with 513.
    pub message: usize,
    /// Bytes of one line with its folds, 8,192 by default; a longer header field is rejected with 400, a longer request
    /// line with 414.
    pub line: usize,
    /// Header fields of a message, 256 by default; a request with more is rejected with 400.
    pub fields: usize,
}

/// What to do with a datagram.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// A message that can be processed.
    Accept(Message),
    /// A request to answer with an error.
    Reject(Rejection),
    /// Nothing to answer.
    Drop(DropReason),
}

/// A request that cannot be processed, and how to answer it, without a transaction: complete its top Via
/// ([`Message::complete_via`]), respond to it ([`Message::response_to`]), and send that to its
/// [`Message::response_destination`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rejection {
    /// The status of the answer: 400, 414, 505 or 513.
    pub status: Status,
    /// The reason phrase of the answer, which names the fault (RFC 3261 §21.4.1).
    pub reason: String,
    /// As much as could be read; its top Via says whom to answer.
    pub message: Message,
}

impl Rejection {
    /// The To tag of the answer.
    // RFC 3261 §8.2.7: without a transaction, every repeat of the request must be given the same.
    #[must_use]
    pub fn tag(&self) -> String {
        let known_by = ["Via", "From", "Call-ID", "CSeq"].map(|name| {
            let value = self.message.values(name).next();
            value.unwrap_or_default().to_owned()
        });
        let mut tag = Algorithm::Sha256.hash(&known_by.join("\n"));
        tag.truncate(16);
        tag
    }
}

/// Why a datagram is thrown away. Blames the peer's bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DropReason {
    /// Only line breaks, or nothing (RFC 3261 §7.5, RFC 5626 §3.5.1).
    KeepAlive,
    /// The first line is neither a request line nor a status line.
    NotSip,
    /// A response with this fault: responses are never answered.
    MalformedResponse(String),
    /// An ACK with this fault: an ACK is never answered (RFC 3261 §17.1.1.3).
    MalformedAck(String),
    /// A request with this fault whose top Via is missing or does not say whom to answer.
    Unanswerable(String),
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            message: 65_536,
            line: 8_192,
            fields: 256,
        }
    }
}

impl fmt::Display for DropReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::KeepAlive => f.write_str("keep-alive"),
            Self::NotSip => f.write_str("not a SIP message"),
            Self::MalformedResponse(fault) => write!(f, "malformed response: {fault}"),
            Self::MalformedAck(fault) => write!(f, "malformed ACK: {fault}"),
            Self::Unanswerable(fault) => {
                write!(f, "malformed request that cannot be answered: {fault}")
            }
        }
    }
}

/// Reads one datagram.
///
/// An accepted message gives back the same bytes. It has a readable top Via, From, To, Call-ID and CSeq, and every Via
/// is well formed; a request's Request-URI is well formed and its CSeq names its method. Other fields, Contact and Route
/// among them, are judged when they are read.
#[must_use]
pub fn parse(bytes: &[u8], limits: &Limits) -> Verdict {
    judge(read(bytes, limits))
}

/// As [`parse`], for one frame of a stream ([`super::framing`]): there a message must say how long it is
/// (RFC 3261 §20.14), and one that says that it is longer than the limit is rejected with 513 before all of it is there.
#[must_use]
pub fn parse_framed(bytes: &[u8], limits: &Limits) -> Verdict {
    let read = read(bytes, limits).map(|(message, outcome)| {
        let outcome = match message.content_length() {
            Ok(None) => Err(FieldError::Missing("Content-Length").into()),
            Ok(Some(length)) if length > limits.message.saturating_sub(head_length(&message)) => {
                Err(Fault::new(513, "Message Too Large"))
            }
            _ => outcome,
        };
        (message, outcome)
    });
    judge(read)
}

fn judge(read: Result<(Message, Result<(), Fault>), DropReason>) -> Verdict {
    match read {
        Ok((message, Ok(()))) => Verdict::Accept(message),
        Ok((message, Err(fault))) => refuse(message, fault),
        Err(reason) => Verdict::Drop(reason),
    }
}

/// As much of a message as can be read, right or wrong; `None` if it does not even begin like one. For onlookers that
/// answer nothing: whoever acts on a message asks [`parse`].
#[must_use]
pub fn glance(bytes: &[u8], limits: &Limits) -> Option<Message> {
    read(bytes, limits).ok().map(|(message, _)| message)
}

/// The message as far as it could be read, and the first fault of it.
fn read(bytes: &[u8], limits: &Limits) -> Result<(Message, Result<(), Fault>), DropReason> {
    let begin = bytes
        .iter()
        .position(|byte| !matches!(byte, b'\r' | b'\n'))
        .unwrap_or(bytes.len());
    if begin == bytes.len() {
        return Err(DropReason::KeepAlive);
    }
    // What is over the limit is read no further than the limit: enough to answer it.
    let (before, whole) = bytes[..bytes.len().min(limits.message)]
        .split_at_checked(begin)
        .ok_or(DropReason::NotSip)?;
    let mut lines = Lines::of(whole);
    let first = lines
        .next_line()
        .and_then(|line| read_start(&whole[line], limits));
    let (start, fault) = first.ok_or(DropReason::NotSip)?;
    let too_large = bytes.len() > limits.message;
    let fault = if too_large {
        Some(Fault::new(513, "Message Too Large"))
    } else {
        fault
    };
    let mut fields = Vec::with_capacity(USUAL_FIELDS);
    let read = read_fields(&mut lines, &mut fields, limits);
    let mut message = Message::of(Parts {
        start,
        fields,
        body: Bytes::new(),
        before: Bytes::copy_from_slice(before),
        after: Bytes::new(),
        essentials: Essentials::default(),
    });
    let outcome = fault
        .map_or(read, Err)
        .and_then(|()| read_body(&whole[lines.place..], &mut message))
        .and_then(|()| check(&message));
    Ok((message, outcome))
}

/// Bytes before the body.
fn head_length(message: &Message) -> usize {
    let parts = message.parts();
    let fields: usize = parts.fields.iter().map(|field| field.raw().len()).sum();
    parts.start.raw.len() + fields + 2
}

/// A fault of a message, as its answer would name it.
struct Fault {
    status: u16,
    reason: String,
}

impl Fault {
    fn new(status: u16, reason: &str) -> Self {
        Self {
            status,
            reason: reason.to_owned(),
        }
    }

    fn bad(reason: &str) -> Self {
        Self::new(400, reason)
    }
}

impl From<FieldError> for Fault {
    fn from(error: FieldError) -> Self {
        Self::bad(&error.to_string())
    }
}

fn refuse(message: Message, fault: Fault) -> Verdict {
    let answerable = message
        .values("Via")
        .next()
        .is_some_and(|value| Via::parse_usable(value).is_some());
    match Status::new(fault.status) {
        _ if !message.is_request() => Verdict::Drop(DropReason::MalformedResponse(fault.reason)),
        _ if message.method() == Method::Ack => {
            Verdict::Drop(DropReason::MalformedAck(fault.reason))
        }
        Some(status) if answerable => Verdict::Reject(Rejection {
            status,
            reason: fault.reason,
            message,
        }),
        _ => Verdict::Drop(DropReason::Unanswerable(fault.reason)),
    }
}

/// Reads header fields up to the empty line. Reads on after a fault, so that the answer finds its Via.
fn read_fields(
    lines: &mut Lines<'_>,
    fields: &mut Vec<Field>,
    limits: &Limits,
) -> Result<(), Fault> {
    let text = valid_text(lines.bytes).into();
    let mut outcome = Ok(());
    while let Some(line) = lines.next_field() {
        let length = line.len();
        if length == 2 {
            return outcome;
        }
        let fault = match Field::read(&text, lines.bytes, line) {
            _ if fields.len() == limits.fields => {
                return outcome.and(Err(Fault::bad("Too many header fields")));
            }
            None => Some(Fault::bad("Malformed header field")),
            Some(field) if length > limits.line => Some(too_long(&field)),
            Some(field) => {
                fields.push(field);
                None
            }
        };
        outcome = outcome.and(fault.map_or(Ok(()), Err));
    }
    outcome.and(Err(Fault::bad(
        "Missing empty line after the header fields",
    )))
}

/// As much of it, from the beginning, as is UTF-8.
fn valid_text(bytes: &[u8]) -> &str {
    str::from_utf8(bytes).unwrap_or_else(|error| {
        let (valid, _) = bytes.split_at(error.valid_up_to());
        str::from_utf8(valid).unwrap_or_default()
    })
}

/// Names a registered field only: other names are the peer's words.
fn too_long(field: &Field) -> Fault {
    match field.registered() {
        Some(name) => Fault::bad(&format!("{name} header field too long")),
        None => Fault::bad("Header field too long"),
    }
}

// RFC 3261 §18.3: bytes beyond Content-Length are no part of the message; fewer make the message malformed.
fn read_body(rest: &[u8], message: &mut Message) -> Result<(), Fault> {
    let length = message.content_length()?.unwrap_or(rest.len());
    let (body, after) = rest
        .split_at_checked(length)
        .ok_or_else(|| Fault::bad("Content-Length larger than the datagram"))?;
    let parts = message.parts_mut();
    parts.body = Bytes::copy_from_slice(body);
    parts.after = Bytes::copy_from_slice(after);
    Ok(())
}

// RFC 3261 §8.1.1 without Max-Forwards, which RFC 2543 does not know (§16.3 step 3 lets it be absent).
fn check(message: &Message) -> Result<(), Fault> {
    message.call_id()?;
    let cseq = message.cseq()?;
    message.from()?;
    message.to()?;
    message.check_vias()?;
    let fields = &message.parts().fields;
    for (at, field) in fields.iter().enumerate() {
        let before = &fields[..at];
        if let Some(name) = field.repeats_one_of(before) {
            return Err(FieldError::Repeated(name).into());
        }
    }
    message.max_forwards()?;
    if message.is_request() && cseq.method != message.method() {
        return Err(Fault::bad("CSeq method does not match"));
    }
    Ok(())
}

#[cfg(test)]
pub(in crate::sip) mod generate;
#[cfg(test)]
mod properties;
#[cfg(test)]
mod second_reader;
#[cfg(test)]
mod tests;
