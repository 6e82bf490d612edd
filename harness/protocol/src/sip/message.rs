//! SIP messages, lossless.
//!
//! Owns the start line, the header fields in order and the body. What is edited is rewritten; everything else leaves
//! byte for byte as it came. Refuses to decide whether a message is acceptable: `parse` does.

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;

use bytes::{BufMut, Bytes, BytesMut};

use super::essentials::Essentials;
use super::header::{Field, Key};
use super::list::{Split, split};
use super::names::Known;
use super::{Method, Status};

/// A request or a response. A copy shares all of it until one of the two is edited: a transaction keeps what its user gets
/// as well.
#[derive(Clone, PartialEq, Eq)]
pub struct Message(Arc<Parts>);

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Parts {
    pub(super) start: StartLine,
    pub(super) fields: Vec<Field>,
    pub(super) body: Bytes,
    /// What came before the start line: keep-alive line breaks (RFC 3261 §7.5).
    pub(super) before: Bytes,
    /// What came after the body that Content-Length announced (RFC 3261 §18.3).
    pub(super) after: Bytes,
    pub(super) essentials: Essentials,
}

/// As many fields as most messages have, with those that an element adds.
pub(super) const USUAL_FIELDS: usize = 16;

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct StartLine {
    /// With its CRLF.
    pub(crate) raw: Bytes,
    pub(crate) kind: Kind,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// The numbers say where the Request-URI stands in the line.
    Request { method: Method, uri: (usize, usize) },
    /// The number says where the reason phrase begins.
    Response { status: Status, reason: usize },
}

impl Message {
    /// A request without header fields but `Content-Length: 0`.
    #[must_use]
    pub fn request(method: Method, uri: &str) -> Self {
        Self::empty(StartLine::request(method, uri))
    }

    /// A response without header fields but `Content-Length: 0`.
    #[must_use]
    pub fn response(status: Status, reason: &str) -> Self {
        Self::empty(StartLine::response(status, reason))
    }

    /// A response to `request` with what RFC 3261 §8.2.6 takes over: all Via values, From, To, Call-ID and CSeq, as
    /// written, and the Timestamp in a 100. Without a `reason` it says the registered one.
    ///
    /// The To tag is the caller's (§8.2.6.2): see [`Message::add_to_tag`].
    #[must_use]
    pub fn response_to(request: &Self, status: Status, reason: Option<&str>) -> Self {
        let start = StartLine::response(status, reason.unwrap_or(status.reason()));
        let names = ["Via", "From", "To", "Call-ID", "CSeq"].into_iter();
        let timestamp = (status == Status::TRYING).then_some("Timestamp");
        let taken_over = names
            .chain(timestamp)
            .flat_map(|name| request.fields_of(name).cloned());
        let mut fields = Vec::with_capacity(request.parts().fields.len().max(USUAL_FIELDS));
        fields.extend(taken_over);
        fields.push(Field::new("Content-Length", "0"));
        Self::new(start, fields, request.parts().essentials.clone())
    }

    fn empty(start: StartLine) -> Self {
        let mut fields = Vec::with_capacity(USUAL_FIELDS);
        fields.push(Field::new("Content-Length", "0"));
        Self::new(start, fields, Essentials::default())
    }

    fn new(start: StartLine, fields: Vec<Field>, essentials: Essentials) -> Self {
        Self::of(Parts {
            start,
            fields,
            body: Bytes::new(),
            before: Bytes::new(),
            after: Bytes::new(),
            essentials,
        })
    }

    pub(super) fn of(parts: Parts) -> Self {
        Self(Arc::new(parts))
    }

    pub(super) fn parts(&self) -> &Parts {
        &self.0
    }

    /// Parts to edit, which no other message shares from then on. Fields are edited with [`Self::fields_mut`].
    pub(super) fn parts_mut(&mut self) -> &mut Parts {
        Arc::make_mut(&mut self.0)
    }

    /// Whether this is a request.
    #[must_use]
    pub fn is_request(&self) -> bool {
        matches!(self.0.start.kind, Kind::Request { .. })
    }

    /// The method of a request; of a response that of its CSeq, or `Other("")` if it has none.
    #[must_use]
    pub fn method(&self) -> Method {
        match &self.0.start.kind {
            Kind::Request { method, .. } => method.clone(),
            Kind::Response { .. } => self
                .cseq()
                .map_or_else(|_| Method::Other("".into()), |cseq| cseq.method),
        }
    }

    /// The status of a response.
    #[must_use]
    pub fn status(&self) -> Option<Status> {
        match self.0.start.kind {
            Kind::Response { status, .. } => Some(status),
            Kind::Request { .. } => None,
        }
    }

