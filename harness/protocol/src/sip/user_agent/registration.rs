//! The registration of a user agent, RFC 3261 §10.2.
//!
//! Owns when a REGISTER goes out: on demand, before the binding ends, and again after a failure.

use std::time::Duration;

use super::{Event, Failure, Purpose, UserAgent, UserAgentTurn};
use crate::Instant;
use crate::sip::{Contacts, Message, Method, NameAddr, Status, Uri};

/// What is known of a registration.
#[derive(Clone, Debug, Default)]
pub(super) struct Registration {
    goal: Goal,
    /// What the REGISTER that is out asks for; one at a time (RFC 3261 §10.2).
    in_flight: Option<Goal>,
    /// The last REGISTER; the next has the same Call-ID and a higher CSeq (§10.2).
    last: Option<Message>,
    sent: u32,
    /// What the registrar said is the least (423).
    least: Option<Duration>,
    failures: u32,
    next_at: Option<Instant>,
}

/// What the user wants.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Goal {
    #[default]
    Nothing,
    Registered,
    Unregistered,
}

/// RFC 5626 §4.5: the first wait after a failure, and the longest.
const RETRY_BASE: Duration = Duration::from_secs(30);
const RETRY_MAX: Duration = Duration::from_secs(1800);

impl Registration {
    pub(super) fn deadline(&self) -> Option<Instant> {
        self.next_at
    }
}

impl UserAgent {
    /// Registers, and keeps the registration alive.
    pub fn register(&mut self, turn: &mut UserAgentTurn<'_>) {
        self.pursue(turn, Goal::Registered);
    }

    /// Removes the registration.
    pub fn unregister(&mut self, turn: &mut UserAgentTurn<'_>) {
        self.pursue(turn, Goal::Unregistered);
    }

    fn pursue(&mut self, turn: &mut UserAgentTurn<'_>, goal: Goal) {
        self.registration.goal = goal;
        self.registration.failures = 0;
        self.send_register(turn);
    }

    /// Sends a REGISTER for what is wanted, unless one is out.
    pub(super) fn send_register(&mut self, turn: &mut UserAgentTurn<'_>) {
        let goal = self.registration.goal;
        self.registration.next_at = None;
        if self.registration.in_flight.is_some() || goal == Goal::Nothing {
            return;
        }
        if !self.servers.choose(turn.now) {
            self.registration.next_at = self.servers.reopens();
            let wait = self.servers.reopens().map(|at| at.since(turn.now));
            return turn
                .above
                .push(Event::NotRegistered(Failure::NoServer, wait));
        }
        let registrar = ["sip:", &self.config.domain].concat();
        let mut request = match self.registration.last.take() {
            Some(last) => last,
            None => self.outside_dialog(turn, &Method::Register, &registrar),
        };
        self.registration.last = Some(request.clone());
        let number = self.next_register_number();
        self.registration.in_flight = Some(goal);
        let seconds = match goal {
            Goal::Registered => self
                .config
                .expires
                .max(self.registration.least.unwrap_or_default())
                .as_secs(),
            _ => 0,
        };
        request.set("To", &["<", &self.aor, ">"].concat());
        request.set("CSeq", &format!("{number} {}", Method::Register));
        request.append("Contact", &self.contact);
        request.append("Expires", &seconds.to_string());
        let client = self.send(turn, request);
        self.clients.insert(client, Purpose::Register);
    }

    /// The number of the REGISTER that goes out next.
    pub(super) fn next_register_number(&mut self) -> u32 {
        self.registration.sent += 1;
        self.registration.sent
    }

