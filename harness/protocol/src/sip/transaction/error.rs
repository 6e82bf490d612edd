//! Why the transaction layer refuses its user.

use std::fmt;

use super::{Illegal, TransactionId};
use crate::sip::{FieldError, Method};

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
