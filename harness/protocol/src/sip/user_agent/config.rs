//! Who a user agent is and how it behaves.

use std::net::SocketAddr;
use std::time::Duration;

use crate::sip::Status;

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
    /// Where it sends callers, if it answers with a redirection.
    pub redirect: Redirect,
    /// The option tags that a caller must support (421 otherwise).
    pub required: Vec<String>,
}

/// Where callers are sent.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Redirect {
    /// The URIs to try instead, best first.
    pub contacts: Vec<String>,
    /// How long that holds, in whole seconds; for one call alone if `None`.
    pub lifetime: Option<Duration>,
}

/// How a user agent takes calls.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Answer {
    /// From the arrival of the INVITE to the 180.
    pub ring: Duration,
    /// From the 180 to the final response.
    pub pick_up: Duration,
    /// The final response that refuses the call; a 200 takes it if `None`.
    pub status: Option<Status>,
    /// Whether every call is refused with 480 at once, without a ring.
    pub do_not_disturb: bool,
}

impl Default for Answer {
    /// Rings at once and is picked up after a second.
    fn default() -> Self {
        Self {
            ring: Duration::ZERO,
            pick_up: Duration::from_secs(1),
            status: None,
            do_not_disturb: false,
        }
    }
}
