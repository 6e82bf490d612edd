//! Header fields of the extensions that user agents speak: reliable provisional responses (RFC 3262), session timers
//! (RFC 4028), transfer (RFC 3515) and event notification (RFC 6665).
//!
//! Owns their grammar, one reader each. Refuses what they mean for a call; the user agent decides that.

use super::{FieldError, Message, Method, Params, Uri};

/// The value of RAck: which reliable provisional response a PRACK acknowledges (RFC 3262 §7.2).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RAck {
    /// The RSeq of that response.
    pub response: u32,
    /// The number in its CSeq.
    pub cseq: u32,
    /// The method in its CSeq.
    pub method: Method,
}

/// The value of Session-Expires (RFC 4028 §4).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SessionExpires {
    /// The interval in seconds.
    pub seconds: u32,
    /// Who refreshes, where it says so.
    pub refresher: Option<Refresher>,
}

/// Who refreshes a session, as seen from the request that negotiates it (RFC 4028 §4).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refresher {
    /// Who sent that request.
    Uac,
    /// Who answers it.
    Uas,
}

/// The value of Subscription-State (RFC 6665 §8.2.3), as far as an implicit subscription needs it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SubscriptionState {
    /// It goes on, for so many seconds where it says so.
    Going(Option<u32>),
    /// It is over.
    Terminated,
}

impl Message {
    /// RSeq, from 1 on (RFC 3262 §7.1).
    ///
    /// # Errors
    /// Malformed, or 0.
    pub fn rseq(&self) -> Result<Option<u32>, FieldError> {
        let number = self.whole("RSeq")?;
        if number == Some(0) {
            return Err(FieldError::Malformed("RSeq"));
        }
        Ok(number)
    }

    /// RAck.
    ///
    /// # Errors
    /// Missing or malformed.
    pub fn rack(&self) -> Result<RAck, FieldError> {
        let value = self.header("RAck").ok_or(FieldError::Missing("RAck"))?;
        let mut words = value.split_ascii_whitespace();
        let mut number = || words.next().and_then(number);
        let (response, cseq) = (number(), number());
        match (response, cseq, words.next(), words.next()) {
            (Some(response), Some(cseq), Some(method), None) => Ok(RAck {
                response,
                cseq,
                method: Method::from(method),
            }),
            _ => Err(FieldError::Malformed("RAck")),
        }
    }

    /// Session-Expires. A refresher of another name than the two counts as none.
    ///
    /// # Errors
    /// Malformed.
    pub fn session_expires(&self) -> Result<Option<SessionExpires>, FieldError> {
        let malformed = FieldError::Malformed("Session-Expires");
        let Some(value) = self.header("Session-Expires") else {
            return Ok(None);
        };
        let (seconds, params) = with_params(value).ok_or(malformed)?;
        let refresher = match params.get("refresher") {
            Some(who) if who.eq_ignore_ascii_case("uac") => Some(Refresher::Uac),
            Some(who) if who.eq_ignore_ascii_case("uas") => Some(Refresher::Uas),
            _ => None,
        };
        let seconds = number(seconds).ok_or(malformed)?;
        Ok(Some(SessionExpires { seconds, refresher }))
    }

    /// Min-SE, in seconds (RFC 4028 §5).
    ///
    /// # Errors
    /// Malformed.
    pub fn min_se(&self) -> Result<Option<u32>, FieldError> {
        let malformed = FieldError::Malformed("Min-SE");
        let Some(value) = self.header("Min-SE") else {
            return Ok(None);
        };
        let seconds = with_params(value).and_then(|(seconds, _)| number(seconds));
        seconds.map(Some).ok_or(malformed)
    }

    /// The package that Event names, without its parameters (RFC 6665 §8.2.1).
    #[must_use]
    pub fn event_package(&self) -> Option<&str> {
        let value = self.header("Event")?;
        value.split(';').next().map(str::trim_ascii)
    }

    /// Subscription-State.
    ///
    /// # Errors
    /// Missing or malformed.
    pub fn subscription_state(&self) -> Result<SubscriptionState, FieldError> {
        const NAME: &str = "Subscription-State";
        let value = self.header(NAME).ok_or(FieldError::Missing(NAME))?;
        let (state, params) = with_params(value).ok_or(FieldError::Malformed(NAME))?;
        // RFC 6665 §4.1.3: what is neither active, pending nor terminated counts as active.
        Ok(if state.eq_ignore_ascii_case("terminated") {
            SubscriptionState::Terminated
        } else {
            SubscriptionState::Going(params.get("expires").and_then(number))
        })
    }

