//! The transaction layer of one element.
//!
//! Owns all its transactions, matches messages to them, and keeps their deadlines in order. Refuses sockets and time:
//! the driver sends what comes out and says what time it is.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::net::SocketAddr;

use super::ack::acknowledge;
use super::key::Key;
use super::{
    Action, Effect, Event, Illegal, Kind, Machine, Output, Report, State, Timers, TransactionId,
};
use crate::Instant;
use crate::sip::{FieldError, Message, Method, Status};

/// All transactions of one element.
///
/// It holds 65,536 of them at most, or as many as [`Layer::with_capacity`] says. Beyond that a new request from the wire
/// is thrown away, as RFC 3261 §21.5.4 allows an overloaded server, and one from the transaction user is refused.
#[derive(Clone, Debug)]
pub struct Layer {
    timers: Timers,
    capacity: usize,
    last: u64,
    transactions: BTreeMap<TransactionId, Transaction>,
    keys: BTreeMap<Key, TransactionId>,
    deadlines: BTreeSet<(Instant, TransactionId)>,
    effects: Vec<Effect>,
}

#[derive(Clone, Debug)]
struct Transaction {
    machine: Machine,
    key: Key,
    request: Message,
    /// Server: the latest response.
    response: Option<Message>,
    destination: SocketAddr,
    deadline: Option<Instant>,
}

/// Why a request starts no client transaction. Blames the transaction user.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RequestError {
    /// It is a response, or an ACK, which is no transaction (RFC 3261 §17).
    NotTransactional(Method),
    /// Top Via or CSeq cannot be read.
    Field(FieldError),
    /// The top Via has no branch with the magic cookie (RFC 3261 §8.1.1.7).
    NoBranch,
    /// A transaction of this method already has this branch.
    BranchInUse(String),
    /// The layer holds as many transactions as it may.
    Full(usize),
}

/// Why a response does not go out. Blames the transaction user.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RespondError {
    /// There is no such server transaction, or no longer.
    Unknown(TransactionId),
    /// It is a client transaction.
    NotServer(TransactionId),
    /// The message is a request.
    NotResponse,
    /// The transaction cannot answer so any more.
    Illegal(Illegal),
}

/// What comes with an event.
enum Carried {
    Nothing,
    /// From the wire.
    Came(Message, SocketAddr),
    /// From the transaction user.
    Goes(Message),
}

impl Layer {
    /// A layer without transactions.
    #[must_use]
    pub fn new(timers: Timers) -> Self {
        Self::with_capacity(timers, 65_536)
    }

    /// A layer that holds at most `capacity` transactions at once.
    #[must_use]
    pub fn with_capacity(timers: Timers, capacity: usize) -> Self {
        Self {
            timers,
            capacity,
            last: 0,
            transactions: BTreeMap::new(),
            keys: BTreeMap::new(),
            deadlines: BTreeSet::new(),
            effects: Vec::new(),
        }
    }

    /// Takes a message from the wire that `parse` accepted, and finds or makes its transaction (RFC 3261 §17.1.3,
    /// §17.2.3). The top Via of a request is completed with `source` first (§18.2.1, RFC 3581 §4).
    pub fn receive(
        &mut self,
        now: Instant,
        source: SocketAddr,
        message: Message,
        out: &mut Vec<Output>,
    ) {
        match message.status() {
            Some(status) => self.receive_response(now, source, message, status, out),
            None => self.receive_request(now, source, message, out),
        }
    }

    /// Starts a client transaction for a request whose top Via (with its branch) the caller has written. An ACK for a 2xx
    /// is no transaction: it is sent without this layer (RFC 3261 §13.2.2.4).
    ///
    /// A request that can start none comes back as [`Output::Refused`] with the number returned here.
    pub fn request(
        &mut self,
        now: Instant,
        destination: SocketAddr,
        request: Message,
        out: &mut Vec<Output>,
    ) -> TransactionId {
        match self.client_key(&request) {
            Ok(key) => {
                let invite = request.method() == Method::Invite;
                let kind = if invite {
                    Kind::InviteClient
                } else {
                    Kind::NonInviteClient
                };
                self.open(now, kind, key, request, destination, Carried::Nothing, out)
            }
            Err(error) => {
                let transaction = self.next_id();
                out.push(Output::Refused {
                    transaction,
                    request,
                    error,
                });
                transaction
            }
        }
    }

