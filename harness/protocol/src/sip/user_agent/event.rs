//! What a user agent says to its owner.

use std::net::SocketAddr;
use std::time::Duration;

use crate::sip::sdp::SdpError;
use crate::sip::{Message, Method, Status};

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
    /// The registrar granted a registration for that long.
    Registered(Duration),
    /// The registrar took the registration away, as asked.
    Unregistered,
    /// The registrar refused, or could not be asked; the next try is after that time, if there is one.
    NotRegistered(Failure, Option<Duration>),
    /// A call began, to or from that URI.
    CallOpened(u64, String),
    /// An incoming call rings here.
    Ringing(u64, String),
    /// A call goes on to that URI instead.
    Redirected(u64, String),
    /// An outgoing call rings there.
    RingingThere(u64, String),
    /// A call was answered, with that Call-ID as its dialog's.
    CallUp(u64, String, String),
    /// An offer of that URI was refused for that reason.
    OfferRefused(String, SdpError),
    /// A call was not answered.
    CallFailed(u64, String, Failure),
    /// A call ended.
    CallEnded(u64, String, Ending),
    /// The session of a call was offered anew, and taken.
    Changed(u64, String),
    /// The session of a call stays as it was.
    NotChanged(u64, String, Failure),
    /// A request other than INVITE, BYE and REGISTER was answered so by that URI.
    Done(Method, String, Status),
    /// Such a request came to nothing.
    NotDone(Method, String, Failure),
    /// That URI sent a text of so many bytes.
    Text(String, usize),
    /// Word of a transfer to that URI is awaited, or owed to whoever asked for it. Numbered as they begin.
    SubscriptionOpened(u64, String),
    /// Nothing more is awaited or owed.
    SubscriptionClosed(u64),
    /// The peer of that call wants us to call that URI, and so we do.
    Referred(u64, String),
    /// The peer of that call has reached the URI that it was referred to.
    Transferred(u64, String),
    /// It has not.
    NotTransferred(u64, String, Failure),
    /// A BYE was not answered: the call is over nevertheless.
    ByeUnanswered(u64, String),
    /// There is no trace of that call any more.
    CallClosed(u64),
}

/// Why something that was asked for did not come about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Failure {
    /// A final response other than 2xx.
    Refused(Status, String),
    /// Timer B or F, or no end after a CANCEL.
    TimedOut,
    /// The request could not be sent.
    NotSent,
    /// Every server has asked to be left alone for now (RFC 3261 §21.5.4).
    NoServer,
}

/// Who ended a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    /// This side.
    Here,
    /// The peer.
    There,
    /// This side, since the peer knows nothing of the call any more or does not answer (RFC 3261 §12.2.1.2).
    Lost,
    /// This side, since the peer never acknowledged the answer (RFC 3261 §13.3.1.4).
    NotAcknowledged,
    /// This side, since nobody refreshed the session (RFC 4028 §10).
    Expired,
    /// This side, since the two ends have no session in common (RFC 3261 §13.2.2.4).
    NoSession,
}

impl Failure {
    /// What a final response other than 2xx says.
    pub(super) fn refused(status: Status, response: &Message) -> Self {
        let reason = response.reason().unwrap_or_default().into_owned();
        Self::Refused(status, reason)
    }

    /// Whether trying the same again can bring nothing else: the account is barred, or its password refused.
    // RFC 3261 §21.4.4: a request that was answered 403 should not be repeated; §22.1 for credentials.
    pub(super) fn is_verdict(&self) -> bool {
        let verdicts = [
            Status::UNAUTHORIZED,
            Status::FORBIDDEN,
            Status::PROXY_AUTHENTICATION_REQUIRED,
        ];
        matches!(self, Self::Refused(status, _) if verdicts.contains(status))
    }

    /// Whether it means that the peer has lost the dialog.
    // RFC 3261 §12.2.1.2: 481, 408 and no answer at all.
    pub(super) fn loses_dialog(&self) -> bool {
        match self {
            Self::Refused(status, _) => {
                [Status::DOES_NOT_EXIST, Status::REQUEST_TIMEOUT].contains(status)
            }
            Self::TimedOut => true,
            Self::NotSent | Self::NoServer => false,
        }
    }
}
