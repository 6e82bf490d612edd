//! Requests that are an exchange of their own: MESSAGE, OPTIONS, INFO and UPDATE.
//!
//! Owns sending them and what their answers mean for the dialog that they belong to (RFC 3261 §12.2.1.2).

use super::call::{Call, Phase};
use super::{Ending, Event, Failure, Purpose, UserAgent, UserAgentTurn};
use crate::sip::{Message, Method, Status, Uri};

/// A request that waits for its final response.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Single {
    method: Method,
    peer: String,
    /// The call in whose dialog it is.
    call: Option<u64>,
}

impl UserAgent {
    /// Sends a text (RFC 3428 §4).
    pub fn message(&mut self, turn: &mut UserAgentTurn<'_>, uri: &Uri, text: &str) {
        let mut message = self.outside_dialog(turn, &Method::Message, uri.as_str());
        message.set_body("text/plain", text.to_owned());
        self.send_single(turn, uri.to_string(), None, message);
    }

    /// Asks what a URI can do (RFC 3261 §11.1).
    pub fn ask(&mut self, turn: &mut UserAgentTurn<'_>, uri: &Uri) {
        let mut options = self.outside_dialog(turn, &Method::Options, uri.as_str());
        options.append("Contact", &self.contact);
        options.append("Accept", "application/sdp");
        self.send_single(turn, uri.to_string(), None, options);
    }

    /// Sends an INFO with nothing in it in the dialog of the call that is up; does nothing without one.
    // RFC 6086 §4.2.1
    pub fn info(&mut self, turn: &mut UserAgentTurn<'_>) {
        if let Some(id) = self.call_up() {
            self.send_in_dialog(turn, id, &Method::Info);
        }
    }

    /// Refreshes the target of the call that is up, without a new offer; does nothing without one.
    // RFC 3311 §5.1: an UPDATE needs a Contact; it need not offer anything.
    pub fn update(&mut self, turn: &mut UserAgentTurn<'_>) {
        if let Some(id) = self.call_up() {
            self.send_update(turn, id);
        }
    }

    pub(super) fn send_update(&mut self, turn: &mut UserAgentTurn<'_>, id: u64) {
        self.send_in_dialog(turn, id, &Method::Update);
    }

    pub(super) fn single_answered(
        &mut self,
        turn: &mut UserAgentTurn<'_>,
        single: Single,
        response: &Message,
    ) {
        let Some(status) = response.status() else {
            return;
        };
        if status == Status::SESSION_INTERVAL_TOO_SMALL
            && let Some(id) = single.call
            && self.interval_too_small(id, response)
        {
            return self.send_update(turn, id);
        }
        if !status.is_success() {
            return self.single_failed(turn, single, Failure::refused(status, response));
        }
        let call = single.call.and_then(|id| self.calls.get_mut(&id));
        if let Some(dialog) = call.and_then(|call| call.dialog.as_mut())
            && single.method == Method::Update
        {
            dialog.refresh_target(response);
            self.timer_granted(turn, single.call.unwrap_or_default(), response);
        }
        turn.above
            .push(Event::Done(single.method, single.peer, status));
    }

    pub(super) fn single_failed(
        &mut self,
        turn: &mut UserAgentTurn<'_>,
        single: Single,
        failure: Failure,
    ) {
        let lost = failure.loses_dialog();
        turn.above
            .push(Event::NotDone(single.method, single.peer, failure));
        let is_up = |id: &u64| self.calls.get(id).is_some_and(Call::is_up);
        if let Some(id) = single.call.filter(is_up).filter(|_| lost) {
            self.bye(turn, id, Ending::Lost);
        }
    }

    fn call_up(&self) -> Option<u64> {
        let mut calls = self.calls.iter();
        calls.find(|(_, call)| call.is_up()).map(|(id, _)| *id)
    }

    fn send_in_dialog(&mut self, turn: &mut UserAgentTurn<'_>, id: u64, method: &Method) {
        let contact = self.contact.clone();
        let Some(call) = self.calls.get_mut(&id) else {
            return;
        };
        let peer = call.peer.clone();
        let Some(dialog) = &mut call.dialog else {
            return;
        };
        let mut request = dialog.request(method);
        if *method == Method::Update {
            request.append("Contact", &contact);
            self.name_extensions(&mut request);
            self.ask_for_timer(Some(id), &mut request);
        }
        self.send_single(turn, peer, Some(id), request);
    }

    fn send_single(
        &mut self,
        turn: &mut UserAgentTurn<'_>,
        peer: String,
        call: Option<u64>,
        request: Message,
    ) {
        let method = request.method();
        if call.is_none() && !self.servers.choose(turn.now) {
            let event = Event::NotDone(method, peer, Failure::NoServer);
            return turn.above.push(event);
        }
        let client = self.send(turn, request);
        let single = Single { method, peer, call };
        self.clients.insert(client, Purpose::Single(single));
    }
}

impl Single {
    /// The call in whose dialog it is.
    pub(super) fn call(&self) -> Option<u64> {
        self.call
    }
}

impl Call {
    pub(super) fn is_up(&self) -> bool {
        matches!(self.phase, Phase::Up)
    }
}
