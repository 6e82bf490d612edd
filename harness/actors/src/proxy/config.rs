//! How a proxy is configured, and the policies that the field reports argue about.

use std::collections::BTreeSet;
use std::time::Duration;

use linefault_protocol::sip::proxy::{Rules, Statuses};
use linefault_protocol::sip::{Limits, registrar};
use tracing::Level;

/// What a proxy serves and how it judges failures. Every field is a policy that a test may set to something worse.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Config {
    /// The domain that it serves.
    pub domain: String,
    /// The users of that domain: others are answered 404.
    pub users: BTreeSet<String>,
    /// What it asks of requests, and how much work it takes.
    pub rules: Rules,
    /// How large a message may be.
    pub limits: Limits,
    /// What a registration may ask for.
    pub expiry: registrar::Limits,
    /// What a request is answered with when it cannot be delivered.
    pub statuses: Statuses,
    /// How it logs a target that is unreachable.
    pub unreachable_log: LogLine,
    /// How it logs any other socket error.
    pub socket_error_log: LogLine,
    /// What becomes of a binding whose contact is unreachable.
    pub remove_unreachable: Removal,
    /// Whether a binding goes when its time is over.
    pub remove_expired: bool,
    /// How often every binding is asked whether it lives; never if `None`.
    pub health_check: Option<Duration>,
    /// Whether it accepts TCP connections.
    pub tcp: bool,
}

/// How a failed send is logged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LogLine {
    /// The level.
    pub level: Level,
    /// The words.
    pub wording: Wording,
}

/// The words for a failed send.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wording {
    /// "target unreachable", with peer, errno and method as fields.
    TargetUnreachable,
    /// "UDP server error: " or "TCP server error: ", and the error, as an event loop's own handler writes it.
    ServerError,
}

/// When a binding goes whose contact is unreachable.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Removal {
    /// With the first send that fails.
    AtOnce,
    /// When it has not answered OPTIONS for 64·T1 since; any answer means that it lives.
    AfterProbes,
    /// Not before it expires.
    Never,
}

impl Config {
    /// The statuses of the repaired service of report A: by kind of request, and by kind of failure.
    #[must_use]
    pub fn incident(domain: &str, users: BTreeSet<String>) -> Self {
        Self {
            domain: domain.to_owned(),
            users,
            rules: Rules::default(),
            limits: Limits::default(),
            expiry: registrar::Limits::default(),
            statuses: Statuses::INCIDENT,
            unreachable_log: LogLine {
                level: Level::WARN,
                wording: Wording::TargetUnreachable,
            },
            socket_error_log: LogLine {
                level: Level::ERROR,
                wording: Wording::ServerError,
            },
            remove_unreachable: Removal::AtOnce,
            remove_expired: true,
            health_check: Some(Duration::from_secs(60)),
            tcp: true,
        }
    }

    /// The statuses of RFC 3261: a transport error is that branch's 503, and a lone 503 goes upstream as 500.
    #[must_use]
    pub fn rfc3261(domain: &str, users: BTreeSet<String>) -> Self {
        Self {
            statuses: Statuses::RFC3261,
            ..Self::incident(domain, users)
        }
    }
}
