//! Requests that wait for their answer, as they were sent.
//!
//! Owns them as long as their transactions live, so that one can be sent again with something changed: credentials, another
//! target, another server. Refuses to outgrow the transaction layer.

use std::collections::BTreeMap;
use std::net::SocketAddr;

use crate::sip::transaction::{Layer, TransactionId};
use crate::sip::{Message, Method};

/// Where each request went, and what it was.
#[derive(Clone, Debug, Default)]
pub(super) struct Asked(BTreeMap<TransactionId, (SocketAddr, Message)>);

impl Asked {
    /// Remembers one, and drops those whose transaction is over.
    // Over a reliable transport a transaction is over as its answer arrives: that request is still needed, and goes with the
    // next one.
    pub(super) fn remember(
        &mut self,
        layer: &Layer,
        client: TransactionId,
        to: SocketAddr,
        request: &Message,
    ) {
        self.0.retain(|client, _| layer.state(*client).is_some());
        self.0.insert(client, (to, request.clone()));
    }

    pub(super) fn get(&self, client: TransactionId) -> Option<&(SocketAddr, Message)> {
        self.0.get(&client)
    }

    /// The INVITE that an ACK for a 2xx belongs to.
    pub(super) fn invite_of(&self, ack: &Message) -> Option<&Message> {
        let number = |message: &Message| message.cseq().map(|cseq| cseq.number);
        let belongs = |request: &&Message| {
            request.method() == Method::Invite
                && number(request) == number(ack)
                && request.call_id() == ack.call_id()
        };
        self.0.values().map(|(_, request)| request).find(belongs)
    }
}
