//! What becomes of a call whose callee does not take it.
//!
//! Owns the policies between a failure and the caller: calling again after a 503, following a redirect, forwarding; and
//! relaying everything else with its code and reason phrase. Owns giving up, by the caller or for lack of an answer.

use std::time::Duration;

use super::call::{Side, Stage, Target};
use super::{B2bua, B2buaTurn, Due, Event, News, Silence, copy};
use crate::sip::dialog::DialogError;
use crate::sip::transaction::TransactionId;
use crate::sip::{Class, Contacts, Message, Status, Uri};

/// Longer chains of redirects than this are a loop.
const MOST_REDIRECTS: usize = 8;

/// Why a call has failed so far.
struct Failure<'a> {
    status: Status,
    reason: String,
    /// The answer, if one came.
    response: Option<&'a Message>,
}

impl B2bua {
    /// The owner says where the callee of a call is, or why it is nowhere.
    pub fn located(&mut self, turn: &mut B2buaTurn<'_>, call: u64, place: Result<Target, Status>) {
        let waits = |id: &u64| {
            let call = self.calls.get(id);
            call.is_some_and(|call| call.stage == Stage::Waiting)
        };
        if !waits(&call) {
            return;
        }
        match place {
            Ok(target) => self.start(turn, call, &target),
            Err(status) => self.failed(turn, call, &Failure::own(status)),
        }
    }

    /// A final answer of 300 to 699 to the INVITE of a call.
    pub(super) fn refused(
        &mut self,
        turn: &mut B2buaTurn<'_>,
        id: u64,
        client: TransactionId,
        status: Status,
        response: &Message,
    ) {
        self.no_attempt(id, client);
        let reason = response.reason().unwrap_or_default().into_owned();
        let failure = Failure {
            status,
            reason,
            response: Some(response),
        };
        if !self.retry(turn, id, &failure) {
            self.failed(turn, id, &failure);
        }
    }

    /// The INVITE of a call came to no answer.
    pub(super) fn silent(
        &mut self,
        turn: &mut B2buaTurn<'_>,
        id: u64,
        client: TransactionId,
        silence: Silence,
    ) {
        self.no_attempt(id, client);
        if silence == Silence::TimedOut {
            self.tell_no_answer(turn, id);
        }
        let failure = Failure::own(silence.status());
        if !self.retry(turn, id, &failure) {
            self.failed(turn, id, &failure);
        }
    }

    /// The callee took the call with an answer that makes no dialog.
    pub(super) fn unusable(
        &mut self,
        turn: &mut B2buaTurn<'_>,
        id: u64,
        client: TransactionId,
        error: DialogError,
    ) {
        self.no_attempt(id, client);
        let failure = Failure {
            reason: error.to_string(),
            ..Failure::own(Status::BAD_GATEWAY)
        };
        self.failed(turn, id, &failure);
    }

    /// The callee has had its time.
    pub(super) fn rang_too_long(&mut self, turn: &mut B2buaTurn<'_>, id: u64) {
        self.tell_no_answer(turn, id);
        self.stop_calling(turn, id);
        self.failed(turn, id, &Failure::own(Status::REQUEST_TIMEOUT));
    }

    /// The pause after a 503 is over.
    pub(super) fn call_again(&mut self, turn: &mut B2buaTurn<'_>, id: u64) {
        let target = self.calls.get(&id).and_then(|call| call.target.clone());
        if let Some(target) = target {
            self.start(turn, id, &target);
        }
    }

    /// The caller does not want to wait any more.
    // RFC 3261 §9.2, §15.1.2
    pub(super) fn give_up(&mut self, turn: &mut B2buaTurn<'_>, id: u64) {
        self.tell(turn, id, News::Cancelled);
        self.stop_calling(turn, id);
        self.conclude(turn, id, &Failure::own(Status::REQUEST_TERMINATED));
    }

    // Report E: three times, a second apart, unless the callee asks for a longer pause.
    fn retry(&mut self, turn: &mut B2buaTurn<'_>, id: u64, failure: &Failure<'_>) -> bool {
        let policy = self.config.retry;
        let Some(call) = self.calls.get_mut(&id) else {
            return false;
        };
        let asked = failure
            .response
            .and_then(|response| response.retry_after().ok().flatten())
            .map(|seconds| Duration::from_secs(seconds.into()));
        let patient = asked.is_some_and(|asked| asked > policy.pause);
        if failure.status != Status::SERVICE_UNAVAILABLE || patient || call.retries >= policy.times
        {
            return false;
        }
        let before = call.retries;
        call.retries += 1;
        call.stage = Stage::Waiting;
        self.due.set(Due::Retry(id), Some(turn.now + policy.pause));
        self.tell(turn, id, News::Retrying(before));
        true
    }

    /// Tries somebody else, or tells the caller.
    fn failed(&mut self, turn: &mut B2buaTurn<'_>, id: u64, failure: &Failure<'_>) {
        if self.follow(turn, id, failure) || self.forward(turn, id, failure) {
            return;
        }
        let invite = self.calls.get(&id).map(|call| call.invite.body());
        let news = News::Failed {
            status: failure.status,
            reason: failure.reason.clone(),
            offer: String::from_utf8_lossy(invite.map_or(&[], |it| it)).into_owned(),
        };
        self.tell(turn, id, news);
        self.conclude(turn, id, failure);
    }

