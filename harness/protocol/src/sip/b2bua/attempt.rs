//! INVITEs on their way out, of new calls and in dialogs.
//!
//! Owns making them (RFC 3261 §8.1.1, §13.2.1), cancelling them (§9.1), and acknowledging each 2xx that comes back
//! (§13.2.2.4). What a final answer means for the call is decided in `outcome` and `bridge`.

use std::net::SocketAddr;

use super::call::{LegState, Owed, Side, Stage, Target};
use super::{B2bua, B2buaTurn, Due, Event, News, Purpose, Silence, copy, incoming};
use crate::sip::dialog::Dialog;
use crate::sip::transaction::TransactionId;
use crate::sip::turn::cancel_of;
use crate::sip::{Message, Method, NameAddr, Status};

/// More branches than any fork has; the others' answers get no ACK.
const MOST_ANSWERS: usize = 64;

/// An INVITE of this element's.
#[derive(Clone, Debug)]
pub(super) struct Outgoing {
    pub(super) call: u64,
    /// The leg that it goes out on.
    pub(super) side: Side,
    /// Whether it begins the leg's dialog.
    pub(super) initial: bool,
    invite: Message,
    destination: SocketAddr,
    /// Whether any provisional answer came.
    proceeding: bool,
    /// Whether it is to be cancelled.
    cancelled: bool,
    /// Whether the call has no use for an answer any more.
    abandoned: bool,
    /// The To tag of the 2xx that the call took.
    taken: Option<String>,
    /// The ACK for each 2xx, by its To tag.
    acks: Vec<(String, SocketAddr, Message)>,
}

impl B2bua {
    /// Calls the callee where it was found.
    pub(super) fn start(&mut self, turn: &mut B2buaTurn<'_>, id: u64, target: &Target) {
        let Some(call) = self.calls.get_mut(&id) else {
            return;
        };
        call.target = Some(target.clone());
        call.leg_mut(Side::Callee).transport = target.uri.transport().unwrap_or_default();
        call.invites += 1;
        let Some(call) = self.calls.get(&id) else {
            return;
        };
        let contact = call.contact(Side::Callee, self.config.address);
        let leg = call.leg(Side::Callee);
        let mut invite = Message::request(Method::Invite, target.uri.as_str());
        // RFC 7332: as a proxy lowers it; 70 where there is none.
        let hops = call.invite.max_forwards().ok().flatten();
        let hops = hops.map_or(70, |hops| hops.saturating_sub(1));
        invite.append("Max-Forwards", &hops.to_string());
        let from = call.invite.from().ok();
        invite.append("From", &party(from.as_ref(), &leg.tag));
        invite.append("To", &format!("<{}>", call.callee));
        invite.append("Call-ID", &leg.call_id);
        invite.append("CSeq", &format!("{} INVITE", call.invites));
        invite.append("Contact", &contact);
        invite.append("Allow", incoming::ALLOW);
        copy::content(&call.invite, &mut invite);
        let client = self.send_invite(turn, (id, Side::Callee), target.destination, invite, true);
        if let Some(call) = self.calls.get_mut(&id) {
            call.attempts.insert(client);
            call.stage = Stage::Calling(client);
        }
        let until = self.config.ring_limit.map(|limit| turn.now + limit);
        if self.due.get(Due::Ring(id)).is_none() {
            self.due.set(Due::Ring(id), until);
        }
    }

    pub(super) fn send_invite(
        &mut self,
        turn: &mut B2buaTurn<'_>,
        (call, side): (u64, Side),
        destination: SocketAddr,
        mut invite: Message,
        initial: bool,
    ) -> TransactionId {
        let client = self.send(turn, destination, &mut invite);
        let outgoing = Outgoing {
            call,
            side,
            initial,
            invite,
            destination,
            proceeding: false,
            cancelled: false,
            abandoned: false,
            taken: None,
            acks: Vec::new(),
        };
        self.outgoing.insert(client, outgoing);
        client
    }

