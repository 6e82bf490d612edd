//! One call and its two legs.
//!
//! Owns what is known of each leg, and when the record of a call may go.

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::time::Duration;

use super::{B2bua, B2buaTurn, Due, Event, News};
use crate::Instant;
use crate::sip::dialog::Dialog;
use crate::sip::transaction::TransactionId;
use crate::sip::{Message, NameAddr, Transport, Uri};

/// Which leg of a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Side {
    /// The one that came in.
    Caller,
    /// The one that went out.
    Callee,
}

/// A call from its INVITE until neither leg owes anything.
#[derive(Clone, Debug)]
pub(super) struct Call {
    pub(super) legs: [Leg; 2],
    /// The INVITE that began it.
    pub(super) invite: Message,
    /// Who is called; goes into To.
    pub(super) callee: Uri,
    /// Whose lines it occupies or waits for.
    pub(super) line: Option<String>,
    pub(super) stage: Stage,
    /// Where the callee was found last.
    pub(super) target: Option<Target>,
    /// INVITEs of this call that have had no final answer yet, abandoned ones included.
    pub(super) attempts: BTreeSet<TransactionId>,
    /// How many INVITEs went out; the last one's CSeq.
    pub(super) invites: u32,
    pub(super) retries: u32,
    pub(super) forwarded: bool,
    /// Where redirects led, visited or not.
    pub(super) redirects: Vec<Uri>,
    /// How many of those were tried.
    pub(super) followed: usize,
}

/// Where a URI leads.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    /// The Request-URI.
    pub uri: Uri,
    /// Where it is sent.
    pub destination: SocketAddr,
}

/// How far a call is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stage {
    /// The callee is looked for, has no line free, or is asked again soon.
    Waiting,
    /// That INVITE is out.
    Calling(TransactionId),
    /// Answered.
    Up,
    /// Nothing more is wanted of it.
    Over,
}

/// One side of a call.
#[derive(Clone, Debug)]
pub(super) struct Leg {
    pub(super) call_id: String,
    /// This element's tag.
    pub(super) tag: String,
    /// What carries it.
    pub(super) transport: Transport,
    pub(super) dialog: Option<Dialog>,
    pub(super) state: LegState,
    /// An INVITE of the peer's that has no final answer yet.
    pub(super) invited: Option<Invited>,
    /// A 2xx of ours that waits for its ACK.
    pub(super) unacknowledged: Option<Unacknowledged>,
    /// An INVITE of ours in the dialog that has no final answer yet.
    pub(super) inviting: Option<TransactionId>,
    /// A 2xx of the peer's that has no ACK yet.
    pub(super) owed: Option<Owed>,
    /// Where a peer behind a NAT is seen, which its Contact does not know of.
    pub(super) seen_at: Option<SocketAddr>,
}

/// How far a leg is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum LegState {
    /// Not answered.
    Early,
    /// Answered.
    Up,
    /// A BYE goes out as soon as it may.
    ByeWanted,
    /// A BYE is out.
    Ending,
    /// Nothing is owed any more.
    Over,
}

/// An INVITE that came in.
#[derive(Clone, Debug)]
pub(super) struct Invited {
    pub(super) server: TransactionId,
    pub(super) invite: Message,
}

/// A 2xx that is sent until its ACK comes.
#[derive(Clone, Debug)]
pub(super) struct Unacknowledged {
    pub(super) server: TransactionId,
    pub(super) ok: Message,
    pub(super) interval: Duration,
    pub(super) give_up_at: Instant,
}

/// A 2xx that came in, and the INVITE that it answers.
#[derive(Clone, Debug)]
pub(super) struct Owed {
    pub(super) client: TransactionId,
    pub(super) ok: Message,
    /// Whether the INVITE offered nothing, so that the 2xx does.
    pub(super) offers: bool,
}

impl Side {
    /// The other one.
    #[must_use]
    pub fn other(self) -> Self {
        match self {
            Self::Caller => Self::Callee,
            Self::Callee => Self::Caller,
        }
    }
}

