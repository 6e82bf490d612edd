//! Splitting header text where the grammar allows.
//!
//! Owns quoting: separators inside `"…"` (with `\` escapes) or `<…>` do not count. Refuses to judge the pieces.

use memchr::{memchr, memchr2, memchr3};

/// Yields the pieces of `text` between `separator`s that stand outside quotes and angle brackets, trimmed.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Split<'a> {
    rest: Option<&'a str>,
    separator: u8,
}

pub(crate) fn split(text: &str, separator: u8) -> Split<'_> {
    Split {
        rest: Some(text),
        separator,
    }
}

impl<'a> Iterator for Split<'a> {
    type Item = &'a str;

    fn next(&mut self) -> Option<&'a str> {
        let rest = self.rest?;
        let Some(at) = find(rest, self.separator) else {
            self.rest = None;
            return Some(rest.trim_ascii());
        };
        self.rest = Some(&rest[at + 1..]);
        Some(rest[..at].trim_ascii())
    }
}

/// Where `wanted` (an ASCII byte) first stands outside quotes and angle brackets. An unclosed quote or bracket reaches
/// to the end, so the reader of that piece finds it malformed.
pub(crate) fn find(text: &str, wanted: u8) -> Option<usize> {
    let bytes = text.as_bytes();
    let mut from = 0;
    loop {
        let at = from + memchr3(wanted, b'"', b'<', &bytes[from..])?;
        if bytes[at] == wanted {
            return Some(at);
        }
        from = behind(bytes, at)?;
    }
}

/// Behind the quote or bracket that closes the one at that place.
fn behind(bytes: &[u8], at: usize) -> Option<usize> {
    let rest = &bytes[at + 1..];
    let length = match bytes[at] {
        b'"' => after_quote(rest),
        _ => memchr(b'>', rest).map(|end| end + 1),
    };
    Some(at + 1 + length?)
}

/// Where the first parameter of a list ends, and where the first `=` in it stands. In one pass, since parameters are short
/// and asked for often.
pub(crate) fn first_param(text: &str) -> (usize, Option<usize>) {
    let bytes = text.as_bytes();
    let (mut at, mut equals) = (0, None);
    while let Some(byte) = bytes.get(at) {
        at = match byte {
            b';' => break,
            b'"' | b'<' => {
                let next = behind(bytes, at).unwrap_or(bytes.len());
                let hidden = || Some(at + memchr(b'=', &bytes[at..next])?);
                equals = equals.or_else(hidden);
                next
            }
            b'=' => {
                equals = equals.or(Some(at));
                at + 1
            }
            _ => at + 1,
        };
    }
    (at, equals)
}

/// Behind the quote that closes.
fn after_quote(bytes: &[u8]) -> Option<usize> {
    let mut from = 0;
    loop {
        let at = from + memchr2(b'"', b'\\', &bytes[from..])?;
        if bytes[at] == b'"' {
            return Some(at + 1);
        }
        from = (at + 2).min(bytes.len());
    }
}

/// Where a byte first stands. For text as short as header fields quicker than the search for a `char`.
pub(crate) fn position(text: &str, byte: u8) -> Option<usize> {
    memchr(byte, text.as_bytes())
}

/// What stands before and behind the first such ASCII byte.
pub(crate) fn divide(text: &str, byte: u8) -> Option<(&str, &str)> {
    let at = position(text, byte)?;
    Some((&text[..at], &text[at + 1..]))
}

/// RFC 3261 §25.1 `token`.
pub(crate) fn is_token(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(is_token_byte)
}

pub(crate) const fn is_token_byte(byte: u8) -> bool {
    Class::Token.has(byte)
}

/// Kinds of bytes that texts are checked for, each a bit of a table: these checks are most of what parsing costs.
#[derive(Clone, Copy)]
pub(crate) enum Class {
    /// RFC 3261 §25.1 `token`.
    Token = 1,
    /// What most values of parameters are made of: tokens and hosts.
    Value = 2,
    /// Host names, which in the field may hold `_`, beyond RFC 3261 §25.1.
    Host = 4,
    /// What may stand in a URI without being escaped, and divides no part of it from the next; within ASCII.
    Uri = 8,
}

impl Class {
    pub(crate) const fn has(self, byte: u8) -> bool {
        CLASSES[byte as usize] & self as u8 != 0
    }

    const fn of(byte: u8) -> u8 {
        let word = byte.is_ascii_alphanumeric();
        let mark = matches!(
            byte,
            b'-' | b'.' | b'!' | b'%' | b'*' | b'_' | b'+' | b'`' | b'\'' | b'~'
        );
        let token = word || mark;
        let value = token || matches!(byte, b':' | b'[' | b']' | b'/');
        let host = word || matches!(byte, b'-' | b'.' | b'_');
        let divides = matches!(byte, b':' | b'@' | b'?' | b';');
        let uri = byte.is_ascii_graphic() && !divides && !matches!(byte, b'<' | b'>' | b'"');
        Self::Token.bit(token) | Self::Value.bit(value) | Self::Host.bit(host) | Self::Uri.bit(uri)
    }

    const fn bit(self, set: bool) -> u8 {
        if set { self as u8 } else { 0 }
    }
}

static CLASSES: [u8; 256] = {
    let mut table = [0; 256];
    let mut byte = 0;
    while byte < 256 {
        table[byte] = Class::of(byte as u8);
        byte += 1;
    }
    table
};

/// Whether `text` is one `quoted-string`: it ends where its quote closes.
pub(crate) fn is_quoted(text: &str) -> bool {
    let Some(inner) = text
        .strip_prefix('"')
        .and_then(|rest| rest.strip_suffix('"'))
    else {
        return false;
    };
    let mut escaped = false;
    for byte in inner.bytes() {
        if !escaped && byte == b'"' {
            return false;
        }
        escaped = !escaped && byte == b'\\';
    }
    !escaped
}

/// The text of a `quoted-string` without quotes and escapes; other text unchanged.
pub(crate) fn unquote(text: &str) -> String {
    if !is_quoted(text) {
        return text.to_owned();
    }
    let mut plain = String::with_capacity(text.len());
    let mut escaped = false;
    for character in text[1..text.len() - 1].chars() {
        escaped = !escaped && character == '\\';
        if !escaped {
            plain.push(character);
        }
    }
    plain
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quotes_escapes_and_brackets_hide_separators() {
        let text = r#""a, \"b" <sip:x,y@z>;p=1 , <sip:c>"#;
        let pieces: Vec<_> = split(text, b',').collect();
        assert_eq!(pieces, [r#""a, \"b" <sip:x,y@z>;p=1"#, "<sip:c>"]);
    }

    #[test]
    fn empty_pieces_are_kept_for_the_reader_to_refuse() {
        assert_eq!(split("a,,b,", b',').collect::<Vec<_>>(), ["a", "", "b", ""]);
    }

    #[test]
    fn a_quoted_string_ends_where_its_quote_closes() {
        assert!(is_quoted(r#""a\"b""#));
        assert!(!is_quoted(r#""a"b""#), "closes early");
        assert!(!is_quoted(r#""a\""#), "the last quote is escaped");
        assert!(!is_quoted("\""), "one quote is no pair");
        assert_eq!(unquote(r#""a\\\"b""#), r#"a\"b"#);
    }
}