    /// The call has no use for that INVITE any more: it is cancelled as soon as it may be.
    pub(super) fn abandon(&mut self, turn: &mut B2buaTurn<'_>, client: TransactionId) {
        if let Some(outgoing) = self.outgoing.get_mut(&client) {
            outgoing.abandoned = true;
        }
        self.cancel(turn, client);
    }

    /// Cancels an INVITE as soon as it may be.
    pub(super) fn cancel(&mut self, turn: &mut B2buaTurn<'_>, client: TransactionId) {
        if let Some(outgoing) = self.outgoing.get_mut(&client) {
            outgoing.cancelled = true;
        }
        self.cancel_when_allowed(turn, client);
    }

    // RFC 3261 §9.1: not before a provisional answer, not after a final one; and 64·T1 later the INVITE counts as
    // cancelled.
    fn cancel_when_allowed(&mut self, turn: &mut B2buaTurn<'_>, client: TransactionId) {
        let Some(outgoing) = self.outgoing.get(&client) else {
            return;
        };
        let under_way = self.due.get(Due::GiveUp(client)).is_some() || outgoing.taken.is_some();
        if outgoing.cancelled && outgoing.proceeding && !under_way {
            let until = turn.now + turn.layer.timers().t1 * 64;
            self.due.set(Due::GiveUp(client), Some(until));
            let cancel = cancel_of(&outgoing.invite);
            let client = turn.request(outgoing.destination, cancel);
            self.clients.insert(client, Purpose::Cancel);
        }
    }

    pub(super) fn invite_answered(
        &mut self,
        turn: &mut B2buaTurn<'_>,
        client: TransactionId,
        status: Status,
        response: &Message,
    ) {
        let Some(outgoing) = self.outgoing.get_mut(&client) else {
            return;
        };
        let (call, side) = (outgoing.call, outgoing.side);
        if status.is_provisional() {
            outgoing.proceeding = true;
            let relayed = !outgoing.abandoned && status != Status::TRYING;
            self.cancel_when_allowed(turn, client);
            if relayed {
                let reason = response.reason().unwrap_or_default();
                self.progress(turn, call, side.other(), status, &reason, Some(response));
            }
        } else if status.is_success() {
            self.taken(turn, client, response);
        } else {
            let (abandoned, initial) = (outgoing.abandoned, outgoing.initial);
            self.forget(client);
            match (initial, abandoned) {
                (true, false) => self.refused(turn, call, client, status, response),
                (true, true) => self.attempt_over(turn, call, client),
                (false, _) => self.reinvite_refused(turn, (call, side), status, Some(response)),
            }
        }
    }

    pub(super) fn invite_unanswered(
        &mut self,
        turn: &mut B2buaTurn<'_>,
        client: TransactionId,
        silence: Silence,
    ) {
        let Some(outgoing) = self.outgoing.get(&client) else {
            return;
        };
        let (call, side) = (outgoing.call, outgoing.side);
        let (abandoned, initial) = (outgoing.abandoned, outgoing.initial);
        self.keep_for_late_answers(turn, client);
        match (initial, abandoned) {
            (true, false) => self.silent(turn, call, client, silence),
            (true, true) => self.attempt_over(turn, call, client),
            (false, _) => self.reinvite_refused(turn, (call, side), silence.status(), None),
        }
    }

    /// A 2xx without a transaction: one that comes when its INVITE was given up. No call wants it.
    // RFC 3261 §18.1.2 hands it to the core, §13.2.2.4: there it is acknowledged and ended.
    pub fn stray(&mut self, turn: &mut B2buaTurn<'_>, response: &Message) {
        if !response.status().is_some_and(Status::is_success) {
            return;
        }
        let branch = |message: &Message| {
            let via = message.top_via().ok()?;
            Some(via.branch()?.to_owned())
        };
        let Some(wanted) = branch(response) else {
            return;
        };
        let mut known = self.outgoing.iter();
        let known = known.find(|(_, outgoing)| branch(&outgoing.invite).as_ref() == Some(&wanted));
        if let Some(client) = known.map(|(client, _)| *client) {
            self.taken(turn, client, response);
        }
    }

