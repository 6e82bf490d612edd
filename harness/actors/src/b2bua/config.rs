//! How a B2BUA is configured.

use std::collections::BTreeSet;
use std::time::Duration;

use linefault_protocol::sip::b2bua::Retry;
use linefault_protocol::sip::{Uri, registrar};

/// What a B2BUA serves and how it treats calls. Every field is a policy that a test may set to something worse.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Config {
    /// The domain that it serves.
    pub domain: String,
    /// The users of that domain: others are answered 404.
    pub users: BTreeSet<String>,
    /// What a registration may ask for.
    pub expiry: registrar::Limits,
    /// How often every binding is asked whether it lives; never if `None`.
    pub health_check: Option<Duration>,
    /// How many calls it holds at once.
    pub calls_max: usize,
    /// How long a callee may take to answer; for ever if `None`.
    pub ring_limit: Option<Duration>,
    /// What a 503 of the callee is worth.
    pub retry: Retry,
    /// Who is called instead when the callee is busy or does not answer.
    pub forward_to: Option<Uri>,
    /// How many calls one callee has at once before further ones wait; no queue if `None`.
    pub queue: Option<usize>,
    /// Whether redirects are followed instead of relayed.
    pub follow_redirects: bool,
    /// Whether it accepts TCP connections.
    pub tcp: bool,
}

impl Config {
    /// The repaired service of report E.
    #[must_use]
    pub fn new(domain: &str, users: BTreeSet<String>) -> Self {
        Self {
            domain: domain.to_owned(),
            users,
            expiry: registrar::Limits::default(),
            health_check: Some(Duration::from_secs(60)),
            calls_max: 1000,
            ring_limit: Some(Duration::from_secs(180)),
            retry: Retry {
                times: 3,
                pause: Duration::from_secs(1),
            },
            forward_to: None,
            queue: None,
            follow_redirects: false,
            tcp: true,
        }
    }
}
