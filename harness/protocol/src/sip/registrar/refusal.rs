//! Why a registration is refused.

use std::fmt;
use std::time::Duration;

use crate::sip::Status;

/// Why a REGISTER changed nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// The lifetime is too short (423); this is the shortest.
    TooBrief(Duration),
    /// `*` together with other contacts, or without `Expires: 0` (400).
    Star,
    /// A header field that this needs cannot be read (400).
    Malformed(&'static str),
    /// It is older than what the binding was last changed by (500).
    OutOfOrder,
    /// More contacts than one address-of-record may have (503).
    TooManyContacts,
}

impl Refusal {
    /// What the client is answered.
    #[must_use]
    pub fn status(self) -> Status {
        match self {
            Self::TooBrief(_) => Status::INTERVAL_TOO_BRIEF,
            Self::Star | Self::Malformed(_) => Status::BAD_REQUEST,
            // RFC 3261 §10.3 step 7: if any one of the updates fails, the request fails with 500.
            Self::OutOfOrder => Status::SERVER_INTERNAL_ERROR,
            Self::TooManyContacts => Status::SERVICE_UNAVAILABLE,
        }
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Star => f.write_str("Contact * needs to stand alone and Expires to be 0"),
            Self::Malformed(what) => f.write_str(what),
            Self::OutOfOrder => f.write_str("CSeq is not higher than that of the binding"),
            Self::TooBrief(_) | Self::TooManyContacts => f.write_str(self.status().reason()),
        }
    }
}

impl std::error::Error for Refusal {}