    /// Nobody waits for an answer to that INVITE any more; a 2xx may come all the same: until Timer B would run out, and for
    /// as long again as it is repeated.
    fn keep_for_late_answers(&mut self, turn: &B2buaTurn<'_>, client: TransactionId) {
        self.due.set(Due::GiveUp(client), None);
        let until = turn.now + turn.layer.timers().t1 * 128;
        if let Some(outgoing) = self.outgoing.get_mut(&client) {
            outgoing.abandoned = true;
            self.answered.set(client, Some(until));
        }
    }

    /// An INVITE has had its final answer and is acknowledged by its transaction.
    fn forget(&mut self, client: TransactionId) {
        self.outgoing.remove(&client);
        self.due.set(Due::GiveUp(client), None);
    }

    /// An abandoned INVITE of a call is over.
    pub(super) fn attempt_over(
        &mut self,
        turn: &mut B2buaTurn<'_>,
        id: u64,
        client: TransactionId,
    ) {
        if let Some(call) = self.calls.get_mut(&id) {
            call.attempts.remove(&client);
        }
        self.close_if_done(turn, id);
    }

    // RFC 3261 §13.2.2.4: each To tag is a dialog of its own, and each repeat wants its ACK again.
    fn taken(&mut self, turn: &mut B2buaTurn<'_>, client: TransactionId, response: &Message) {
        let tag = response
            .to()
            .ok()
            .and_then(|to| to.tag().map(str::to_owned));
        let tag = tag.unwrap_or_default();
        let until = turn.now + turn.layer.timers().t1 * 64;
        let Some(outgoing) = self.outgoing.get_mut(&client) else {
            return;
        };
        let known = outgoing.acks.iter().find(|(known, ..)| *known == tag);
        if let Some((_, destination, message)) = known.cloned() {
            return turn.above.push(Event::Send {
                destination,
                message,
            });
        }
        if outgoing.taken.as_ref() == Some(&tag) {
            // Its ACK waits for that of the other leg.
            return;
        }
        if outgoing.taken.is_none() && outgoing.acks.is_empty() {
            self.answered.set(client, Some(until));
            self.due.set(Due::GiveUp(client), None);
        }
        if outgoing.abandoned || outgoing.taken.is_some() {
            return self.end_surplus(turn, client, &tag, response);
        }
        outgoing.taken = Some(tag.clone());
        let owed = Owed {
            client,
            ok: response.clone(),
            offers: outgoing.invite.body().is_empty() && !response.body().is_empty(),
        };
        let (call, side, initial) = (outgoing.call, outgoing.side, outgoing.initial);
        if !initial {
            return self.reinvite_taken(turn, (call, side), owed);
        }
        match Dialog::caller(&outgoing.invite, response) {
            Ok(dialog) => self.answered(turn, call, client, dialog, owed),
            Err(error) => {
                self.end_surplus(turn, client, &tag, response);
                self.unusable(turn, call, client, error);
            }
        }
    }

    /// An answer that no call has a use for is acknowledged and ended: of another branch of a fork, after a CANCEL, or one
    /// that cannot be used.
    // RFC 3261 §13.2.2.4, §9.1; a callee that names no Contact is where the INVITE went.
    fn end_surplus(
        &mut self,
        turn: &mut B2buaTurn<'_>,
        client: TransactionId,
        tag: &str,
        response: &Message,
    ) {
        let Some(outgoing) = self.outgoing.get(&client) else {
            return;
        };
        let (call, abandoned, initial) = (outgoing.call, outgoing.abandoned, outgoing.initial);
        let offers = outgoing.invite.body().is_empty();
        let dialog = Dialog::caller(&outgoing.invite, response)
            .or_else(|_| Dialog::caller(&outgoing.invite, &contact_assumed(response, outgoing)))
            .ok();
        let room = outgoing.acks.len() < MOST_ANSWERS;
        if let Some(mut dialog) = dialog.filter(|_| room) {
            let fallback = outgoing.destination;
            let number = response.cseq().map_or(0, |cseq| cseq.number);
            let mut ack = dialog.ack(number);
            if offers {
                copy::refusing(response, &mut ack);
            }
            let mut bye = dialog.request(&Method::Bye);
            let destination = next_hop(&ack).unwrap_or(fallback);
            self.send_ack(turn, client, tag, destination, ack);
            // That of a re-INVITE goes on without the change, or its call sees to its end.
            if initial {
                let bye = self.send(turn, destination, &mut bye);
                self.clients.insert(bye, Purpose::Surplus);
            }
        }
        if abandoned {
            self.attempt_over(turn, call, client);
        }
    }

