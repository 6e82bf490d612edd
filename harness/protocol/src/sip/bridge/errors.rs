//! Why a message does not go across.

use std::fmt;

/// Why rsip cannot express a message. Blames rsip's grammar, not the message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Inexpressible {
    /// Line breaks before the start line, or bytes behind the announced body.
    Around {
        /// Bytes before.
        before: usize,
        /// Bytes behind.
        after: usize,
    },
    /// A method that its closed list lacks, or one that is not in upper case.
    Method {
        /// As written.
        method: String,
    },
    /// A Request-URI that it reads otherwise: a scheme but sip and sips, a dotted user, headers.
    Uri {
        /// As written.
        uri: String,
    },
    /// An IPv6 address.
    Ipv6 {
        /// `Request-URI`, or the name of the header field.
        place: String,
    },
    /// A reason phrase that is not the registered one: its statuses have no other.
    Reason {
        /// The status.
        status: u16,
        /// The phrase.
        reason: String,
    },
    /// A header field under its compact name, which it takes for another field.
    Compact {
        /// As written.
        name: String,
    },
    /// A header field on several lines.
    Folded {
        /// The registered name.
        name: String,
    },
    /// Several Via values in one field: it sees the first alone.
    ViaList {
        /// How many.
        values: usize,
    },
    /// A transport that its closed list lacks.
    Transport {
        /// As written in the Via.
        transport: String,
    },
    /// A header field that it reads otherwise or not at all.
    Field {
        /// The registered name.
        name: String,
        /// The value.
        value: String,
    },
    /// A body that is not UTF-8: it is damaged as soon as rsip writes it.
    Body {
        /// Where the first such byte is.
        at: usize,
    },
    /// It reads none of it.
    Refused {
        /// The first line of what it says.
        error: String,
    },
}

/// Why an rsip message is no SIP message. Blames whoever made it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Unreadable {
    /// SIP/1.0.
    Version,
    /// No status of RFC 3261 §7.2: below 100, or above 699.
    Status {
        /// The number.
        code: u16,
    },
    /// A line break within a part of one line, which would begin another field.
    LineBreak {
        /// `Request-URI`, `reason phrase` or `header field`.
        place: &'static str,
    },
    /// Content-Length announces another body.
    Body {
        /// The body's length in bytes.
        length: usize,
        /// As much as would be read of it.
        read: usize,
    },
    /// No element would accept it.
    Refused {
        /// What is wrong with it.
        fault: String,
    },
}

impl fmt::Display for Inexpressible {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("rsip cannot express ")?;
        match self {
            Self::Around { before, after } => {
                write!(f, "{before} bytes before the message and {after} behind it")
            }
            Self::Method { method } => write!(f, "the method {method}"),
            Self::Uri { uri } => write!(f, "the Request-URI {uri}"),
            Self::Ipv6 { place } => write!(f, "the IPv6 address in {place}"),
            Self::Reason { status, reason } => {
                write!(f, "{status} with the reason phrase {reason:?}")
            }
            Self::Compact { name } => write!(f, "the compact header name {name}"),
            Self::Folded { name } => write!(f, "{name} on several lines"),
            Self::ViaList { values } => write!(f, "{values} Via values in one field"),
            Self::Transport { transport } => write!(f, "the transport {transport}"),
            Self::Field { name, value } => write!(f, "{name}: {value}"),
            Self::Body { at } => write!(f, "a body that is not UTF-8 (byte {at})"),
            Self::Refused { error } => write!(f, "the message: {error}"),
        }
    }
}

impl fmt::Display for Unreadable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Version => f.write_str("the version is not SIP/2.0"),
            Self::Status { code } => write!(f, "{code} is no status: those are 100 to 699"),
            Self::LineBreak { place } => write!(f, "a line break in the {place}"),
            Self::Body { length, read } => write!(
                f,
                "the body has {length} bytes, and Content-Length leaves {read} of them"
            ),
            Self::Refused { fault } => write!(f, "no element would accept it: {fault}"),
        }
    }
}

impl std::error::Error for Inexpressible {}
impl std::error::Error for Unreadable {}
