//! The core of a user agent, RFC 3261 §8, §10.2, §11, §13 and §15, with MESSAGE (RFC 3428), INFO (RFC 6086) and UPDATE
//! (RFC 3311), PRACK (RFC 3262), REFER (RFC 3515) and session timers (RFC 4028).
//!
//! Owns one registration and the calls of one line: what is answered to whom, when it rings, what is sent again until it
//! is acknowledged, with which credentials, and where a call is looked for. Refuses forking of its own and media.

mod answer;
mod asked;
mod call;
mod callee;
mod caller;
mod checks;
mod config;
mod credentials;
mod event;
mod extensions;
mod late;
mod offer;
mod prack;
mod redirect;
mod referral;
mod registration;
mod reinvite;
mod reliable;
mod request;
mod servers;
mod session_timer;
mod single;
mod surplus;
mod transfer;

use std::collections::BTreeMap;
use std::net::SocketAddr;

use super::digest::Keyring;
use super::transaction::{Timer, TransactionId};
use super::turn::Turn;
use super::{Message, Method, Status, Transport};
use crate::Instant;
use asked::Asked;
use call::{Call, Phase};
use prack::EarlyDialogs;
use redirect::{AddressBook, Search};
use registration::Registration;
use reliable::Outstanding;
use servers::Servers;
use single::Single;
use surplus::Surplus;

pub use config::{Answer, Body, Config, Glare, Media, Refusal};
pub use event::{Ending, Event, Failure};
pub use extensions::{Extensions, Refresh, Reliable, SessionTimer, Transfers};

/// One user agent with one line.
#[derive(Clone, Debug)]
pub struct UserAgent {
    config: Config,
    /// Its address-of-record.
    aor: String,
    /// As it stands in Contact.
    contact: String,
    registration: Registration,
    calls: BTreeMap<u64, Call>,
    calls_made: u64,
    /// Calls that were refused as it is told to.
    refused: u32,
    clients: BTreeMap<TransactionId, Purpose>,
    asked: Asked,
    keyring: Option<Keyring>,
    servers: Servers,
    searches: BTreeMap<u64, Search>,
    book: AddressBook,
    surplus: Surplus,
    early: EarlyDialogs,
    outstanding: Outstanding,
    /// How many there were, of this side's and of its peers'.
    subscriptions: u64,
}

/// What a step of this core is given.
pub type UserAgentTurn<'a> = Turn<'a, Event>;

/// What a client transaction is for.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Purpose {
    Register,
    Invite(u64),
    /// An INVITE whose call is over, with the ACK for its answer: another branch of a fork may answer yet.
    Over(Option<(SocketAddr, Message)>),
    Reinvite(u64),
    Cancel,
    Bye(u64),
    Single(Single),
    /// To that peer.
    Prack(String),
    Refer(u64),
    Notify(u64),
}

impl UserAgent {
    /// A user agent that has done nothing yet.
    #[must_use]
    pub fn new(config: Config) -> Self {
        let keyring = config.password.as_deref();
        let way = match config.transport {
            Transport::Udp => String::new(),
            other => format!(";transport={}", other.parameter()),
        };
        Self {
            aor: format!("sip:{}@{}", config.user, config.domain),
            contact: format!("<sip:{}@{}{way}>", config.user, config.address),
            asked: Asked::default(),
            keyring: keyring.map(|password| Keyring::new(&config.user, password)),
            servers: Servers::new(config.proxy, &config.other_servers),
            searches: BTreeMap::new(),
            book: AddressBook::default(),
            config,
            registration: Registration::default(),
            calls: BTreeMap::new(),
            calls_made: 0,
            refused: 0,
            clients: BTreeMap::new(),
            surplus: Surplus::default(),
            early: EarlyDialogs::default(),
            outstanding: Outstanding::default(),
            subscriptions: 0,
        }
    }

