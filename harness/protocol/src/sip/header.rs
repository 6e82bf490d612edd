//! Header fields: their names and their raw lines.
//!
//! Owns folding and the spelling of names. Refuses to judge values; the typed readers of a message do.

use std::fmt;
use std::ops::Range;
use std::sync::Arc;

use memchr::memchr2;

use super::list::{is_token, is_token_byte};
use super::names::{Known, known};

/// One header field: its line as it came (with folds and odd spacing), and its meaning.
#[derive(Clone)]
pub struct Field {
    line: Line,
    known: Option<&'static Known>,
    /// Where in the line the name ends.
    name_end: usize,
    /// Where in the line the value stands.
    value: (usize, usize),
}

/// A line with its folds and its CRLF.
#[derive(Clone)]
enum Line {
    /// The part of a message's text that begins and ends there.
    Plain(Arc<str>, usize, usize),
    /// One that was written here.
    Written(Box<str>),
    /// Folded or not UTF-8, so that the value cannot be borrowed from it.
    Odd(Box<Odd>),
}

#[derive(Clone)]
struct Odd {
    line: Box<[u8]>,
    value: Box<str>,
}

/// Why a header field could not be used. Blames whoever wrote the message; the text can serve as a reason phrase.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FieldError {
    /// A mandatory header field is not there.
    Missing(&'static str),
    /// The value does not follow the field's grammar.
    Malformed(&'static str),
    /// A field that may appear once appears again.
    Repeated(&'static str),
}

impl Field {
    /// A new field, `Name: value`. Line breaks and other control characters in the value become spaces, so that no
    /// value can end its own field; characters of the name that no token may hold are left out.
    #[must_use]
    pub fn new(name: &str, value: &str) -> Self {
        let value = value.trim();
        let mut line = String::with_capacity(name.len() + value.len() + 4);
        if is_token(name) {
            line.push_str(name);
        } else {
            line.extend(
                name.chars()
                    .filter(|c| c.is_ascii() && is_token_byte(*c as u8)),
            );
        }
        let name_end = line.len();
        line.push_str(": ");
        if value.bytes().all(|byte| matches!(byte, b' '..=b'~')) {
            line.push_str(value);
        } else {
            line.extend(value.chars().map(|c| if c.is_control() { ' ' } else { c }));
        }
        let value = (name_end + 2, line.len());
        let known = known(&line.as_bytes()[..name_end]);
        line.push_str("\r\n");
        Self {
            line: Line::Written(line.into()),
            known,
            name_end,
            value,
        }
    }

    /// Reads the line (with its folds) that stands there in `bytes` and ends with CRLF. `text` is as much of `bytes` as
    /// is UTF-8. `None` if the line has no name or no colon, or holds a CR or LF that ends no line.
    // RFC 3261 §7.3.1: white space may stand between name and colon.
    pub(crate) fn read(text: &Arc<str>, bytes: &[u8], line: Range<usize>) -> Option<Self> {
        let raw = bytes.get(line.clone())?;
        let content = raw.strip_suffix(b"\r\n")?;
        let name_end = content
            .iter()
            .position(|byte| !is_token_byte(*byte))
            .filter(|end| *end > 0)?;
        let gap = content[name_end..]
            .iter()
            .position(|byte| !matches!(byte, b' ' | b'\t'))?;
        let colon = name_end + gap;
        if content[colon] != b':' {
            return None;
        }
        let trimmed = trim(&content[colon + 1..]);
        let start = colon + 1 + trimmed.0;
        let value = (start, start + trimmed.1);
        let meaning = &content[value.0..value.1];
        let odd = |value| {
            let line = raw.into();
            Line::Odd(Box::new(Odd { line, value }))
        };
        let known = known(&content[..name_end]);
        let line = if memchr2(b'\r', b'\n', meaning).is_some() {
            odd(unfold(meaning)?)
        } else if line.end <= text.len() {
            Line::Plain(Arc::clone(text), line.start, line.end)
        } else {
            odd(lossy(meaning))
        };
        Some(Self {
            line,
            known,
            name_end,
            value,
        })
    }

    /// The registered name, even if the field came in compact form or other case; otherwise the name as written.
    #[must_use]
    pub fn name(&self) -> &str {
        self.known
            .map_or_else(|| self.written_name(), |known| known.name)
    }

    /// The name of this field, if it must not be repeated and one of those has it too.
    pub(crate) fn repeats_one_of(&self, others: &[Self]) -> Option<&'static str> {
        let known = self.known.filter(|known| known.once)?;
        let repeated = others.iter().any(|other| other.is_the(known));
        repeated.then_some(known.name)
    }

    /// The registered name, if it is one.
    pub(crate) fn registered(&self) -> Option<&'static str> {
        self.known.map(|known| known.name)
    }

    /// The name as written.
    #[must_use]
    pub fn written_name(&self) -> &str {
        match &self.line {
            Line::Plain(text, start, _) => &text[*start..*start + self.name_end],
            Line::Written(line) => &line[..self.name_end],
            Line::Odd(odd) => str::from_utf8(&odd.line[..self.name_end]).unwrap_or_default(),
        }
    }

    /// The value without surrounding white space, unfolded; bytes that are not UTF-8 read as U+FFFD.
    #[must_use]
    pub fn value(&self) -> &str {
        match &self.line {
            Line::Plain(text, start, _) => &text[start + self.value.0..start + self.value.1],
            Line::Written(line) => &line[self.value.0..self.value.1],
            Line::Odd(odd) => &odd.value,
        }
    }

    /// The line as it came or goes, with folds and its final CRLF.
    #[must_use]
    pub fn raw(&self) -> &[u8] {
        match &self.line {
            Line::Plain(text, start, end) => &text.as_bytes()[*start..*end],
            Line::Written(line) => line.as_bytes(),
            Line::Odd(odd) => &odd.line,
        }
    }

    /// Whether this field has that name, in long or compact form, without case.
    #[must_use]
    pub fn is(&self, name: &str) -> bool {
        self.matches(&Key::new(name))
    }

    /// Whether its value is a list that commas separate.
    #[must_use]
    pub fn is_list(&self) -> bool {
        self.known.is_some_and(|known| known.list)
    }

    /// Whether this is that registered field.
    pub(super) fn is_the(&self, known: &'static Known) -> bool {
        self.known.is_some_and(|mine| std::ptr::eq(mine, known))
    }

    pub(crate) fn matches(&self, key: &Key<'_>) -> bool {
        match (self.known, key.known) {
            (Some(mine), Some(theirs)) => std::ptr::eq(mine, theirs),
            (None, None) => self.written_name().eq_ignore_ascii_case(key.name),
            _ => false,
        }
    }
}

