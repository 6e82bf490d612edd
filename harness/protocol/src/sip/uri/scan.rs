//! The syntax of URIs: RFC 3261 §19.1.1 and §25.1.

use std::net::IpAddr;
use std::ops::Range;

use super::UriError;
use crate::sip::list::{Class, position};
use crate::sip::params::Params;

/// Where the parts of a URI stand in its text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Spans {
    pub(super) scheme: usize,
    pub(super) sip: bool,
    pub(super) user: Option<usize>,
    pub(super) host: (usize, usize),
    pub(super) port: Option<u16>,
    pub(super) params: usize,
    pub(super) headers: usize,
}

/// Finds the parts of a URI without copying.
pub(crate) fn scan(text: &str) -> Result<Spans, UriError> {
    let marks = Marks::of(text);
    if let Some(found) = marks.odd.then(|| misplaced(text)).flatten() {
        return Err(UriError::Character(found));
    }
    let scheme = marks.scheme.ok_or(UriError::Scheme)?;
    let name = &text[..scheme];
    let sip = name.eq_ignore_ascii_case("sip") || name.eq_ignore_ascii_case("sips");
    if !(sip || is_scheme(name)) || scheme + 1 == text.len() {
        return Err(UriError::Scheme);
    }
    let end = text.len();
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
    let user = marks.user;
    if user == Some(scheme + 1) {
        return Err(UriError::User);
    }
    let start = user.map_or(scheme + 1, |at| at + 1);
    let headers = marks.headers.unwrap_or(end);
    let params = marks.params.unwrap_or(headers);
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

/// Where the characters first stand that divide a URI.
#[derive(Clone, Copy, Default)]
struct Marks {
    scheme: Option<usize>,
    user: Option<usize>,
    params: Option<usize>,
    headers: Option<usize>,
    /// Whether some character may have to be escaped.
    odd: bool,
}

impl Marks {
    /// Finds them in one pass.
    fn of(text: &str) -> Self {
        let mut marks = Self::default();
        for (at, byte) in text.bytes().enumerate() {
            if Class::Uri.has(byte) {
                continue;
            }
            match byte {
                b':' => marks.scheme = marks.scheme.or(Some(at)),
                // It is escaped everywhere but after the user (RFC 3261 §25.1), who may hold ; and ?.
                b'@' if marks.user.is_none() => {
                    (marks.user, marks.params, marks.headers) = (Some(at), None, None);
                }
                b'?' => marks.headers = marks.headers.or(Some(at)),
                b';' if marks.headers.is_none() => marks.params = marks.params.or(Some(at)),
                b'@' | b';' => {}
                _ => marks.odd = true,
            }
        }
        marks
    }
}

/// The first character that a URI must escape.
fn misplaced(text: &str) -> Option<char> {
    text.chars()
        .find(|c| c.is_whitespace() || c.is_control() || matches!(c, '<' | '>' | '"'))
}

/// Splits `host[:port]` and checks both.
fn split_port(text: &str) -> Result<(Range<usize>, Option<u16>), UriError> {
    let end = if text.starts_with('[') {
        text.find(']').ok_or(UriError::Host)? + 1
    } else {
        position(text, b':').unwrap_or(text.len())
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

/// A host name, or an address of which an IPv6 one stands in brackets.
pub(crate) fn is_host(text: &str) -> bool {
    if text.starts_with('[') {
        return read_ip(text).is_some();
    }
    !text.is_empty() && text.bytes().all(|byte| Class::Host.has(byte))
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