    /// The reason phrase of a response, which may be empty; bytes that are not UTF-8 read as U+FFFD.
    #[must_use]
    pub fn reason(&self) -> Option<Cow<'_, str>> {
        match self.0.start.kind {
            Kind::Response { reason, .. } => Some(String::from_utf8_lossy(
                &self.0.start.raw[reason..self.0.start.raw.len() - 2],
            )),
            Kind::Request { .. } => None,
        }
    }

    /// The Request-URI of a request as written. [`super::Uri::parse`] reads its parts.
    #[must_use]
    pub fn request_uri(&self) -> Option<&str> {
        match self.0.start.kind {
            Kind::Request { uri, .. } => str::from_utf8(&self.0.start.raw[uri.0..uri.1]).ok(),
            Kind::Response { .. } => None,
        }
    }

    /// All header fields in order.
    pub fn fields(&self) -> impl Iterator<Item = &Field> {
        self.0.fields.iter()
    }

    /// The header fields of this name in order, as they stand.
    pub fn fields_of<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a Field> {
        let key = Key::new(name);
        self.0
            .fields
            .iter()
            .filter(move |field| field.matches(&key))
    }

    /// The value of the first header field of this name (long or compact, without case), whole.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        let key = Key::new(name);
        self.0
            .fields
            .iter()
            .find(|field| field.matches(&key))
            .map(Field::value)
    }

    /// The values of all header fields of this name in order; those of comma lists one by one, where the grammar makes
    /// them lists (RFC 3261 §7.3.1). An empty piece of a list is an empty value.
    pub fn values<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.fields_of(name).flat_map(pieces)
    }

    /// The value of the first field of this kind, whole.
    pub(super) fn first(&self, known: &'static Known) -> Option<&str> {
        let mut fields = self.0.fields.iter();
        fields.find(|field| field.is_the(known)).map(Field::value)
    }

    /// The values of all fields of this kind, as [`Message::values`] has them.
    pub(super) fn all(&self, known: &'static Known) -> impl Iterator<Item = &str> {
        let fields = self.0.fields.iter();
        fields
            .filter(move |field| field.is_the(known))
            .flat_map(pieces)
    }

    /// The body: as many bytes as Content-Length says, or the rest of the datagram without one (RFC 3261 §18.3).
    #[must_use]
    pub fn body(&self) -> &Bytes {
        &self.0.body
    }

    /// How many bytes it has on the wire.
    #[must_use]
    pub fn length(&self) -> usize {
        let lines: usize = self.0.fields.iter().map(|field| field.raw().len()).sum();
        let around = self.0.before.len() + self.0.after.len();
        around + self.0.start.raw.len() + lines + 2 + self.0.body.len()
    }

    /// The bytes for the wire: for a message that was parsed and not edited, exactly those that came.
    #[must_use]
    pub fn to_bytes(&self) -> Bytes {
        let mut bytes = BytesMut::with_capacity(self.length());
        bytes.put_slice(&self.0.before);
        bytes.put_slice(&self.0.start.raw);
        for field in self.0.fields.iter() {
            bytes.put_slice(field.raw());
        }
        bytes.put_slice(b"\r\n");
        bytes.put_slice(&self.0.body);
        bytes.put_slice(&self.0.after);
        bytes.freeze()
    }
}

/// Its parts, without the sharing.
impl fmt::Debug for Message {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Parts {
            start,
            fields,
            body,
            before,
            after,
            essentials: _,
        } = &*self.0;
        f.debug_struct("Message")
            .field("start", start)
            .field("fields", fields)
            .field("body", body)
            .field("before", before)
            .field("after", after)
            .finish()
    }
}

impl StartLine {
    pub(crate) fn request(method: Method, uri: &str) -> Self {
        let clean = cleaned(uri, |c| c.is_whitespace() || c.is_control(), "");
        let start = method.as_str().len() + 1;
        let raw = [method.as_str(), " ", &clean, " SIP/2.0\r\n"].concat();
        Self {
            kind: Kind::Request {
                method,
                uri: (start, start + clean.len()),
            },
            raw: raw.into(),
        }
    }

    fn response(status: Status, reason: &str) -> Self {
        let clean = cleaned(reason, char::is_control, " ");
        let head = ["SIP/2.0 ", &status.code().to_string(), " "].concat();
        Self {
            kind: Kind::Response {
                status,
                reason: head.len(),
            },
            raw: [&head, &*clean, "\r\n"].concat().into(),
        }
    }
}

/// The text with something else in place of characters that could end its line; most have none.
fn cleaned<'a>(text: &'a str, unfit: fn(char) -> bool, instead: &str) -> Cow<'a, str> {
    if text.contains(unfit) {
        Cow::Owned(text.replace(unfit, instead))
    } else {
        Cow::Borrowed(text)
    }
}

pub(super) fn pieces(field: &Field) -> Pieces<'_> {
    if field.is_list() {
        Pieces::List(split(field.value(), b','))
    } else {
        Pieces::One(Some(field.value()))
    }
}

pub(super) enum Pieces<'a> {
    One(Option<&'a str>),
    List(Split<'a>),
}

impl<'a> Iterator for Pieces<'a> {
    type Item = &'a str;

    fn next(&mut self) -> Option<&'a str> {
        match self {
            Self::One(value) => value.take(),
            Self::List(values) => values.next(),
        }
    }
}

#[cfg(test)]
mod tests;
