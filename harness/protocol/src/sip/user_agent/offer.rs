//! What the ends of a call say of its session.
//!
//! Owns which message carries an offer and which an answer (RFC 3261 §13.2.1), and what becomes of one that cannot be
//! taken. Refuses to read descriptions; `sdp` does.

use std::net::IpAddr;

use super::call::Call;
use super::{Event, UserAgent, UserAgentTurn};
use crate::sip::sdp::{Codec, MEDIA_TYPE, Party, SdpError};
use crate::sip::transaction::TransactionId;
use crate::sip::{Message, Status};

/// What this end of a call has said.
#[derive(Clone, Debug)]
pub(super) struct Descriptions {
    session: u64,
    codecs: Vec<Codec>,
    /// What a re-INVITE offers that is not answered yet.
    proposed: Option<Vec<Codec>>,
    /// The last description and its version.
    said: Option<(u64, Vec<u8>)>,
    /// Whether the 2xx made an offer that the ACK must answer.
    awaits_answer: bool,
}

impl Descriptions {
    /// Proposes other codecs from now on.
    pub(super) fn propose(&mut self, codecs: Vec<Codec>) {
        self.proposed = Some(codecs);
    }

    /// The session stays as it was.
    pub(super) fn withdraw(&mut self) {
        self.proposed = None;
    }

    /// The session is what was proposed.
    pub(super) fn settle(&mut self) {
        if let Some(codecs) = self.proposed.take() {
            self.codecs = codecs;
        }
    }

    fn party(&self, address: IpAddr, version: u64) -> Party<'_> {
        Party {
            address,
            session: self.session,
            version,
            codecs: self.proposed.as_ref().unwrap_or(&self.codecs),
        }
    }

    fn offer(&mut self, address: IpAddr) -> Vec<u8> {
        let version = self.next_version(|version| self.party(address, version).offer());
        self.say(version, self.party(address, version).offer())
    }

    fn answer(&mut self, address: IpAddr, offer: &[u8]) -> Result<Vec<u8>, SdpError> {
        self.party(address, 0).answer(offer)?;
        let written = |version| {
            self.party(address, version)
                .answer(offer)
                .unwrap_or_default()
        };
        let version = self.next_version(written);
        let answer = self.party(address, version).answer(offer)?;
        Ok(self.say(version, answer))
    }

    // RFC 3264 §8: the version goes up by one with each description that differs from the one before.
    fn next_version(&self, written: impl Fn(u64) -> Vec<u8>) -> u64 {
        match &self.said {
            Some((version, said)) if *said == written(*version) => *version,
            Some((version, _)) => version + 1,
            None => 0,
        }
    }

    fn say(&mut self, version: u64, description: Vec<u8>) -> Vec<u8> {
        self.said = Some((version, description.clone()));
        description
    }

    /// What the 2xx to that INVITE says: the answer to its offer, or an offer where it has none.
    pub(super) fn respond(
        &mut self,
        address: IpAddr,
        invite: &Message,
    ) -> Result<Vec<u8>, SdpError> {
        let offer = description_of(invite);
        self.awaits_answer = offer.is_none();
        self.apart(|this| match offer {
            Some(offer) => this.answer(address, offer),
            None => Ok(this.offer(address)),
        })
    }

    /// What an ACK means for the session of the 2xx that it acknowledges.
    // RFC 3261 §13.2.1: an offer in the 2xx is answered in the ACK. Who rejects every stream there sends the BYE as well
    // (§13.2.2.4).
    pub(super) fn acknowledged(&mut self, address: IpAddr, ack: &Message) -> Result<(), SdpError> {
        if !std::mem::take(&mut self.awaits_answer) {
            return Ok(());
        }
        let answer = description_of(ack).unwrap_or_default();
        match self.apart(|this| this.party(address, 0).check(answer)) {
            Err(SdpError::NoAudio) => Ok(()),
            judged => judged,
        }
    }

    /// What the peer asks for has nothing to do with what this side proposes.
    fn apart<T>(&mut self, act: impl FnOnce(&mut Self) -> T) -> T {
        let proposed = self.proposed.take();
        let result = act(self);
        self.proposed = proposed;
        result
    }

    /// What the ACK for a 2xx carries, and whether there is a session.
    // RFC 3261 §13.2.2.4. A 2xx without an answer is overlooked: a reliable provisional may have brought it (RFC 3262 §5).
    fn conclude(&mut self, address: IpAddr, offered: bool, ok: &Message) -> (Vec<u8>, bool) {
        match (offered, description_of(ok)) {
            (true, None) => (Vec::new(), true),
            (true, Some(answer)) => {
                let taken = self.party(address, 0).check(answer);
                (Vec::new(), taken.is_ok())
            }
            (false, None) => (Vec::new(), false),
            (false, Some(offer)) => match self.answer(address, offer) {
                Ok(answer) => (answer, true),
                Err(_) => (self.decline(address, offer), false),
            },
        }
    }

    fn decline(&self, address: IpAddr, offer: &[u8]) -> Vec<u8> {
        let version = self.said.as_ref().map_or(0, |(version, _)| version + 1);
        let rejection = self.party(address, version).rejection(offer);
        rejection.unwrap_or_default()
    }
}

