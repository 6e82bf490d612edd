//! The client's rules as a table: where it stands, what happens, what follows.

use std::fmt;

/// Where a client stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Phase {
    /// It was not asked anything.
    Idle,
    /// It connects, or waits for the answer's head.
    Connecting,
    /// An event stream has begun, without an `init` so far.
    Open,
    /// The `init` came, but no new token.
    Started,
    /// New tokens come.
    Flowing,
    /// A JSON answer comes.
    Reading,
    /// It waits before it reconnects.
    Waiting,
    /// It has the whole answer.
    Complete,
    /// It has not, and tries no more.
    GivenUp,
}

/// What can happen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum On {
    /// Somebody asks anew.
    Ask,
    /// Somebody wants another try now.
    Retry,
    /// Somebody has had enough.
    Stop,
    /// The deadline is there: of the silence, or of the wait.
    Due,
    /// 200 with an event stream.
    Stream,
    /// 200 with JSON.
    Json,
    /// 204.
    NoContent,
    /// Another status or content type.
    Refused,
    /// `event: init`.
    Init,
    /// A token.
    Token,
    /// The token that the stream was resumed after, once more.
    OldToken,
    /// `event: error` of severity warning.
    Warning,
    /// Another `event: error` that says recoverable.
    Recoverable,
    /// Another `event: error`.
    Unrecoverable,
    /// `event: done`.
    Done,
    /// The JSON answer is there.
    Whole,
    /// What came cannot be read.
    Unreadable,
    /// A network error, or the end of the connection.
    Lost,
}

/// What a client does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Act {
    /// Forget the question before: its text, its ids, its service's `retry:`.
    Forget,
    /// Take back what is shown, and with it the place to resume from.
    Clear,
    /// Set the counter of attempts to zero.
    StartCounting,
    /// Set it to zero if the policy wants that here.
    Count(On),
    /// Connect.
    Connect,
    /// Close the connection.
    Close,
    /// Wait for the next try, or give up if all were had.
    BackOff,
    /// The answer is complete.
    Finish,
    /// It never will be.
    GiveUp,
}

/// What follows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Row {
    /// The state that it comes to.
    pub next: Phase,
    /// What it does, in order.
    pub acts: &'static [Act],
}

/// Something that cannot happen in that state: whoever drives the client is wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Illegal {
    /// The state.
    pub phase: Phase,
    /// What was said to happen.
    pub on: On,
}

/// The table.
///
/// # Errors
/// That cannot happen there.
pub fn step(phase: Phase, on: On) -> Result<Row, Illegal> {
    use Act::{BackOff, Clear, Close, Connect, Count, Finish, Forget, GiveUp, StartCounting};
    use Phase::{Complete, Connecting, Flowing, GivenUp, Idle, Open, Reading, Started, Waiting};
    let row = |next, acts| Ok(Row { next, acts });
    match (phase, on) {
        // One question at a time: a second one waits for nobody and is refused by whoever asks.
        (Idle | Complete | GivenUp, On::Ask) => row(Connecting, &[Forget, StartCounting, Connect]),
        (_, On::Ask) => row(phase, &[]),

        // By hand only where nothing goes on by itself: never two connections at once.
        (Waiting | GivenUp, On::Retry) => row(Connecting, &[StartCounting, Connect]),
        (_, On::Retry) => row(phase, &[]),

        (Connecting | Open | Started | Flowing | Reading | Waiting, On::Stop) => {
            row(GivenUp, &[Close, GiveUp])
        }
        (_, On::Stop) => row(phase, &[]),

        // Thirty seconds without an event; or the wait is over.
        (Connecting | Open | Started | Flowing | Reading, On::Due) => {
            row(GivenUp, &[Close, GiveUp])
        }
        (Waiting, On::Due) => row(Connecting, &[Connect]),

        (Connecting, On::Stream) => row(Open, &[]),
        (Connecting, On::Json) => row(Reading, &[]),
        (Connecting, On::NoContent | On::Refused) => row(GivenUp, &[Close, GiveUp]),

        (Open | Started | Flowing, On::Init) => row(Started, &[Count(On::Init)]),
        // The counter goes back at the first new token after an init, not at the init itself: an error after each
        // init would reconnect for ever.
        (Started, On::Token) => row(Flowing, &[Count(On::Token)]),
        (Open | Flowing, On::Token) => row(phase, &[]),
        (Open | Started | Flowing, On::OldToken | On::Warning) => row(phase, &[]),
        // The text stays.
        (Open | Started | Flowing, On::Recoverable) => row(Waiting, &[Close, BackOff]),
        (Open | Started | Flowing, On::Unrecoverable) => row(GivenUp, &[Close, Clear, GiveUp]),
        (Open | Started | Flowing, On::Done) => row(Complete, &[Close, Finish]),

        (Reading, On::Whole) => row(Complete, &[Close, Finish]),
        (Connecting | Open | Started | Flowing | Reading, On::Unreadable) => {
            row(GivenUp, &[Close, GiveUp])
        }
        // The end of the connection without `done` is no end of the answer.
        (Connecting | Open | Started | Flowing | Reading, On::Lost) => {
            row(Waiting, &[Close, BackOff])
        }
        _ => Err(Illegal { phase, on }),
    }
}

impl Phase {
    /// Every phase.
    pub const ALL: [Self; 9] = [
        Self::Idle,
        Self::Connecting,
        Self::Open,
        Self::Started,
        Self::Flowing,
        Self::Reading,
        Self::Waiting,
        Self::Complete,
        Self::GivenUp,
    ];

    /// Its name in records.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Idle => "idle",
            Self::Connecting => "connecting",
            Self::Open => "open",
            Self::Started => "started",
            Self::Flowing => "flowing",
            Self::Reading => "reading",
            Self::Waiting => "waiting",
            Self::Complete => "complete",
            Self::GivenUp => "given up",
        }
    }
}

impl On {
    /// Everything that can happen.
    pub const ALL: [Self; 18] = [
        Self::Ask,
        Self::Retry,
        Self::Stop,
        Self::Due,
        Self::Stream,
        Self::Json,
        Self::NoContent,
        Self::Refused,
        Self::Init,
        Self::Token,
        Self::OldToken,
        Self::Warning,
        Self::Recoverable,
        Self::Unrecoverable,
        Self::Done,
        Self::Whole,
        Self::Unreadable,
        Self::Lost,
    ];

    /// Its name in records.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Ask => "ask",
            Self::Retry => "retry",
            Self::Stop => "stop",
            Self::Due => "due",
            Self::Stream => "stream",
            Self::Json => "json",
            Self::NoContent => "no content",
            Self::Refused => "refused",
            Self::Init => "init",
            Self::Token => "token",
            Self::OldToken => "old token",
            Self::Warning => "warning",
            Self::Recoverable => "recoverable error",
            Self::Unrecoverable => "unrecoverable error",
            Self::Done => "done",
            Self::Whole => "whole",
            Self::Unreadable => "unreadable",
            Self::Lost => "lost",
        }
    }
}

impl fmt::Display for Illegal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} cannot happen while {}",
            self.on.name(),
            self.phase.name()
        )
    }
}

impl std::error::Error for Illegal {}
