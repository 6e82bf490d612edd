//! A client of a token stream: when to connect, to wait, to give up.
//!
//! Owns report D's rules for a client. Refuses HTTP and sockets: told what arrived on which connection, it says which
//! connections to open and to close, and when to wake it.

mod rules;
mod table;

use std::fmt;

use super::{DecodeError, Event, Failure, Item, Severity, UnreadableFailure};
use crate::Instant;

pub use rules::{Backoff, ResetCounter, Rules};
pub use table::{Act, Illegal, On, Phase, Row, step};

/// The most text that is kept, in bytes: a service that never ends must not fill the client's memory.
const TEXT_MAX: usize = 1024 * 1024;

/// One connection of a client, counted from 1 over its life. What comes from one that is not the latest is ignored.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Connection(pub u32);

/// What happens to a client.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Input {
    /// Somebody asks anew.
    Ask,
    /// Somebody wants another try now.
    Retry,
    /// Somebody has had enough.
    Stop,
    /// The deadline is there.
    Due,
    /// Something came from a connection.
    From(Connection, Heard),
}

/// What comes from a connection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Heard {
    /// 200 with an event stream.
    Stream,
    /// 200 with JSON, whose body follows.
    Json,
    /// 204.
    NoContent,
    /// Another status, or 200 with another content type.
    Refused {
        /// The status.
        status: u16,
    },
    /// Something of the event stream.
    Item(Item),
    /// The text of a JSON answer.
    Whole(String),
    /// The stream or the JSON cannot be read.
    Unreadable(Unreadable),
    /// A network error, or the end of the connection.
    Lost,
}

/// Why what came cannot be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unreadable {
    /// The event stream has no end of line or of event.
    Stream(DecodeError),
    /// The error event says nothing.
    Failure(UnreadableFailure),
    /// The JSON answer has no text.
    Json,
    /// More text than is kept.
    TooLong,
}

/// What a client wants done, or says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Effect {
    /// Open a connection and ask; with Last-Event-ID, if it is not empty.
    Connect {
        /// What to call it.
        connection: Connection,
        /// Last-Event-ID.
        last_id: String,
    },
    /// Close a connection, at once.
    Close(Connection),
    /// The service said that something was not as it should be, and goes on.
    Warned(Failure),
    /// The service could not go on.
    Failed(Failure),
    /// Waits before another try.
    Waits {
        /// Which try it will be, from 1.
        attempt: u32,
        /// When.
        until: Instant,
    },
    /// A state was left for another.
    Moved {
        /// The state it left.
        from: Phase,
        /// The state it entered.
        to: Phase,
        /// What made it move.
        on: On,
    },
    /// It is over, for now.
    Ended(Ending),
}

/// How it ended. What is shown is [`Client::text`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ending {
    /// The text is all there is.
    Complete,
    /// It is not, and whoever reads it must be told.
    GaveUp(Reason),
}

/// Why a client gave up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reason {
    /// Every try failed.
    Attempts(u32),
    /// Nothing came for too long.
    Idle,
    /// The service cannot do it.
    Failure(Failure),
    /// 204: there is nothing, and there will be nothing.
    NoContent,
    /// Another status, or 200 with another content type.
    Refused(u16),
    /// What came cannot be read.
    Unreadable(Unreadable),
    /// Somebody had enough.
    Stopped,
}

/// The client of one service: one question at a time, and never two connections at once.
#[derive(Clone, Debug)]
pub struct Client {
    rules: Rules,
    phase: Phase,
    connections: u32,
    current: Option<Connection>,
    attempts: u32,
    base: u64,
    last_id: String,
    resumed_from: String,
    text: String,
    deadline: Option<Instant>,
    failed: Option<Reason>,
}

impl Client {
    /// A client that was not asked anything yet.
    #[must_use]
    pub fn new(rules: Rules) -> Self {
        Self {
            base: rules.backoff.first,
            rules,
            phase: Phase::Idle,
            connections: 0,
            current: None,
            attempts: 0,
            last_id: String::new(),
            resumed_from: String::new(),
            text: String::new(),
            deadline: None,
            failed: None,
        }
    }

