//! What a B2BUA says to its owner.

use std::net::SocketAddr;

use super::call::Side;
use crate::sip::transaction::TransactionId;
use crate::sip::{Message, Method, Status, Uri};

/// What the core wants of its owner, or lets it know. Calls are numbered as they begin.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// Send a request outside of any transaction: the ACK for a 2xx.
    Send {
        /// Where to.
        destination: SocketAddr,
        /// What.
        message: Message,
    },
    /// Find out where that URI leads and say so with [`super::B2bua::located`].
    Locate {
        /// The call that waits for it.
        call: u64,
        /// Who is called.
        uri: Uri,
    },
    /// A REGISTER: change the bindings and answer.
    Register {
        /// The server transaction to answer.
        transaction: TransactionId,
        /// The request.
        request: Message,
    },
    /// A call began; each leg has a Call-ID of its own.
    CallOpened {
        /// The call.
        call: u64,
        /// The Call-IDs of the caller's and the callee's leg.
        call_ids: [String; 2],
    },
    /// A leg was answered.
    LegUp(u64, Side, String),
    /// A leg that was answered has ended.
    LegDown(u64, Side),
    /// There is no trace of that call any more.
    CallClosed(u64),
    /// What a reader of the log wants to know of a call.
    News {
        /// The Call-ID of the caller's leg.
        call_id: String,
        /// What happened.
        news: News,
    },
    /// A request was refused before it became a call.
    Refused {
        /// The request.
        method: Method,
        /// Its Request-URI.
        uri: String,
        /// What it was answered with.
        status: Status,
    },
}

/// What happened to a call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum News {
    /// One URI calls another.
    Calling {
        /// The caller's.
        from: String,
        /// The callee's.
        to: String,
    },
    /// The callee answered.
    Answered,
    /// The call failed with that final answer, which the caller has.
    Failed {
        /// The status.
        status: Status,
        /// Its reason phrase.
        reason: String,
        /// The session description that was offered.
        offer: String,
    },
    /// Nobody answered at that URI.
    NoAnswer(String),
    /// The callee answered 503 and is called once more; how often that was done before.
    Retrying(u32),
    /// The call goes to that URI instead.
    Forwarding(String),
    /// A redirect to that URI is followed.
    Following(String),
    /// The call waits for a line, at that place.
    Queued(usize),
    /// The caller gave up.
    Cancelled,
    /// That side hung up.
    Ended(Side),
    /// That side has lost the call or does not answer any more.
    Lost(Side),
    /// That side never acknowledged the answer.
    NotAcknowledged(Side),
}
