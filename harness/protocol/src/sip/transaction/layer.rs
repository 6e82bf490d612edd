//! The transaction layer of one element.
//!
//! Owns all its transactions, matches messages to them, and keeps their deadlines in order. Refuses sockets and time:
//! the driver sends what comes out and says what time it is.

mod matching;
mod way;

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::ops::Bound;

use super::carrier::{Carried, Transaction};
use super::key::{Key, Origin};
use super::{
    Effect, Event, Illegal, Kind, Machine, Output, Report, RespondError, State, Timers,
    TransactionId,
};
use crate::Instant;
use crate::sip::{Message, Method, Status, Transport};

/// All transactions of one element.
///
/// It holds 65,536 of them at most, or as many as [`Layer::with_capacity`] says. Beyond that a new request from the wire
/// is thrown away, as RFC 3261 §21.5.4 allows an overloaded server, and one from the transaction user is refused.
#[derive(Clone, Debug)]
pub struct Layer {
    timers: Timers,
    usual: Transport,
    capacity: usize,
    last: u64,
    transactions: BTreeMap<TransactionId, Transaction>,
    keys: BTreeMap<Key, TransactionId>,
    /// The first server transaction of each request outside of a dialog.
    origins: BTreeMap<Origin, TransactionId>,
    deadlines: BTreeSet<Deadline>,
    /// Of transactions whose work is done.
    lingering: BTreeSet<Deadline>,
    effects: Vec<Effect>,
}

/// When a transaction's next timer runs out.
type Deadline = (Instant, TransactionId);

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
            usual: Transport::Udp,
            capacity,
            last: 0,
            transactions: BTreeMap::new(),
            keys: BTreeMap::new(),
            origins: BTreeMap::new(),
            deadlines: BTreeSet::new(),
            lingering: BTreeSet::new(),
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
    /// A Via that says UDP is made to say TCP where that is what the request must go over: its next hop's URI says so, or
    /// it is too large for UDP (§18.1.1). A CANCEL goes over what its INVITE went over (§9.1).
    ///
    /// A request that can start none comes back as [`Output::Refused`] with the number returned here.
    pub fn request(
        &mut self,
        now: Instant,
        destination: SocketAddr,
        mut request: Message,
        out: &mut Vec<Output>,
    ) -> TransactionId {
        let moved = self.settle_transport(&mut request, destination);
        match self.client_key(&request) {
            Ok(key) => {
                let invite = request.method() == Method::Invite;
                let kind = if invite {
                    Kind::InviteClient
                } else {
                    Kind::NonInviteClient
                };
                let id = self.open(now, kind, key, request, destination, Carried::Nothing, out);
                if let Some(transaction) = self.transactions.get_mut(&id) {
                    transaction.moved = moved;
                }
                id
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
        self.working_deadline()
            .into_iter()
            .chain(self.lingering_deadline())
            .min()
    }

    /// The part of [`Layer::deadline`] that belongs to transactions with work to do: they retransmit, or wait for an
    /// answer or an ACK.
    #[must_use]
    pub fn working_deadline(&self) -> Option<Instant> {
        self.deadlines.first().map(|(at, _)| *at)
    }

    /// The other part, of transactions that only stay to recognise repeats (Timers D, I, J, K, L and M).
    #[must_use]
    pub fn lingering_deadline(&self) -> Option<Instant> {
        self.lingering.first().map(|(at, _)| *at)
    }

    /// Lets every timer run out that is due, by time and then by transaction.
    pub fn expire(&mut self, now: Instant, out: &mut Vec<Output>) {
        // In order, each deadline once: a timer that is set anew is due later, unless time is at its end.
        let mut last = None;
        let after = |list: &BTreeSet<Deadline>, last: Option<Deadline>| {
            let begin = last.map_or(Bound::Unbounded, Bound::Excluded);
            let next = list.range((begin, Bound::Unbounded)).next().copied();
            next.filter(|(at, _)| *at <= now)
        };
        while let Some(due @ (_, id)) = [&self.deadlines, &self.lingering]
            .into_iter()
            .filter_map(|list| after(list, last))
            .min()
        {
            last = Some(due);
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

    /// Whether another server transaction is under way for the same request, which came here over another path as well. A
    /// UAS answers 482 to all but the first (RFC 3261 §8.2.2.2); a proxy forwards them.
    #[must_use]
    pub fn is_merged(&self, id: TransactionId) -> bool {
        let origin = self.request_of(id).and_then(Origin::of);
        let first = origin.and_then(|origin| self.origins.get(&origin));
        first.is_some_and(|first| *first != id)
    }

    /// The latest response of a server transaction.
    #[must_use]
    pub fn response_of(&self, id: TransactionId) -> Option<&Message> {
        self.transactions.get(&id)?.response.as_ref()
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

    fn next_id(&mut self) -> TransactionId {
        self.last += 1;
        TransactionId(self.last)
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
        let branch = request.branch().unwrap_or_default().to_owned();
        out.push(Output::Report(Report::Opened {
            transaction: id,
            kind,
            branch,
            method: request.method(),
        }));
        let machine = Machine::new(kind, self.timers, reliable);
        self.keys.insert(key.clone(), id);
        let origin = (!kind.is_client()).then(|| Origin::of(&request)).flatten();
        if let Some(origin) = origin {
            self.origins.entry(origin).or_insert(id);
        }
        let transaction = Transaction {
            machine,
            key,
            request,
            response: None,
            destination,
            moved: false,
            deadline: None,
            lingers: false,
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
            let (deadline, lingers) = (
                transaction.machine.deadline(),
                transaction.machine.lingers(),
            );
            if (deadline, lingers) != (transaction.deadline, transaction.lingers) {
                let before = std::mem::replace(&mut transaction.deadline, deadline);
                before
                    .map(|at| self.deadlines.remove(&(at, id)) || self.lingering.remove(&(at, id)));
                transaction.lingers = lingers;
                let list = if lingers {
                    &mut self.lingering
                } else {
                    &mut self.deadlines
                };
                deadline.map(|at| list.insert((at, id)));
            }
            if transaction.machine.state() == State::Terminated {
                self.keys.remove(&transaction.key);
                let client = transaction.machine.kind().is_client();
                let origin = (!client)
                    .then(|| Origin::of(&transaction.request))
                    .flatten();
                if let Some(origin) = origin.filter(|origin| self.origins.get(origin) == Some(&id))
                {
                    self.origins.remove(&origin);
                }
                self.transactions.remove(&id);
                out.push(Output::Report(Report::Closed { transaction: id }));
            }
        }
        self.effects = effects;
    }
}

fn event_of(status: Status) -> Event {
    match status {
        _ if status.is_provisional() => Event::Provisional,
        _ if status.is_success() => Event::Success,
        _ => Event::Failure,
    }
}

#[cfg(test)]
mod properties;
#[cfg(test)]
mod tests;