    /// What is shown.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Where it stands.
    #[must_use]
    pub fn phase(&self) -> Phase {
        self.phase
    }

    /// When it wants [`Input::Due`].
    #[must_use]
    pub fn deadline(&self) -> Option<Instant> {
        self.deadline
    }

    /// Takes one input and appends what follows from it.
    ///
    /// # Errors
    /// The input cannot happen where the client stands: whoever drives it is wrong. Nothing has changed.
    pub fn handle(
        &mut self,
        now: Instant,
        input: Input,
        effects: &mut Vec<Effect>,
    ) -> Result<(), Illegal> {
        match input {
            Input::From(connection, heard) if self.current == Some(connection) => {
                self.hear(now, heard, effects)
            }
            Input::From(..) => Ok(()),
            Input::Ask => self.take(now, On::Ask, effects),
            Input::Retry => self.take(now, On::Retry, effects),
            Input::Stop => self.fail(now, On::Stop, Reason::Stopped, effects),
            Input::Due if self.deadline.is_none_or(|due| now < due) => Ok(()),
            Input::Due => self.fail(now, On::Due, Reason::Idle, effects),
        }
    }

    /// Something after which it may have to give up for that reason.
    fn fail(
        &mut self,
        now: Instant,
        on: On,
        reason: Reason,
        effects: &mut Vec<Effect>,
    ) -> Result<(), Illegal> {
        self.failed = Some(reason);
        self.take(now, on, effects)
    }

    fn hear(
        &mut self,
        now: Instant,
        heard: Heard,
        effects: &mut Vec<Effect>,
    ) -> Result<(), Illegal> {
        let on = match heard {
            Heard::Stream => On::Stream,
            Heard::Json => On::Json,
            Heard::Lost => On::Lost,
            Heard::Item(Item::Event(event)) => return self.event(now, &event, effects),
            // "retry" and an id on its own are no events: they are noted, and time runs on.
            Heard::Item(Item::Retry(base)) => {
                self.base = base;
                return Ok(());
            }
            Heard::Item(Item::Id(id)) => {
                self.last_id = id;
                return Ok(());
            }
            Heard::Whole(text) => {
                self.text = text;
                On::Whole
            }
            Heard::NoContent => return self.fail(now, On::NoContent, Reason::NoContent, effects),
            Heard::Refused { status } => {
                return self.fail(now, On::Refused, Reason::Refused(status), effects);
            }
            Heard::Unreadable(why) => {
                return self.fail(now, On::Unreadable, Reason::Unreadable(why), effects);
            }
        };
        self.take(now, on, effects)
    }

    /// A complete event: whatever it is, the service is there.
    fn event(
        &mut self,
        now: Instant,
        event: &Event,
        effects: &mut Vec<Effect>,
    ) -> Result<(), Illegal> {
        self.deadline = self.rules.idle.map(|idle| now + idle);
        event.last_id.clone_into(&mut self.last_id);
        let on = match event.name.as_str() {
            "init" => On::Init,
            "done" => On::Done,
            "message" => self.token(event),
            "error" => self.failure(&event.data, effects),
            // An event that nobody knows is none of this client's business.
            _ => return Ok(()),
        };
        self.take(now, on, effects)
    }

    fn token(&mut self, event: &Event) -> On {
        if self.text.len() + event.data.len() > TEXT_MAX {
            self.failed = Some(Reason::Unreadable(Unreadable::TooLong));
            return On::Unreadable;
        }
        self.text.push_str(&event.data);
        // What the stream was resumed after is known already.
        let known = !event.last_id.is_empty() && event.last_id == self.resumed_from;
        if known { On::OldToken } else { On::Token }
    }

