//! Request lines and status lines: RFC 3261 §7.1 and §7.2.

use bytes::Bytes;

use super::{Fault, Limits};
use crate::sip::list::is_token;
use crate::sip::message::{Kind, StartLine};
use crate::sip::uri::scan;
use crate::sip::{Method, Status};

/// Reads the start line. `None` if it belongs to no SIP message; the fault is that of a request line.
pub(super) fn read_start(raw: &Bytes, limits: &Limits) -> Option<(StartLine, Option<Fault>)> {
    let line = &raw[..raw.len() - 2];
    if line
        .get(..4)
        .is_some_and(|start| start.eq_ignore_ascii_case(b"SIP/"))
    {
        return read_status_line(raw).map(|start| (start, None));
    }
    let version = line
        .rsplit(|byte| matches!(byte, b' ' | b'\t'))
        .find(|word| !word.is_empty())?;
    let after = version
        .get(..4)
        .filter(|start| start.eq_ignore_ascii_case(b"SIP/"))
        .map(|_| &version[4..])?;
    let method = line
        .split(|byte| matches!(byte, b' ' | b'\t'))
        .next()
        .and_then(|word| str::from_utf8(word).ok())?;
    let start = method.len() + 1;
    let end = line
        .len()
        .saturating_sub(version.len() + 1)
        .max(start)
        .min(line.len());
    let start = start.min(end);
    let fault = request_line_fault(line, method, (start, end), after, limits);
    let kind = Kind::Request {
        method: Method::from(method),
        uri: (start, end),
    };
    Some((
        StartLine {
            kind,
            raw: raw.clone(),
        },
        fault,
    ))
}

// RFC 3261 §7.1: Method SP Request-URI SP SIP-Version CRLF, with single spaces and no others.
fn request_line_fault(
    line: &[u8],
    method: &str,
    uri: (usize, usize),
    version: &[u8],
    limits: &Limits,
) -> Option<Fault> {
    if line.len() + 2 > limits.line {
        return Some(Fault {
            status: 414,
            reason: "Request-URI Too Long".to_owned(),
        });
    }
    let shape = line.len() == uri.1 + 1 + "SIP/".len() + version.len()
        && uri.0 < uri.1
        && line[uri.1] == b' ';
    if !shape || !is_token(method) || line.iter().any(|byte| matches!(byte, b'\r' | b'\n')) {
        return Some(Fault::bad("Malformed Request-Line"));
    }
    if version != b"2.0" {
        let number = version
            .iter()
            .all(|byte| byte.is_ascii_digit() || *byte == b'.');
        let other = Fault {
            status: 505,
            reason: "Version Not Supported".to_owned(),
        };
        return Some(if number {
            other
        } else {
            Fault::bad("Malformed Request-Line")
        });
    }
    let well_formed = str::from_utf8(&line[uri.0..uri.1]).is_ok_and(|uri| scan(uri).is_ok());
    (!well_formed).then(|| Fault::bad("Malformed Request-URI"))
}

// RFC 3261 §7.2: the reason phrase may be empty, but the space before it must be there; some leave it out.
fn read_status_line(raw: &Bytes) -> Option<StartLine> {
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
        raw: raw.clone(),
    })
}
