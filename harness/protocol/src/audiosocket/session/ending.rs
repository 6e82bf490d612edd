//! How a session can end.

use super::super::{Frame, FrameError, Uuid};
use super::State;

/// Who wanted to hang up.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Asker {
    /// The call flow.
    Flow,
    /// Somebody from outside, who waits for an answer.
    Request,
}

/// What went wrong with a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Failure {
    /// ECONNRESET, or EPIPE: the peer is gone.
    Reset,
    /// Anything else.
    Other,
}

/// How a session ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ending {
    /// The first frame was not a UUID.
    WrongFirstFrame(Frame),
    /// Another connection is this leg of that call.
    Taken(Uuid),
    /// A second UUID, or a kind that is not known.
    WrongFrame(Frame),
    /// What came was no frame.
    NoFrame(FrameError),
    /// The peer hung up.
    PeerHungUp,
    /// The peer reported an error.
    PeerError(u8),
    /// No first frame came in time.
    NoFirstFrame,
    /// The peer closed the connection without a hang-up.
    ClosedByPeer,
    /// The connection broke without a hang-up.
    Broken(Failure),
    /// Hanging up found the connection reset or closed already, or another error.
    NotSent(Asker, Failure),
    /// The peer closed after the hang-up.
    Closed,
    /// The connection broke after the hang-up.
    BrokenAfterHangUp(Failure),
    /// The peer did not close in time.
    CloseTimedOut,
}

impl Ending {
    /// By a frame that has no place in that state.
    pub(super) fn of_frame(state: State, frame: Frame) -> Self {
        match (state, frame) {
            (State::Waiting, Frame::Uuid(uuid)) => Self::Taken(uuid),
            (State::Waiting, frame) => Self::WrongFirstFrame(frame),
            (_, Frame::HangUp) => Self::PeerHungUp,
            (_, Frame::Error(code)) => Self::PeerError(code),
            (_, frame) => Self::WrongFrame(frame),
        }
    }

    /// By the deadline of that state.
    pub(super) const fn late(state: State) -> Self {
        match state {
            State::Waiting => Self::NoFirstFrame,
            _ => Self::CloseTimedOut,
        }
    }

    /// By the peer's end of file in that state.
    pub(super) const fn eof(state: State, asker: Asker) -> Self {
        match state {
            // A FIN that is there already counts as a reset: the call is over.
            State::Sending => Self::NotSent(asker, Failure::Reset),
            State::Closing => Self::Closed,
            _ => Self::ClosedByPeer,
        }
    }

    /// By an error in that state.
    pub(super) const fn failed(state: State, asker: Asker, failure: Failure) -> Self {
        match state {
            State::Sending => Self::NotSent(asker, failure),
            State::Closing => Self::BrokenAfterHangUp(failure),
            _ => Self::Broken(failure),
        }
    }
}
