//! URIs: `sip:` and `sips:` in their parts, every other scheme as text.
//!
//! Owns the syntax of RFC 3261 §19.1.1 and the equality of §19.1.4. Refuses to resolve names: without DNS only an
//! address literal leads anywhere.

mod equivalence;
mod scan;

use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::str::FromStr;

use equivalence::unescape;
pub(crate) use scan::{Spans, is_host, read_ip, read_port, same_host, scan};

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

    /// Where a request to this URI goes without DNS: its address literal, or the one in its `maddr`, and its port or else
    /// the default one, 5060, or 5061 for `sips` (RFC 3263 §4 and §4.2). `None` if that is a name.
    #[must_use]
    pub fn socket_address(&self) -> Option<SocketAddr> {
        let default = if self.scheme().eq_ignore_ascii_case("sips") {
            5061
        } else {
            5060
        };
        let ip = match self.params().get("maddr") {
            Some(host) => read_ip(host),
            None => self.ip(),
        };
        Some(SocketAddr::new(ip?, self.port().unwrap_or(default)))
    }

    /// This URI without `maddr`, port and `transport`, as a server that it led to reads it (RFC 3261 §16.4).
    #[must_use]
    pub fn without_way(&self) -> String {
        let user = self
            .userinfo()
            .map_or(String::new(), |user| format!("{user}@"));
        let mut text = format!("{}:{user}{}", self.scheme(), self.host());
        let way = |name: &str| {
            ["maddr", "transport"]
                .iter()
                .any(|part| name.eq_ignore_ascii_case(part))
        };
        for (name, value) in self.params().iter().filter(|(name, _)| !way(name)) {
            text += &value.map_or_else(|| format!(";{name}"), |value| format!(";{name}={value}"));
        }
        text + &self.raw[self.spans.headers..]
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
            Some(user) => [&*scheme, ":", &unescape(user, false), "@", &host].concat(),
            None => [&*scheme, ":", &host].concat(),
        }
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

#[cfg(test)]
mod tests;
