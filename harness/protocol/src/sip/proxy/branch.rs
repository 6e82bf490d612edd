//! Branches on their way out.
//!
//! Owns what starts a client transaction: forwarding to a target, and CANCEL (RFC 3261 §16.6 step 10, §16.10).

use super::context::{Branch, BranchState, Cancel};
use super::route::Target;
use super::{Event, Failure, Proxy, ProxyTurn, forward};
use crate::sip::Method;
use crate::sip::transaction::TransactionId;
use crate::sip::turn::cancel_of;

impl Proxy {
    /// Opens a branch to that target. One without an address ends at once, as one does whose request cannot be sent.
    pub(super) fn send_to(
        &mut self,
        turn: &mut ProxyTurn<'_>,
        server: TransactionId,
        target: &Target,
    ) {
        let Some(context) = self.contexts.get_mut(&server) else {
            return;
        };
        let token = turn.token("branch");
        let via = forward::via(self.identity.address, &token, context.mark);
        let prepared = forward::prepare(&self.identity, &context.request, target, &via);
        let mut branch = Branch {
            client: None,
            destination: None,
            request: context.request.clone(),
            state: BranchState::Calling,
            when_silent: self.statuses.when_silent(target.outside),
            cancel: Cancel::No,
        };
        if let Some((destination, request)) = prepared {
            let client = turn.request(destination, request.clone());
            self.upstream.insert(client, server);
            let timer_c = (request.method() == Method::Invite).then(|| context.timer_c(turn.now));
            self.timers_c.set(client, timer_c);
            branch.client = Some(client);
            branch.destination = Some(destination);
            branch.request = request;
        } else {
            turn.above.push(Event::NoAddress {
                method: context.request.method(),
                uri: target.uri.to_string(),
            });
            let status = self.statuses.of(Failure::Network, &context.request);
            branch.state = BranchState::Failed(turn.response(&context.request, status));
        }
        context.branches.push(branch);
    }

    /// Sends the CANCELs that are wanted and may go out.
    // RFC 3261 §9.1: not before a provisional response.
    pub(super) fn send_cancels(&mut self, turn: &mut ProxyTurn<'_>, server: TransactionId) {
        let Some(context) = self.contexts.get_mut(&server) else {
            return;
        };
        for branch in &mut context.branches {
            let (Some(client), Some(destination)) = (branch.client, branch.destination) else {
                continue;
            };
            if branch.cancel == Cancel::Wanted && branch.state == BranchState::Proceeding {
                branch.cancel = Cancel::Sent;
                // §9.1: 64·T1 after its CANCEL a request that has no final response is given up.
                let give_up = turn.now + turn.layer.timers().patience();
                self.timers_c.set(client, Some(give_up));
                let cancel = cancel_of(&branch.request);
                let id = turn.request(destination, cancel);
                self.cancels.insert(id, client);
            }
        }
    }
}
