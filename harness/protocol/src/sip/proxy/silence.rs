//! What becomes of branches on which nothing comes back.
//!
//! Owns Timer C (RFC 3261 §16.8), time-outs, transport errors (§16.9) and the end of response contexts.

use super::context::{BranchState, Cancel};
use super::{Failure, Proxy, ProxyTurn};
use crate::sip::Status;
use crate::sip::transaction::{Output, Report, Timer, TransactionId};

impl Proxy {
    /// A client transaction heard nothing: Timer B or F.
    pub fn timeout(&mut self, turn: &mut ProxyTurn<'_>, client: TransactionId, timer: Timer) {
        // RFC 3261 §16.8: a CANCEL that gets no answer leaves its INVITE as if 408 had been received.
        if let Some(invite) = self.cancels.remove(&client) {
            return self.give_up(turn, invite, Some(Status::REQUEST_TIMEOUT));
        }
        match timer {
            Timer::B => self.give_up(turn, client, None),
            // RFC 4320 §4.2: no 408 to a non-INVITE; its client has given up by itself.
            Timer::F => match self.statuses.silent_non_invite {
                None => self.abandon(turn, client),
                status => self.give_up(turn, client, status),
            },
            _ => {}
        }
    }

    /// A request of that client transaction did not leave. A *response* that does not is simply dropped (§16.9), and
    /// nothing is to be told here.
    pub fn send_failed(
        &mut self,
        turn: &mut ProxyTurn<'_>,
        client: TransactionId,
        failure: Failure,
    ) {
        turn.layer.transport_failed(turn.now, client, turn.below);
        if let Some(invite) = self.cancels.remove(&client) {
            return self.give_up(turn, invite, Some(Status::REQUEST_TIMEOUT));
        }
        let Some(&server) = self.upstream.get(&client) else {
            return;
        };
        let Some(context) = self.contexts.get_mut(&server) else {
            return;
        };
        // The ACK for a failure is of the same transaction.
        if context
            .branch_mut(client)
            .is_none_or(|branch| branch.has_ended())
        {
            return;
        }
        if failure == Failure::Unreachable && !context.alternates.is_empty() {
            let next = context.alternates.remove(0);
            context
                .branches
                .retain(|branch| branch.client != Some(client));
            self.upstream.remove(&client);
            self.send_to(turn, server, &next);
            return self.conclude(turn, server);
        }
        let status = self.statuses.of(failure, &context.request);
        let response = turn.response(&context.request, status);
        self.end_branch(turn, server, client, BranchState::Failed(response));
    }

    /// Timer C, and the end of contexts that let a 2xx pass.
    pub fn expire(&mut self, turn: &mut ProxyTurn<'_>) {
        for server in self.leftovers.due(turn.now) {
            self.forget(server);
        }
        for client in self.timers_c.due(turn.now) {
            self.timers_c.set(client, None);
            self.timer_c(turn, client);
        }
    }

    // RFC 3261 §16.8: with a provisional response it is cancelled, without one it counts as 408; so does a CANCEL that
    // brought no final response.
    fn timer_c(&mut self, turn: &mut ProxyTurn<'_>, client: TransactionId) {
        let Some(&server) = self.upstream.get(&client) else {
            return;
        };
        let context = self.contexts.get_mut(&server);
        let branch = context.and_then(|context| context.branch_mut(client));
        // After a CANCEL it is §9.1's wait that is over, and not Timer C.
        if branch.as_ref().is_some_and(|it| it.cancel != Cancel::Sent) {
            turn.below.push(Output::Report(Report::TimerFired {
                transaction: client,
                timer: Timer::C,
            }));
        }
        let branch = branch.filter(|branch| branch.may_be_cancelled());
        let Some(branch) = branch else {
            return self.give_up(turn, client, Some(Status::REQUEST_TIMEOUT));
        };
        branch.cancel = Cancel::Wanted;
        self.send_cancels(turn, server);
    }

    /// Ends a branch that will not be answered, and its client transaction, as that status or as one that was silent.
    pub(super) fn give_up(
        &mut self,
        turn: &mut ProxyTurn<'_>,
        client: TransactionId,
        status: Option<Status>,
    ) {
        let Some(&server) = self.upstream.get(&client) else {
            return;
        };
        let Some(context) = self.contexts.get_mut(&server) else {
            return;
        };
        let Some(branch) = context
            .branch_mut(client)
            .filter(|branch| !branch.has_ended())
        else {
            return;
        };
        turn.above.extend(branch.no_answer());
        let status = status.unwrap_or(branch.when_silent);
        let response = turn.response(&context.request, status);
        turn.layer.terminate(turn.now, client, turn.below);
        self.end_branch(turn, server, client, BranchState::Failed(response));
    }

    /// Ends a branch without an answer.
    fn abandon(&mut self, turn: &mut ProxyTurn<'_>, client: TransactionId) {
        let Some(server) = self.upstream.get(&client).copied() else {
            return;
        };
        let context = self.contexts.get_mut(&server);
        if let Some(branch) = context.and_then(|context| context.branch_mut(client)) {
            turn.above.extend(branch.no_answer());
        }
        self.end_branch(turn, server, client, BranchState::Silent);
    }

    pub(super) fn forget(&mut self, server: TransactionId) {
        self.leftovers.set(server, None);
        let Some(context) = self.contexts.remove(&server) else {
            return;
        };
        for client in context.branches.iter().filter_map(|branch| branch.client) {
            self.upstream.remove(&client);
            self.timers_c.set(client, None);
        }
    }
}
