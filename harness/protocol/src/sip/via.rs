//! The Via header field: sent-by, branch and parameters.
//!
//! Owns its syntax and the comparisons of RFC 3261 §17.1.3 and §17.2.3. Where a response goes is `way_back`'s.

use std::fmt;
use std::net::IpAddr;

use super::essentials::within;
use super::list;
use super::params::Params;
use super::uri::{is_host, read_ip, read_port, same_host};

/// With these seven characters a branch begins that is unique in space and time (RFC 3261 §8.1.1.7).
pub const MAGIC_COOKIE: &str = "z9hG4bK";

/// One value of a Via header field, as it stands in the message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Via<'a> {
    transport: &'a str,
    sent_by: SentBy<'a>,
    params: Params<'a>,
}

/// `sent-by`: who wrote a Via.
#[derive(Clone, Copy, Debug)]
pub struct SentBy<'a> {
    /// A name or an address, an IPv6 one in brackets.
    pub host: &'a str,
    /// The port, if one is written.
    pub port: Option<u16>,
}

/// Where the parts of a Via stand in the text that it was read from.
#[derive(Clone, Copy, Debug)]
pub(super) struct Spans {
    transport: (usize, usize),
    host: (usize, usize),
    port: Option<u16>,
    params: (usize, usize),
}

impl<'a> Via<'a> {
    /// Reads one value, `SIP/2.0/UDP host:port;branch=…`. `None` if it is malformed.
    #[must_use]
    pub fn parse(text: &'a str) -> Option<Self> {
        let (head, params) = divide(text);
        Self::head(head, Params::read(params)?)
    }

    /// Reads a value of which only protocol and sent-by are well formed: enough to know whom to answer.
    pub(crate) fn parse_usable(text: &'a str) -> Option<Self> {
        let (head, params) = divide(text);
        Self::head(head, Params::unchecked(params))
    }

    /// Whether its parameters are well formed too, if it was read as one of which they need not be.
    pub(super) fn is_well_formed(&self) -> bool {
        Params::read(self.params.as_str()).is_some()
    }

    /// Where its parts stand in the text that it was read from.
    pub(super) fn spans(&self, text: &str) -> Spans {
        Spans {
            transport: within(text, self.transport),
            host: within(text, self.sent_by.host),
            port: self.sent_by.port,
            params: within(text, self.params.as_str()),
        }
    }

    /// The Via of that text whose parts stand there.
    pub(super) fn at(text: &'a str, spans: &Spans) -> Self {
        let part = |(begin, end)| text.get(begin..end).unwrap_or_default();
        Self {
            transport: part(spans.transport),
            sent_by: SentBy {
                host: part(spans.host),
                port: spans.port,
            },
            params: Params::unchecked(part(spans.params)),
        }
    }

    // RFC 3261 §25.1 sent-protocol: white space may stand around its slashes, but must stand before sent-by.
    fn head(head: &'a str, params: Params<'a>) -> Option<Self> {
        // As nearly everybody writes it.
        let rest = match head.strip_prefix("SIP/2.0/") {
            Some(rest) => rest,
            None => behind_protocol(head)?,
        };
        let rest = rest.trim_ascii_start();
        let gap = rest.bytes().position(|byte| matches!(byte, b' ' | b'\t'))?;
        let (transport, sent_by) = rest.split_at(gap);
        list::is_token(transport).then_some(Self {
            transport,
            sent_by: SentBy::parse(sent_by.trim_ascii())?,
            params,
        })
    }

