//! What a request is answered with when it cannot be delivered.
//!
//! Owns the two named policies. Refuses to know what errors a socket has; its owner classes them.

use crate::sip::{Message, Method, Status};

/// The status for each kind of failure and request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Statuses {
    /// The target of a request outside of a dialog is unreachable.
    pub unreachable: Status,
    /// The target of a request inside a dialog, other than BYE, is unreachable.
    pub unreachable_in_dialog: Status,
    /// The target of a BYE is unreachable.
    pub unreachable_bye: Status,
    /// An ACK cannot be forwarded; `None` sends nothing back, and nothing else is right.
    pub undeliverable_ack: Option<Status>,
    /// Any other network error.
    pub network: Status,
    /// The proxy itself failed while forwarding.
    pub program: Status,
    /// A lone 503 of the next hop.
    pub service_unavailable: Status,
    /// An outside server did not answer an INVITE.
    pub outside_silent: Status,
    /// Nobody answered a request other than INVITE; `None` says nothing, and nothing else is right (RFC 4320 §4.2).
    pub silent_non_invite: Option<Status>,
    /// Whether a BYE whose target is unreachable is tried on the user's next contact.
    pub bye_tries_next_contact: bool,
}

/// Why a request could not be delivered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Failure {
    /// The host, its network or the way there is gone.
    Unreachable,
    /// Any other network error.
    Network,
    /// An error in the proxy itself.
    Program,
}

impl Statuses {
    /// By kind of request. A departure from RFC 4320 §4.2: it answers a BYE with 408, though at once and never after a
    /// time-out.
    pub const INCIDENT: Self = Self {
        unreachable: Status::TEMPORARILY_UNAVAILABLE,
        unreachable_in_dialog: Status::TEMPORARILY_UNAVAILABLE,
        unreachable_bye: Status::REQUEST_TIMEOUT,
        undeliverable_ack: None,
        network: Status::SERVICE_UNAVAILABLE,
        program: Status::BAD_GATEWAY,
        service_unavailable: Status::SERVER_INTERNAL_ERROR,
        // RFC 3261 §21.5.5
        outside_silent: Status::SERVER_TIMEOUT,
        silent_non_invite: None,
        bye_tries_next_contact: true,
    };

    /// A transport error counts as a 503 from that branch (RFC 3261 §16.9), and a lone 503 goes upstream as 500
    /// (§16.7 step 6).
    pub const RFC3261: Self = Self {
        unreachable: Status::SERVER_INTERNAL_ERROR,
        unreachable_in_dialog: Status::SERVER_INTERNAL_ERROR,
        unreachable_bye: Status::SERVER_INTERNAL_ERROR,
        undeliverable_ack: None,
        network: Status::SERVER_INTERNAL_ERROR,
        program: Status::SERVER_INTERNAL_ERROR,
        service_unavailable: Status::SERVER_INTERNAL_ERROR,
        // §16.8: whoever is silent counts as 408.
        outside_silent: Status::REQUEST_TIMEOUT,
        silent_non_invite: None,
        bye_tries_next_contact: false,
    };

    /// The status for an INVITE that got no answer, from an outside server or from a contact of this domain.
    #[must_use]
    pub fn when_silent(&self, outside: bool) -> Status {
        if outside {
            self.outside_silent
        } else {
            Status::REQUEST_TIMEOUT
        }
    }

    /// The status for that failure to deliver that request.
    #[must_use]
    pub fn of(&self, failure: Failure, request: &Message) -> Status {
        let in_dialog = request.to_tag().is_some();
        match failure {
            Failure::Network => self.network,
            Failure::Program => self.program,
            Failure::Unreachable if request.method() == Method::Bye => self.unreachable_bye,
            Failure::Unreachable if in_dialog => self.unreachable_in_dialog,
            Failure::Unreachable => self.unreachable,
        }
    }
}
