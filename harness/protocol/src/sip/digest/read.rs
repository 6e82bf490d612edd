//! The grammar that challenges and credentials share.
//!
//! Owns `Digest` and its comma list of `name=value` (RFC 3261 §25.1 `digest-cln`). Refuses other schemes.

use crate::sip::list::{is_quoted, is_token, split, unquote};

/// The parameters of a challenge or of credentials.
pub(super) struct Parameters<'a>(Vec<(&'a str, &'a str)>);

impl<'a> Parameters<'a> {
    /// Reads a whole header field. `None` if its scheme is another, a parameter is malformed, or one stands twice.
    pub(super) fn read(text: &'a str) -> Option<Self> {
        let (scheme, rest) = text.trim_ascii().split_once([' ', '\t'])?;
        if !scheme.eq_ignore_ascii_case("Digest") {
            return None;
        }
        let mut known: Vec<(&str, &str)> = Vec::new();
        for piece in split(rest, b',') {
            let (name, value) = piece.split_once('=')?;
            let (name, value) = (name.trim_ascii_end(), value.trim_ascii_start());
            let well_formed = is_token(name) && (is_token(value) || is_quoted(value));
            let twice = known.iter().any(|(old, _)| old.eq_ignore_ascii_case(name));
            if !well_formed || twice {
                return None;
            }
            known.push((name, value));
        }
        Some(Self(known))
    }

    /// A value without quotes and escapes.
    pub(super) fn text(&self, name: &str) -> Option<String> {
        let found = self
            .0
            .iter()
            .find(|(known, _)| known.eq_ignore_ascii_case(name));
        found.map(|(_, value)| unquote(value))
    }
}

/// A value in quotes, its quotes and backslashes escaped.
pub(super) fn quoted(text: &str) -> String {
    let mut quoted = String::with_capacity(text.len() + 2);
    quoted.push('"');
    for character in text.chars() {
        if matches!(character, '"' | '\\') {
            quoted.push('\\');
        }
        quoted.push(character);
    }
    quoted.push('"');
    quoted
}
