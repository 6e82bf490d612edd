//! Who a user agent is and how it behaves.

use std::net::SocketAddr;
use std::time::Duration;

use super::Extensions;
use crate::sip::Status;

/// Who a user agent is and how it behaves.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Config {
    /// The user part of its address-of-record and its contact.
    pub user: String,
    /// The domain of its address-of-record.
    pub domain: String,
    /// Where it is reached; goes into Via and Contact.
    pub address: SocketAddr,
    /// Where every request goes that has no route set.
    pub proxy: SocketAddr,
    /// The registration lifetime that it asks for, in whole seconds.
    pub expires: Duration,
    /// How it takes calls.
    pub answer: Answer,
    /// The extensions that it takes part in.
    pub extensions: Extensions,
}

/// How a user agent takes calls.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// From the arrival of the INVITE to the 180, or to the 183 before it.
    pub ring: Duration,
    /// Whether the callee is heard before it answers, and how long from that 183 to the 180.
    pub early_media: Option<Duration>,
    /// From the 180 to the final response.
    pub pick_up: Duration,
    /// The final response that refuses the call; a 200 takes it if `None`.
    pub status: Option<Status>,
    /// Whether every call is refused with 480 at once, without a ring.
    pub do_not_disturb: bool,
    /// What comes with `status`, or with the 480 of `do_not_disturb`.
    pub refusal: Refusal,
}

/// What comes with a refusal besides its status.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Refusal {
    /// Retry-After, in whole seconds: with 404, 413, 480, 486, 500, 503, 600 and 603 (RFC 3261 §20.33).
    pub retry_after: Option<Duration>,
    /// Contact, one URI each: where else to try, with 3xx; who may be meant, with 485 (RFC 3261 §20.10).
    pub contacts: Vec<String>,
    /// The body: the alternatives of a 380, the key to use of a 493.
    pub body: Option<Body>,
}

/// A body and what it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Body {
    /// The media type, for Content-Type.
    pub media_type: String,
    /// Its text.
    pub text: String,
}

impl Default for Answer {
    /// Rings at once and is picked up after a second.
    fn default() -> Self {
        Self {
            ring: Duration::ZERO,
            early_media: None,
            pick_up: Duration::from_secs(1),
            status: None,
            do_not_disturb: false,
            refusal: Refusal::default(),
        }
    }
}