    // RFC 3261 §8.1.3.4: the contacts of a redirect, best first, until one takes the call or refuses it for everybody.
    fn follow(&mut self, turn: &mut B2buaTurn<'_>, id: u64, failure: &Failure<'_>) -> bool {
        if !self.config.follow_redirects || failure.status.class() == Class::GlobalFailure {
            return false;
        }
        let Some(call) = self.calls.get_mut(&id) else {
            return false;
        };
        if failure.status.class() == Class::Redirection {
            for uri in failure.response.map(alternatives).unwrap_or_default() {
                let known = call.redirects.iter().any(|seen| seen.equivalent(&uri));
                let back = call
                    .target
                    .as_ref()
                    .is_some_and(|to| to.uri.equivalent(&uri));
                if !known && !back && call.redirects.len() < MOST_REDIRECTS {
                    call.redirects.push(uri);
                }
            }
        }
        let Some(uri) = call.redirects.get(call.followed).cloned() else {
            return false;
        };
        call.followed += 1;
        call.retries = 0;
        call.stage = Stage::Waiting;
        self.tell(turn, id, News::Following(uri.to_string()));
        turn.above.push(Event::Locate { call: id, uri });
        true
    }

    /// Calls somebody else for a callee that is busy or does not answer, and says so with 181.
    fn forward(&mut self, turn: &mut B2buaTurn<'_>, id: u64, failure: &Failure<'_>) -> bool {
        let elsewhere = [
            Status::REQUEST_TIMEOUT,
            Status::TEMPORARILY_UNAVAILABLE,
            Status::BUSY_HERE,
        ];
        let Some(uri) = self.config.forward_to.clone() else {
            return false;
        };
        let Some(call) = self.calls.get_mut(&id) else {
            return false;
        };
        if call.forwarded || !elsewhere.contains(&failure.status) || call.callee.equivalent(&uri) {
            return false;
        }
        call.forwarded = true;
        call.retries = 0;
        call.stage = Stage::Waiting;
        call.callee = uri.clone();
        self.due.set(Due::Ring(id), None);
        self.due.set(Due::Retry(id), None);
        self.tell(turn, id, News::Forwarding(uri.to_string()));
        let reason = Status::FORWARDED.reason();
        self.progress(turn, id, Side::Caller, Status::FORWARDED, reason, None);
        turn.above.push(Event::Locate { call: id, uri });
        true
    }

    /// Tells the caller that there will be no call.
    fn conclude(&mut self, turn: &mut B2buaTurn<'_>, id: u64, failure: &Failure<'_>) {
        for due in [Due::Ring(id), Due::Retry(id), Due::Notice(id)] {
            self.due.set(due, None);
        }
        let Some(call) = self.calls.get_mut(&id) else {
            return;
        };
        call.stage = Stage::Over;
        self.refuse(
            turn,
            (id, Side::Caller),
            failure.status,
            &failure.reason,
            failure.response,
        );
        self.leg_over(turn, id, Side::Caller);
        self.close_if_done(turn, id);
    }

    /// Answers an INVITE that is pending on that leg with a failure.
    pub(super) fn refuse(
        &mut self,
        turn: &mut B2buaTurn<'_>,
        (id, side): (u64, Side),
        status: Status,
        reason: &str,
        from: Option<&Message>,
    ) {
        let Some(leg) = self.calls.get_mut(&id).map(|call| call.leg_mut(side)) else {
            return;
        };
        let Some(invited) = leg.invited.take() else {
            return;
        };
        let mut response = Message::response_to(&invited.invite, status, Some(reason));
        response.add_to_tag(&leg.tag);
        if let Some(from) = from {
            let names_others = status.class() == Class::Redirection || status.code() == 485;
            if names_others {
                copy::contacts(from, &mut response);
            }
            for method in from.values("Allow") {
                response.append("Allow", method);
            }
            copy::content(from, &mut response);
        }
        self.invited.remove(&invited.server);
        turn.respond(invited.server, response);
    }

    fn stop_calling(&mut self, turn: &mut B2buaTurn<'_>, id: u64) {
        let Some(call) = self.calls.get_mut(&id) else {
            return;
        };
        let stage = std::mem::replace(&mut call.stage, Stage::Waiting);
        if let Stage::Calling(client) = stage {
            self.abandon(turn, client);
        }
    }

    fn no_attempt(&mut self, id: u64, client: TransactionId) {
        if let Some(call) = self.calls.get_mut(&id) {
            call.attempts.remove(&client);
            call.stage = Stage::Waiting;
        }
    }

    fn tell_no_answer(&mut self, turn: &mut B2buaTurn<'_>, id: u64) {
        let target = self.calls.get(&id).and_then(|call| call.target.clone());
        if let Some(target) = target {
            self.tell(turn, id, News::NoAnswer(target.uri.to_string()));
        }
    }
}

impl Failure<'_> {
    /// One that no answer of the callee stands behind.
    fn own(status: Status) -> Self {
        Self {
            status,
            reason: status.reason().to_owned(),
            response: None,
        }
    }
}

/// The SIP URIs that a redirect leads to, best first.
// RFC 3261 §8.1.3.4: by q, then in their order; without q it is 1.
fn alternatives(response: &Message) -> Vec<Uri> {
    let Ok(Contacts::List(contacts)) = response.contacts() else {
        return Vec::new();
    };
    let mut ranked: Vec<_> = contacts
        .iter()
        .map(|contact| (contact.q().unwrap_or(1000), contact.uri()))
        .filter(|(_, uri)| uri.scheme().eq_ignore_ascii_case("sip"))
        .collect();
    ranked.sort_by_key(|(q, _)| std::cmp::Reverse(*q));
    ranked.into_iter().map(|(_, uri)| uri).collect()
}
