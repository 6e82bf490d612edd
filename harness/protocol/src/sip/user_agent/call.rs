//! One call.
//!
//! Owns its phase and what is still owed to the peer: an ACK again, a 2xx again, a BYE.

use std::net::SocketAddr;
use std::time::Duration;

use super::offer::Descriptions;
use super::referral::Referral;
use super::reliable::Provisionals;
use super::session_timer::Clock;
use super::transfer::Subscription;
use super::{Ending, Event, Failure, Purpose, UserAgent, UserAgentTurn};
use crate::Instant;
use crate::sip::dialog::Dialog;
use crate::sip::transaction::TransactionId;
use crate::sip::{Message, Method, NameAddr, Status};

/// A call from its INVITE to its end.
#[derive(Clone, Debug)]
pub(super) struct Call {
    /// The peer's URI.
    pub(super) peer: String,
    pub(super) phase: Phase,
    /// Once there is one: with the first answer that creates it.
    pub(super) dialog: Option<Dialog>,
    /// The ACK for the last 2xx, for when that is repeated.
    pub(super) ack: Option<(SocketAddr, Message)>,
    /// The 2xx that waits for its ACK.
    pub(super) unacknowledged: Option<Unacknowledged>,
    /// Whether a BYE goes out as soon as it may.
    pub(super) hang_up_wanted: bool,
    /// Whether this side made the Call-ID.
    pub(super) outgoing: bool,
    /// A change of the session that this side wants.
    pub(super) reinvite: Option<Reinvite>,
    /// This side's reliable provisional responses.
    pub(super) provisionals: Provisionals,
    /// When the session runs out, if it does.
    pub(super) clock: Option<Clock>,
    /// The shortest session interval that the peer takes.
    pub(super) least_interval: Option<Duration>,
    /// A transfer that this side wants.
    pub(super) subscription: Option<Subscription>,
    /// A transfer that the peer wants.
    pub(super) referral: Option<Referral>,
    /// The call whose peer asked for this one.
    pub(super) referrer: Option<u64>,
    pub(super) descriptions: Descriptions,
}

/// What has become of a re-INVITE of this side.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Reinvite {
    /// It waits for its final response.
    Out,
    /// It met one of the peer's and goes out once more at that moment.
    Again(Instant),
}

/// How far a call is.
#[derive(Clone, Debug)]
pub(super) enum Phase {
    /// Its INVITE is out.
    Calling(Calling),
    /// An INVITE came in.
    Ringing(Ringing),
    /// Answered.
    Up,
    /// A BYE is out.
    Ending,
}

/// An INVITE that is out.
#[derive(Clone, Debug)]
pub(super) struct Calling {
    pub(super) client: TransactionId,
    pub(super) invite: Message,
    pub(super) destination: SocketAddr,
    /// Whether any provisional response came.
    pub(super) proceeding: bool,
    /// Whether a 180 came.
    pub(super) rings: bool,
    /// Whether the user gave up.
    pub(super) cancelled: bool,
    /// When the invitation is over, if it said so.
    pub(super) expires_at: Option<Instant>,
    /// When the INVITE counts as cancelled, once its CANCEL is out.
    pub(super) give_up_at: Option<Instant>,
}

/// A request that has just been sent.
pub(super) struct Dispatched {
    pub(super) client: TransactionId,
    pub(super) destination: SocketAddr,
    /// With its Via.
    pub(super) message: Message,
}

/// An INVITE that came in.
#[derive(Clone, Debug)]
pub(super) struct Ringing {
    pub(super) server: TransactionId,
    pub(super) invite: Message,
    pub(super) tag: String,
    /// When the invitation is over, if it said so.
    pub(super) expires_at: Option<Instant>,
    /// When the next thing happens.
    pub(super) next_at: Instant,
    /// Whether the 183 is out.
    pub(super) is_heard: bool,
    /// Whether the 180 is out.
    pub(super) rings: bool,
    /// What the 2xx will say of the session.
    pub(super) description: Vec<u8>,
}

