//! Response contexts: what a proxy remembers of a request while answers to it may come.
//!
//! Owns the branches and the choice of the best response (RFC 3261 §16.7 steps 4, 6 and 7). Refuses to send.

use std::net::SocketAddr;
use std::time::Duration;

use super::route::Target;
use super::{Event, TIMER_C};
use crate::Instant;
use crate::sip::transaction::TransactionId;
use crate::sip::{Class, Message, Method, Status};

/// A request that was forwarded, and what came of it.
#[derive(Clone, Debug)]
pub(super) struct ResponseContext {
    /// As it arrived, less the routes that were this proxy's.
    pub(super) request: Message,
    /// The mark of its routing inputs, for the branches of its copies.
    pub(super) mark: u64,
    pub(super) branches: Vec<Branch>,
    /// Targets to be tried when the one before is unreachable.
    pub(super) alternates: Vec<Target>,
    /// When an INVITE that said so is no longer wanted (RFC 3261 §20.19).
    pub(super) expires_at: Option<Instant>,
    /// When a context that let a 2xx pass may be forgotten.
    pub(super) forget_at: Option<Instant>,
}

/// One client transaction of a response context, or what stands for one that could not be started.
#[derive(Clone, Debug)]
pub(super) struct Branch {
    /// `None` if its target has no address.
    pub(super) client: Option<TransactionId>,
    pub(super) destination: Option<SocketAddr>,
    /// As it was sent.
    pub(super) request: Message,
    pub(super) state: BranchState,
    /// What it counts as when nothing comes back.
    pub(super) when_silent: Status,
    /// Whether it is to be cancelled, or was.
    pub(super) cancel: Cancel,
}

/// How far a branch is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum BranchState {
    /// Nothing heard.
    Calling,
    /// A provisional response came.
    Proceeding,
    /// Its final response came.
    Answered(Message),
    /// This proxy has made up its final response.
    Failed(Message),
    /// Its redirection was followed: other branches stand for it.
    Redirected,
    /// It was given up, and nothing is to be said about it (RFC 4320 §4.2).
    Silent,
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

/// What is to go upstream.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Choice {
    /// Nothing yet: a branch is open.
    Open,
    /// Nothing at all: a non-INVITE that was not answered in time (RFC 4320 §4.2).
    Nothing,
    /// This.
    Best(Message),
}

impl ResponseContext {
    pub(super) fn new(now: Instant, request: Message, mark: u64, alternates: Vec<Target>) -> Self {
        let invites = request.method() == Method::Invite;
        let expires = request.expires().ok().flatten().filter(|_| invites);
        Self {
            expires_at: expires.map(|seconds| now + Duration::from_secs(seconds.into())),
            request,
            mark,
            branches: Vec::new(),
            alternates,
            forget_at: None,
        }
    }

    /// When Timer C of a branch fires that shows life now: no later than the invitation lasts.
    pub(super) fn timer_c(&self, now: Instant) -> Instant {
        let latest = self.expires_at.unwrap_or(Instant::FAR_FUTURE);
        (now + TIMER_C).min(latest)
    }

    pub(super) fn branch_mut(&mut self, client: TransactionId) -> Option<&mut Branch> {
        self.branches
            .iter_mut()
            .find(|branch| branch.client == Some(client))
    }

    /// Asks for the end of every branch of an INVITE that has not ended. Another method has no CANCEL (RFC 3261 §9.1).
    pub(super) fn cancel_all(&mut self) {
        self.alternates.clear();
        if self.request.method() != Method::Invite {
            return;
        }
        for branch in &mut self.branches {
            if branch.cancel == Cancel::No && !branch.has_ended() {
                branch.cancel = Cancel::Wanted;
            }
        }
    }

    pub(super) fn all_ended(&self) -> bool {
        self.branches.iter().all(Branch::has_ended)
    }

    /// The response to send upstream: none before every branch has ended.
    pub(super) fn choice(&self) -> Choice {
        if !self.all_ended() {
            return Choice::Open;
        }
        // Whatever else came is late by now: a branch is silent only once the client has given up, too.
        let silent = |branch: &Branch| branch.state == BranchState::Silent;
        if self.branches.iter().any(silent) {
            return Choice::Nothing;
        }
        let finals = self.branches.iter().filter_map(Branch::ranked);
        let best = finals.min_by_key(|(rank, _)| *rank);
        best.map_or(Choice::Nothing, |(_, best)| {
            Choice::Best(self.with_challenges(best))
        })
    }

    // RFC 3261 §16.7 step 7: a 401 or 407 takes the challenges of all other branches along.
    fn with_challenges(&self, best: &Message) -> Message {
        let mut response = best.clone();
        if !asks_for_credentials(best) {
            return response;
        }
        let others = self.branches.iter().filter_map(Branch::final_response);
        let others =
            others.filter(|other| asks_for_credentials(other) && !std::ptr::eq(*other, best));
        for other in others {
            for name in ["WWW-Authenticate", "Proxy-Authenticate"] {
                for challenge in other.fields_of(name) {
                    response.append(name, challenge.value());
                }
            }
        }
        response
    }
}

impl Branch {
    pub(super) fn no_answer(&self) -> Option<Event> {
        Some(Event::NoAnswer {
            method: self.request.method(),
            destination: self.destination?,
        })
    }

    /// Whether Timer C makes a CANCEL of it, and not its end.
    pub(super) fn may_be_cancelled(&self) -> bool {
        self.state == BranchState::Proceeding && self.cancel == Cancel::No
    }

    pub(super) fn has_ended(&self) -> bool {
        !matches!(self.state, BranchState::Calling | BranchState::Proceeding)
    }

    fn final_response(&self) -> Option<&Message> {
        match &self.state {
            BranchState::Answered(response) | BranchState::Failed(response) => Some(response),
            _ => None,
        }
    }

    fn ranked(&self) -> Option<((u16, u8), &Message)> {
        let response = self.final_response()?;
        let made_here = matches!(self.state, BranchState::Failed(_));
        Some((rank(response.status()?, made_here), response))
    }
}

// RFC 3261 §16.7 step 6: a 6xx before all others, else the lowest class; of 4xx rather those that help to ask again. Then
// what somebody said before what this proxy makes of silence, and the earliest branch before later ones.
fn rank(status: Status, made_here: bool) -> (u16, u8) {
    let class = match status.class() {
        Class::GlobalFailure => 0,
        _ => status.code() / 100,
    };
    let preference = match status.code() {
        401 | 407 | 415 | 420 | 484 => 0,
        _ if made_here => 2,
        _ => 1,
    };
    (class, preference)
}

fn asks_for_credentials(response: &Message) -> bool {
    let code = response.status().map(Status::code);
    matches!(code, Some(401 | 407))
}
