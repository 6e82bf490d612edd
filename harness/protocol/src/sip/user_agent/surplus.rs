//! Answers that no call wants any more: of a fork's other branches, and to INVITEs of calls that are over.

use std::net::SocketAddr;

use crate::Instant;
use crate::sip::Message;
use crate::sip::dialog::Dialog;
use crate::sip::transaction::TransactionId;

/// More branches than any fork has; beyond that the oldest is forgotten.
const MOST: usize = 64;

/// The ACKs for such answers. Their dialogs are ended at once and soon forgotten, but their callees go on repeating
/// the 2xx for 64·T1, and each repeat wants its ACK and nothing else (RFC 3261 §13.2.2.4).
#[derive(Clone, Debug, Default)]
pub(super) struct Surplus {
    acks: Vec<(Instant, SocketAddr, Message)>,
    /// Dialogs that are over; an INVITE in them may be answered yet.
    ended: Vec<(Instant, Dialog)>,
    /// The Call-IDs of calls that came to nothing; they may be answered yet.
    given_up: Vec<String>,
    /// INVITEs in such dialogs without a final answer, and until when one is waited for.
    open: Vec<(Instant, TransactionId)>,
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

    /// Remembers a dialog that is over until that moment.
    pub(super) fn end(&mut self, now: Instant, until: Instant, dialog: Option<Dialog>) {
        self.ended.retain(|(until, _)| *until > now);
        if self.ended.len() == MOST {
            self.ended.remove(0);
        }
        self.ended.extend(dialog.map(|dialog| (until, dialog)));
    }

    /// Remembers a call that came to nothing by its Call-ID.
    pub(super) fn give_up(&mut self, call_id: &str) {
        if self.given_up.len() == MOST {
            self.given_up.remove(0);
        }
        self.given_up.push(call_id.to_owned());
    }

    /// Whether a 2xx answers something that is remembered.
    pub(super) fn concerns(&self, now: Instant, response: &Message) -> bool {
        let call_id = response.call_id();
        let given_up = || {
            self.given_up
                .iter()
                .any(|known| call_id == Ok(known.as_str()))
        };
        self.ack_for(now, response).is_some() || self.ended(now, response).is_some() || given_up()
    }

    /// Remembers the INVITE of a dialog that is over until that moment.
    pub(super) fn wait(&mut self, until: Instant, client: TransactionId) {
        self.open.push((until, client));
    }

    /// When the first of those is given up.
    pub(super) fn deadline(&self) -> Option<Instant> {
        self.open.iter().map(|(until, _)| *until).min()
    }

    /// Those that are given up now.
    pub(super) fn expire(&mut self, now: Instant) -> Vec<TransactionId> {
        let due = self.open.extract_if(.., |(until, _)| *until <= now);
        due.map(|(_, client)| client).collect()
    }

    /// The dialog that is over and that a response belongs to.
    pub(super) fn ended(&self, now: Instant, response: &Message) -> Option<&Dialog> {
        let mut known = self.ended.iter().filter(|(until, _)| *until > now);
        let (_, dialog) = known.find(|(_, dialog)| dialog.has_response(response))?;
        Some(dialog)
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