    /// Sends a response of the transaction user. Where it goes follows from the request (RFC 3261 §18.2.2).
    ///
    /// # Errors
    /// See [`RespondError`]; nothing has been sent then.
    pub fn respond(
        &mut self,
        now: Instant,
        id: TransactionId,
        response: Message,
        out: &mut Vec<Output>,
    ) -> Result<(), RespondError> {
        let transaction = self
            .transactions
            .get(&id)
            .ok_or(RespondError::Unknown(id))?;
        if transaction.machine.kind().is_client() {
            return Err(RespondError::NotServer(id));
        }
        let event = response
            .status()
            .map(event_of)
            .ok_or(RespondError::NotResponse)?;
        self.apply(now, id, event, Carried::Goes(response), out)
            .map_err(RespondError::Illegal)
    }

    /// The driver could not send the latest message of this transaction. No effect if it is over.
    pub fn transport_failed(&mut self, now: Instant, id: TransactionId, out: &mut Vec<Output>) {
        self.happen(now, id, Event::TransportError, Carried::Nothing, out);
    }

    /// Ends a transaction without another word, as RFC 3261 §9.1 has it for a cancelled INVITE that nobody answers. No
    /// effect if it is over.
    pub fn terminate(&mut self, now: Instant, id: TransactionId, out: &mut Vec<Output>) {
        self.happen(now, id, Event::Terminate, Carried::Nothing, out);
    }

    /// When [`Layer::expire`] is to be called next; `None` if no timer runs.
    #[must_use]
    pub fn deadline(&self) -> Option<Instant> {
        self.deadlines.first().map(|(at, _)| *at)
    }

    /// Lets every timer run out that is due, by time and then by transaction.
    pub fn expire(&mut self, now: Instant, out: &mut Vec<Output>) {
        let due: Vec<_> = self
            .deadlines
            .iter()
            .take_while(|(at, _)| *at <= now)
            .map(|(_, id)| *id)
            .collect();
        for id in due {
            let mut effects = std::mem::take(&mut self.effects);
            if let Some(transaction) = self.transactions.get_mut(&id) {
                transaction.machine.expire(now, &mut effects);
            }
            self.perform(id, effects, Carried::Nothing, out);
        }
    }

    /// The INVITE server transaction that a CANCEL is for (RFC 3261 §9.2). The CANCEL must have come out of
    /// [`Layer::receive`], which completes its Via.
    #[must_use]
    pub fn matching_invite(&self, cancel: &Message) -> Option<TransactionId> {
        self.keys.get(&Key::cancelled(cancel).ok()?).copied()
    }

    /// The request of a transaction; with its top Via completed if it is a server's.
    #[must_use]
    pub fn request_of(&self, id: TransactionId) -> Option<&Message> {
        self.transactions
            .get(&id)
            .map(|transaction| &transaction.request)
    }

    /// Machine and state of a transaction; `None` if it is over.
    #[must_use]
    pub fn state(&self, id: TransactionId) -> Option<(Kind, State)> {
        self.transactions
            .get(&id)
            .map(|transaction| (transaction.machine.kind(), transaction.machine.state()))
    }

