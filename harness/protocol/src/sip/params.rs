//! Parameters behind a header field's value: `;name=value;flag`.
//!
//! Owns `generic-param` of RFC 3261 §25.1. Refuses to give single parameters a meaning; `Via` and `NameAddr` do.

use super::list::{Class, first_param, is_quoted, is_token, is_token_byte, unquote};

/// Parameters as they stand in the message: nothing is copied until asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Params<'a>(&'a str);

impl<'a> Params<'a> {
    /// Reads text that is empty or starts with `;`. `None` if a parameter has no name, or a value that is neither a
    /// token, a host nor a quoted string.
    pub(crate) fn read(text: &'a str) -> Option<Self> {
        let text = text.trim_ascii();
        let params = Self(text);
        (is_plain(text.as_bytes()) || params.is_well_formed()).then_some(params)
    }

    fn is_well_formed(self) -> bool {
        let starts_well = self.0.is_empty() || self.0.starts_with(';');
        starts_well
            && self
                .iter()
                .all(|(name, value)| is_token(name) && value.is_none_or(is_value))
    }

    /// Keeps the text unchecked, for an answer to a message whose parameters are malformed.
    pub(crate) fn unchecked(text: &'a str) -> Self {
        Self(text)
    }

    /// Names and values in order, as written; quotes are kept.
    pub fn iter(self) -> impl Iterator<Item = (&'a str, Option<&'a str>)> {
        let mut rest = self.0.get(first_param(self.0).0 + 1..);
        std::iter::from_fn(move || {
            let text = rest?;
            let (end, equals) = first_param(text);
            rest = text.get(end + 1..);
            Some(match equals {
                Some(at) => (
                    text[..at].trim_ascii(),
                    Some(text[at + 1..end].trim_ascii()),
                ),
                None => (text[..end].trim_ascii(), None),
            })
        })
    }

    /// The value of the first parameter of this name, which is compared without case. A flag has the value `""`.
    #[must_use]
    pub fn get(self, name: &str) -> Option<&'a str> {
        let found = self
            .iter()
            .find(|(known, _)| known.eq_ignore_ascii_case(name));
        found.map(|(_, value)| value.unwrap_or_default())
    }

    /// Like [`Params::get`], without quotes and escapes.
    #[must_use]
    pub fn text(self, name: &str) -> Option<String> {
        self.get(name).map(unquote)
    }

    /// Whether a parameter of this name is there, with or without a value.
    #[must_use]
    pub fn has(self, name: &str) -> bool {
        self.get(name).is_some()
    }

    /// The text, from the first `;` on.
    #[must_use]
    pub fn as_str(self) -> &'a str {
        self.0
    }
}

/// Whether this is well formed and as simple as most: no quotes, brackets, spaces or bytes beyond ASCII. What is not may
/// be well formed all the same.
fn is_plain(mut rest: &[u8]) -> bool {
    while let [b';', param @ ..] = rest {
        let name = param.iter().take_while(|byte| is_token_byte(**byte));
        let (name, after) = param.split_at(name.count());
        let value = match after {
            [b'=', value @ ..] => value
                .iter()
                .take_while(|byte| Class::Value.has(**byte))
                .count(),
            _ => 0,
        };
        let assigned = after.first() == Some(&b'=');
        if name.is_empty() || assigned && value == 0 {
            return false;
        }
        rest = after
            .get(value + usize::from(assigned)..)
            .unwrap_or_default();
    }
    rest.is_empty()
}

/// `gen-value = token / host / quoted-string`; a host adds colons and brackets. Bytes that only newer extensions use
/// (`/`, `@`, `=` and the like, as in GRUU or STUN parameters) pass too.
fn is_value(value: &str) -> bool {
    is_quoted(value)
        || !value.is_empty()
            && value
                .bytes()
                .all(|byte| byte > b' ' && byte != b'"' && byte != 0x7f)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sip::list::{divide, split};
    use proptest::prelude::*;

    proptest! {
        /// The one pass sees what splitting at semicolons and then at the equals sign sees.
        #[test]
        fn one_pass_is_enough(text in r#"[a=;"<> \\]{0,12}"#) {
            let twice = split(&text, b';').skip(1).map(|param| match divide(param, b'=') {
                Some((name, value)) => (name.trim_ascii(), Some(value.trim_ascii())),
                None => (param, None),
            });
            prop_assert!(Params(&text).iter().eq(twice), "{text}");
        }

        /// Otherwise the short way would accept what the grammar refuses.
        #[test]
        fn what_is_plain_is_well_formed(text in r#"(;[a-z=;:/"<> \[]{0,6}){0,3}"#) {
            prop_assume!(is_plain(text.as_bytes()));
            prop_assert!(Params(&text).is_well_formed(), "{text}");
        }
    }

    #[test]
    fn spacing_quotes_and_flags_are_read_in_order() {
        let params = Params::read(r#"; branch = z9 ;lr;x="a;b=c" "#).expect("well formed");
        let all: Vec<_> = params.iter().collect();
        assert_eq!(
            all,
            [
                ("branch", Some("z9")),
                ("lr", None),
                ("x", Some(r#""a;b=c""#))
            ]
        );
        assert_eq!(params.text("X").as_deref(), Some("a;b=c"));
        assert_eq!(params.get("LR"), Some(""));
    }

    #[test]
    fn a_parameter_without_name_or_value_is_refused() {
        for text in [";;a", ";", ";=x", ";a=", ";a=\"open", "a=b", ";a b"] {
            assert_eq!(Params::read(text), None, "{text}");
        }
    }
}
