//! What comes back on the branches.
//!
//! Owns response processing (RFC 3261 §16.7), Timer C (§16.8) and transport errors (§16.9).

use super::context::{Branch, BranchState, Cancel};
use super::route::Target;
use super::{Event, Failure, Proxy, ProxyTurn, TIMER_C, forward};
use crate::sip::transaction::{Timer, TransactionId};
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
                self.end_branch(turn, server, client, response);
                self.send_cancels(turn, server);
            }
        }
    }

    /// A client transaction heard nothing: Timer B or F.
    pub fn timeout(&mut self, turn: &mut ProxyTurn<'_>, client: TransactionId, timer: Timer) {
        // RFC 3261 §16.8: a CANCEL that gets no answer leaves its INVITE as if 408 had been received.
        if let Some(invite) = self.cancels.remove(&client) {
            return self.give_up(turn, invite, Status::REQUEST_TIMEOUT);
        }
        match timer {
            Timer::B => self.give_up(turn, client, Status::REQUEST_TIMEOUT),
            // RFC 4320 §4.2: no 408 to a non-INVITE; its client has given up by itself.
            Timer::F => self.abandon(turn, client),
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
            return self.give_up(turn, invite, Status::REQUEST_TIMEOUT);
        }
        let Some(&server) = self.upstream.get(&client) else {
            return;
        };
        let Some(context) = self.contexts.get_mut(&server) else {
            return;
        };
        if failure == Failure::Unreachable && !context.alternates.is_empty() {
            let next = context.alternates.remove(0);
            context.branches.retain(|branch| branch.client != client);
            self.upstream.remove(&client);
            return self.send_to(turn, server, next);
        }
        let status = self.statuses.of(failure, &context.request);
        let response = turn.response(&context.request, status);
        self.end_branch_made_up(turn, server, client, response);
    }

    /// Timer C, and the end of contexts that let a 2xx pass.
    pub fn expire(&mut self, turn: &mut ProxyTurn<'_>) {
        let now = turn.now;
        let over = |at: Option<crate::Instant>| at.is_some_and(|at| at <= now);
        let forgotten: Vec<_> = self
            .contexts
            .iter()
            .filter(|(_, context)| over(context.forget_at))
            .map(|(id, _)| *id)
            .collect();
        for server in forgotten {
            self.forget(server);
        }
        let mut fired = Vec::new();
        for (server, context) in &mut self.contexts {
            for branch in context
                .branches
                .iter_mut()
                .filter(|branch| over(branch.timer_c))
            {
                branch.timer_c = None;
                fired.push((
                    *server,
                    branch.client,
                    branch.state == BranchState::Proceeding,
                ));
            }
        }
        // RFC 3261 §16.8
        for (server, client, proceeding) in fired {
            if proceeding {
                if let Some(context) = self.contexts.get_mut(&server) {
                    context.cancel_all();
                }
                self.send_cancels(turn, server);
            } else {
                self.give_up(turn, client, Status::REQUEST_TIMEOUT);
            }
        }
    }

    /// Opens a branch to that target.
    pub(super) fn send_to(
        &mut self,
        turn: &mut ProxyTurn<'_>,
        server: TransactionId,
        target: Target,
    ) {
        let Some(context) = self.contexts.get_mut(&server) else {
            return;
        };
        let via = turn.via(self.identity.address);
        let Some((destination, request)) =
            forward::prepare(&self.identity, &context.request, &target, &via)
        else {
            let method = context.request.method();
            let status = self.statuses.of(Failure::Network, &context.request);
            let response = turn.response(&context.request, status);
            turn.above.push(Event::NoAddress {
                method,
                uri: target.uri.to_string(),
            });
            turn.respond(server, response);
            return self.forget(server);
        };
        let is_invite = request.method() == Method::Invite;
        let client = turn.request(destination, request.clone());
        self.upstream.insert(client, server);
        context.branches.push(Branch {
            client,
            destination,
            request,
            state: BranchState::Calling,
            cancel: Cancel::No,
            timer_c: is_invite.then(|| turn.now + TIMER_C),
        });
    }

    /// Sends the CANCELs that are wanted and may go out.
    // RFC 3261 §9.1: not before a provisional response.
    pub(super) fn send_cancels(&mut self, turn: &mut ProxyTurn<'_>, server: TransactionId) {
        let Some(context) = self.contexts.get_mut(&server) else {
            return;
        };
        for branch in &mut context.branches {
            if branch.cancel == Cancel::Wanted && branch.state == BranchState::Proceeding {
                branch.cancel = Cancel::Sent;
                branch.timer_c = None;
                let cancel = crate::sip::turn::cancel_of(&branch.request);
                let id = turn.request(branch.destination, cancel);
                self.cancels.insert(id, branch.client);
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
        let Some(branch) = self
            .contexts
            .get_mut(&server)
            .and_then(|context| context.branch_mut(client))
        else {
            return;
        };
        if branch.has_ended() {
            return;
        }
        branch.state = BranchState::Proceeding;
        // §16.7 step 2: Timer C starts again with 101 to 199.
        if branch.timer_c.is_some() && !trying {
            branch.timer_c = Some(turn.now + TIMER_C);
        }
        // §16.7 step 5: a 100 is hop by hop.
        if !trying {
            pass_up(turn, server, response);
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
            branch.timer_c = None;
            branch.state = BranchState::Ended(response.clone());
        }
        pass_up(turn, server, response);
        if is_invite {
            let lifetime = turn.layer.timers().t1 * 64;
            context.cancel_all();
            context.forget_at.get_or_insert(turn.now + lifetime);
            self.send_cancels(turn, server);
        } else {
            self.forget(server);
        }
    }

    /// Ends a branch whose response came from its peer.
    fn end_branch(
        &mut self,
        turn: &mut ProxyTurn<'_>,
        server: TransactionId,
        client: TransactionId,
        mut response: Message,
    ) {
        response.remove_first_value("Via");
        // §16.7 step 6: a 503 says that this proxy can do nothing at all, and it can.
        if response.status() == Some(Status::SERVICE_UNAVAILABLE)
            && let Some(context) = self.contexts.get(&server)
        {
            response = turn.response(&context.request, self.statuses.service_unavailable);
        }
        self.end_branch_made_up(turn, server, client, response);
    }

    /// Ends a branch with a response that is ready to go up, and sends up the best once all have ended.
    fn end_branch_made_up(
        &mut self,
        turn: &mut ProxyTurn<'_>,
        server: TransactionId,
        client: TransactionId,
        response: Message,
    ) {
        let Some(context) = self.contexts.get_mut(&server) else {
            return;
        };
        if let Some(branch) = context.branch_mut(client) {
            branch.timer_c = None;
            branch.state = BranchState::Ended(response);
        }
        if context.forget_at.is_some() {
            return;
        }
        if let Some(best) = context.best().cloned() {
            self.forget(server);
            turn.respond(server, best);
        }
    }

    /// Ends a branch that will not be answered, and its client transaction.
    fn give_up(&mut self, turn: &mut ProxyTurn<'_>, client: TransactionId, status: Status) {
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
        turn.above.push(branch.no_answer());
        let response = turn.response(&context.request, status);
        turn.layer.terminate(turn.now, client, turn.below);
        self.end_branch_made_up(turn, server, client, response);
    }

    /// Lets a request go without an answer.
    fn abandon(&mut self, turn: &mut ProxyTurn<'_>, client: TransactionId) {
        if let Some(server) = self.upstream.get(&client).copied() {
            let branch = self
                .contexts
                .get_mut(&server)
                .and_then(|context| context.branch_mut(client));
            turn.above.extend(branch.map(|branch| branch.no_answer()));
            self.forget(server);
            turn.layer.terminate(turn.now, server, turn.below);
        }
    }

    fn forget(&mut self, server: TransactionId) {
        if let Some(context) = self.contexts.remove(&server) {
            for branch in &context.branches {
                self.upstream.remove(&branch.client);
            }
        }
    }
}

/// Sends a response up as it came, less the Via that is this proxy's.
// §16.7 step 3: without another Via it was meant for us and goes nowhere.
fn pass_up(turn: &mut ProxyTurn<'_>, server: TransactionId, mut response: Message) {
    response.remove_first_value("Via");
    if response.header("Via").is_some() {
        turn.respond(server, response);
    }
}
