//! What a B2BUA is told about itself, and its policies.

use std::net::SocketAddr;
use std::time::Duration;

use crate::sip::Uri;

/// Where a B2BUA is, and how it treats calls.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Config {
    /// Where it is reached; goes into Via and Contact of both legs.
    pub address: SocketAddr,
    /// How many calls it holds at once; one more is refused with 503 and Retry-After.
    pub calls_max: usize,
    /// How long a callee may take to answer before the INVITE is cancelled; for ever if `None`.
    pub ring_limit: Option<Duration>,
    /// What a 503 of the callee is worth.
    pub retry: Retry,
    /// Who is called instead when the callee is busy or does not answer; nobody if `None`.
    pub forward_to: Option<Uri>,
    /// How many calls one callee has at once before further ones wait in a queue; no queue if `None`.
    pub lines: Option<usize>,
    /// Whether a 3xx is followed instead of relayed.
    pub follow_redirects: bool,
}

/// How often and how soon a callee that answers 503 is asked again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Retry {
    /// So often at most.
    pub times: u32,
    /// So long after each 503. One with a longer Retry-After is relayed at once.
    pub pause: Duration,
}

impl Config {
    /// The repaired service of report E: three retries a second apart, no forwarding, no queue, redirects relayed.
    #[must_use]
    pub fn new(address: SocketAddr) -> Self {
        Self {
            address,
            calls_max: 1000,
            ring_limit: Some(Duration::from_secs(180)),
            retry: Retry {
                times: 3,
                pause: Duration::from_secs(1),
            },
            forward_to: None,
            lines: None,
            follow_redirects: false,
        }
    }
}