    /// The transport as written: `UDP`, `TCP` or any other token.
    #[must_use]
    pub fn transport(&self) -> &'a str {
        self.transport
    }

    /// Whether the transport is reliable: everything but UDP is (RFC 3261 §17.1.1.2).
    #[must_use]
    pub fn is_reliable(&self) -> bool {
        !self.transport.eq_ignore_ascii_case("UDP")
    }

    /// Host and port of the element that wrote this value.
    #[must_use]
    pub fn sent_by(&self) -> SentBy<'a> {
        self.sent_by
    }

    /// The branch; with [`MAGIC_COOKIE`] in front it identifies the transaction.
    #[must_use]
    pub fn branch(&self) -> Option<&'a str> {
        self.params.get("branch")
    }

    /// Whether the branch has the magic cookie. Without it, the rules of RFC 2543 apply.
    #[must_use]
    pub fn has_cookie(&self) -> bool {
        self.branch().is_some_and(has_cookie)
    }

    /// The address that the request came from, written by its receiver.
    #[must_use]
    pub fn received(&self) -> Option<IpAddr> {
        // RFC 5118 §4.5: some write IPv6 with brackets here, some without.
        let text = self.params.get("received")?;
        text.parse().ok().or_else(|| read_ip(text))
    }

    /// The port that the request came from: `None` if not asked for, `Some(None)` if asked for and not yet filled in
    /// (RFC 3581 §3).
    #[must_use]
    pub fn rport(&self) -> Option<Option<u16>> {
        self.params.get("rport").map(|port| port.parse().ok())
    }

    /// All parameters, in order.
    #[must_use]
    pub fn params(&self) -> Params<'a> {
        self.params
    }
}

impl<'a> SentBy<'a> {
    fn parse(text: &'a str) -> Option<Self> {
        let bracket = text.starts_with('[').then(|| text.rfind(']')).flatten();
        let bracket = bracket.map_or(0, |at| at + 1);
        // RFC 3261 §25.1 COLON: white space may stand around it.
        let (host, port) = match list::position(&text[bracket..], b':') {
            Some(colon) => (
                text[..bracket + colon].trim_ascii_end(),
                Some(text[bracket + colon + 1..].trim_ascii_start()),
            ),
            None => (text, None),
        };
        let port = port
            .map(|digits| read_port(digits).ok_or(()))
            .transpose()
            .ok()?;
        is_host(host).then_some(Self { host, port })
    }

    /// The port, or the default one of the transport: 5061 for TLS, else 5060 (RFC 3261 §18.2.2, §19.1.2).
    #[must_use]
    pub fn port_or_default(&self, transport: &str) -> u16 {
        let tls =
            transport.eq_ignore_ascii_case("TLS") || transport.eq_ignore_ascii_case("TLS-SCTP");
        self.port.unwrap_or(if tls { 5061 } else { 5060 })
    }
}

/// Hosts are compared without case, addresses by value; a port that is not written counts as 5060 (RFC 3261 §20.42).
impl PartialEq for SentBy<'_> {
    fn eq(&self, other: &Self) -> bool {
        same_host(self.host, other.host) && self.port.unwrap_or(5060) == other.port.unwrap_or(5060)
    }
}

impl Eq for SentBy<'_> {}

impl fmt::Display for SentBy<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.port {
            Some(port) => write!(f, "{}:{port}", self.host),
            None => f.write_str(self.host),
        }
    }
}

/// Whether this branch was made by the rules of RFC 3261 §8.1.1.7 rather than those of RFC 2543.
// RFC 3261 §7.3.1: tokens are compared without case unless stated otherwise, the cookie included.
#[must_use]
pub fn has_cookie(branch: &str) -> bool {
    let start = branch.get(..MAGIC_COOKIE.len());
    start.is_some_and(|start| start.eq_ignore_ascii_case(MAGIC_COOKIE))
        && branch.len() > MAGIC_COOKIE.len()
}

/// What stands behind `SIP / 2.0 /`.
fn behind_protocol(head: &str) -> Option<&str> {
    let (name, rest) = list::divide(head, b'/')?;
    let (version, rest) = list::divide(rest, b'/')?;
    let is_sip = name.trim_ascii().eq_ignore_ascii_case("SIP") && version.trim_ascii() == "2.0";
    is_sip.then_some(rest)
}

fn divide(text: &str) -> (&str, &str) {
    let text = text.trim_ascii();
    let end = list::position(text, b';').unwrap_or(text.len());
    (text[..end].trim_ascii_end(), &text[end..])
}

#[cfg(test)]
mod tests;
