//! Who is let through, and how much.
//!
//! Owns authentication and authorization of a proxy and registrar (RFC 3261 §10.3 steps 3 and 4, §16.3 step 6, §22.3), its
//! limits, and refusing work when there is too much (§21.5.4). Refuses to find targets.

use std::time::Duration;

use super::context::ResponseContext;
use super::route::Refusal;
use super::{Identity, Proxy, ProxyTurn, forward};
use crate::sip::digest::{Admission, Asker, Guard, Policy, may_be_challenged};
use crate::sip::{Message, Method, Status, Uri};

/// What a proxy asks of those who want something of it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Rules {
    /// Its users, and how they prove who they are; without it nobody is asked or barred.
    pub authentication: Option<Policy>,
    /// Whether a REGISTER needs credentials.
    pub challenges_registrations: bool,
    /// Whether every other request of a user of this domain needs credentials.
    pub challenges_requests: bool,
    /// Bytes of a body; a larger one is refused with 413.
    pub max_body: Option<usize>,
    /// Bytes of the bodies of all requests that are proxied at once; what finds no room is refused with 413, for now if it
    /// will when there are fewer.
    pub body_room: Option<usize>,
    /// Requests that are proxied at once; more of those outside of dialogs are refused with 503.
    pub max_requests: Option<usize>,
    /// How long a client that is refused for now is asked to stay away, in whole seconds.
    pub retry_after: Duration,
    /// Whether redirections are followed here and not by the client (RFC 3261 §16.7 step 4).
    pub recurses: bool,
}

/// The rules and what is remembered for them.
#[derive(Clone, Debug)]
pub(super) struct Gate {
    pub(super) rules: Rules,
    guard: Option<Guard>,
    pub(super) stopping: bool,
}

impl Gate {
    pub(super) fn new(rules: Rules) -> Self {
        Self {
            guard: rules.authentication.clone().map(Guard::new),
            rules,
            stopping: false,
        }
    }
}

impl Proxy {
    /// Takes no new work from now on: every request outside of a dialog is refused with 503.
    pub fn stop_taking(&mut self) {
        self.gate.stopping = true;
    }

    /// Why a request may not pass, after RFC 3261 §16.3 has nothing against it.
    pub(super) fn stopped_at_gate(
        &mut self,
        turn: &mut ProxyTurn<'_>,
        request: &Message,
    ) -> Result<(), Refusal> {
        let rules = &self.gate.rules;
        let is_new = request.to().is_ok_and(|to| to.tag().is_none());
        let busy = || self.working().count();
        let full = rules.max_requests.is_some_and(|most| busy() >= most);
        if is_new && (full || self.gate.stopping) {
            let seconds = rules.retry_after.as_secs().to_string();
            return Err(Refusal::from(Status::SERVICE_UNAVAILABLE).with("Retry-After", &seconds));
        }
        self.body_refused(request)?;
        // A request that was here before has been let in then, and its nonce count used.
        if forward::was_here(&self.identity, request) || !may_be_challenged(&request.method()) {
            return Ok(());
        }
        self.authenticate(turn, request)
    }

    // RFC 3261 §21.4.11: with Retry-After, if it is only for now.
    fn body_refused(&self, request: &Message) -> Result<(), Refusal> {
        let rules = &self.gate.rules;
        let (size, too_large) = (
            request.body().len(),
            Refusal::from(Status::REQUEST_ENTITY_TOO_LARGE),
        );
        let limits = [rules.max_body, rules.body_room];
        if limits.into_iter().flatten().any(|most| size > most) {
            return Err(too_large);
        }
        let held: usize = self.working().map(|it| it.request.body().len()).sum();
        let fits = |room| size == 0 || held + size <= room;
        if rules.body_room.is_none_or(fits) {
            return Ok(());
        }
        let seconds = rules.retry_after.as_secs().to_string();
        Err(too_large.with("Retry-After", &seconds))
    }

    /// What is being proxied; what let a 2xx pass only waits for another.
    fn working(&self) -> impl Iterator<Item = &ResponseContext> {
        let contexts = self.contexts.values();
        contexts.filter(|it| it.forget_at.is_none())
    }

    fn authenticate(&mut self, turn: &mut ProxyTurn<'_>, request: &Message) -> Result<(), Refusal> {
        let Gate { rules, guard, .. } = &mut self.gate;
        let Some(guard) = guard else { return Ok(()) };
        let registers = is_registration(&self.identity, request);
        let asker = if registers {
            Asker::Server
        } else {
            Asker::Proxy
        };
        let claimed = claimed_user(&self.identity, request, registers);
        let needed = if registers {
            rules.challenges_registrations
        } else {
            rules.challenges_requests && claimed.is_some()
        };
        if !needed {
            let barred = claimed.is_some_and(|user| guard.bars(&user));
            return if barred {
                Err(Status::FORBIDDEN.into())
            } else {
                Ok(())
            };
        }
        let admission = guard.admit(turn.now, request, asker, || turn.token("nonce"));
        let refusal = admission.refusal(asker).map(Refusal::from);
        match (admission, refusal) {
            // RFC 3261 §10.3 step 4: nobody changes the bindings of somebody else.
            (Admission::Granted(user), _) if registers && claimed != Some(user.clone()) => {
                Err(Status::FORBIDDEN.into())
            }
            (Admission::Challenged(challenges), Some(refusal)) => {
                let field = asker.challenge_field();
                Err(challenges.iter().fold(refusal, |refusal, challenge| {
                    refusal.with(field, &challenge.to_string())
                }))
            }
            (_, Some(refusal)) => Err(refusal),
            (_, None) => Ok(()),
        }
    }
}

fn is_registration(identity: &Identity, request: &Message) -> bool {
    let uri = request.request_uri().and_then(|uri| Uri::parse(uri).ok());
    request.method() == Method::Register && uri.is_some_and(|uri| identity.serves(&uri))
}

/// The user of this domain that a request says it is of: in From, or in To for a registration (RFC 3261 §10.2).
fn claimed_user(identity: &Identity, request: &Message, registers: bool) -> Option<String> {
    let party = if registers {
        request.to()
    } else {
        request.from()
    };
    let uri = party.ok()?.uri();
    let user = uri.user().filter(|_| identity.serves(&uri))?;
    Some(user.to_owned())
}