    /// Ends the current call, whatever its state; does nothing without one.
    pub fn hang_up(&mut self, turn: &mut UserAgentTurn<'_>) {
        let current = self.calls.iter().find(|(_, call)| !call.is_ending());
        let Some(id) = current.map(|(id, _)| *id) else {
            return;
        };
        let Some(call) = self.calls.get_mut(&id) else {
            return;
        };
        match call.phase {
            Phase::Calling { .. } => self.give_up_calling(turn, id),
            Phase::Ringing { .. } => self.refuse(turn, id, Status::DECLINE),
            // RFC 3261 §15: the callee's BYE waits for the ACK, or for the end of waiting for it.
            Phase::Up if call.unacknowledged.is_some() => call.hang_up_wanted = true,
            Phase::Up => self.bye(turn, id, Ending::Here),
            Phase::Ending => {}
        }
    }

    /// Leaves as an application does that is closed properly: ends the current call and removes the registration.
    pub fn leave(&mut self, turn: &mut UserAgentTurn<'_>) {
        self.hang_up(turn);
        self.unregister(turn);
    }

    /// Refuses every call from now on, or no longer.
    pub fn set_do_not_disturb(&mut self, on: bool) {
        self.config.answer.do_not_disturb = on;
    }

    /// A response in a client transaction.
    pub fn response(
        &mut self,
        turn: &mut UserAgentTurn<'_>,
        client: TransactionId,
        response: &Message,
    ) {
        let Some(status) = response.status() else {
            return;
        };
        if self.answer_challenge(turn, client, response)
            || self.try_elsewhere(turn, client, response)
        {
            return;
        }
        let Some(purpose) = self.clients.get(&client).cloned() else {
            return self.stray(turn, response);
        };
        match purpose {
            Purpose::Invite(call) => self.invite_answered(turn, call, client, response),
            Purpose::Over(ack) => self.answered_late(turn, ack, response),
            Purpose::Reinvite(call) => self.reinvite_answered(turn, call, client, response),
            _ if status.is_provisional() => {}
            Purpose::Register => {
                self.clients.remove(&client);
                self.registered(turn, response);
            }
            // RFC 3261 §15.1.1: 481, 408 and silence end the dialog as 200 does; so does everything else.
            Purpose::Bye(call) => {
                self.clients.remove(&client);
                self.close(turn, call);
            }
            Purpose::Cancel => {
                self.clients.remove(&client);
            }
            Purpose::Single(single) => {
                self.clients.remove(&client);
                self.single_answered(turn, single, response);
            }
            Purpose::Prack(peer) => {
                self.clients.remove(&client);
                self.prack_answered(turn, peer, response);
            }
            Purpose::Refer(call) => {
                self.clients.remove(&client);
                self.refer_answered(turn, call, response);
            }
            Purpose::Notify(call) => {
                self.clients.remove(&client);
                self.notify_answered(turn, call, response);
            }
        }
    }

    /// A transaction's timer ran out: B or F of a request, H of a refusal that nobody acknowledged.
    pub fn timeout(&mut self, turn: &mut UserAgentTurn<'_>, id: TransactionId, timer: Timer) {
        if matches!(timer, Timer::B | Timer::F) {
            self.failed(turn, id, Failure::TimedOut);
        }
    }

    /// A request of that client transaction did not leave.
    pub fn send_failed(&mut self, turn: &mut UserAgentTurn<'_>, client: TransactionId) {
        turn.layer.transport_failed(turn.now, client, turn.below);
        self.failed(turn, client, Failure::NotSent);
    }

    /// When the phone rings, is picked up, or sends a 2xx again.
    #[must_use]
    pub fn deadline(&self) -> Option<Instant> {
        self.calls.values().filter_map(Call::deadline).min()
    }

    /// When the registration is refreshed or tried again, the session of a call is refreshed or ends, or an INVITE of a call
    /// that is over is given up.
    #[must_use]
    pub fn background_deadline(&self) -> Option<Instant> {
        let sessions = self.calls.values().filter_map(Call::session_deadline);
        self.registration
            .deadline()
            .into_iter()
            .chain(sessions)
            .chain(self.surplus.deadline())
            .min()
    }