    /// How many transactions there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.transactions.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.transactions.is_empty()
    }

    /// The lengths of its timers.
    #[must_use]
    pub fn timers(&self) -> Timers {
        self.timers
    }

    fn client_key(&self, request: &Message) -> Result<Key, RequestError> {
        let method = request.method();
        if !request.is_request() || method == Method::Ack {
            return Err(RequestError::NotTransactional(method));
        }
        let via = request.top_via().map_err(RequestError::Field)?;
        let branch = via
            .branch()
            .filter(|_| via.has_cookie())
            .ok_or(RequestError::NoBranch)?;
        let key = Key::client(request).map_err(RequestError::Field)?;
        if self.keys.contains_key(&key) {
            return Err(RequestError::BranchInUse(branch.to_owned()));
        }
        if self.transactions.len() >= self.capacity {
            return Err(RequestError::Full(self.capacity));
        }
        Ok(key)
    }

    fn next_id(&mut self) -> TransactionId {
        self.last += 1;
        TransactionId(self.last)
    }

    fn receive_response(
        &mut self,
        now: Instant,
        source: SocketAddr,
        message: Message,
        status: Status,
        out: &mut Vec<Output>,
    ) {
        let id = Key::client(&message)
            .ok()
            .and_then(|key| self.keys.get(&key).copied());
        match id {
            Some(id) => self.happen(
                now,
                id,
                event_of(status),
                Carried::Came(message, source),
                out,
            ),
            None => out.push(Output::Stray { message, source }),
        }
    }

    fn receive_request(
        &mut self,
        now: Instant,
        source: SocketAddr,
        mut message: Message,
        out: &mut Vec<Output>,
    ) {
        message.complete_via(source);
        let method = message.method();
        // `parse` accepts no request without the fields that a key is made of.
        let Ok(key) = Key::server(&message) else {
            return;
        };
        let found = self
            .keys
            .get(&key)
            .copied()
            .filter(|id| method != Method::Ack || self.is_ack_for(*id, &message));
        match (found, method) {
            (Some(id), Method::Ack) => {
                self.happen(now, id, Event::Ack, Carried::Came(message, source), out);
            }
            (Some(id), _) => self.happen(now, id, Event::Repeat, Carried::Nothing, out),
            (None, Method::Ack) => out.push(Output::Ack {
                transaction: None,
                message,
                source,
            }),
            (None, method) if self.transactions.len() >= self.capacity => {
                out.push(Output::Report(Report::Overloaded { method, source }));
            }
            (None, method) => {
                let kind = if method == Method::Invite {
                    Kind::InviteServer
                } else {
                    Kind::NonInviteServer
                };
                let destination = message.response_destination(source);
                let carried = Carried::Came(message.clone(), source);
                self.open(now, kind, key, message, destination, carried, out);
            }
        }
    }

    // RFC 3261 §17.2.3: without the magic cookie, the To tag of an ACK must be that of the response.
    fn is_ack_for(&self, id: TransactionId, ack: &Message) -> bool {
        let Some(transaction) = self.transactions.get(&id) else {
            return false;
        };
        let Key::Old { .. } = transaction.key else {
            return true;
        };
        let response = transaction
            .response
            .as_ref()
            .and_then(|response| response.to().ok());
        response.is_some_and(|ours| ack.to().is_ok_and(|theirs| theirs.tag() == ours.tag()))
    }

    #[expect(
        clippy::too_many_arguments,
        reason = "all that a new transaction consists of"
    )]
    fn open(
        &mut self,
        now: Instant,
        kind: Kind,
        key: Key,
        request: Message,
        destination: SocketAddr,
        carried: Carried,
        out: &mut Vec<Output>,
    ) -> TransactionId {
        let id = self.next_id();
        let via = request.top_via();
        let reliable = via.is_ok_and(|via| via.is_reliable());
        let branch = via
            .ok()
            .and_then(|via| via.branch())
            .unwrap_or_default()
            .to_owned();
        out.push(Output::Report(Report::Opened {
            transaction: id,
            kind,
            branch,
            method: request.method(),
        }));
        let machine = Machine::new(kind, self.timers, reliable);
        self.keys.insert(key.clone(), id);
        let transaction = Transaction {
            machine,
            key,
            request,
            response: None,
            destination,
            deadline: None,
        };
        self.transactions.insert(id, transaction);
        self.happen(now, id, Event::Begin, carried, out);
        id
    }

    /// An event for which the tables have a cell in every state of a living transaction.
    fn happen(
        &mut self,
        now: Instant,
        id: TransactionId,
        event: Event,
        carried: Carried,
        out: &mut Vec<Output>,
    ) {
        let outcome = self.apply(now, id, event, carried, out);
        debug_assert_eq!(outcome, Ok(()));
    }

    fn apply(
        &mut self,
        now: Instant,
        id: TransactionId,
        event: Event,
        carried: Carried,
        out: &mut Vec<Output>,
    ) -> Result<(), Illegal> {
        let Some(transaction) = self.transactions.get_mut(&id) else {
            return Ok(());
        };
        let mut effects = std::mem::take(&mut self.effects);
        let outcome = transaction.machine.apply(now, event, &mut effects);
        self.perform(id, effects, carried, out);
        outcome
    }

    /// Turns what a machine did into outputs, and keeps the deadlines and the list of transactions true.
    fn perform(
        &mut self,
        id: TransactionId,
        mut effects: Vec<Effect>,
        carried: Carried,
        out: &mut Vec<Output>,
    ) {
        let mut carried = carried;
        if let Some(transaction) = self.transactions.get_mut(&id) {
            for effect in effects.drain(..) {
                transaction.output(id, effect, &mut carried, out);
            }
            let deadline = transaction.machine.deadline();
            if deadline != transaction.deadline {
                let before = std::mem::replace(&mut transaction.deadline, deadline);
                before.map(|at| self.deadlines.remove(&(at, id)));
                deadline.map(|at| self.deadlines.insert((at, id)));
            }
            if transaction.machine.state() == State::Terminated {
                self.keys.remove(&transaction.key);
                self.transactions.remove(&id);
                out.push(Output::Report(Report::Closed { transaction: id }));
            }
        }
        self.effects = effects;
    }
}

