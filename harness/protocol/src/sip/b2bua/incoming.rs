//! Requests as they come in.
//!
//! Owns what a UAS looks at first (RFC 3261 §8.2), new calls (§13.3.1), CANCEL (§9.2), and finding the leg of everything
//! else.

use super::call::{Call, Invited, Leg, LegState, Side, Stage};
use super::{B2bua, B2buaTurn, Event, News};
use crate::sip::dialog::{Dialog, DialogError};
use crate::sip::transaction::TransactionId;
use crate::sip::{Message, Method, Status, Uri};

/// What is understood outside of a call, and in one.
pub(super) const ALLOW: &str = "INVITE, ACK, CANCEL, BYE, OPTIONS, REGISTER, INFO, UPDATE, MESSAGE";

/// After how many seconds a caller who was refused for lack of room may try again.
const RETRY_AFTER: &str = "10";

impl B2bua {
    /// A request in a server transaction of its own.
    pub fn request(&mut self, turn: &mut B2buaTurn<'_>, id: TransactionId, request: &Message) {
        let in_dialog = request.to().is_ok_and(|to| to.tag().is_some());
        if let Some(response) = refusal(turn, id, request) {
            let status = response.status().unwrap_or(Status::BAD_REQUEST);
            turn.above.push(refused(request, status));
            return turn.respond(id, response);
        }
        match request.method() {
            Method::Cancel => self.cancelled(turn, id, request),
            _ if in_dialog => self.in_dialog(turn, id, request),
            Method::Invite => self.invited(turn, id, request),
            Method::Register => turn.above.push(Event::Register {
                transaction: id,
                request: request.clone(),
            }),
            Method::Options => options(turn, id, request),
            Method::Message => {
                let mut response = turn.response(request, Status::METHOD_NOT_ALLOWED);
                response.append("Allow", "INVITE, ACK, CANCEL, OPTIONS, REGISTER");
                turn.respond(id, response);
            }
            // The others need a dialog.
            _ => turn.answer(id, request, Status::DOES_NOT_EXIST),
        }
    }

    // RFC 3261 §13.3.1
    fn invited(&mut self, turn: &mut B2buaTurn<'_>, id: TransactionId, request: &Message) {
        if self.calls.len() >= self.config.calls_max {
            turn.above
                .push(refused(request, Status::SERVICE_UNAVAILABLE));
            let mut response = turn.response(request, Status::SERVICE_UNAVAILABLE);
            response.append("Retry-After", RETRY_AFTER);
            return turn.respond(id, response);
        }
        let callee = request.request_uri().and_then(|uri| Uri::parse(uri).ok());
        let tag = turn.token("tag");
        let mut response = Message::response_to(request, Status::OK, None);
        response.add_to_tag(&tag);
        let dialog = Dialog::callee(request, &response).and_then(|dialog| {
            let callee = callee.ok_or(DialogError::Malformed)?;
            Ok((dialog, callee))
        });
        let (dialog, callee) = match dialog {
            Ok(both) => both,
            Err(error) => return refuse_dialog(turn, id, request, error),
        };
        // RFC 3261 §8.2.6.1: at once, since what follows takes longer than 200 ms.
        turn.answer(id, request, Status::TRYING);
        let from = dialog.remote_uri();
        let call = self.open(turn, request, tag, dialog, callee);
        self.invited.insert(id, (call, Side::Caller));
        if let Some(open) = self.calls.get_mut(&call) {
            open.leg_mut(Side::Caller).invited = Some(Invited {
                server: id,
                invite: request.clone(),
            });
            let uri = open.callee.to_string();
            self.tell(turn, call, News::Calling { from, to: uri });
        }
        self.take_line(turn, call);
    }

    fn open(
        &mut self,
        turn: &mut B2buaTurn<'_>,
        invite: &Message,
        tag: String,
        dialog: Dialog,
        callee: Uri,
    ) -> u64 {
        self.calls_made += 1;
        let id = self.calls_made;
        let mut caller = Leg::new(dialog.call_id().to_owned(), tag);
        caller.transport = invite.transport();
        caller.seen_at = behind_nat(&dialog, invite);
        caller.dialog = Some(dialog);
        let token = turn.token("call-id");
        let host = self.config.address.ip();
        let callee_leg = Leg::new(format!("{token}@{host}"), turn.token("tag"));
        let call_ids = [caller.call_id.clone(), callee_leg.call_id.clone()];
        for (leg, side) in [(&caller, Side::Caller), (&callee_leg, Side::Callee)] {
            let key = (leg.call_id.clone(), leg.tag.clone());
            self.by_leg.insert(key, (id, side));
        }
        let call = Call {
            legs: [caller, callee_leg],
            invite: invite.clone(),
            callee,
            line: None,
            stage: Stage::Waiting,
            target: None,
            attempts: std::collections::BTreeSet::new(),
            invites: 0,
            retries: 0,
            forwarded: false,
            redirects: Vec::new(),
            followed: 0,
        };
        self.calls.insert(id, call);
        turn.above.push(Event::CallOpened { call: id, call_ids });
        id
    }

