//! What nearly every reader of a message asks for, found once: its top Via, its CSeq, its tags.
//!
//! Owns where they stand. Refuses to outlive an edit: editing a field makes a message forget what it has read there.

use std::sync::OnceLock;

use super::address::tag_in;
use super::message::{Message, pieces};
use super::names::{Known, the};
use super::via::Spans;
use super::{CSeq, Field, FieldError, Via};

const CSEQ: &Known = the("CSeq");
const FROM: &Known = the("From");
const TO: &Known = the("To");
const VIA: &Known = the("Via");

/// What has been asked for so far.
#[derive(Clone, Debug, Default)]
pub(super) struct Essentials {
    via: OnceLock<Option<TopVia>>,
    cseq: OnceLock<Result<CSeq, FieldError>>,
    from_tag: OnceLock<Option<Part>>,
    to_tag: OnceLock<Option<Part>>,
}

/// Where a part of a text begins and ends. It holds of the first field of its name, wherever that stands.
type Part = (usize, usize);

/// The first Via value, if it says whom to answer.
#[derive(Clone, Debug)]
struct TopVia {
    value: Part,
    spans: Spans,
    /// Whether its parameters are well formed as well.
    well_formed: bool,
    /// Where the branch stands in the value.
    branch: Option<Part>,
}

impl Message {
    /// The topmost Via value.
    ///
    /// # Errors
    /// Missing or malformed.
    pub fn top_via(&self) -> Result<Via<'_>, FieldError> {
        match self.usable() {
            Some((top, text)) if top.well_formed => Ok(Via::at(text, &top.spans)),
            Some(_) => Err(FieldError::Malformed("Via")),
            None => Err(match self.first(VIA) {
                Some(_) => FieldError::Malformed("Via"),
                None => FieldError::Missing("Via"),
            }),
        }
    }

    /// The topmost Via value, if it says whom to answer; its parameters may be malformed.
    pub(super) fn usable_via(&self) -> Option<Via<'_>> {
        let (top, text) = self.usable()?;
        Some(Via::at(text, &top.spans))
    }

    /// The branch of the topmost Via value; `None` also if that is missing or malformed.
    #[must_use]
    pub fn branch(&self) -> Option<&str> {
        let (top, text) = self.usable().filter(|(top, _)| top.well_formed)?;
        part(text, top.branch?)
    }

    /// The CSeq.
    ///
    /// # Errors
    /// Missing or malformed, which includes a number of 2³¹ or more (RFC 3261 §8.1.1.5).
    pub fn cseq(&self) -> Result<CSeq, FieldError> {
        let cseq = &self.parts().essentials.cseq;
        cseq.get_or_init(|| self.read_cseq()).clone()
    }

    /// The tag of From, read without judging the rest of the field; `None` also if there is no From.
    #[must_use]
    pub fn from_tag(&self) -> Option<&str> {
        tag(&self.parts().essentials.from_tag, self.first(FROM)?)
    }

    /// The tag of To, read without judging the rest of the field; `None` also if there is no To.
    #[must_use]
    pub fn to_tag(&self) -> Option<&str> {
        tag(&self.parts().essentials.to_tag, self.first(TO)?)
    }

    fn usable(&self) -> Option<(&TopVia, &str)> {
        let field = self.fields().find(|field| field.is_the(VIA))?;
        let top = self
            .parts()
            .essentials
            .via
            .get_or_init(|| TopVia::of(field));
        let top = top.as_ref()?;
        Some((top, part(field.value(), top.value)?))
    }
}

fn tag<'a>(known: &OnceLock<Option<Part>>, value: &'a str) -> Option<&'a str> {
    let tag = known.get_or_init(|| Some(within(value, tag_in(value)?)));
    part(value, (*tag)?)
}

impl Essentials {
    /// What fields of that name say is about to change.
    pub(super) fn forget(&mut self, known: &'static Known) {
        let is = |other: &'static Known| std::ptr::eq(known, other);
        match known {
            _ if is(VIA) => self.via = OnceLock::new(),
            _ if is(CSEQ) => self.cseq = OnceLock::new(),
            _ if is(FROM) => self.from_tag = OnceLock::new(),
            _ if is(TO) => self.to_tag = OnceLock::new(),
            _ => {}
        }
    }
}

impl TopVia {
    fn of(field: &Field) -> Option<Self> {
        let text = pieces(field).next()?;
        let via = Via::parse_usable(text)?;
        let branch = via.branch().map(|branch| within(text, branch));
        Some(Self {
            value: within(field.value(), text),
            spans: via.spans(text),
            well_formed: via.is_well_formed(),
            branch,
        })
    }
}

/// All of it follows from the message.
impl PartialEq for Essentials {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

impl Eq for Essentials {}

fn part(text: &str, (begin, end): Part) -> Option<&str> {
    text.get(begin..end)
}

/// Where a part that was cut out of a text begins and ends in it.
pub(super) fn within(text: &str, part: &str) -> (usize, usize) {
    let begin = part.as_ptr().addr().saturating_sub(text.as_ptr().addr());
    (begin, begin + part.len())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sip::{Limits, Verdict, parse};

    const TEXT: &str = "OPTIONS sip:a@h SIP/2.0\r\n\
        Via: SIP/2.0/UDP one:5070 ;rport; branch=z9hG4bK1 , SIP/2.0/TCP two;branch=z9hG4bK2\r\n\
        From: \"A;tag=x\" <sip:a@h;tag=y>;tag=f\r\nTo: <sip:b@h>\r\nCall-ID: 1\r\nCSeq: 7 OPTIONS\r\n\r\n";

    fn message() -> Message {
        match parse(TEXT.as_bytes(), &Limits::default()) {
            Verdict::Accept(message) => message,
            other => panic!("{other:?}"),
        }
    }

    fn read(message: &Message) -> (Option<&str>, Option<&str>, Option<&str>, u32) {
        let number = message.cseq().map_or(0, |cseq| cseq.number);
        (
            message.branch(),
            message.from_tag(),
            message.to_tag(),
            number,
        )
    }

    #[test]
    fn asked_again_it_is_the_same() {
        let message = message();
        let expected = (Some("z9hG4bK1"), Some("f"), None, 7);
        assert_eq!((read(&message), read(&message)), (expected, expected));
        let via = message.top_via().expect("well formed");
        assert_eq!(
            Ok(via),
            Via::parse("SIP/2.0/UDP one:5070 ;rport; branch=z9hG4bK1").ok_or(())
        );
        assert_eq!(message.top_via(), Ok(via));
    }

    /// Otherwise whoever reads before an edit would see the message as it was.
    #[test]
    fn an_edit_is_seen_and_leaves_copies_alone() {
        let before = message();
        let mut after = before.clone();
        assert_eq!(read(&before), read(&after));
        after.remove_first_value("Via");
        after.set("CSeq", "8 OPTIONS");
        after.set_to_tag("t");
        assert_eq!(read(&after), (Some("z9hG4bK2"), Some("f"), Some("t"), 8));
        assert_eq!(read(&before), (Some("z9hG4bK1"), Some("f"), None, 7));
        after.remove("Via");
        assert_eq!(
            (after.branch(), after.top_via()),
            (None, Err(FieldError::Missing("Via")))
        );
        after.append("Via", "SIP/2.0/UDP h;branch=");
        assert_eq!(
            (after.branch(), after.top_via()),
            (None, Err(FieldError::Malformed("Via")))
        );
        assert_eq!(after.usable_via().map(|via| via.sent_by().host), Some("h"));
    }
}