    /// Does what is due.
    pub fn expire(&mut self, turn: &mut UserAgentTurn<'_>) {
        if self
            .registration
            .deadline()
            .is_some_and(|at| at <= turn.now)
        {
            self.send_register(turn);
        }
        for client in self.surplus.expire(turn.now) {
            if late::is_open(turn, client) {
                turn.layer.terminate(turn.now, client, turn.below);
            }
        }
        let over = |call: &Call| call.session_deadline().is_some_and(|at| at <= turn.now);
        let over = self.calls.iter().filter(|(_, call)| over(call));
        let over: Vec<u64> = over.map(|(id, _)| *id).collect();
        for id in over {
            self.session_is_due(turn, id);
        }
        let due = |call: &Call| call.deadline().is_some_and(|at| at <= turn.now);
        let due: Vec<u64> = self
            .calls
            .iter()
            .filter(|(_, call)| due(call))
            .map(|(id, _)| *id)
            .collect();
        for id in due {
            self.call_is_due(turn, id);
        }
    }

    fn failed(&mut self, turn: &mut UserAgentTurn<'_>, client: TransactionId, failure: Failure) {
        match self.clients.remove(&client) {
            Some(Purpose::Register) => self.register_failed(turn, failure, None),
            Some(Purpose::Invite(call)) => self.not_reached(turn, call, client, failure, None),
            Some(Purpose::Reinvite(call)) => self.reinvite_failed(turn, call, failure),
            Some(Purpose::Single(single)) => self.single_failed(turn, single, failure),
            Some(Purpose::Prack(peer)) => {
                turn.above
                    .push(Event::NotDone(Method::Prack, peer, failure));
            }
            Some(Purpose::Refer(call)) => self.refer_failed(turn, call, failure),
            Some(Purpose::Notify(call)) => self.notify_failed(turn, call, failure),
            Some(Purpose::Bye(call)) => {
                if let Some(peer) = self.calls.get(&call).map(|call| call.peer.clone()) {
                    turn.above.push(Event::ByeUnanswered(call, peer));
                }
                self.close(turn, call);
            }
            // RFC 3261 §9.1: the INVITE is given up 64·T1 after its CANCEL, however that fared.
            Some(Purpose::Cancel | Purpose::Over(_)) | None => {}
        }
    }

    fn open(&mut self, turn: &mut UserAgentTurn<'_>, peer: String, phase: Phase) -> u64 {
        let descriptions = self.descriptions();
        self.calls_made += 1;
        turn.above
            .push(Event::CallOpened(self.calls_made, peer.clone()));
        let call = Call::new(peer, phase, descriptions);
        self.calls.insert(self.calls_made, call);
        self.calls_made
    }

    fn close(&mut self, turn: &mut UserAgentTurn<'_>, id: u64) {
        let Some(call) = self.calls.remove(&id) else {
            return;
        };
        Self::drop_subscriptions(turn, &call);
        self.early.sweep(turn);
        let until = turn.now + turn.layer.timers().t1 * 64;
        self.surplus.end(turn.now, until, call.dialog.clone());
        if let Phase::Calling(calling) = &call.phase {
            let call_id = calling.invite.call_id().unwrap_or_default();
            self.surplus.give_up(call_id);
        }
        // RFC 3261 §9.1: a re-INVITE that has had no last word counts as cancelled with its dialog.
        for (client, purpose) in &self.clients {
            if *purpose == Purpose::Reinvite(id) && late::is_open(turn, *client) {
                self.surplus.wait(until, *client);
            }
        }
        self.searches.remove(&id);
        self.clients.retain(|client, purpose| match purpose {
            Purpose::Reinvite(call) | Purpose::Refer(call) | Purpose::Notify(call) => *call != id,
            Purpose::Invite(call) if *call == id => turn.layer.state(*client).is_some(),
            Purpose::Over(_) => turn.layer.state(*client).is_some(),
            _ => true,
        });
        for purpose in self.clients.values_mut() {
            if *purpose == Purpose::Invite(id) {
                *purpose = Purpose::Over(call.ack.clone());
            }
        }
        turn.above.push(Event::CallClosed(id));
    }
}

#[cfg(test)]
mod tests;
