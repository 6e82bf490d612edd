//! Response contexts: what a proxy remembers of a request while answers to it may come.
//!
//! Owns the branches and the choice of the best response (RFC 3261 §16.7). Refuses to send.

use std::net::SocketAddr;

use super::Event;
use super::route::Target;
use crate::Instant;
use crate::sip::transaction::TransactionId;
use crate::sip::{Class, Message, Status};

/// A request that was forwarded, and what came of it.
#[derive(Clone, Debug)]
pub(super) struct ResponseContext {
    /// As it arrived, less the routes that were this proxy's.
    pub(super) request: Message,
    pub(super) branches: Vec<Branch>,
    /// Targets to be tried when the one before is unreachable.
    pub(super) alternates: Vec<Target>,
    /// When a context that let a 2xx pass is forgotten.
    pub(super) forget_at: Option<Instant>,
}

/// One client transaction of a response context.
#[derive(Clone, Debug)]
pub(super) struct Branch {
    pub(super) client: TransactionId,
    pub(super) destination: SocketAddr,
    /// As it was sent.
    pub(super) request: Message,
    pub(super) state: BranchState,
    /// Whether it is to be cancelled, or was.
    pub(super) cancel: Cancel,
    /// Timer C, of an INVITE.
    pub(super) timer_c: Option<Instant>,
}

/// How far a branch is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum BranchState {
    /// Nothing heard.
    Calling,
    /// A provisional response came.
    Proceeding,
    /// Its final response, received or made up.
    Ended(Message),
}

/// What has been done about cancelling a branch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Cancel {
    /// Nobody wants it.
    No,
    /// Wanted; to be sent once a provisional response came (RFC 3261 §9.1).
    Wanted,
    /// Sent.
    Sent,
}

impl ResponseContext {
    pub(super) fn new(request: Message, alternates: Vec<Target>) -> Self {
        Self {
            request,
            branches: Vec::new(),
            alternates,
            forget_at: None,
        }
    }

    pub(super) fn branch_mut(&mut self, client: TransactionId) -> Option<&mut Branch> {
        self.branches
            .iter_mut()
            .find(|branch| branch.client == client)
    }

    /// Asks for the end of every branch that has not ended.
    pub(super) fn cancel_all(&mut self) {
        for branch in &mut self.branches {
            if branch.cancel == Cancel::No && !branch.has_ended() {
                branch.cancel = Cancel::Wanted;
            }
        }
    }

    /// The response to send upstream once every branch has ended: a 6xx before all others, else of the lowest class
    /// the one that came on the earliest branch (RFC 3261 §16.7 step 6).
    pub(super) fn best(&self) -> Option<&Message> {
        let finals: Option<Vec<&Message>> =
            self.branches.iter().map(Branch::final_response).collect();
        finals?
            .into_iter()
            .min_by_key(|response| response.status().map(rank))
    }

    pub(super) fn timer_c(&self) -> Option<Instant> {
        self.branches
            .iter()
            .filter_map(|branch| branch.timer_c)
            .min()
    }
}

impl Branch {
    pub(super) fn no_answer(&self) -> Event {
        Event::NoAnswer {
            method: self.request.method(),
            destination: self.destination,
        }
    }

    /// Whether Timer C makes a CANCEL of it, and not its end.
    pub(super) fn may_be_cancelled(&self) -> bool {
        self.state == BranchState::Proceeding && self.cancel == Cancel::No
    }

    pub(super) fn has_ended(&self) -> bool {
        self.final_response().is_some()
    }

    fn final_response(&self) -> Option<&Message> {
        match &self.state {
            BranchState::Ended(response) => Some(response),
            _ => None,
        }
    }
}

fn rank(status: Status) -> u16 {
    match status.class() {
        Class::GlobalFailure => 0,
        _ => status.code() / 100,
    }
}