/// A 2xx that is sent until its ACK comes.
#[derive(Clone, Debug)]
pub(super) struct Unacknowledged {
    pub(super) server: TransactionId,
    pub(super) ok: Message,
    pub(super) interval: Duration,
    pub(super) resend_at: Instant,
    pub(super) give_up_at: Instant,
}

impl Calling {
    /// An INVITE that has just been sent.
    pub(super) fn new(now: Instant, sent: Dispatched) -> Self {
        Self {
            expires_at: expiry(now, &sent.message),
            client: sent.client,
            invite: sent.message,
            destination: sent.destination,
            proceeding: false,
            rings: false,
            cancelled: false,
            give_up_at: None,
        }
    }
}

impl Call {
    pub(super) fn new(peer: String, phase: Phase, descriptions: Descriptions) -> Self {
        Self {
            peer,
            outgoing: matches!(phase, Phase::Calling(_)),
            phase,
            dialog: None,
            ack: None,
            unacknowledged: None,
            hang_up_wanted: false,
            reinvite: None,
            provisionals: Provisionals::default(),
            clock: None,
            least_interval: None,
            subscription: None,
            referral: None,
            referrer: None,
            descriptions,
        }
    }

    pub(super) fn is_ending(&self) -> bool {
        matches!(self.phase, Phase::Ending)
    }

    /// Whether a response belongs to this call's dialog.
    pub(super) fn is_in(&self, response: &Message) -> bool {
        self.dialog
            .as_ref()
            .is_some_and(|dialog| dialog.has_response(response))
    }

    /// Whether that 2xx is the one that was acknowledged last.
    pub(super) fn is_acknowledged(&self, response: &Message) -> bool {
        let (Some((_, ack)), Ok(cseq)) = (&self.ack, response.cseq()) else {
            return false;
        };
        cseq.method == Method::Invite
            && response.status().is_some_and(Status::is_success)
            && ack
                .cseq()
                .is_ok_and(|acknowledged| acknowledged.number == cseq.number)
    }

    pub(super) fn deadline(&self) -> Option<Instant> {
        let phase = match &self.phase {
            Phase::Calling(calling) => calling.give_up_at.or(calling.expires_at),
            Phase::Ringing(ringing) => ringing
                .expires_at
                .into_iter()
                .chain([self.provisionals.deadline().unwrap_or(ringing.next_at)])
                .min(),
            Phase::Up | Phase::Ending => None,
        };
        let resend = self
            .unacknowledged
            .as_ref()
            .map(|waiting| waiting.resend_at.min(waiting.give_up_at));
        phase
            .into_iter()
            .chain(resend)
            .chain(self.reinvite_at())
            .chain(self.transfer_deadline())
            .min()
    }

    /// Whether no word of a transfer has come in time.
    fn lacks_word_at(&self, now: Instant) -> bool {
        let told = self.subscription.as_ref();
        told.is_some_and(|told| told.deadline() <= now)
    }

    /// Whether the time is over in which word of a transfer is owed.
    fn owes_last_word_at(&self, now: Instant) -> bool {
        let telling = self.referral.as_ref().and_then(Referral::deadline);
        telling.is_some_and(|until| until <= now)
    }

    fn transfer_deadline(&self) -> Option<Instant> {
        let told = self.subscription.as_ref().map(Subscription::deadline);
        let telling = self.referral.as_ref().and_then(Referral::deadline);
        let up = matches!(self.phase, Phase::Up);
        told.into_iter().chain(telling).min().filter(|_| up)
    }

    // RFC 3261 §14.1: not while the peer's INVITE is under way.
    fn reinvite_at(&self) -> Option<Instant> {
        match self.reinvite? {
            Reinvite::Again(at) if self.unacknowledged.is_none() => Some(at),
            _ => None,
        }
    }
}