    /// Sends the ACK for a 2xx, and keeps it for when that is repeated.
    // RFC 3261 §17: it has a branch of its own.
    pub(super) fn send_ack(
        &mut self,
        turn: &mut B2buaTurn<'_>,
        client: TransactionId,
        tag: &str,
        destination: SocketAddr,
        mut message: Message,
    ) {
        let via = turn.via(self.config.address);
        message.prepend("Via", &via);
        if let Some(outgoing) = self.outgoing.get_mut(&client) {
            outgoing
                .acks
                .push((tag.to_owned(), destination, message.clone()));
        }
        turn.above.push(Event::Send {
            destination,
            message,
        });
    }

    /// The callee answered: both legs are up, and the caller hears of it.
    fn answered(
        &mut self,
        turn: &mut B2buaTurn<'_>,
        id: u64,
        client: TransactionId,
        dialog: Dialog,
        owed: Owed,
    ) {
        self.due.set(Due::Ring(id), None);
        let Some(call) = self.calls.get_mut(&id) else {
            return;
        };
        call.stage = Stage::Up;
        call.attempts.remove(&client);
        let target = call.target.clone();
        let seen_at = target.filter(|target| {
            let named = target.uri.socket_address();
            named != Some(target.destination) && dialog.target().socket_address() == named
        });
        let leg = call.leg_mut(Side::Callee);
        leg.seen_at = seen_at.map(|target| target.destination);
        leg.dialog = Some(dialog);
        leg.state = LegState::Up;
        let ok = owed.ok.clone();
        leg.owed = Some(owed);
        let callee = leg.call_id.clone();
        let leg = call.leg_mut(Side::Caller);
        leg.state = LegState::Up;
        let caller = leg.call_id.clone();
        turn.above.push(Event::LegUp(id, Side::Callee, callee));
        turn.above.push(Event::LegUp(id, Side::Caller, caller));
        self.tell(turn, id, News::Answered);
        self.accept(turn, (id, Side::Caller), &ok);
    }
}

/// The caller's From with a tag of the callee's leg.
fn party(from: Option<&NameAddr<'_>>, tag: &str) -> String {
    let Some(from) = from else {
        return format!("<sip:anonymous@anonymous.invalid>;tag={tag}");
    };
    let (display, uri) = (from.display(), from.uri_str());
    if display.is_empty() {
        return format!("<{uri}>;tag={tag}");
    }
    let display = display.replace('\\', "\\\\").replace('"', "\\\"");
    format!("\"{display}\" <{uri}>;tag={tag}")
}

/// A response that names what was called as its Contact.
fn contact_assumed(response: &Message, outgoing: &Outgoing) -> Message {
    let mut response = response.clone();
    let called = outgoing.invite.request_uri().unwrap_or_default();
    response.set("Contact", &format!("<{called}>"));
    response
}

fn next_hop(request: &Message) -> Option<SocketAddr> {
    let route = request.values("Route").next().and_then(NameAddr::parse);
    let uri = match route {
        Some(route) if route.uri().params().has("lr") => route.uri(),
        _ => request.request_uri()?.parse().ok()?,
    };
    uri.socket_address()
}
