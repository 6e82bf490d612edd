//! Redirections that a proxy follows itself.
//!
//! Owns RFC 3261 §16.7 step 4: the contacts of a 3xx become targets in place of the one that sent it. Refuses to go anywhere
//! twice, and to send one request to more targets than a redirection has any use for.

use super::context::{BranchState, ResponseContext};
use super::route::Target;
use super::{Proxy, ProxyTurn};
use crate::sip::transaction::TransactionId;
use crate::sip::{Contacts, Message, Status, Uri};

/// Branches of one request.
const MOST: usize = 16;

impl Proxy {
    /// Follows a redirection, if the rules want that and it leads anywhere new; `false` if it is to go up.
    pub(super) fn follow(
        &mut self,
        turn: &mut ProxyTurn<'_>,
        server: TransactionId,
        client: TransactionId,
        response: &Message,
    ) -> bool {
        let followed = [
            Status::MULTIPLE_CHOICES,
            Status::MOVED_PERMANENTLY,
            Status::MOVED_TEMPORARILY,
        ];
        let wanted = response
            .status()
            .is_some_and(|status| followed.contains(&status));
        let Some(context) = self.contexts.get_mut(&server) else {
            return false;
        };
        let targets = context.new_targets(response);
        let Some(branch) = context.branch_mut(client) else {
            return false;
        };
        if !self.gate.rules.recurses || !wanted || targets.is_empty() || branch.has_ended() {
            return false;
        }
        branch.state = BranchState::Redirected;
        self.timers_c.set(client, None);
        for uri in targets {
            // What is in this domain comes back here, to be looked up like anything else.
            let seen_at = self.identity.serves(&uri).then_some(self.identity.address);
            let target = Target {
                uri,
                seen_at,
                outside: false,
            };
            self.send_to(turn, server, &target);
        }
        self.conclude(turn, server);
        true
    }
}

impl ResponseContext {
    /// The contacts of a response that this request has not been sent to, best first.
    fn new_targets(&self, response: &Message) -> Vec<Uri> {
        let Ok(Contacts::List(mut contacts)) = response.contacts() else {
            return Vec::new();
        };
        contacts.sort_by_key(|contact| std::cmp::Reverse(contact.q().unwrap_or(1000)));
        let was_tried = |uri: &Uri| {
            let tried = self
                .branches
                .iter()
                .map(|branch| branch.request.request_uri());
            tried
                .flatten()
                .chain(self.request.request_uri())
                .any(|tried| tried == uri.as_str())
        };
        let left = MOST.saturating_sub(self.branches.len());
        let targets = contacts.iter().map(|contact| contact.uri());
        targets
            .filter(|uri| uri.scheme().eq_ignore_ascii_case("sip") && !was_tried(uri))
            .take(left)
            .collect()
    }
}
