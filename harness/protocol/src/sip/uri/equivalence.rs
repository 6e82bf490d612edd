//! When two URIs mean the same: RFC 3261 §19.1.4.

use std::borrow::Cow;
use std::net::IpAddr;

use super::Uri;
use super::scan::same_host;
use crate::sip::params::Params;

impl Uri {
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

    /// A text that all equivalent URIs have in common; others may share it.
    pub(crate) fn bucket(&self) -> String {
        if !self.is_sip() {
            return format!(
                "{}{}",
                self.scheme().to_ascii_lowercase(),
                &self.raw[self.spans.scheme..]
            );
        }
        let (scheme, user) = (
            self.scheme().to_ascii_lowercase(),
            self.userinfo().map(normal).unwrap_or_default(),
        );
        let port = self.port().map_or(0, u32::from).to_string();
        // One IPv4 address has one spelling.
        let host = match self.ip() {
            Some(IpAddr::V6(ip)) => ip.to_string(),
            _ => self.host().to_ascii_lowercase(),
        };
        [&scheme, ":", &*user, "@", &host, ":", &port].concat()
    }
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
pub(super) fn unescape(text: &str, keep_reserved: bool) -> String {
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
