//! What the transaction layer hands out.
//!
//! Owns the words between the layer, the driver that sends, and the transaction user.

use std::fmt;
use std::net::SocketAddr;

use super::{Event, Kind, RequestError, State, Timer};
use crate::Instant;
use crate::sip::{Message, Method};

/// A transaction of one layer, numbered from 1 in order of creation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TransactionId(pub(super) u64);

/// What is to be done, known or recorded, in order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Output {
    /// To the driver: send this. A failure to do so goes to `Layer::transport_failed`.
    Send {
        /// Whose message it is.
        transaction: TransactionId,
        /// Where to.
        destination: SocketAddr,
        /// The message; `to_bytes` is what goes on the wire.
        message: Message,
    },
    /// To the transaction user: a new request, never an ACK. Its top Via says where it came from.
    Request {
        /// The server transaction that will carry the responses.
        transaction: TransactionId,
        /// The request.
        message: Message,
        /// Where it came from.
        source: SocketAddr,
    },
    /// To the transaction user: an ACK that acknowledges no failure, so that for a 2xx, most likely (§13.3.1.4). It is a
    /// transaction of its own and has no answer (§17).
    Ack {
        /// The INVITE server transaction in Accepted whose branch it repeats, which a correct client does not do.
        transaction: Option<TransactionId>,
        /// The ACK.
        message: Message,
        /// Where it came from.
        source: SocketAddr,
    },
    /// To the transaction user: a response to its request. In Accepted every repeated 2xx comes too.
    Response {
        /// The client transaction.
        transaction: TransactionId,
        /// The response.
        message: Message,
    },
    /// To the transaction user: a response that no client transaction waits for. A proxy throws it away (RFC 6026 §7.3); a
    /// user agent may look for the dialog of a late 2xx, to acknowledge it once more (RFC 3261 §13.2.2.4).
    Stray {
        /// The response.
        message: Message,
        /// Where it came from.
        source: SocketAddr,
    },
    /// To the transaction user: its request started no transaction, and nothing was sent.
    Refused {
        /// The number that `Layer::request` returned.
        transaction: TransactionId,
        /// The request.
        request: Message,
        /// Why.
        error: RequestError,
    },
    /// To the transaction user: nobody answered (B, F) or acknowledged (H).
    Timeout {
        /// The transaction, which is over.
        transaction: TransactionId,
        /// The timer that ran out.
        timer: Timer,
    },
    /// To the transaction user: what was to be sent could not be sent.
    TransportError {
        /// The transaction: a client's is over, a server's lives on (RFC 6026 §8.8).
        transaction: TransactionId,
    },
    /// To the trace.
    Report(Report),
}

/// What happened inside, for a trace.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Report {
    /// A transaction began.
    Opened {
        /// Its number.
        transaction: TransactionId,
        /// Its machine.
        kind: Kind,
        /// The branch of its request's top Via, empty if that has none.
        branch: String,
        /// The method of its request.
        method: Method,
    },
    /// A machine changed its state.
    State {
        /// Whose.
        transaction: TransactionId,
        /// Which machine.
        machine: Kind,
        /// The state before.
        from: State,
        /// The state now.
        to: State,
        /// What changed it.
        on: Event,
    },
    /// A timer was set.
    TimerSet {
        /// Whose.
        transaction: TransactionId,
        /// Which.
        timer: Timer,
        /// When it runs out.
        at: Instant,
    },
    /// A timer ran out.
    TimerFired {
        /// Whose.
        transaction: TransactionId,
        /// Which.
        timer: Timer,
    },
    /// A timer was stopped.
    TimerCancelled {
        /// Whose.
        transaction: TransactionId,
        /// Which.
        timer: Timer,
    },
    /// A transaction is over and forgotten.
    Closed {
        /// Its number.
        transaction: TransactionId,
    },
    /// A request was thrown away because the layer holds as many transactions as it may.
    Overloaded {
        /// Its method.
        method: Method,
        /// Where it came from.
        source: SocketAddr,
    },
}

impl TransactionId {
    /// The number.
    #[must_use]
    pub fn number(self) -> u64 {
        self.0
    }
}

impl fmt::Display for TransactionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}
