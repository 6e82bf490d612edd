//! Answering challenges.
//!
//! Owns sending a request again with credentials (RFC 3261 §22.2, §22.3), and which requests carry them unasked. How often a
//! challenge is worth an answer is the keyring's to say.

use super::call::{Calling, Dispatched, Phase};
use super::{Purpose, UserAgent, UserAgentTurn};
use crate::sip::Message;
use crate::sip::digest::Asker;
use crate::sip::transaction::TransactionId;

impl UserAgent {
    /// Sends a request without Via in a client transaction of its own, with the credentials that were asked for before.
    pub(super) fn dispatch(
        &mut self,
        turn: &mut UserAgentTurn<'_>,
        mut request: Message,
    ) -> Dispatched {
        if let Some(keyring) = &mut self.keyring {
            keyring.sign(&mut request, || turn.token("cnonce"));
        }
        let via = turn.via(self.config.address);
        request.prepend("Via", &via);
        self.servers.choose(turn.now);
        let destination = self.next_hop(&request);
        let client = turn.request(destination, request.clone());
        self.asked
            .remember(turn.layer, client, destination, &request);
        Dispatched {
            client,
            destination,
            message: request,
        }
    }

    /// Sends the request again if the response is a challenge that is worth an answer.
    pub(super) fn answer_challenge(
        &mut self,
        turn: &mut UserAgentTurn<'_>,
        client: TransactionId,
        response: &Message,
    ) -> bool {
        let challenges = [Asker::Server, Asker::Proxy].map(Asker::status);
        let is_challenge = response
            .status()
            .is_some_and(|status| challenges.contains(&status));
        if !is_challenge || self.is_unwanted(client) {
            return false;
        }
        let (Some(keyring), Some((_, request))) = (&mut self.keyring, self.asked.get(client))
        else {
            return false;
        };
        let mut request = request.clone();
        if !keyring.take(&request, response) {
            return false;
        }
        let Some(purpose) = self.clients.remove(&client) else {
            return false;
        };
        self.renumber(&purpose, &mut request);
        self.send_again(turn, purpose, request);
        true
    }

    /// Sends a request once more, on a branch of its own.
    pub(super) fn send_again(
        &mut self,
        turn: &mut UserAgentTurn<'_>,
        purpose: Purpose,
        mut request: Message,
    ) {
        request.remove("Via");
        let sent = self.dispatch(turn, request);
        let client = sent.client;
        if let Purpose::Invite(id) = purpose
            && let Some(Phase::Calling(calling)) =
                self.calls.get_mut(&id).map(|call| &mut call.phase)
        {
            *calling = Calling::new(turn.now, sent);
        }
        self.clients.insert(client, purpose);
    }

    /// Gives a request that is to be sent again its number.
    // RFC 3261 §22.2, §8.1.3.5: the same Call-ID, To and From, and a CSeq that is one higher.
    pub(super) fn renumber(&mut self, purpose: &Purpose, request: &mut Message) {
        let call = match purpose {
            Purpose::Reinvite(id) | Purpose::Bye(id) => Some(*id),
            Purpose::Refer(id) | Purpose::Notify(id) => Some(*id),
            Purpose::Single(single) => single.call(),
            _ => None,
        };
        let dialog = call.and_then(|id| self.calls.get_mut(&id)?.dialog.as_mut());
        let number = match (purpose, dialog) {
            (Purpose::Register, _) => self.next_register_number(),
            (_, Some(dialog)) => dialog.next_number(),
            (_, None) => request
                .cseq()
                .map_or(1, |cseq| cseq.number.saturating_add(1)),
        };
        request.set("CSeq", &format!("{number} {}", request.method()));
    }

    /// Puts the credentials of its INVITE into the ACK for a 2xx.
    // RFC 3261 §13.2.2.4: the same credentials, since an ACK cannot be challenged.
    pub(super) fn sign_ack(&self, ack: &mut Message) {
        let Some(invite) = self.asked.invite_of(ack) else {
            return;
        };
        for name in [Asker::Server, Asker::Proxy].map(Asker::credentials_field) {
            for credentials in invite.fields_of(name) {
                ack.append(name, credentials.value());
            }
        }
    }

    /// Whether that is an INVITE for whose answer nobody waits any more.
    pub(super) fn is_unwanted(&self, client: TransactionId) -> bool {
        match self.clients.get(&client) {
            Some(Purpose::Invite(id)) => self.is_abandoned(*id),
            _ => false,
        }
    }

    /// Whether an outgoing call was given up or is over.
    pub(super) fn is_abandoned(&self, id: u64) -> bool {
        let phase = self.calls.get(&id).map(|call| &call.phase);
        !matches!(phase, Some(Phase::Calling(calling)) if !calling.cancelled)
    }
}