    /// The URI of Refer-To, of which a REFER has exactly one (RFC 3515 §2.4.2).
    ///
    /// # Errors
    /// Missing, more than one, or malformed.
    pub fn refer_to(&self) -> Result<Uri, FieldError> {
        let mut fields = self.fields_of("Refer-To");
        let field = fields.next().ok_or(FieldError::Missing("Refer-To"))?;
        if fields.next().is_some() {
            return Err(FieldError::Repeated("Refer-To"));
        }
        let target = super::NameAddr::parse(field.value());
        target
            .map(|target| target.uri())
            .ok_or(FieldError::Malformed("Refer-To"))
    }

    /// Whether its sender understands an extension, or insists on it.
    #[must_use]
    pub fn knows(&self, option: &str) -> bool {
        let named = |list: Vec<&str>| list.iter().any(|tag| tag.eq_ignore_ascii_case(option));
        named(self.supported()) || named(self.require())
    }

    /// Whether its sender insists on an extension.
    #[must_use]
    pub fn requires(&self, option: &str) -> bool {
        let tags = self.require();
        tags.iter().any(|tag| tag.eq_ignore_ascii_case(option))
    }

    fn whole(&self, name: &'static str) -> Result<Option<u32>, FieldError> {
        let value = self.header(name);
        let read = |value| number(value).ok_or(FieldError::Malformed(name));
        value.map(read).transpose()
    }
}

/// What stands before the parameters, and those.
fn with_params(value: &str) -> Option<(&str, Params<'_>)> {
    let end = value.find(';').unwrap_or(value.len());
    Some((value[..end].trim_ascii(), Params::read(&value[end..])?))
}

fn number(digits: &str) -> Option<u32> {
    let all_digits = digits.bytes().all(|byte| byte.is_ascii_digit());
    all_digits.then(|| digits.parse().ok()).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with(name: &str, value: &str) -> Message {
        let mut message = Message::request(Method::Prack, "sip:a@b");
        message.append(name, value);
        message
    }

    #[test]
    fn a_rack_is_two_numbers_and_a_method_and_nothing_else() {
        let rack = with("RAck", "776656 1  INVITE").rack();
        let expected = RAck {
            response: 776_656,
            cseq: 1,
            method: Method::Invite,
        };
        assert_eq!(rack, Ok(expected));
        for value in [
            "",
            "1 INVITE",
            "1 1",
            "1 1 INVITE 1",
            "-1 1 INVITE",
            "1 4294967296 INVITE",
        ] {
            let rack = with("RAck", value).rack();
            assert_eq!(rack, Err(FieldError::Malformed("RAck")), "{value}");
        }
        assert_eq!(with("X", "").rack(), Err(FieldError::Missing("RAck")));
    }

    #[test]
    fn a_session_interval_is_read_in_both_forms_with_and_without_a_refresher() {
        for name in ["Session-Expires", "x"] {
            for (value, refresher) in [
                ("1800", None),
                ("1800;refresher=UAC", Some(Refresher::Uac)),
                ("1800 ; refresher = uas", Some(Refresher::Uas)),
                ("1800;refresher=proxy;other", None),
            ] {
                let expected = SessionExpires {
                    seconds: 1800,
                    refresher,
                };
                assert_eq!(with(name, value).session_expires(), Ok(Some(expected)));
            }
        }
        for value in ["", "soon", "1800;;", "18 00"] {
            assert!(with("Session-Expires", value).session_expires().is_err());
            assert!(with("Min-SE", value).min_se().is_err());
        }
        assert_eq!(with("Min-SE", "90;x=y").min_se(), Ok(Some(90)));
    }

    #[test]
    fn an_rseq_begins_at_one() {
        assert_eq!(with("RSeq", "1").rseq(), Ok(Some(1)));
        assert_eq!(with("RSeq", "0").rseq(), Err(FieldError::Malformed("RSeq")));
        assert_eq!(with("X", "0").rseq(), Ok(None));
    }

    #[test]
    fn a_subscription_state_that_nobody_knows_goes_on() {
        for (value, expected) in [
            ("active;expires=60", SubscriptionState::Going(Some(60))),
            ("new-one", SubscriptionState::Going(None)),
            (
                "Terminated;reason=noresource",
                SubscriptionState::Terminated,
            ),
        ] {
            let state = with("Subscription-State", value).subscription_state();
            assert_eq!(state, Ok(expected), "{value}");
        }
    }

    #[test]
    fn a_refer_has_one_target() {
        assert!(with("Refer-To", "<sip:carol@sim.test>").refer_to().is_ok());
        let mut two = with("r", "sip:carol@sim.test");
        two.append("Refer-To", "sip:dave@sim.test");
        assert_eq!(two.refer_to(), Err(FieldError::Repeated("Refer-To")));
        let none = with("X", "").refer_to();
        assert_eq!(none, Err(FieldError::Missing("Refer-To")));
    }
}
