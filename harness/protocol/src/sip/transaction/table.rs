//! The vocabulary of the four machines, and the way into their tables.
//!
//! Owns the names of states, events and actions. Refuses time and messages: a row says what to do, `Machine` when,
//! the layer with what.

use std::fmt;

use super::{Timer, invite_client, invite_server, non_invite_client, non_invite_server};

/// Which of the four machines.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// RFC 3261 §17.1.1, RFC 6026 §8.4.
    InviteClient,
    /// RFC 3261 §17.1.2.
    NonInviteClient,
    /// RFC 3261 §17.2.1, RFC 6026 §8.7.
    InviteServer,
    /// RFC 3261 §17.2.2.
    NonInviteServer,
}

/// A state of a transaction.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum State {
    /// Before the request was sent or delivered.
    Initial,
    /// INVITE client: sent, nothing heard.
    Calling,
    /// Non-INVITE: sent or delivered, nothing heard from the other side or the transaction user.
    Trying,
    /// A provisional response came or went; or an INVITE was delivered.
    Proceeding,
    /// INVITE: a 2xx came or went (RFC 6026).
    Accepted,
    /// A final response came or went.
    Completed,
    /// INVITE server: the failure was acknowledged.
    Confirmed,
    /// Over.
    Terminated,
}

/// What happens to a transaction.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Event {
    /// The request: from the transaction user at a client, from the wire at a server.
    Begin,
    /// Server: the same request once more.
    Repeat,
    /// INVITE server: an ACK that matches.
    Ack,
    /// 1xx: from the wire at a client, from the transaction user at a server.
    Provisional,
    /// 2xx, from where a provisional one comes.
    Success,
    /// 3xx to 6xx, from where a provisional one comes.
    Failure,
    /// A timer ran out.
    Fired(Timer),
    /// What the transaction last sent could not be sent.
    TransportError,
    /// The transaction user gives the transaction up (RFC 3261 §9.1, for one).
    Terminate,
}

/// What a machine wants done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Action {
    /// Client: send the request. Server: send the latest response, if there is one.
    Send,
    /// Client: acknowledge the failure that has just come.
    Ack,
    /// Server: send 100 (Trying).
    Trying,
    /// Hand what came to the transaction user.
    Deliver,
    /// Set a timer to its first length.
    Set(Timer),
    /// Set a timer again to twice its last length, within its bounds.
    Double(Timer),
    /// Set a timer again to T2.
    Slow(Timer),
    /// Stop a timer, if it runs.
    Stop(Timer),
    /// Tell the transaction user that nobody answered.
    TimedOut,
    /// Tell the transaction user that the transport failed.
    TransportFailed,
}

/// One cell of a table: what to do, and the state after it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Row {
    /// In this order.
    pub actions: &'static [Action],
    /// The state afterwards.
    pub next: State,
}

/// An event that cannot happen in this state. Blames the driver or the transaction user: whatever comes from the wire
/// has a cell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Illegal {
    /// The machine.
    pub kind: Kind,
    /// The state it is and stays in.
    pub state: State,
    /// The event.
    pub event: Event,
}

/// Looks a cell up.
///
/// # Errors
/// The pair is illegal.
pub fn step(kind: Kind, state: State, event: Event) -> Result<Row, Illegal> {
    let row = match kind {
        Kind::InviteClient => invite_client::step(state, event),
        Kind::NonInviteClient => non_invite_client::step(state, event),
        Kind::InviteServer => invite_server::step(state, event),
        Kind::NonInviteServer => non_invite_server::step(state, event),
    };
    row.ok_or(Illegal { kind, state, event })
}

/// A cell of a table.
#[expect(
    clippy::unnecessary_wraps,
    reason = "the tables read better when an illegal pair is the only None"
)]
pub(super) const fn go(actions: &'static [Action], next: State) -> Option<Row> {
    Some(Row { actions, next })
}

impl Kind {
    /// All four.
    pub const ALL: [Self; 4] = [
        Self::InviteClient,
        Self::NonInviteClient,
        Self::InviteServer,
        Self::NonInviteServer,
    ];

    /// "INVITE client".
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::InviteClient => "INVITE client",
            Self::NonInviteClient => "non-INVITE client",
            Self::InviteServer => "INVITE server",
            Self::NonInviteServer => "non-INVITE server",
        }
    }

    /// Whether it sends requests.
    #[must_use]
    pub fn is_client(self) -> bool {
        matches!(self, Self::InviteClient | Self::NonInviteClient)
    }
}

impl State {
    /// All of them, in the order of a transaction's life.
    pub const ALL: [Self; 8] = [
        Self::Initial,
        Self::Calling,
        Self::Trying,
        Self::Proceeding,
        Self::Accepted,
        Self::Completed,
        Self::Confirmed,
        Self::Terminated,
    ];

    /// Its name in the RFCs' diagrams.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Initial => "Initial",
            Self::Calling => "Calling",
            Self::Trying => "Trying",
            Self::Proceeding => "Proceeding",
            Self::Accepted => "Accepted",
            Self::Completed => "Completed",
            Self::Confirmed => "Confirmed",
            Self::Terminated => "Terminated",
        }
    }
}

impl Event {
    /// All of them; C aside, which is a proxy's, each timer once.
    pub const ALL: [Self; 21] = [
        Self::Begin,
        Self::Repeat,
        Self::Ack,
        Self::Provisional,
        Self::Success,
        Self::Failure,
        Self::TransportError,
        Self::Terminate,
        Self::Fired(Timer::A),
        Self::Fired(Timer::B),
        Self::Fired(Timer::D),
        Self::Fired(Timer::E),
        Self::Fired(Timer::F),
        Self::Fired(Timer::G),
        Self::Fired(Timer::H),
        Self::Fired(Timer::I),
        Self::Fired(Timer::J),
        Self::Fired(Timer::K),
        Self::Fired(Timer::L),
        Self::Fired(Timer::M),
        Self::Fired(Timer::Trying),
    ];
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl fmt::Display for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl fmt::Display for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Begin => f.write_str("request"),
            Self::Repeat => f.write_str("repeated request"),
            Self::Ack => f.write_str("ACK"),
            Self::Provisional => f.write_str("1xx"),
            Self::Success => f.write_str("2xx"),
            Self::Failure => f.write_str("3xx–6xx"),
            Self::Fired(timer) => write!(f, "Timer {timer}"),
            Self::TransportError => f.write_str("transport error"),
            Self::Terminate => f.write_str("given up"),
        }
    }
}

impl fmt::Display for Action {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Send => f.write_str("send"),
            Self::Ack => f.write_str("send ACK"),
            Self::Trying => f.write_str("send 100"),
            Self::Deliver => f.write_str("deliver"),
            Self::Set(timer) => write!(f, "set {timer}"),
            Self::Double(timer) => write!(f, "double {timer}"),
            Self::Slow(timer) => write!(f, "set {timer} to T2"),
            Self::Stop(timer) => write!(f, "stop {timer}"),
            Self::TimedOut => f.write_str("report time-out"),
            Self::TransportFailed => f.write_str("report transport error"),
        }
    }
}

impl fmt::Display for Illegal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} transaction: {} cannot happen in state {}",
            self.kind, self.event, self.state
        )
    }
}

impl std::error::Error for Illegal {}

#[cfg(test)]
mod tests;
