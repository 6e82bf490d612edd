//! The extensions that a user agent takes part in, as option tags say it.
//!
//! Owns Supported and Require in what it sends, and refusing requests whose extensions do not fit: 420, 421 and 422.

use std::time::Duration;

use super::{UserAgent, UserAgentTurn};
use crate::sip::{Message, Method, Refresher, Status};

/// RFC 3262 §8.1.
pub(super) const RELIABLE: &str = "100rel";
/// RFC 4028 §10.
pub(super) const TIMER: &str = "timer";

/// The extensions of a user agent; the default is none, and to take part in transfers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Extensions {
    /// Reliable provisional responses (RFC 3262).
    pub reliable: Reliable,
    /// Session timers (RFC 4028).
    pub timer: Option<SessionTimer>,
    /// Transfer of calls (RFC 3515).
    pub transfers: Transfers,
}

/// What a user agent makes of reliable provisional responses.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Reliable {
    /// It does not know them.
    #[default]
    No,
    /// It sends them where the caller knows them, and acknowledges them.
    Supported,
    /// It calls nobody, and takes no call, without them.
    Required,
}

/// How a user agent keeps its sessions alive.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SessionTimer {
    /// The interval that it asks for, and the longest that it grants; whole seconds, from `least` on.
    pub expires: Duration,
    /// The shortest interval that it takes; whole seconds, from 90 s on (RFC 4028 §4).
    pub least: Duration,
    /// Who is to refresh, where it is the one to say so.
    pub refresher: Option<Refresher>,
    /// How it refreshes.
    pub refresh: Refresh,
}

/// How a session is refreshed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refresh {
    /// With the offer again.
    Reinvite,
    /// Without an offer.
    Update,
    /// Not at all, whatever was agreed.
    Never,
}

/// How a user agent takes part in transfers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Transfers {
    /// Whether it calls whom it is referred to; it declines otherwise.
    pub accepted: bool,
    /// Whether it hangs up once the peer that it referred has reached the other.
    pub hang_up: bool,
}

impl Default for Transfers {
    fn default() -> Self {
        Self {
            accepted: true,
            hang_up: true,
        }
    }
}

impl UserAgent {
    /// Says which extensions are known here; and which are insisted on, in a request that begins a dialog.
    pub(super) fn name_extensions(&self, message: &mut Message) {
        let known = self.known_extensions().join(", ");
        if !known.is_empty() {
            message.append("Supported", &known);
        }
        let begins = message.method() == Method::Invite
            && message.is_request()
            && message.to().is_ok_and(|to| to.tag().is_none());
        if begins && self.config.extensions.reliable == Reliable::Required {
            message.append("Require", RELIABLE);
        }
    }

    /// The option tags that a request requires and that are not known here.
    pub(super) fn unknown_extensions(&self, request: &Message) -> String {
        let known = self.known_extensions();
        let mut required = request.require();
        required.retain(|tag| !known.iter().any(|known| known.eq_ignore_ascii_case(tag)));
        required.join(", ")
    }

    /// Refuses a request that lacks an extension, or whose session interval is too short.
    pub(super) fn extension_refusal(
        &self,
        turn: &mut UserAgentTurn<'_>,
        request: &Message,
    ) -> Option<Message> {
        let method = request.method();
        let begins = method == Method::Invite && request.to().is_ok_and(|to| to.tag().is_none());
        // RFC 3261 §21.4.16
        if begins
            && self.config.extensions.reliable == Reliable::Required
            && !request.knows(RELIABLE)
        {
            let mut response = turn.response(request, Status::EXTENSION_REQUIRED);
            response.append("Require", RELIABLE);
            return Some(response);
        }
        if !matches!(method, Method::Invite | Method::Update) {
            return None;
        }
        let asked = match request.session_expires() {
            Ok(asked) => asked?,
            Err(error) => {
                let text = error.to_string();
                return Some(turn.response_saying(request, Status::BAD_REQUEST, &text));
            }
        };
        // RFC 4028 §9: only to who can make something of the 422.
        let least = self.config.extensions.timer?.least.as_secs();
        let too_small = u64::from(asked.seconds) < least && request.knows(TIMER);
        too_small.then(|| {
            let mut response = turn.response(request, Status::SESSION_INTERVAL_TOO_SMALL);
            response.append("Min-SE", &least.to_string());
            response
        })
    }

    fn known_extensions(&self) -> Vec<&'static str> {
        let Extensions {
            reliable, timer, ..
        } = self.config.extensions;
        let reliable = (reliable != Reliable::No).then_some(RELIABLE);
        let timer = timer.map(|_| TIMER);
        reliable.into_iter().chain(timer).collect()
    }
}
