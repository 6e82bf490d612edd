//! Request lines and status lines: RFC 3261 §7.1 and §7.2.

use bytes::Bytes;

use super::{Fault, Limits};
use crate::sip::list::is_token;
use crate::sip::message::{Kind, StartLine};
use crate::sip::uri::scan;
use crate::sip::{Method, Status};

/// Reads the start line. `None` if it belongs to no SIP message; the fault is that of a request line.
pub(super) fn read_start(raw: &[u8], limits: &Limits) -> Option<(StartLine, Option<Fault>)> {
    let line = &raw[..raw.len() - 2];
    if is_version(line) {
        return read_status_line(raw).map(|start| (start, None));
    }
    if !line.split(u8::is_ascii_whitespace).any(is_version) {
        return None;
    }
    let parts = RequestLine::divide(line)?;
    let fault = parts.fault(line, limits);
    let kind = Kind::Request {
        method: Method::from(parts.method),
        uri: parts.uri,
    };
    Some((
        StartLine {
            kind,
            raw: Bytes::copy_from_slice(raw),
        },
        fault,
    ))
}

fn is_version(text: &[u8]) -> bool {
    text.get(..4)
        .is_some_and(|start| start.eq_ignore_ascii_case(b"SIP/"))
}

// RFC 3261 §7.1: Method SP Request-URI SP SIP-Version CRLF, with single spaces and no others.
struct RequestLine<'a> {
    method: &'a str,
    uri: (usize, usize),
    version: &'a [u8],
}

impl<'a> RequestLine<'a> {
    /// Divides at the first and the last space. With only one space the Request-URI is empty.
    fn divide(line: &'a [u8]) -> Option<Self> {
        let first = line.iter().position(|byte| *byte == b' ')?;
        let last = line.iter().rposition(|byte| *byte == b' ')?;
        let method = str::from_utf8(&line[..first]).ok()?;
        Some(Self {
            method,
            uri: ((first + 1).min(last), last),
            version: &line[last + 1..],
        })
    }

    fn fault(&self, line: &[u8], limits: &Limits) -> Option<Fault> {
        let uri = &line[self.uri.0..self.uri.1];
        let broken = line.iter().any(|byte| matches!(byte, b'\r' | b'\n'));
        if line.len() + 2 > limits.line {
            Some(Fault::new(414, "Request-URI Too Long"))
        } else if broken || uri.is_empty() || !is_token(self.method) || !is_version(self.version) {
            Some(Fault::bad("Malformed Request-Line"))
        } else if &self.version[4..] != b"2.0" {
            Some(Fault::new(505, "Version Not Supported"))
        } else if !str::from_utf8(uri).is_ok_and(|uri| scan(uri).is_ok()) {
            Some(Fault::bad("Malformed Request-URI"))
        } else {
            None
        }
    }
}

// RFC 3261 §7.2: the reason phrase may be empty, but the space before it must be there; some leave it out.
fn read_status_line(raw: &[u8]) -> Option<StartLine> {
    let line = &raw[..raw.len() - 2];
    let rest = line
        .get(7..)
        .filter(|_| line[4..7] == *b"2.0")?
        .strip_prefix(b" ")?;
    let digits = rest
        .get(..3)
        .filter(|digits| digits.iter().all(u8::is_ascii_digit))?;
    let status = Status::new(
        digits
            .iter()
            .fold(0, |code, digit| code * 10 + u16::from(digit - b'0')),
    )?;
    let reason = match rest.get(3) {
        None => line.len(),
        Some(b' ') => 12,
        Some(_) => return None,
    };
    let clean = !line.iter().any(|byte| matches!(byte, b'\r' | b'\n'));
    clean.then_some(StartLine {
        kind: Kind::Response { status, reason },
        raw: Bytes::copy_from_slice(raw),
    })
}