    fn failure(&mut self, data: &str, effects: &mut Vec<Effect>) -> On {
        match Failure::read(data) {
            Ok(failure) if failure.severity == Severity::Warning => {
                effects.push(Effect::Warned(failure));
                On::Warning
            }
            Ok(failure) if failure.recoverable => {
                effects.push(Effect::Failed(failure));
                On::Recoverable
            }
            Ok(failure) => {
                effects.push(Effect::Failed(failure.clone()));
                self.failed = Some(Reason::Failure(failure));
                On::Unrecoverable
            }
            Err(why) => {
                self.failed = Some(Reason::Unreadable(Unreadable::Failure(why)));
                On::Unreadable
            }
        }
    }

    fn take(&mut self, now: Instant, on: On, effects: &mut Vec<Effect>) -> Result<(), Illegal> {
        let mut row = step(self.phase, on)?;
        if self.rules.counter == ResetCounter::OnEveryTry {
            self.attempts = 0;
        }
        if row.acts.contains(&Act::BackOff) && self.is_exhausted() {
            self.failed = Some(Reason::Attempts(self.attempts));
            row = Row {
                next: Phase::GivenUp,
                acts: &[Act::Close, Act::GiveUp],
            };
        }
        if row.next != self.phase {
            let (from, to) = (self.phase, row.next);
            effects.push(Effect::Moved { from, to, on });
        }
        self.phase = row.next;
        for act in row.acts {
            self.act(now, *act, effects);
        }
        Ok(())
    }

    fn act(&mut self, now: Instant, act: Act, effects: &mut Vec<Effect>) {
        match act {
            Act::Forget => {
                self.text.clear();
                self.last_id.clear();
                self.base = self.rules.backoff.first;
            }
            Act::Clear => {
                self.text.clear();
                self.last_id.clear();
            }
            Act::StartCounting => self.attempts = 0,
            Act::Count(event) if self.rules.counter.is_reset_by(event) => self.attempts = 0,
            Act::Count(_) => {}
            Act::Connect => self.connect(now, effects),
            Act::Close => effects.extend(self.current.take().map(Effect::Close)),
            Act::BackOff => self.back_off(now, effects),
            Act::Finish => self.end(Ending::Complete, effects),
            Act::GiveUp => {
                let reason = self.failed.take().unwrap_or(Reason::Stopped);
                self.end(Ending::GaveUp(reason), effects);
            }
        }
    }

    fn connect(&mut self, now: Instant, effects: &mut Vec<Effect>) {
        self.connections += 1;
        let connection = Connection(self.connections);
        self.current = Some(connection);
        self.deadline = self.rules.idle.map(|idle| now + idle);
        if !self.rules.resumes {
            self.last_id.clear();
        }
        self.last_id.clone_into(&mut self.resumed_from);
        effects.push(Effect::Connect {
            connection,
            last_id: self.last_id.clone(),
        });
    }

    fn is_exhausted(&self) -> bool {
        self.rules.attempts.is_some_and(|max| self.attempts >= max)
    }

    fn back_off(&mut self, now: Instant, effects: &mut Vec<Effect>) {
        let until = now + self.rules.backoff.delay(self.base, self.attempts);
        self.attempts = self.attempts.saturating_add(1);
        self.deadline = Some(until);
        effects.push(Effect::Waits {
            attempt: self.attempts,
            until,
        });
    }

    fn end(&mut self, ending: Ending, effects: &mut Vec<Effect>) {
        self.deadline = None;
        effects.push(Effect::Ended(ending));
    }
}

impl fmt::Display for Unreadable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Stream(error) => error.fmt(f),
            Self::Failure(error) => error.fmt(f),
            Self::Json => f.write_str("a JSON answer without a text"),
            Self::TooLong => write!(f, "more than {TEXT_MAX} bytes of text"),
        }
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Attempts(count) => write!(f, "{count} attempts failed"),
            Self::Idle => f.write_str("nothing came for too long"),
            Self::Failure(failure) => write!(f, "{}: {}", failure.kind.as_str(), failure.message),
            Self::NoContent => f.write_str("the service has nothing to say"),
            Self::Refused(status) => write!(f, "refused with {status}"),
            Self::Unreadable(why) => write!(f, "unreadable: {why}"),
            Self::Stopped => f.write_str("stopped"),
        }
    }
}

#[cfg(test)]
mod tests;
