//! What comes back on the branches.
//!
//! Owns response processing (RFC 3261 §16.7).

use super::context::{BranchState, Cancel, Choice};
use super::{Proxy, ProxyTurn};
use crate::sip::transaction::TransactionId;
use crate::sip::{Class, Message, Method, Status};

impl Proxy {
    /// A response in a client transaction. One of no context is dropped (RFC 6026 §7.3).
    pub fn response(&mut self, turn: &mut ProxyTurn<'_>, client: TransactionId, response: Message) {
        let Some(status) = response.status() else {
            return;
        };
        if self.cancels.contains_key(&client) {
            if status.is_final() {
                self.cancels.remove(&client);
            }
            return;
        }
        let Some(&server) = self.upstream.get(&client) else {
            return;
        };
        let Some(response) = less_own_via(response) else {
            if status.is_final() {
                self.bad_response(turn, server, client);
            }
            return;
        };
        match status.class() {
            Class::Provisional => self.provisional(turn, server, client, response),
            Class::Success => self.success(turn, server, client, response),
            _ => {
                // RFC 3261 §16.7 step 5: a 6xx ends the search.
                if status.class() == Class::GlobalFailure
                    && let Some(context) = self.contexts.get_mut(&server)
                {
                    context.cancel_all();
                }
                if !self.follow(turn, server, client, &response) {
                    self.failure(turn, server, client, response);
                }
                self.send_cancels(turn, server);
            }
        }
    }

    fn provisional(
        &mut self,
        turn: &mut ProxyTurn<'_>,
        server: TransactionId,
        client: TransactionId,
        response: Message,
    ) {
        let trying = response.status() == Some(Status::TRYING);
        let Some(context) = self.contexts.get_mut(&server) else {
            return;
        };
        let timer_c = context.timer_c(turn.now);
        let Some(branch) = context
            .branch_mut(client)
            .filter(|branch| !branch.has_ended())
        else {
            return;
        };
        branch.state = BranchState::Proceeding;
        // §16.7 step 2: Timer C starts again with 101 to 199.
        if self.timers_c.get(client).is_some() && branch.cancel != Cancel::Sent && !trying {
            self.timers_c.set(client, Some(timer_c));
        }
        // §16.7 step 5: a 100 is hop by hop.
        if !trying {
            turn.respond(server, response);
        }
        self.send_cancels(turn, server);
    }

    // §16.7 step 5: every 2xx to an INVITE goes up at once; what else is open is cancelled (step 10).
    fn success(
        &mut self,
        turn: &mut ProxyTurn<'_>,
        server: TransactionId,
        client: TransactionId,
        response: Message,
    ) {
        let Some(context) = self.contexts.get_mut(&server) else {
            return;
        };
        let is_invite = context.request.method() == Method::Invite;
        if let Some(branch) = context.branch_mut(client) {
            branch.state = BranchState::Answered(response.clone());
        }
        self.timers_c.set(client, None);
        turn.respond(server, response);
        if is_invite {
            let lifetime = turn.layer.timers().patience();
            context.cancel_all();
            context.forget_at.get_or_insert(turn.now + lifetime);
            self.send_cancels(turn, server);
            self.conclude(turn, server);
        } else {
            self.forget(server);
        }
    }

    /// Ends a branch with its peer's 3xx to 6xx.
    fn failure(
        &mut self,
        turn: &mut ProxyTurn<'_>,
        server: TransactionId,
        client: TransactionId,
        mut response: Message,
    ) {
        // §16.7 step 6: a 503 says that this proxy can do nothing at all, and it can.
        if response.status() == Some(Status::SERVICE_UNAVAILABLE)
            && let Some(context) = self.contexts.get(&server)
        {
            response = turn.response(&context.request, self.statuses.service_unavailable);
        }
        self.end_branch(turn, server, client, BranchState::Answered(response));
    }

    /// Ends a branch, and sends up the best response once all have ended.
    pub(super) fn end_branch(
        &mut self,
        turn: &mut ProxyTurn<'_>,
        server: TransactionId,
        client: TransactionId,
        end: BranchState,
    ) {
        let context = self.contexts.get_mut(&server);
        if let Some(branch) = context.and_then(|context| context.branch_mut(client)) {
            branch.state = end;
        }
        self.timers_c.set(client, None);
        self.conclude(turn, server);
    }

    /// Sends up the best response if every branch has ended and none was sent.
    pub(super) fn conclude(&mut self, turn: &mut ProxyTurn<'_>, server: TransactionId) {
        let Some(context) = self.contexts.get(&server) else {
            return;
        };
        // A 2xx went up: a failure has nothing to add, but another 2xx may come while a branch is open, and be repeated.
        if let Some(at) = context.forget_at {
            let over = context.all_ended().then_some(at);
            return self.leftovers.set(server, over);
        }
        match context.choice() {
            Choice::Open => {}
            Choice::Nothing => {
                self.forget(server);
                turn.layer.terminate(turn.now, server, turn.below);
            }
            Choice::Best(best) => {
                self.forget(server);
                turn.respond(server, best);
            }
        }
    }

    /// Answers with 502 for a next hop whose final response is no answer to what was forwarded.
    fn bad_response(
        &mut self,
        turn: &mut ProxyTurn<'_>,
        server: TransactionId,
        client: TransactionId,
    ) {
        if let Some(context) = self.contexts.get(&server) {
            let response = turn.response(&context.request, Status::BAD_GATEWAY);
            self.end_branch(turn, server, client, BranchState::Failed(response));
        }
    }
}

/// A response as it goes up. `None` if no other Via is left, so that it cannot have come of what was forwarded.
// RFC 3261 §16.7 step 3
fn less_own_via(mut response: Message) -> Option<Message> {
    response.remove_first_value("Via");
    response.header("Via").is_some().then_some(response)
}
