//! Who a user agent is and how it behaves.

use std::net::SocketAddr;
use std::time::Duration;

use super::Extensions;
use crate::sip::sdp::Codec;
use crate::sip::{Status, Transport};

/// Who a user agent is and how it behaves.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Config {
    /// The user part of its address-of-record and its contact.
    pub user: String,
    /// What it answers challenges with; without one it answers none.
    pub password: Option<String>,
    /// The domain of its address-of-record.
    pub domain: String,
    /// Where it is reached; goes into Via and Contact.
    pub address: SocketAddr,
    /// Where every request goes that has no route set.
    pub proxy: SocketAddr,
    /// The servers to go to, in that order, when the first says 503 with Retry-After.
    pub other_servers: Vec<SocketAddr>,
    /// The registration lifetime that it asks for, in whole seconds.
    pub expires: Duration,
    /// How it takes calls.
    pub answer: Answer,
    /// The extensions that it takes part in.
    pub extensions: Extensions,
    /// What its contact asks others to use.
    pub transport: Transport,
    /// What it says of its sessions.
    pub media: Media,
    /// How long it waits when two re-INVITEs have crossed.
    pub glare: Glare,
    /// The option tags that a caller must support (421 otherwise).
    pub required: Vec<String>,
}

/// What a user agent says of its sessions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Media {
    /// The codecs that it has, best first.
    pub codecs: Vec<Codec>,
    /// Whether its INVITEs leave the offer to the peer's 2xx (RFC 3261 §13.2.1).
    pub delayed_offer: bool,
    /// What an offer without a codec in common is refused with: 488, or 606 if its user has no other device that could
    /// take it.
    pub not_acceptable: Status,
}

/// How long a user agent waits after a 491 before it tries again, in milliseconds, in steps of 10.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Glare {
    /// The shortest and the longest wait of the end that made the Call-ID.
    pub owner: (u64, u64),
    /// The shortest and the longest wait of the other end.
    pub other: (u64, u64),
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
    /// The final response that refuses the call, without a ring if `pick_up` is zero; a 200 takes it if `None`.
    pub status: Option<Status>,
    /// How many calls `status` refuses, after which they are taken; all if `None`.
    pub refuse_times: Option<u32>,
    /// Whether every call is refused with 480 at once, without a ring.
    pub do_not_disturb: bool,
    /// What comes with `status`, or with the 480 of `do_not_disturb`.
    pub refusal: Refusal,
    /// Whether its 2xx name a Contact, without which they make no dialog (RFC 3261 §12.1.1 wants one).
    pub names_contact: bool,
}

/// What comes with a refusal besides its status.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Refusal {
    /// Retry-After, in whole seconds: with 404, 413, 480, 486, 500, 503, 600 and 603 (RFC 3261 §20.33).
    pub retry_after: Option<Duration>,
    /// Contact, one URI each: where else to try, with 3xx; who may be meant, with 485 (RFC 3261 §20.10).
    pub contacts: Vec<String>,
    /// Expires, in whole seconds: how long a redirection holds; for one call alone if `None` (RFC 3261 §21.3.3).
    pub expires: Option<Duration>,
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
            refuse_times: None,
            do_not_disturb: false,
            refusal: Refusal::default(),
            names_contact: true,
        }
    }
}

impl Default for Media {
    /// Offers G.711 µ-law.
    fn default() -> Self {
        Self {
            codecs: vec![Codec::PCMU],
            delayed_offer: false,
            not_acceptable: Status::NOT_ACCEPTABLE_HERE,
        }
    }
}

impl Default for Glare {
    // RFC 3261 §14.1
    fn default() -> Self {
        Self {
            owner: (2100, 4000),
            other: (0, 2000),
        }
    }
}
