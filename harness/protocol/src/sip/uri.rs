//! URIs: `sip:` and `sips:` in their parts, every other scheme as text.
//!
//! Owns the syntax of RFC 3261 §19.1.1 and the equality of §19.1.4. Refuses to resolve names: without DNS only an
//! address literal leads anywhere.

use std::borrow::Cow;
use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::ops::Range;
use std::str::FromStr;

use super::params::Params;

/// A URI, kept as written. `==` compares the text; see [`Uri::equivalent`] for the equality of RFC 3261.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Uri {
    raw: String,
    spans: Spans,
}

/// Why a URI could not be read. Blames whoever wrote the URI.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UriError {
    /// No `scheme:`, or nothing after it.
    Scheme,
    /// A user part that is empty before its `@`.
    User,
    /// No host, or characters that no host name, IPv4 address or IPv6 reference has.
    Host,
    /// A port that is no number from 0 to 65535.
    Port,
    /// A parameter without a name or with a malformed value.
    Parameter,
    /// White space, a control character, a quote or an angle bracket.
    Character(char),
}

/// Where the parts of a URI stand in its text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Spans {
    scheme: usize,
    sip: bool,
    user: Option<usize>,
    host: (usize, usize),
    port: Option<u16>,
    params: usize,
    headers: usize,
}

impl Uri {
    /// Reads a URI without enclosing angle brackets.
    ///
    /// # Errors
    /// Names the first part that is malformed. Of schemes other than `sip` and `sips` only the scheme is looked at.
    pub fn parse(text: &str) -> Result<Self, UriError> {
        let spans = scan(text)?;
        Ok(Self {
            raw: text.to_owned(),
            spans,
        })
    }

    pub(crate) fn from_scanned(text: &str, spans: Spans) -> Self {
        Self {
            raw: text.to_owned(),
            spans,
        }
    }

    /// The text as written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.raw
    }

    /// The scheme as written, without its colon.
    #[must_use]
    pub fn scheme(&self) -> &str {
        &self.raw[..self.spans.scheme]
    }

    /// Whether the scheme is `sip` or `sips`: only then are there user, host, parameters and headers.
    #[must_use]
    pub fn is_sip(&self) -> bool {
        self.spans.sip
    }

    /// The user, with escapes as written.
    #[must_use]
    pub fn user(&self) -> Option<&str> {
        let userinfo = self.userinfo()?;
        Some(userinfo.split_once(':').map_or(userinfo, |(user, _)| user))
    }

    /// The password: a bad idea in a URI, but part of the grammar.
    #[must_use]
    pub fn password(&self) -> Option<&str> {
        self.userinfo()?
            .split_once(':')
            .map(|(_, password)| password)
    }

    /// The host, an IPv6 address with its brackets; empty if the scheme is neither `sip` nor `sips`.
    #[must_use]
    pub fn host(&self) -> &str {
        &self.raw[self.spans.host.0..self.spans.host.1]
    }

    /// The port, if one is written.
    #[must_use]
    pub fn port(&self) -> Option<u16> {
        self.spans.port
    }

    /// The parameters, without those of an enclosing header field.
    #[must_use]
    pub fn params(&self) -> Params<'_> {
        Params::unchecked(&self.raw[self.spans.params..self.spans.headers])
    }

    /// The header part without its `?`; empty if there is none.
    #[must_use]
    pub fn headers(&self) -> &str {
        self.raw[self.spans.headers..]
            .strip_prefix('?')
            .unwrap_or_default()
    }

    /// The host as an address, if it is a literal.
    #[must_use]
    pub fn ip(&self) -> Option<IpAddr> {
        read_ip(self.host())
    }

    /// Where a request to this URI goes without DNS: its address literal and its port or else the default one, 5060,
    /// or 5061 for `sips` (RFC 3263 §4.2). `None` if the host is a name.
    #[must_use]
    pub fn socket_address(&self) -> Option<SocketAddr> {
        let default = if self.scheme().eq_ignore_ascii_case("sips") {
            5061
        } else {
            5060
        };
        Some(SocketAddr::new(self.ip()?, self.port().unwrap_or(default)))
    }

    /// The address-of-record: scheme, unescaped user and lower-case host without port, parameters and headers.
    // RFC 3261 §10.3 step 5: the canonical form by which a registrar finds bindings.
    #[must_use]
    pub fn address_of_record(&self) -> String {
        if !self.is_sip() {
            return self.raw.clone();
        }
        let (scheme, host) = (
            self.scheme().to_ascii_lowercase(),
            self.host().to_ascii_lowercase(),
        );
        match self.user() {
            Some(user) => format!("{scheme}:{}@{host}", unescape(user, false)),
            None => format!("{scheme}:{host}"),
        }
    }

    /// The equality of RFC 3261 §19.1.4. It is not transitive, and therefore not `==`.
    ///
    /// URIs of other schemes are equivalent if scheme (without case) and text are the same.
    #[must_use]
    pub fn equivalent(&self, other: &Self) -> bool {
        if !self.scheme().eq_ignore_ascii_case(other.scheme()) {
            return false;
        }
        if !self.is_sip() {
            return self.raw[self.spans.scheme..] == other.raw[other.spans.scheme..];
        }
        self.userinfo().map(normal) == other.userinfo().map(normal)
            && same_host(self.host(), other.host())
            && self.port() == other.port()
            && params_agree(self.params(), other.params())
            && params_agree(other.params(), self.params())
            && normal_headers(self.headers()) == normal_headers(other.headers())
    }

    fn userinfo(&self) -> Option<&str> {
        self.spans
            .user
            .map(|end| &self.raw[self.spans.scheme + 1..end])
    }
}