impl Transaction {
    fn output(
        &mut self,
        id: TransactionId,
        effect: Effect,
        carried: &mut Carried,
        out: &mut Vec<Output>,
    ) {
        let (transaction, machine) = (id, self.machine.kind());
        let output = match effect {
            Effect::Entered { from, to, on } => Output::Report(Report::State {
                transaction,
                machine,
                from,
                to,
                on,
            }),
            Effect::TimerSet(timer, at) => Output::Report(Report::TimerSet {
                transaction,
                timer,
                at,
            }),
            Effect::TimerFired(timer) => Output::Report(Report::TimerFired { transaction, timer }),
            Effect::TimerCancelled(timer) => {
                Output::Report(Report::TimerCancelled { transaction, timer })
            }
            Effect::TimedOut(timer) => Output::Timeout { transaction, timer },
            Effect::Do(Action::TransportFailed) => Output::TransportError { transaction },
            Effect::Do(Action::Deliver) => match self.deliver(id, carried) {
                Some(output) => output,
                None => return,
            },
            Effect::Do(action) => match self.message_for(action, carried) {
                Some(message) => Output::Send {
                    transaction,
                    destination: self.destination,
                    message,
                },
                None => return,
            },
        };
        out.push(output);
    }

    fn deliver(&self, transaction: TransactionId, carried: &mut Carried) -> Option<Output> {
        let Carried::Came(message, source) = std::mem::replace(carried, Carried::Nothing) else {
            return None;
        };
        Some(match message.method() {
            _ if !message.is_request() => Output::Response {
                transaction,
                message,
            },
            Method::Ack => Output::Ack {
                transaction: Some(transaction),
                message,
                source,
            },
            _ => Output::Request {
                transaction,
                message,
                source,
            },
        })
    }

    /// What to send; `None` where a repeated request finds that nothing was answered yet.
    fn message_for(&mut self, action: Action, carried: &mut Carried) -> Option<Message> {
        match action {
            Action::Ack => match carried {
                Carried::Came(response, _) => Some(acknowledge(&self.request, response)),
                _ => None,
            },
            Action::Trying => {
                self.response = Some(Message::response_to(&self.request, Status::TRYING, None));
                self.response.clone()
            }
            Action::Send if self.machine.kind().is_client() => Some(self.request.clone()),
            _ => {
                if let Carried::Goes(response) = std::mem::replace(carried, Carried::Nothing) {
                    self.response = Some(response);
                }
                self.response.clone()
            }
        }
    }
}

fn event_of(status: Status) -> Event {
    match status {
        _ if status.is_provisional() => Event::Provisional,
        _ if status.is_success() => Event::Success,
        _ => Event::Failure,
    }
}

impl fmt::Display for RequestError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotTransactional(method) => write!(f, "{method} starts no client transaction"),
            Self::Field(error) => error.fmt(f),
            Self::NoBranch => f.write_str("the top Via has no branch that begins with z9hG4bK"),
            Self::BranchInUse(branch) => write!(f, "branch {branch} is in use"),
            Self::Full(capacity) => write!(
                f,
                "{capacity} transactions are all that this layer may hold"
            ),
        }
    }
}

impl std::error::Error for RequestError {}

impl fmt::Display for RespondError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unknown(id) => write!(f, "there is no server transaction {id}"),
            Self::NotServer(id) => write!(f, "transaction {id} is a client's"),
            Self::NotResponse => f.write_str("a request cannot be an answer"),
            Self::Illegal(illegal) => illegal.fmt(f),
        }
    }
}

impl std::error::Error for RespondError {}

#[cfg(test)]
mod properties;
#[cfg(test)]
mod tests;