    /// The final response to a REGISTER.
    pub(super) fn registered(&mut self, turn: &mut UserAgentTurn<'_>, response: &Message) {
        let Some(status) = response.status() else {
            return;
        };
        if !status.is_success() {
            return self.register_failed(turn, Failure::refused(status, response), Some(response));
        }
        self.registration.failures = 0;
        let asked = self.registration.in_flight.take();
        if asked == Some(Goal::Registered) {
            let granted = self.granted(response);
            // A refresh that gets no answer has its whole Timer F before the binding ends.
            let ahead = (turn.layer.timers().t1 * 64).min(granted / 2);
            self.registration.next_at = Some(turn.now + (granted - ahead));
            turn.above.push(Event::Registered(granted));
        } else {
            self.registration.goal = match self.registration.goal {
                Goal::Unregistered => Goal::Nothing,
                other => other,
            };
            turn.above.push(Event::Unregistered);
        }
        self.follow_changed_mind(turn, asked);
    }

    pub(super) fn register_failed(
        &mut self,
        turn: &mut UserAgentTurn<'_>,
        failure: Failure,
        response: Option<&Message>,
    ) {
        let asked = self.registration.in_flight.take();
        // RFC 3261 §10.2.8: 423 says how long it must be at least.
        let least = response
            .filter(|response| response.status() == Some(Status::INTERVAL_TOO_BRIEF))
            .and_then(|response| response.min_expires().ok().flatten())
            .map(|seconds| Duration::from_secs(seconds.into()))
            .filter(|least| {
                self.registration
                    .least
                    .unwrap_or_default()
                    .max(self.config.expires)
                    < *least
            });
        if least.is_some() && asked == Some(Goal::Registered) {
            self.registration.least = least;
            turn.above
                .push(Event::NotRegistered(failure, Some(Duration::ZERO)));
            return self.send_register(turn);
        }
        if asked == Some(Goal::Unregistered) && self.registration.goal == Goal::Unregistered {
            // The binding ends by itself.
            self.registration.goal = Goal::Nothing;
            turn.above.push(Event::NotRegistered(failure, None));
            return;
        }
        if failure.is_verdict() {
            self.registration.goal = Goal::Nothing;
            turn.above.push(Event::NotRegistered(failure, None));
            return;
        }
        let retry_after = response
            .and_then(|response| response.retry_after().ok().flatten())
            .map(|seconds| Duration::from_secs(seconds.into()));
        let wait = self.backoff(turn).max(retry_after.unwrap_or_default());
        self.registration.next_at = Some(turn.now + wait);
        turn.above.push(Event::NotRegistered(failure, Some(wait)));
        self.follow_changed_mind(turn, asked);
    }

    /// Sends at once what the user asked for while something else was out.
    fn follow_changed_mind(&mut self, turn: &mut UserAgentTurn<'_>, asked: Option<Goal>) {
        let goal = self.registration.goal;
        if goal != Goal::Nothing && asked != Some(goal) {
            self.send_register(turn);
        }
    }

    // RFC 5626 §4.5: the wait doubles from a base to a limit, and is between half and all of that by chance.
    fn backoff(&mut self, turn: &mut UserAgentTurn<'_>) -> Duration {
        let doubled = RETRY_BASE * 2u32.pow(self.registration.failures.min(6));
        self.registration.failures = self.registration.failures.saturating_add(1);
        let percent = 50 + u32::try_from((turn.draw)("register-retry") % 51).unwrap_or(0);
        doubled.min(RETRY_MAX) * percent / 100
    }

    /// The lifetime of our own contact in a 200.
    // RFC 3261 §10.2.4: a response lists all bindings, each with its expiry.
    fn granted(&self, response: &Message) -> Duration {
        let own = self.contact.clone();
        let own = Uri::parse(own.trim_matches(['<', '>'])).ok();
        let listed = match response.contacts() {
            Ok(Contacts::List(contacts)) => contacts
                .iter()
                .find(|contact| {
                    own.as_ref()
                        .is_some_and(|own| own.equivalent(&contact.uri()))
                })
                .and_then(NameAddr::expires),
            _ => None,
        };
        let general = || response.expires().ok().flatten();
        let seconds = listed
            .or_else(general)
            .map(|seconds| Duration::from_secs(seconds.into()));
        seconds
            .unwrap_or(self.config.expires)
            .max(Duration::from_secs(2))
    }
}
