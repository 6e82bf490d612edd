//! Lines and folds: RFC 3261 §7 and §7.3.1.

use std::ops::Range;

use memchr::memchr;

/// Finds lines with their folds, one by one.
pub(super) struct Lines<'a> {
    pub(super) bytes: &'a [u8],
    /// Where the next one begins.
    pub(super) place: usize,
}

impl<'a> Lines<'a> {
    pub(super) const fn of(bytes: &'a [u8]) -> Self {
        Self { bytes, place: 0 }
    }

    /// The next line with its CRLF, but without folds.
    pub(super) fn next_line(&mut self) -> Option<Range<usize>> {
        let length = find_crlf(&self.bytes[self.place..])?;
        Some(self.advance(length))
    }

    /// The next line with its CRLF and folds.
    // RFC 3261 §7.3.1: a line that starts with white space continues the one before.
    pub(super) fn next_field(&mut self) -> Option<Range<usize>> {
        let rest = &self.bytes[self.place..];
        let mut length = find_crlf(rest)?;
        while length > 2 && matches!(rest.get(length), Some(b' ' | b'\t')) {
            length += find_crlf(&rest[length..])?;
        }
        Some(self.advance(length))
    }

    fn advance(&mut self, length: usize) -> Range<usize> {
        let begin = self.place;
        self.place += length;
        begin..self.place
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