impl UserAgent {
    /// For a call that begins now.
    pub(super) fn descriptions(&self) -> Descriptions {
        Descriptions {
            session: self.calls_made + 1,
            codecs: self.config.media.codecs.clone(),
            proposed: None,
            said: None,
            awaits_answer: false,
        }
    }

    /// Puts an offer into a request, unless offers are left to the peer.
    pub(super) fn offer(&self, descriptions: &mut Descriptions, request: &mut Message) {
        if !self.config.media.delayed_offer {
            request.set_body(MEDIA_TYPE, descriptions.offer(self.config.address.ip()));
        }
    }

    /// Puts what is due into the ACK for a 2xx of that call; returns whether there is a session.
    pub(super) fn conclude(&mut self, id: u64, ok: &Message, ack: &mut Message) -> bool {
        let (address, offered) = (self.config.address.ip(), !self.config.media.delayed_offer);
        let Some(call) = self.calls.get_mut(&id) else {
            return true;
        };
        let (body, taken) = call.descriptions.conclude(address, offered, ok);
        ack.set_body(MEDIA_TYPE, body);
        taken
    }

    /// The answer to what a request in that call offers.
    pub(super) fn answer_of(&mut self, id: u64, request: &Message) -> Result<Vec<u8>, SdpError> {
        let address = self.config.address.ip();
        let call = self.calls.get_mut(&id);
        call.map_or_else(
            || Ok(Vec::new()),
            |call| call.descriptions.respond(address, request),
        )
    }

    /// Refuses an offer that cannot be taken.
    // RFC 3261 §13.3.1.3, §21.4.26 and §21.6.4; what is supported is said as in an answer to OPTIONS (§11.2).
    pub(super) fn refuse_offer(
        &self,
        turn: &mut UserAgentTurn<'_>,
        id: TransactionId,
        request: &Message,
        error: SdpError,
    ) {
        let Some((code, text)) = error.warning() else {
            let response = turn.response_saying(request, Status::BAD_REQUEST, &error.to_string());
            return turn.respond(id, response);
        };
        let mut response = turn.response(request, self.config.media.not_acceptable);
        let agent = self.config.address;
        response.append("Warning", &format!("{code} {agent} \"{text}\""));
        let ours = self.descriptions();
        let supported = ours.party(agent.ip(), 0).capabilities();
        response.set_body(MEDIA_TYPE, supported);
        let peer = request.from().map(|from| from.uri_str().to_owned());
        turn.above
            .push(Event::OfferRefused(peer.unwrap_or_default(), error));
        turn.respond(id, response);
    }
}

impl Call {
    /// The session is as it was before what this side proposed.
    pub(super) fn keep_session(&mut self) {
        self.reinvite = None;
        self.descriptions.withdraw();
    }
}

/// The session description in a message, if it has one.
pub(super) fn description_of(message: &Message) -> Option<&[u8]> {
    let described = message.content_type().as_deref() == Some(MEDIA_TYPE);
    let mut encodings = message.values("Content-Encoding");
    let plain = encodings.all(|encoding| encoding.eq_ignore_ascii_case("identity"));
    (described && plain && !message.body().is_empty()).then(|| &message.body()[..])
}