/// A name to look for, looked up once.
pub(crate) struct Key<'a> {
    name: &'a str,
    pub(super) known: Option<&'static Known>,
}

impl<'a> Key<'a> {
    pub(crate) fn new(name: &'a str) -> Self {
        Self {
            name,
            known: known(name.as_bytes()),
        }
    }
}

/// Two fields are the same if their lines are: all else follows from the line.
impl PartialEq for Field {
    fn eq(&self, other: &Self) -> bool {
        self.raw() == other.raw()
    }
}

impl Eq for Field {}

impl fmt::Debug for Field {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let line = String::from_utf8_lossy(self.raw());
        f.debug_tuple("Field").field(&line).finish()
    }
}

impl fmt::Display for FieldError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Missing(name) => write!(f, "Missing {name} header field"),
            Self::Malformed(name) => write!(f, "Malformed {name} header field"),
            Self::Repeated(name) => write!(f, "Repeated {name} header field"),
        }
    }
}

impl std::error::Error for FieldError {}

/// Start and length of what remains without white space and line breaks on both sides.
fn trim(bytes: &[u8]) -> (usize, usize) {
    let rest = bytes.trim_ascii_start();
    (bytes.len() - rest.len(), rest.trim_ascii_end().len())
}

// RFC 3261 §7.3.1: a line break followed by white space is folding, and reads as one space.
fn unfold(bytes: &[u8]) -> Option<Box<str>> {
    let mut plain = Vec::with_capacity(bytes.len());
    let mut rest = bytes;
    while let Some(at) = rest.iter().position(|byte| matches!(byte, b'\r' | b'\n')) {
        plain.extend_from_slice(rest[..at].trim_ascii_end());
        plain.push(b' ');
        rest = rest[at..]
            .strip_prefix(b"\r\n")
            .filter(|rest| rest.starts_with(b" ") || rest.starts_with(b"\t"))?;
        rest = rest.trim_ascii_start();
    }
    plain.extend_from_slice(rest);
    Some(lossy(&plain))
}

fn lossy(bytes: &[u8]) -> Box<str> {
    String::from_utf8_lossy(bytes).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(line: &[u8]) -> Option<Field> {
        let text = str::from_utf8(line).unwrap_or_default();
        Field::read(&text.into(), line, 0..line.len())
    }

    #[test]
    fn compact_forms_and_case_lead_to_the_registered_name() {
        let field = read(b"v : SIP/2.0/UDP a\r\n").expect("well formed");
        assert_eq!(
            (field.name(), field.written_name(), field.value()),
            ("Via", "v", "SIP/2.0/UDP a")
        );
        assert!(field.is("VIA") && field.is("V") && !field.is("To"));
        assert_eq!(
            read(b"cALL-iD:1\r\n")
                .map(|field| field.name().to_owned())
                .as_deref(),
            Some("Call-ID")
        );
    }

    #[test]
    fn folds_read_as_one_space_and_stay_in_the_line() {
        let field =
            read(b"Subject: I know  \r\n \t you're there,\r\n\tpick up\r\n").expect("well formed");
        assert_eq!(field.value(), "I know you're there, pick up");
        assert_eq!(
            field.raw(),
            b"Subject: I know  \r\n \t you're there,\r\n\tpick up\r\n"
        );
        let late = read(b"TO :\r\n sip:a@b ;   tag    = 1\r\n")
            .expect("a value may start on the second line");
        assert_eq!(late.value(), "sip:a@b ;   tag    = 1");
    }

    #[test]
    fn bytes_that_are_not_utf8_can_still_be_read() {
        let field = read(b"Subject: caf\xe9\r\n").expect("well formed");
        assert_eq!(field.value(), "caf\u{fffd}");
    }

    #[test]
    fn lines_without_name_or_colon_or_with_stray_breaks_are_refused() {
        for line in [
            &b": x\r\n"[..],
            b"Name\r\n",
            b"Na me: x\r\n",
            b"Name: a\nb\r\n",
            b"Name: a\rb\r\n",
            b"Name: x",
        ] {
            assert_eq!(read(line), None, "{line:?}");
        }
    }

    /// Otherwise a value taken from one message could add fields to another.
    #[test]
    fn a_value_cannot_end_its_own_field() {
        let field = Field::new("Subject", "a\r\nEvil: yes");
        assert_eq!(field.raw(), b"Subject: a  Evil: yes\r\n");
        let again = read(field.raw()).expect("what is written reads back");
        assert_eq!((&again, again.value()), (&field, field.value()));
    }
}
