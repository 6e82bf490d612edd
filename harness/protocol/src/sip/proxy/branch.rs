//! Branches on their way out.
//!
//! Owns what starts a client transaction: forwarding to a target, and CANCEL (RFC 3261 §16.6 step 10, §16.10).

use super::context::{Branch, BranchState, Cancel};
use super::route::Target;
use super::{Event, Failure, Proxy, ProxyTurn, TIMER_C, forward};
use crate::sip::Method;
use crate::sip::transaction::TransactionId;
use crate::sip::turn::cancel_of;

impl Proxy {
    /// Opens a branch to that target.
    pub(super) fn send_to(
        &mut self,
        turn: &mut ProxyTurn<'_>,
        server: TransactionId,
        target: &Target,
    ) {
        let Some(context) = self.contexts.get_mut(&server) else {
            return;
        };
        let via = turn.via(self.identity.address);
        let Some((destination, request)) =
            forward::prepare(&self.identity, &context.request, target, &via)
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
                // §9.1: 64·T1 after its CANCEL a request that has no final response is given up.
                branch.timer_c = Some(turn.now + turn.layer.timers().t1 * 64);
                let cancel = cancel_of(&branch.request);
                let id = turn.request(branch.destination, cancel);
                self.cancels.insert(id, branch.client);
            }
        }
    }
}
