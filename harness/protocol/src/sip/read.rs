//! Typed readers: what the header fields of a message say.
//!
//! Owns the grammar of single fields, one method each. Refuses defaults: an absent field is `None` or an error that
//! names it, and what that means is the element's decision.

use super::names::{Known, the};
use super::{Contacts, FieldError, Message, Method, NameAddr, Via};

const CALL_ID: &Known = the("Call-ID");
const CONTENT_LENGTH: &Known = the("Content-Length");
const CSEQ: &Known = the("CSeq");
const FROM: &Known = the("From");
const TO: &Known = the("To");
const VIA: &Known = the("Via");

/// The value of CSeq (RFC 3261 §20.16).
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CSeq {
    /// Less than 2³¹ (RFC 3261 §8.1.1.5).
    pub number: u32,
    /// The method of the request.
    pub method: Method,
}

impl Message {
    /// All Via values, topmost first.
    ///
    /// # Errors
    /// One is malformed.
    pub fn vias(&self) -> Result<Vec<Via<'_>>, FieldError> {
        self.all(VIA)
            .map(|value| Via::parse(value).ok_or(FieldError::Malformed("Via")))
            .collect()
    }

    /// Whether there is a Via, and all of them can be read.
    pub(super) fn check_vias(&self) -> Result<(), FieldError> {
        self.top_via()?;
        let mut others = self.all(VIA).skip(1);
        let well_formed = others.all(|value| Via::parse(value).is_some());
        well_formed
            .then_some(())
            .ok_or(FieldError::Malformed("Via"))
    }

    /// The From field.
    ///
    /// # Errors
    /// Missing or malformed.
    pub fn from(&self) -> Result<NameAddr<'_>, FieldError> {
        self.address(FROM)
    }

    /// The To field.
    ///
    /// # Errors
    /// Missing or malformed.
    pub fn to(&self) -> Result<NameAddr<'_>, FieldError> {
        self.address(TO)
    }

    /// The Call-ID, which is compared byte by byte (RFC 3261 §20.8).
    ///
    /// # Errors
    /// Missing or malformed: empty, or with white space inside.
    pub fn call_id(&self) -> Result<&str, FieldError> {
        let value = self.first(CALL_ID).ok_or(FieldError::Missing("Call-ID"))?;
        let plain = value.bytes().all(|byte| byte.is_ascii_graphic());
        let well_formed = plain || !value.contains(char::is_whitespace);
        if well_formed && !value.is_empty() {
            Ok(value)
        } else {
            Err(FieldError::Malformed("Call-ID"))
        }
    }

    pub(super) fn read_cseq(&self) -> Result<CSeq, FieldError> {
        let value = self.first(CSEQ).ok_or(FieldError::Missing("CSeq"))?;
        let gap = value.bytes().position(|byte| matches!(byte, b' ' | b'\t'));
        let (number, method) = value.split_at(gap.ok_or(FieldError::Malformed("CSeq"))?);
        let number = read_number(number)
            .filter(|number| *number < 1 << 31)
            .ok_or(FieldError::Malformed("CSeq"))?;
        let method = method.trim_start();
        if super::list::is_token(method) {
            Ok(CSeq {
                number,
                method: Method::from(method),
            })
        } else {
            Err(FieldError::Malformed("CSeq"))
        }
    }

    /// All contacts.
    ///
    /// # Errors
    /// One is malformed, or `*` stands beside others (RFC 3261 §20.10).
    pub fn contacts(&self) -> Result<Contacts<'_>, FieldError> {
        let values: Vec<_> = self.values("Contact").collect();
        if values == ["*"] {
            return Ok(Contacts::Star);
        }
        self.addresses("Contact").map(Contacts::List)
    }

    /// The Route values, topmost first.
    ///
    /// # Errors
    /// One is malformed.
    pub fn routes(&self) -> Result<Vec<NameAddr<'_>>, FieldError> {
        self.addresses("Route")
    }

    /// The Record-Route values, topmost first.
    ///
    /// # Errors
    /// One is malformed.
    pub fn record_routes(&self) -> Result<Vec<NameAddr<'_>>, FieldError> {
        self.addresses("Record-Route")
    }

    /// Expires, in seconds.
    ///
    /// # Errors
    /// Malformed, which includes numbers of 2³² or more (RFC 3261 §20.19).
    pub fn expires(&self) -> Result<Option<u32>, FieldError> {
        self.number("Expires")
    }

    /// Min-Expires, in seconds.
    ///
    /// # Errors
    /// Malformed.
    pub fn min_expires(&self) -> Result<Option<u32>, FieldError> {
        self.number("Min-Expires")
    }

    /// Max-Forwards, 0 to 255 (RFC 3261 §20.22).
    ///
    /// # Errors
    /// Malformed or out of range.
    pub fn max_forwards(&self) -> Result<Option<u8>, FieldError> {
        let number = self.number("Max-Forwards")?;
        number
            .map(|number| u8::try_from(number).map_err(|_| FieldError::Malformed("Max-Forwards")))
            .transpose()
    }

    /// Retry-After in seconds, without its comment and parameters (RFC 3261 §20.33).
    ///
    /// # Errors
    /// Malformed.
    pub fn retry_after(&self) -> Result<Option<u32>, FieldError> {
        let Some(value) = self.header("Retry-After") else {
            return Ok(None);
        };
        let digits = value
            .split([' ', '\t', '(', ';'])
            .next()
            .unwrap_or_default();
        read_number(digits)
            .map(Some)
            .ok_or(FieldError::Malformed("Retry-After"))
    }

    /// Content-Length, in bytes.
    ///
    /// # Errors
    /// Malformed.
    pub fn content_length(&self) -> Result<Option<usize>, FieldError> {
        let Some(value) = self.first(CONTENT_LENGTH) else {
            return Ok(None);
        };
        let all_digits = !value.is_empty() && value.bytes().all(|byte| byte.is_ascii_digit());
        // A number beyond the machine's range is well formed; it is larger than any datagram.
        if all_digits {
            Ok(Some(value.parse().unwrap_or(usize::MAX)))
        } else {
            Err(FieldError::Malformed("Content-Length"))
        }
    }

    /// The media type of the body in lower case, without parameters.
    #[must_use]
    pub fn content_type(&self) -> Option<String> {
        let value = self.header("Content-Type")?;
        let media = value.split(';').next().unwrap_or_default();
        Some(
            media
                .split('/')
                .map(str::trim)
                .collect::<Vec<_>>()
                .join("/")
                .to_ascii_lowercase(),
        )
    }

    /// The methods of Allow.
    #[must_use]
    pub fn allow(&self) -> Vec<Method> {
        self.tokens("Allow").map(Method::from).collect()
    }

    /// The option tags of Require.
    #[must_use]
    pub fn require(&self) -> Vec<&str> {
        self.tokens("Require").collect()
    }

    /// The option tags of Proxy-Require.
    #[must_use]
    pub fn proxy_require(&self) -> Vec<&str> {
        self.tokens("Proxy-Require").collect()
    }

    /// The option tags of Supported.
    #[must_use]
    pub fn supported(&self) -> Vec<&str> {
        self.tokens("Supported").collect()
    }

    fn tokens<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.values(name).filter(|value| !value.is_empty())
    }

    fn address(&self, known: &'static Known) -> Result<NameAddr<'_>, FieldError> {
        let value = self.first(known).ok_or(FieldError::Missing(known.name))?;
        NameAddr::parse(value).ok_or(FieldError::Malformed(known.name))
    }

    fn addresses(&self, name: &'static str) -> Result<Vec<NameAddr<'_>>, FieldError> {
        self.values(name)
            .map(|value| NameAddr::parse(value).ok_or(FieldError::Malformed(name)))
            .collect()
    }

    fn number(&self, name: &'static str) -> Result<Option<u32>, FieldError> {
        let Some(value) = self.header(name) else {
            return Ok(None);
        };
        read_number(value)
            .map(Some)
            .ok_or(FieldError::Malformed(name))
    }
}

fn read_number(digits: &str) -> Option<u32> {
    let all_digits = digits.bytes().all(|byte| byte.is_ascii_digit());
    if all_digits {
        digits.parse().ok()
    } else {
        None
    }
}
