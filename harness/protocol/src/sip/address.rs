//! Addresses in header fields: `"Alice" <sip:alice@sim.test>;tag=1`.
//!
//! Owns `name-addr` and `addr-spec` of RFC 3261 §20.10 and §25.1, for From, To, Contact, Route and their kin. Refuses
//! to follow them.

use super::list::{divide, find, is_quoted, position, unquote};
use super::params::Params;
use super::uri::{Spans, Uri, scan};

/// An address as it stands in the message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NameAddr<'a> {
    display: &'a str,
    uri: &'a str,
    spans: Spans,
    params: Params<'a>,
}

/// What the Contact header fields of a message say together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Contacts<'a> {
    /// `*`: all bindings, which only a REGISTER with `Expires: 0` may say (RFC 3261 §10.2.2).
    Star,
    /// The contacts in order; empty if the message has none.
    List(Vec<NameAddr<'a>>),
}

impl<'a> NameAddr<'a> {
    /// Reads one value. `None` if it is malformed.
    #[must_use]
    pub fn parse(text: &'a str) -> Option<Self> {
        let text = text.trim_ascii();
        match find(text, b'<') {
            Some(open) => Self::bracketed(text, open),
            None => Self::bare(text),
        }
    }

    fn bracketed(text: &'a str, open: usize) -> Option<Self> {
        let display = text[..open].trim_ascii_end();
        let (uri, params) = divide(&text[open + 1..], b'>')?;
        let uri = uri.trim_ascii();
        (is_display(display)).then_some(Self {
            display,
            uri,
            spans: scan(uri).ok()?,
            params: Params::read(params)?,
        })
    }

    // RFC 3261 §20.10: without brackets, what follows a semicolon belongs to the header field, and a comma or question
    // mark cannot be part of the URI.
    fn bare(text: &'a str) -> Option<Self> {
        let end = position(text, b';').unwrap_or(text.len());
        let uri = text[..end].trim_ascii_end();
        let plain = !uri.contains(['?', ',']);
        plain.then_some(Self {
            display: "",
            uri,
            spans: scan(uri).ok()?,
            params: Params::read(&text[end..])?,
        })
    }

    /// The display name without quotes and escapes; empty if there is none.
    #[must_use]
    pub fn display(&self) -> String {
        unquote(self.display)
    }

    /// The URI.
    #[must_use]
    pub fn uri(&self) -> Uri {
        Uri::from_scanned(self.uri, self.spans)
    }

    /// The URI as written, without brackets.
    #[must_use]
    pub fn uri_str(&self) -> &'a str {
        self.uri
    }

    /// The parameters behind the URI, those of the header field.
    #[must_use]
    pub fn params(&self) -> Params<'a> {
        self.params
    }

    /// The tag, of From and To.
    #[must_use]
    pub fn tag(&self) -> Option<&'a str> {
        self.params.get("tag").filter(|tag| !tag.is_empty())
    }

    /// The `expires` parameter of a contact, in seconds.
    // RFC 3261 §10.2.1.1: a malformed value counts as 3600.
    #[must_use]
    pub fn expires(&self) -> Option<u32> {
        self.params
            .get("expires")
            .map(|text| text.parse().unwrap_or(3600))
    }

    /// The preference of a contact in thousandths, 0 to 1000; `None` if not given or malformed (RFC 3261 §25.1
    /// `qvalue`).
    #[must_use]
    pub fn q(&self) -> Option<u16> {
        let text = self.params.get("q")?;
        let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
        if fraction.len() > 3 || !fraction.bytes().all(|byte| byte.is_ascii_digit()) {
            return None;
        }
        let thousandths: u16 = format!("{fraction:0<3}").parse().ok()?;
        match whole {
            "0" => Some(thousandths),
            "1" if thousandths == 0 => Some(1000),
            _ => None,
        }
    }
}

/// The tag of an address that may be malformed elsewhere.
pub(super) fn tag_in(text: &str) -> Option<&str> {
    let params = match find(text, b'<') {
        Some(open) => divide(&text[open + 1..], b'>')?.1,
        None => &text[position(text, b';')?..],
    };
    let tag = Params::unchecked(params).get("tag");
    tag.filter(|tag| !tag.is_empty())
}

/// A quoted string, or words; words that are no tokens (`Dr. Müller (home)`) are common enough to let pass.
fn is_display(text: &str) -> bool {
    text.is_empty() || is_quoted(text) || !text.contains(['"', '<', '>', ',', ';'])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> NameAddr<'_> {
        NameAddr::parse(text).unwrap_or_else(|| panic!("{text}"))
    }

    #[test]
    fn brackets_decide_whose_parameters_they_are() {
        let inside = read("<sip:a@b;transport=udp>;tag=1");
        assert_eq!(
            (inside.tag(), inside.uri().params().get("transport")),
            (Some("1"), Some("udp"))
        );
        let outside = read("sip:a@b;transport=udp;tag=1");
        assert_eq!(
            (outside.tag(), outside.uri().params().get("transport")),
            (Some("1"), None)
        );
        assert_eq!(outside.uri_str(), "sip:a@b");
    }

    #[test]
    fn display_names_may_hold_anything_in_quotes() {
        let quoted = read(r#""Anna \"<A>\", Ltd; x" <sip:a@b> ; tag = x"#);
        assert_eq!(quoted.display(), r#"Anna "<A>", Ltd; x"#);
        assert_eq!(quoted.tag(), Some("x"));
        assert_eq!(read("Dr. Müller <sip:m@b>").display(), "Dr. Müller");
    }

    #[test]
    fn malformed_addresses_are_refused() {
        for text in [
            "",
            "<sip:a@b",
            "\"open <sip:a@b>",
            "Bell, Alexander <sip:a@b>",
            "sip:a@b?x=y",
            "<sip:a@b>x",
            "<>",
            "<sip:a@b>;",
        ] {
            assert_eq!(NameAddr::parse(text), None, "{text}");
        }
    }

    #[test]
    fn preference_is_read_without_floats() {
        for (text, expected) in [
            ("0.7", Some(700)),
            ("1", Some(1000)),
            ("1.000", Some(1000)),
            ("0.333", Some(333)),
            ("0", Some(0)),
            ("1.1", None),
            ("2", None),
            ("0.1234", None),
            ("-1", None),
        ] {
            assert_eq!(read(&format!("<sip:a@b>;q={text}")).q(), expected, "{text}");
        }
    }

    #[test]
    fn a_malformed_expires_counts_as_an_hour() {
        assert_eq!(read("<sip:a@b>;expires=60").expires(), Some(60));
        assert_eq!(read("<sip:a@b>;expires=soon").expires(), Some(3600));
        assert_eq!(read("<sip:a@b>").expires(), None);
    }
}
