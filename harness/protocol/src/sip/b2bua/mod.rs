//! The core of a back-to-back user agent: a UAS towards the caller, a UAC towards the callee (RFC 3261 §6), and what one
//! leg's messages mean for the other.
//!
//! Owns calls: each leg has Call-ID, tags, CSeq, Via and Contact of its own; answers go over with their code and reason
//! phrase, bodies byte for byte, the ACK for a 2xx when the caller's comes. Owns the policies above that: calling again
//! after a 503, forwarding, queueing, following redirects. Refuses to know where users are: the owner is asked. Refuses
//! extensions that would bind both legs (`Require` is answered 420, `Supported` stays behind), media, and requests
//! outside of a call but OPTIONS and REGISTER.

mod answer;
mod attempt;
mod bridge;
mod call;
mod config;
mod copy;
mod ending;
mod event;
mod incoming;
mod outcome;
mod queue;

use std::collections::BTreeMap;
use std::net::SocketAddr;

use super::transaction::{Timer, TransactionId};
use super::turn::Turn;
use super::{Message, Status};
use crate::{Instant, Schedule};
use attempt::Outgoing;
use bridge::Passed;
use call::Call;
use queue::Lines;

pub use call::{Side, Target};
pub use config::{Config, Retry};
pub use event::{Event, News};

/// A back-to-back user agent.
#[derive(Clone, Debug)]
pub struct B2bua {
    config: Config,
    calls: BTreeMap<u64, Call>,
    calls_made: u64,
    /// Legs by their Call-ID and this element's tag.
    by_leg: BTreeMap<(String, String), (u64, Side)>,
    /// Calls by the INVITE server transactions that have had no final answer.
    invited: BTreeMap<TransactionId, (u64, Side)>,
    outgoing: BTreeMap<TransactionId, Outgoing>,
    clients: BTreeMap<TransactionId, Purpose>,
    lines: Lines,
    due: Schedule<Due>,
    /// INVITEs that were answered, until nobody repeats the answer any more.
    answered: Schedule<TransactionId>,
}

/// What a step of this core is given.
pub type B2buaTurn<'a> = Turn<'a, Event>;

/// What a client transaction other than an INVITE's is for.
#[derive(Clone, Debug)]
enum Purpose {
    Cancel,
    Bye(u64, Side),
    /// Ends a dialog that no call has.
    Surplus,
    Passed(Passed),
}

/// What a deadline is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Due {
    /// The callee has had its time to answer.
    Ring(u64),
    /// The callee is called again.
    Retry(u64),
    /// A caller in the queue hears where it stands.
    Notice(u64),
    /// A 2xx is sent again, or given up.
    Repeat(u64, Side),
    /// An INVITE counts as cancelled.
    GiveUp(TransactionId),
}

impl B2bua {
    /// A B2BUA without calls.
    #[must_use]
    pub fn new(config: Config) -> Self {
        Self {
            config,
            calls: BTreeMap::new(),
            calls_made: 0,
            by_leg: BTreeMap::new(),
            invited: BTreeMap::new(),
            outgoing: BTreeMap::new(),
            clients: BTreeMap::new(),
            lines: Lines::new(),
            due: Schedule::new(),
            answered: Schedule::new(),
        }
    }

    /// How many calls it holds.
    #[must_use]
    pub fn calls(&self) -> usize {
        self.calls.len()
    }

    /// A response in a client transaction.
    pub fn response(
        &mut self,
        turn: &mut B2buaTurn<'_>,
        client: TransactionId,
        response: &Message,
    ) {
        let Some(status) = response.status() else {
            return;
        };
        if self.outgoing.contains_key(&client) {
            return self.invite_answered(turn, client, status, response);
        }
        if status.is_provisional() {
            return;
        }
        match self.clients.remove(&client) {
            // RFC 3261 §15.1.1: whatever the answer is, the leg is over.
            Some(Purpose::Bye(call, side)) => self.bye_done(turn, call, side),
            Some(Purpose::Passed(passed)) => self.passed_answered(turn, &passed, status, response),
            Some(Purpose::Cancel | Purpose::Surplus) | None => {}
        }
    }

    /// A transaction's timer ran out: B or F of a request, H of a refusal that nobody acknowledged.
    pub fn timeout(&mut self, turn: &mut B2buaTurn<'_>, id: TransactionId, timer: Timer) {
        if matches!(timer, Timer::B | Timer::F) {
            self.unanswered(turn, id, Silence::TimedOut);
        }
    }

    /// A request of that client transaction did not leave.
    pub fn send_failed(&mut self, turn: &mut B2buaTurn<'_>, client: TransactionId) {
        turn.layer.transport_failed(turn.now, client, turn.below);
        self.unanswered(turn, client, Silence::NotSent);
    }

    /// When something is sent again, given up or done.
    #[must_use]
    pub fn deadline(&self) -> Option<Instant> {
        self.due.first()
    }

    /// When something that was answered can be forgotten.
    #[must_use]
    pub fn lingering_deadline(&self) -> Option<Instant> {
        self.answered.first()
    }

    /// Does what is due.
    pub fn expire(&mut self, turn: &mut B2buaTurn<'_>) {
        for client in self.answered.due(turn.now) {
            self.answered.set(client, None);
            self.outgoing.remove(&client);
        }
        for due in self.due.due(turn.now) {
            // An earlier one may have taken it away.
            if self.due.get(due).is_none_or(|at| at > turn.now) {
                continue;
            }
            self.due.set(due, None);
            match due {
                Due::Ring(call) => self.rang_too_long(turn, call),
                Due::Retry(call) => self.call_again(turn, call),
                Due::Notice(call) => self.notice_due(turn, call),
                Due::Repeat(call, side) => self.repeat_answer(turn, call, side),
                Due::GiveUp(client) => {
                    turn.layer.terminate(turn.now, client, turn.below);
                    self.unanswered(turn, client, Silence::Cancelled);
                }
            }
        }
    }

    fn unanswered(&mut self, turn: &mut B2buaTurn<'_>, client: TransactionId, silence: Silence) {
        if self.outgoing.contains_key(&client) {
            return self.invite_unanswered(turn, client, silence);
        }
        match self.clients.remove(&client) {
            Some(Purpose::Bye(call, side)) => self.bye_done(turn, call, side),
            Some(Purpose::Passed(passed)) => self.passed_unanswered(turn, &passed, silence),
            Some(Purpose::Cancel | Purpose::Surplus) | None => {}
        }
    }

    /// A Via of its own, and off it goes.
    fn send(
        &self,
        turn: &mut B2buaTurn<'_>,
        destination: SocketAddr,
        request: &mut Message,
    ) -> TransactionId {
        let via = turn.via(self.config.address);
        request.prepend("Via", &via);
        turn.request(destination, request.clone())
    }
}

/// How a request came to no answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Silence {
    /// Timer B or F.
    TimedOut,
    /// It did not leave.
    NotSent,
    /// No end came after its CANCEL.
    Cancelled,
}

impl Silence {
    // RFC 3261 §8.1.3.1: a time-out counts as a 408, a transport error as a 503. A cancelled INVITE is 487 (§9.2).
    fn status(self) -> Status {
        match self {
            Self::TimedOut => Status::REQUEST_TIMEOUT,
            Self::NotSent => Status::SERVICE_UNAVAILABLE,
            Self::Cancelled => Status::REQUEST_TERMINATED,
        }
    }
}

#[cfg(test)]
mod tests;