impl FromStr for Uri {
    type Err = UriError;

    fn from_str(text: &str) -> Result<Self, UriError> {
        Self::parse(text)
    }
}

impl fmt::Display for Uri {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.raw)
    }
}

impl fmt::Display for UriError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Scheme => f.write_str("a URI needs a scheme, a colon and something after it"),
            Self::User => f.write_str("the user before the @ is empty"),
            Self::Host => f.write_str("the host is neither a name nor an address"),
            Self::Port => f.write_str("the port is no number from 0 to 65535"),
            Self::Parameter => f.write_str("a parameter has no name or a malformed value"),
            Self::Character(found) => write!(f, "{found:?} must be escaped in a URI"),
        }
    }
}

impl std::error::Error for UriError {}

/// Finds the parts of a URI without copying.
pub(crate) fn scan(text: &str) -> Result<Spans, UriError> {
    if let Some(found) = misplaced(text) {
        return Err(UriError::Character(found));
    }
    let scheme = text.find(':').ok_or(UriError::Scheme)?;
    if !is_scheme(&text[..scheme]) || scheme + 1 == text.len() {
        return Err(UriError::Scheme);
    }
    let end = text.len();
    let sip =
        text[..scheme].eq_ignore_ascii_case("sip") || text[..scheme].eq_ignore_ascii_case("sips");
    if !sip {
        return Ok(Spans {
            scheme,
            sip,
            user: None,
            host: (end, end),
            port: None,
            params: end,
            headers: end,
        });
    }
    // An @ is escaped everywhere but after the user (RFC 3261 §25.1); the user itself may hold ; and ?.
    let user = text.find('@');
    if user == Some(scheme + 1) {
        return Err(UriError::User);
    }
    let start = user.map_or(scheme + 1, |at| at + 1);
    let headers = text[start..].find('?').map_or(end, |at| start + at);
    let params = text[start..headers]
        .find(';')
        .map_or(headers, |at| start + at);
    let (host, port) = split_port(&text[start..params])?;
    Params::read(&text[params..headers]).ok_or(UriError::Parameter)?;
    Ok(Spans {
        scheme,
        sip,
        user,
        host: (start, start + host.end),
        port,
        params,
        headers,
    })
}

/// The first character that a URI must escape. The bytes are looked at first, since most have none.
fn misplaced(text: &str) -> Option<char> {
    let plain = |byte: u8| matches!(byte, 0x21..=0x7e) && !matches!(byte, b'<' | b'>' | b'"');
    if text.bytes().all(plain) {
        return None;
    }
    text.chars()
        .find(|c| c.is_whitespace() || c.is_control() || matches!(c, '<' | '>' | '"'))
}