impl UserAgent {
    pub(super) fn call_is_due(&mut self, turn: &mut UserAgentTurn<'_>, id: u64) {
        let Some(call) = self.calls.get(&id) else {
            return;
        };
        match &call.phase {
            // RFC 3261 §13.2.1: the invitation is over, and nobody has answered.
            Phase::Calling(calling) if calling.give_up_at.is_none() => {
                self.give_up_calling(turn, id);
            }
            Phase::Calling(calling) => {
                let client = calling.client;
                turn.layer.terminate(turn.now, client, turn.below);
                self.clients.remove(&client);
                self.call_failed(turn, id, Failure::TimedOut);
            }
            // §13.3.1
            Phase::Ringing(ringing) if ringing.expires_at.is_some_and(|at| at <= turn.now) => {
                self.refuse(turn, id, Status::REQUEST_TERMINATED);
            }
            Phase::Ringing(_) if call.provisionals.deadline().is_some() => {
                self.repeat_provisional(turn, id);
            }
            Phase::Ringing(_) => self.ring(turn, id),
            Phase::Up if call.lacks_word_at(turn.now) => self.subscription_is_due(turn, id),
            Phase::Up if call.owes_last_word_at(turn.now) => self.referral_is_due(turn, id),
            Phase::Up if call.reinvite_at().is_some_and(|at| at <= turn.now) => {
                self.send_reinvite(turn, id);
            }
            Phase::Up | Phase::Ending => self.repeat_answer(turn, id),
        }
    }

    /// Sends a BYE; from here on the call is over for this side (RFC 3261 §15.1.1).
    pub(super) fn bye(&mut self, turn: &mut UserAgentTurn<'_>, id: u64, ending: Ending) {
        let Some(call) = self.calls.get_mut(&id) else {
            return;
        };
        let Some(dialog) = &mut call.dialog else {
            return self.close(turn, id);
        };
        let bye = dialog.request(&Method::Bye);
        call.phase = Phase::Ending;
        call.unacknowledged = None;
        call.reinvite = None;
        Self::drop_subscriptions(turn, call);
        (call.subscription, call.referral) = (None, None);
        turn.above
            .push(Event::CallEnded(id, call.peer.clone(), ending));
        let client = self.send(turn, bye);
        self.clients.insert(client, Purpose::Bye(id));
    }

    pub(super) fn call_failed(&mut self, turn: &mut UserAgentTurn<'_>, id: u64, failure: Failure) {
        self.tell_failure(turn, id, &failure);
        if let Some(call) = self.calls.get(&id) {
            turn.above
                .push(Event::CallFailed(id, call.peer.clone(), failure));
        }
        self.close(turn, id);
    }

    /// Sends a request in a client transaction of its own.
    pub(super) fn send(&mut self, turn: &mut UserAgentTurn<'_>, request: Message) -> TransactionId {
        self.dispatch(turn, request).client
    }

    /// Where a request goes: its first route, or the Request-URI in a dialog, or else the proxy.
    // RFC 3261 §8.1.2 and §12.2.1.1; without DNS a name leads to the proxy.
    pub(super) fn next_hop(&self, request: &Message) -> SocketAddr {
        let in_dialog = request.to_tag().is_some();
        let route = request.values("Route").next().and_then(NameAddr::parse);
        let uri = match route {
            Some(route) if route.uri().params().has("lr") => Some(route.uri()),
            _ if in_dialog => request.request_uri().and_then(|uri| uri.parse().ok()),
            _ => None,
        };
        uri.and_then(|uri| uri.socket_address())
            .unwrap_or(self.servers.current())
    }
}

/// When an invitation that arrives or leaves now is over (RFC 3261 §20.19).
pub(super) fn expiry(now: Instant, invite: &Message) -> Option<Instant> {
    let seconds = invite.expires().ok().flatten()?;
    Some(now + Duration::from_secs(seconds.into()))
}
