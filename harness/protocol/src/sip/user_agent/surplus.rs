//! Branches of a fork that answered although another had the call.

use std::net::SocketAddr;

use crate::Instant;
use crate::sip::Message;

/// More branches than any fork has; beyond that the oldest is forgotten.
const MOST: usize = 64;

/// The ACKs for such branches. Their dialogs are ended at once and soon forgotten, but their callees go on repeating
/// the 2xx for 64·T1, and each repeat wants its ACK and nothing else (RFC 3261 §13.2.2.4).
#[derive(Clone, Debug, Default)]
pub(super) struct Surplus {
    acks: Vec<(Instant, SocketAddr, Message)>,
}

impl Surplus {
    /// Remembers an ACK until that moment.
    pub(super) fn remember(
        &mut self,
        now: Instant,
        until: Instant,
        ack: Option<(SocketAddr, Message)>,
    ) {
        self.acks.retain(|(until, ..)| *until > now);
        if self.acks.len() == MOST {
            self.acks.remove(0);
        }
        self.acks
            .extend(ack.map(|(destination, message)| (until, destination, message)));
    }

    /// The ACK for a 2xx that came before.
    pub(super) fn ack_for(
        &self,
        now: Instant,
        response: &Message,
    ) -> Option<(SocketAddr, Message)> {
        let wanted = identity(response)?;
        let mut known = self.acks.iter().filter(|(until, ..)| *until > now);
        let (_, destination, ack) = known.find(|(.., ack)| identity(ack) == Some(wanted))?;
        Some((*destination, ack.clone()))
    }
}

/// What a 2xx and its ACK share, and no other branch's have.
fn identity(message: &Message) -> Option<(&str, u32, &str)> {
    let tag = message.to_tag()?;
    Some((message.call_id().ok()?, message.cseq().ok()?.number, tag))
}
