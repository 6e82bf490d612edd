//! Reliable provisional responses as the caller meets them, RFC 3262 §4.
//!
//! Owns the early dialogs that they make, the order in which they count, and their PRACKs.

use super::extensions::{RELIABLE, Reliable};
use super::{Event, Failure, Purpose, UserAgent, UserAgentTurn};
use crate::sip::dialog::{Dialog, DialogError};
use crate::sip::transaction::TransactionId;
use crate::sip::{Message, Method, Status};

/// More branches than any fork has; beyond that the oldest is forgotten.
const MOST: usize = 64;

/// The early dialogs of INVITEs that are under way: each branch of a fork has one of its own.
#[derive(Clone, Debug, Default)]
pub(super) struct EarlyDialogs(Vec<Early>);

#[derive(Clone, Debug)]
struct Early {
    /// The INVITE.
    client: TransactionId,
    dialog: Dialog,
    /// The RSeq of the latest response that counted.
    last: u32,
}

impl UserAgent {
    /// Acknowledges a reliable provisional response. Returns whether the response counts: a repeat does not, nor does one
    /// that has overtaken another.
    pub(super) fn acknowledge_provisional(
        &mut self,
        turn: &mut UserAgentTurn<'_>,
        client: TransactionId,
        response: &Message,
    ) -> bool {
        let ours = self.config.extensions.reliable != Reliable::No
            && response.requires(RELIABLE)
            && response.status() != Some(Status::TRYING);
        let (Ok(Some(number)), true) = (response.rseq(), ours) else {
            return true;
        };
        let Some(invite) = turn.layer.request_of(client).cloned() else {
            return false;
        };
        let Some(dialog) = self.early.next(turn, client, &invite, response, number) else {
            return false;
        };
        let mut prack = dialog.request(&Method::Prack);
        let peer = dialog.remote_uri();
        // RFC 3262 §7.2
        let cseq = invite.cseq().map_or(0, |cseq| cseq.number);
        prack.append("RAck", &format!("{number} {cseq} {}", Method::Invite));
        let client = self.send(turn, prack);
        self.clients.insert(client, Purpose::Prack(peer));
        true
    }

    /// The final response to a PRACK.
    pub(super) fn prack_answered(
        &self,
        turn: &mut UserAgentTurn<'_>,
        peer: String,
        response: &Message,
    ) {
        if let Some(status) = response.status().filter(|status| status.is_failure()) {
            let failure = Failure::refused(status, response);
            turn.above
                .push(Event::NotDone(Method::Prack, peer, failure));
        }
    }

    /// The dialog that a 2xx confirms: the early one of its branch, or a new one.
    ///
    /// # Errors
    /// The 2xx lacks what a dialog is made of.
    pub(super) fn confirmed_dialog(
        &mut self,
        invite: &Message,
        response: &Message,
    ) -> Result<Dialog, DialogError> {
        match self.early.take(response) {
            Some(mut dialog) => dialog.confirm(response).map(|()| dialog),
            None => Dialog::caller(invite, response),
        }
    }
}

impl EarlyDialogs {
    /// Forgets those whose INVITE is over.
    pub(super) fn sweep(&mut self, turn: &UserAgentTurn<'_>) {
        self.0
            .retain(|early| turn.layer.state(early.client).is_some());
    }

    /// The dialog of a response that counts, made if it is the first of its branch.
    // RFC 3262 §4: the first may have any number; of the later ones only that which is higher by one counts.
    fn next(
        &mut self,
        turn: &UserAgentTurn<'_>,
        client: TransactionId,
        invite: &Message,
        response: &Message,
        number: u32,
    ) -> Option<&mut Dialog> {
        let known = |early: &Early| early.client == client && early.dialog.has_response(response);
        let place = match self.0.iter().position(known) {
            Some(place) => {
                let early = &mut self.0[place];
                if Some(number) != early.last.checked_add(1) {
                    return None;
                }
                early.last = number;
                place
            }
            None => {
                let dialog = Dialog::caller(invite, response).ok()?;
                self.sweep(turn);
                if self.0.len() == MOST {
                    self.0.remove(0);
                }
                self.0.push(Early {
                    client,
                    dialog,
                    last: number,
                });
                self.0.len() - 1
            }
        };
        self.0.get_mut(place).map(|early| &mut early.dialog)
    }

    fn take(&mut self, response: &Message) -> Option<Dialog> {
        let place = self
            .0
            .iter()
            .position(|early| early.dialog.has_response(response))?;
        Some(self.0.remove(place).dialog)
    }
}
