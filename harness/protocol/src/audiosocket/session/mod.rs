//! One connection as the serving side lives it.
//!
//! Owns what a frame, an error or a deadline means for the connection. Refuses sockets, queues and log lines: it says what
//! to do and how it ended, and the actor does and logs it.

mod ending;
mod table;
#[cfg(test)]
mod tests;

use std::time::Duration;

use bytes::Bytes;

use super::{Decoder, Frame, Uuid};
use crate::Instant;

pub use ending::{Asker, Ending, Failure};
pub use table::{Action, Event, Illegal, Row, State, step};

/// A connection, from accept to close.
#[derive(Debug)]
pub struct Session {
    timing: Timing,
    decoder: Decoder,
    state: State,
    asker: Asker,
    deadline: Option<Instant>,
}

/// How long a session waits; `None` is for ever.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Timing {
    /// From the connection to the first whole frame.
    pub first_frame: Option<Duration>,
    /// From one whole frame to the next. Bytes of a frame that never becomes whole do not count.
    pub next_frame: Option<Duration>,
    /// From the wish to hang up to the peer's close.
    pub close: Option<Duration>,
}

/// What a session is told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Input {
    /// The first input: it is connected.
    Connected,
    /// Bytes were read.
    Bytes(Bytes),
    /// The peer has closed its direction.
    Eof,
    /// Reading or writing failed.
    Failed(Failure),
    /// Somebody wants to hang up.
    HangUp(Asker),
    /// The hang-up was taken by the kernel.
    Sent,
    /// The deadline may be there.
    Wake,
}

/// What a session wants done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Output {
    /// The session is known by this call from now on.
    Open(Uuid),
    /// Audio or DTMF for the call flow.
    Media(Frame),
    /// Throw away what waits to be sent, but for the rest of a frame that is partly gone, and send the hang-up.
    HangUp,
    /// The peer was silent for too long, and is hung up on.
    Silent,
    /// It is over: close the connection.
    Close(Ending),
    /// It is over: reset the connection.
    Abort(Ending),
}

/// What a session is given with an input: the time, whether a call's leg is free, and a place for its outputs.
pub struct Context<'a> {
    /// The present moment.
    pub now: Instant,
    /// Whether nobody else is this leg of that call.
    pub is_free: &'a dyn Fn(Uuid) -> bool,
    /// What it wants done, in order.
    pub outputs: &'a mut Vec<Output>,
}

/// What a driver needs of a session, so that something can stand between the two.
pub trait Machine {
    /// Takes one input and leaves what is to be done in the context.
    fn handle(&mut self, input: Input, cx: &mut Context<'_>);

    /// When it wants to be woken.
    fn deadline(&self) -> Option<Instant>;
}

impl Session {
    /// A session before [`Input::Connected`].
    #[must_use]
    pub fn new(timing: Timing) -> Self {
        Self {
            timing,
            decoder: Decoder::new(),
            state: State::Waiting,
            asker: Asker::Flow,
            deadline: None,
        }
    }

    /// Where it is.
    #[must_use]
    pub const fn state(&self) -> State {
        self.state
    }

    /// Whether a frame still means anything: neither hanging up nor over.
    const fn listens(&self) -> bool {
        matches!(self.state, State::Waiting | State::Up)
    }

    fn read(&mut self, bytes: &[u8], cx: &mut Context<'_>) {
        if !self.listens() {
            return;
        }
        self.decoder.push(bytes);
        while self.listens() {
            match self.decoder.next() {
                Ok(None) => return,
                Ok(Some(frame)) => self.frame(frame, cx),
                Err(error) => self.apply(Event::Unreadable, || Ending::NoFrame(error), cx),
            }
        }
        self.decoder = Decoder::new();
    }

    fn frame(&mut self, frame: Frame, cx: &mut Context<'_>) {
        let event = match &frame {
            Frame::Uuid(uuid) if (cx.is_free)(*uuid) => Event::Uuid,
            Frame::Uuid(_) => Event::Taken,
            Frame::Audio { .. } | Frame::Dtmf(_) => Event::Media,
            Frame::HangUp => Event::PeerHangUp,
            Frame::Error(_) => Event::PeerError,
            Frame::Unknown { .. } => Event::Unreadable,
        };
        match (self.state, event, frame) {
            (State::Waiting, Event::Uuid, Frame::Uuid(uuid)) => {
                cx.outputs.push(Output::Open(uuid));
                self.apply(event, || Ending::Taken(uuid), cx);
            }
            (State::Up, Event::Media, frame) => {
                cx.outputs.push(Output::Media(frame));
                self.apply(event, || Ending::PeerHungUp, cx);
            }
            (state, _, frame) => self.apply(event, || Ending::of_frame(state, frame), cx),
        }
    }

    /// Takes a step; `ending` says how the session ended, if that is what the step does.
    fn apply(&mut self, event: Event, ending: impl FnOnce() -> Ending, cx: &mut Context<'_>) {
        // An illegal pair is the driver's mistake; the session stays as it is.
        let Ok(Row { actions, next }) = step(self.state, event) else {
            return;
        };
        self.state = next;
        if next == State::Over {
            self.deadline = None;
        }
        let mut ending = Some(ending);
        for action in actions {
            match action {
                // The frame itself is the output.
                Action::Open | Action::Deliver => {}
                Action::HangUp => cx.outputs.push(Output::HangUp),
                Action::AwaitFrame => self.deadline = self.timing.next_frame.map(|it| cx.now + it),
                Action::AwaitClose => self.deadline = self.timing.close.map(|it| cx.now + it),
                Action::Close => {
                    let ending = ending.take().map(|ending| Output::Close(ending()));
                    cx.outputs.extend(ending);
                }
                Action::Abort => {
                    let ending = ending.take().map(|ending| Output::Abort(ending()));
                    cx.outputs.extend(ending);
                }
            }
        }
    }

    fn wake(&mut self, cx: &mut Context<'_>) {
        if self.deadline.is_none_or(|deadline| deadline > cx.now) {
            return;
        }
        let state = self.state;
        if state == State::Up {
            self.asker = Asker::Flow;
            cx.outputs.push(Output::Silent);
        }
        self.apply(Event::Late, || Ending::late(state), cx);
    }
}

impl Machine for Session {
    fn handle(&mut self, input: Input, cx: &mut Context<'_>) {
        let (state, asker) = (self.state, self.asker);
        match input {
            Input::Connected => {
                self.deadline = self.timing.first_frame.map(|wait| cx.now + wait);
            }
            Input::Bytes(bytes) => self.read(&bytes, cx),
            Input::Eof => self.apply(Event::Eof, || Ending::eof(state, asker), cx),
            Input::Failed(failure) => {
                let event = match failure {
                    Failure::Reset => Event::Reset,
                    Failure::Other => Event::Failed,
                };
                self.apply(event, || Ending::failed(state, asker, failure), cx);
            }
            Input::HangUp(asker) => {
                if state == State::Up {
                    self.asker = asker;
                }
                self.apply(Event::HangUp, || Ending::PeerHungUp, cx);
            }
            Input::Sent => self.apply(Event::Sent, || Ending::PeerHungUp, cx),
            Input::Wake => self.wake(cx),
        }
    }

    fn deadline(&self) -> Option<Instant> {
        self.deadline
    }
}