    // RFC 3261 §9.2: the CANCEL is answered 200 in any case, the INVITE 487 if it has no final answer yet.
    fn cancelled(&mut self, turn: &mut B2buaTurn<'_>, id: TransactionId, cancel: &Message) {
        let Some(invite) = turn.layer.matching_invite(cancel) else {
            return turn.answer(id, cancel, Status::DOES_NOT_EXIST);
        };
        let pending = self.invited.get(&invite).copied();
        let leg = pending.and_then(|(call, side)| Some(self.calls.get(&call)?.leg(side)));
        let mut response = Message::response_to(cancel, Status::OK, None);
        let answered = || {
            let response = turn.layer.response_of(invite)?;
            Some(response.to().ok()?.tag()?.to_owned())
        };
        let tag = leg.map(|leg| leg.tag.clone()).or_else(answered);
        let tag = tag.unwrap_or_else(|| turn.token("tag"));
        response.add_to_tag(&tag);
        turn.respond(id, response);
        match pending {
            Some((call, side)) if self.is_up(call) => self.cancel_reinvite(turn, call, side),
            Some((call, _)) => self.give_up(turn, call),
            None => {}
        }
    }

    // RFC 3261 §12.2.2
    fn in_dialog(&mut self, turn: &mut B2buaTurn<'_>, id: TransactionId, request: &Message) {
        let Some((call, side)) = self.leg_of(request) else {
            return turn.answer(id, request, Status::DOES_NOT_EXIST);
        };
        let Some(leg) = self.calls.get_mut(&call).map(|call| call.leg_mut(side)) else {
            return;
        };
        let state = leg.state;
        if let Some(Err(error)) = leg.dialog.as_mut().map(|dialog| dialog.take(request)) {
            return refuse_dialog(turn, id, request, error);
        }
        match request.method() {
            Method::Bye => self.bye_received(turn, id, (call, side), request),
            Method::Options => options(turn, id, request),
            _ if matches!(
                state,
                LegState::Ending | LegState::ByeWanted | LegState::Over
            ) =>
            {
                turn.answer(id, request, Status::DOES_NOT_EXIST);
            }
            _ if state == LegState::Early => turn.refuse_for_now(id, request),
            Method::Invite => self.reinvited(turn, id, (call, side), request),
            _ => self.pass(turn, id, (call, side), request),
        }
    }

    /// The leg that a request from a peer belongs to.
    pub(super) fn leg_of(&self, request: &Message) -> Option<(u64, Side)> {
        let call_id = request.call_id().ok()?.to_owned();
        let tag = request.to().ok()?.tag()?.to_owned();
        let (call, side) = *self.by_leg.get(&(call_id, tag))?;
        let dialog = self.calls.get(&call)?.leg(side).dialog.as_ref()?;
        dialog.has_request(request).then_some((call, side))
    }

    pub(super) fn is_up(&self, id: u64) -> bool {
        self.calls
            .get(&id)
            .is_some_and(|call| call.stage == Stage::Up)
    }
}

/// What every request is checked for first, in the order of RFC 3261 §8.2.1 to §8.2.3.
fn refusal(turn: &mut B2buaTurn<'_>, id: TransactionId, request: &Message) -> Option<Message> {
    let method = request.method();
    let unknown = match method {
        Method::Other(_) => Some(Status::NOT_IMPLEMENTED),
        Method::Prack | Method::Subscribe | Method::Notify | Method::Refer | Method::Publish => {
            Some(Status::METHOD_NOT_ALLOWED)
        }
        _ => None,
    };
    if let Some(status) = unknown {
        let mut response = turn.response(request, status);
        response.append("Allow", ALLOW);
        return Some(response);
    }
    // RFC 7332: a B2BUA between others of its kind ends loops as a proxy does (RFC 3261 §16.3 step 3); the last hop may
    // still be this one.
    if method == Method::Invite && request.max_forwards().ok().flatten() == Some(0) {
        return Some(turn.response(request, Status::TOO_MANY_HOPS));
    }
    if turn.layer.is_merged(id) {
        return Some(turn.response(request, Status::LOOP_DETECTED));
    }
    let required = request.require().join(", ");
    if !required.is_empty() && method != Method::Cancel {
        let mut response = turn.response(request, Status::BAD_EXTENSION);
        response.append("Unsupported", &required);
        return Some(response);
    }
    // RFC 3261 §20.15: a body that says not what it is can be passed on to nobody.
    let nameless = !request.body().is_empty() && request.header("Content-Type").is_none();
    nameless.then(|| {
        let reason = "Missing Content-Type header field";
        turn.response_saying(request, Status::BAD_REQUEST, reason)
    })
}

// RFC 3261 §11.2
fn options(turn: &mut B2buaTurn<'_>, id: TransactionId, request: &Message) {
    let mut response = turn.response(request, Status::OK);
    response.append("Allow", ALLOW);
    response.append("Accept", "application/sdp");
    turn.respond(id, response);
}

pub(super) fn refuse_dialog(
    turn: &mut B2buaTurn<'_>,
    id: TransactionId,
    request: &Message,
    error: DialogError,
) {
    let status = error.status();
    turn.above.push(refused(request, status));
    let response = turn.response_saying(request, status, &error.to_string());
    turn.respond(id, response);
}

fn refused(request: &Message, status: Status) -> Event {
    Event::Refused {
        method: request.method(),
        uri: request.request_uri().unwrap_or_default().to_owned(),
        status,
    }
}

/// Where a caller is seen whose Contact names another address, if nobody stands between.
fn behind_nat(dialog: &Dialog, invite: &Message) -> Option<std::net::SocketAddr> {
    let via = invite.top_via().ok()?;
    let alone = invite.values("Via").count() == 1 && invite.values("Record-Route").count() == 0;
    let target = dialog.target().socket_address()?;
    let seen = std::net::SocketAddr::new(via.received()?, via.rport().flatten()?);
    // The source port of a connection is never the one that its client listens on.
    let behind = if via.is_reliable() {
        seen.ip() != target.ip()
    } else {
        seen != target
    };
    (alone && behind).then_some(seen)
}