impl Call {
    pub(super) fn leg(&self, side: Side) -> &Leg {
        &self.legs[side as usize]
    }

    pub(super) fn leg_mut(&mut self, side: Side) -> &mut Leg {
        &mut self.legs[side as usize]
    }

    /// What the peer of that leg sends its requests to: this element's address, as the user at the other end, over what
    /// carries the leg.
    // RFC 3261 §8.1.1.8; RFC 3263 §4.1: without a word about the transport it would be UDP.
    pub(super) fn contact(&self, side: Side, address: SocketAddr) -> String {
        let way = match self.leg(side).transport {
            Transport::Udp => String::new(),
            other => format!(";transport={}", other.parameter()),
        };
        match self.shown_to(side) {
            Some(user) => format!("<sip:{user}@{address}{way}>"),
            None => format!("<sip:{address}{way}>"),
        }
    }

    /// Who the peer of that leg sees at the other end.
    fn shown_to(&self, side: Side) -> Option<String> {
        let user = match side {
            Side::Caller => self.callee.user().map(str::to_owned),
            Side::Callee => self.invite.from().ok()?.uri().user().map(str::to_owned),
        };
        user.filter(|user| !user.is_empty())
    }
}

impl Leg {
    pub(super) fn new(call_id: String, tag: String) -> Self {
        Self {
            call_id,
            tag,
            transport: Transport::default(),
            dialog: None,
            state: LegState::Early,
            invited: None,
            unacknowledged: None,
            inviting: None,
            owed: None,
            seen_at: None,
        }
    }

    /// Where a request on this leg goes: its first route, or the remote target.
    // RFC 3261 §12.2.1.1; without DNS a name leads nowhere.
    pub(super) fn next_hop(&self, request: &Message) -> Option<SocketAddr> {
        match request.values("Route").next().and_then(NameAddr::parse) {
            Some(route) if route.uri().params().has("lr") => route.uri().socket_address(),
            Some(_) => request.request_uri()?.parse::<Uri>().ok()?.socket_address(),
            None => self
                .seen_at
                .or_else(|| request.request_uri()?.parse::<Uri>().ok()?.socket_address()),
        }
    }
}

impl B2bua {
    /// Says something of a call to whoever reads the log.
    pub(super) fn tell(&self, turn: &mut B2buaTurn<'_>, id: u64, news: News) {
        if let Some(call) = self.calls.get(&id) {
            let call_id = call.leg(Side::Caller).call_id.clone();
            turn.above.push(Event::News { call_id, news });
        }
    }

    /// That leg owes nothing any more.
    pub(super) fn leg_over(&mut self, turn: &mut B2buaTurn<'_>, id: u64, side: Side) {
        let Some(call) = self.calls.get_mut(&id) else {
            return;
        };
        let leg = call.leg_mut(side);
        let was_up = !matches!(leg.state, LegState::Early | LegState::Over);
        leg.state = LegState::Over;
        leg.unacknowledged = None;
        leg.owed = None;
        self.due.set(Due::Repeat(id, side), None);
        if was_up {
            turn.above.push(Event::LegDown(id, side));
        }
    }

    /// Forgets a call of which nothing more is to come.
    pub(super) fn close_if_done(&mut self, turn: &mut B2buaTurn<'_>, id: u64) {
        let done = self.calls.get(&id).is_some_and(|call| {
            let over = |leg: &Leg| {
                matches!(leg.state, LegState::Over | LegState::Early) && leg.inviting.is_none()
            };
            call.stage == Stage::Over && call.attempts.is_empty() && call.legs.iter().all(over)
        });
        if !done {
            return;
        }
        let Some(call) = self.calls.remove(&id) else {
            return;
        };
        for leg in &call.legs {
            self.by_leg.remove(&(leg.call_id.clone(), leg.tag.clone()));
        }
        for due in [Due::Ring(id), Due::Retry(id), Due::Notice(id)] {
            self.due.set(due, None);
        }
        turn.above.push(Event::CallClosed(id));
        self.leave_line(turn, id, call.line.as_deref());
    }
}