/// Splits `host[:port]` and checks both.
fn split_port(text: &str) -> Result<(Range<usize>, Option<u16>), UriError> {
    let end = if text.starts_with('[') {
        text.find(']').ok_or(UriError::Host)? + 1
    } else {
        text.find(':').unwrap_or(text.len())
    };
    if !is_host(&text[..end]) {
        return Err(UriError::Host);
    }
    let port = match text[end..].strip_prefix(':') {
        None if end < text.len() => return Err(UriError::Host),
        None => None,
        Some(digits) => Some(read_port(digits).ok_or(UriError::Port)?),
    };
    Ok((0..end, port))
}

pub(crate) fn read_port(digits: &str) -> Option<u16> {
    let all_digits = digits.bytes().all(|byte| byte.is_ascii_digit());
    if all_digits {
        digits.parse().ok()
    } else {
        None
    }
}

/// Host names may hold `_`, which is common in the field, beyond RFC 3261 §25.1.
pub(crate) fn is_host(text: &str) -> bool {
    if text.starts_with('[') {
        return read_ip(text).is_some();
    }
    !text.is_empty()
        && text
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_'))
}

fn is_scheme(text: &str) -> bool {
    text.starts_with(|first: char| first.is_ascii_alphabetic())
        && text
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'-' | b'.'))
}

/// The address of a literal host, of which an IPv6 one stands in brackets.
pub(crate) fn read_ip(host: &str) -> Option<IpAddr> {
    match host.strip_prefix('[') {
        Some(rest) => rest.strip_suffix(']')?.parse().ok().map(IpAddr::V6),
        None => host.parse().ok().map(IpAddr::V4),
    }
}

/// Two hosts are the same if their addresses are, or their names without case.
pub(crate) fn same_host(one: &str, other: &str) -> bool {
    one.eq_ignore_ascii_case(other) || read_ip(one).is_some_and(|ip| read_ip(other) == Some(ip))
}

// RFC 3261 §19.1.4: these five never match when only one URI has them; others are ignored then.
fn params_agree(one: Params<'_>, other: Params<'_>) -> bool {
    one.iter().all(|(name, value)| match other.get(name) {
        Some(theirs) => normal(value.unwrap_or_default()).eq_ignore_ascii_case(&normal(theirs)),
        None => !["user", "ttl", "method", "maddr", "transport"]
            .iter()
            .any(|key| name.eq_ignore_ascii_case(key)),
    })
}

/// The header part as a sorted list: their order does not count.
fn normal_headers(text: &str) -> Vec<(String, Cow<'_, str>)> {
    let pairs = text.split('&').filter(|pair| !pair.is_empty());
    let mut list: Vec<_> = pairs
        .map(|pair| pair.split_once('=').unwrap_or((pair, "")))
        .map(|(name, value)| (normal(name).to_ascii_lowercase(), normal(value)))
        .collect();
    list.sort();
    list
}

/// Undoes needless escapes: only a character outside the reserved set equals its escape (RFC 3261 §19.1.4).
fn normal(text: &str) -> Cow<'_, str> {
    if text.contains('%') {
        Cow::Owned(unescape(text, true))
    } else {
        Cow::Borrowed(text)
    }
}

/// Replaces `%HH`. With `keep_reserved`, reserved characters and non-ASCII stay escaped, in upper case. Escapes that
/// are malformed, or would break a line or the text's encoding, stay as they are.
fn unescape(text: &str, keep_reserved: bool) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('%') {
        plain.push_str(&rest[..at]);
        let escape = rest.get(at..at + 3);
        let byte = escape.and_then(|escape| u8::from_str_radix(&escape[1..], 16).ok());
        match (escape, byte) {
            (Some(escape), Some(byte)) => {
                let free =
                    byte.is_ascii_graphic() && (!keep_reserved || !b";/?:@&=+$,%".contains(&byte));
                if free {
                    plain.push(char::from(byte));
                } else {
                    plain.push_str(&escape.to_ascii_uppercase());
                }
                rest = &rest[at + 3..];
            }
            _ => {
                plain.push('%');
                rest = &rest[at + 1..];
            }
        }
    }
    plain.push_str(rest);
    plain
}

#[cfg(test)]
mod tests;
