//! Lines and folds: RFC 3261 §7 and §7.3.1.

use bytes::Bytes;
use memchr::memchr;

/// Cuts lines with their folds off the front.
pub(super) struct Lines {
    pub(super) rest: Bytes,
}

impl Lines {
    /// The next line with its CRLF, but without folds.
    pub(super) fn next_line(&mut self) -> Option<Bytes> {
        let end = find_crlf(&self.rest)?;
        Some(self.rest.split_to(end))
    }

    /// The next line with its CRLF and folds.
    // RFC 3261 §7.3.1: a line that starts with white space continues the one before.
    pub(super) fn next_field(&mut self) -> Option<Bytes> {
        let mut end = find_crlf(&self.rest)?;
        while end > 2 && matches!(self.rest.get(end), Some(b' ' | b'\t')) {
            end += find_crlf(&self.rest[end..])?;
        }
        Some(self.rest.split_to(end))
    }
}

/// Behind the first CRLF.
fn find_crlf(bytes: &[u8]) -> Option<usize> {
    let mut from = 0;
    loop {
        let at = from + memchr(b'\n', &bytes[from..])?;
        if at > 0 && bytes[at - 1] == b'\r' {
            return Some(at + 1);
        }
        from = at + 1;
    }
}
