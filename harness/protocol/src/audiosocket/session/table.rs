//! The session of the serving side as a table.
//!
//! Owns what each event means in each state. Refuses time and bytes: `Session` has both.

use std::fmt;

/// Where a session is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum State {
    /// Connected; the first frame has not come.
    Waiting,
    /// The call is known and goes on.
    Up,
    /// Hanging up: the frame waits to be taken by the kernel.
    Sending,
    /// The hang-up has left; the peer is to close.
    Closing,
    /// Gone.
    Over,
}

/// What happens to a session.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Event {
    /// A UUID that is free.
    Uuid,
    /// A UUID whose leg is taken.
    Taken,
    /// Sound or a key.
    Media,
    /// The peer hangs up.
    PeerHangUp,
    /// The peer reports an error.
    PeerError,
    /// An unknown kind, or what is no frame at all.
    Unreadable,
    /// This side wants to hang up.
    HangUp,
    /// The hang-up was taken by the kernel.
    Sent,
    /// The peer has closed its direction.
    Eof,
    /// ECONNRESET or EPIPE.
    Reset,
    /// Any other error of the connection.
    Failed,
    /// The deadline of this state has come.
    Late,
}

/// What is to be done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Action {
    /// The session is known from now on.
    Open,
    /// Hand the frame to the call flow.
    Deliver,
    /// Throw away what waits to be sent, and send the hang-up.
    HangUp,
    /// Close the connection.
    Close,
    /// Reset the connection.
    Abort,
    /// Set the deadline for the next frame.
    AwaitFrame,
    /// Set the deadline for the peer's close.
    AwaitClose,
}

/// One cell: what to do, and the state after it. No action means that the event is absorbed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Row {
    /// In this order.
    pub actions: &'static [Action],
    /// The state afterwards.
    pub next: State,
}

/// An event that cannot happen in this state. Blames whoever drives the session: whatever a peer does has a cell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Illegal {
    /// The state it is and stays in.
    pub state: State,
    /// The event.
    pub event: Event,
}

/// Looks a cell up.
///
/// # Errors
/// The pair is illegal.
pub const fn step(state: State, event: Event) -> Result<Row, Illegal> {
    use Action::{Abort, AwaitClose, AwaitFrame, Close, Deliver, HangUp, Open};
    use Event as E;
    use State::{Closing, Over, Sending, Up, Waiting};
    let (actions, next): (&'static [Action], State) = match (state, event) {
        // Asterisk says first which call this is. Whoever says anything else speaks another protocol.
        (Waiting, E::Uuid) => (&[Open, AwaitFrame], Up),
        (Waiting, E::Taken | E::Media | E::PeerHangUp | E::PeerError | E::Unreadable) => {
            (&[Close], Over)
        }

        (Up, E::Media) => (&[Deliver, AwaitFrame], Up),
        (Up, E::PeerHangUp | E::PeerError | E::Unreadable | E::Uuid | E::Taken) => (&[Close], Over),
        // A peer that has gone silent may still listen: it is told.
        (Up, E::HangUp | E::Late) => (&[HangUp, AwaitClose], Sending),

        (Sending, E::Sent) => (&[], Closing),

        // What the peer had in flight when it was told is read and thrown away; so is a second wish to hang up.
        (
            Sending | Closing,
            E::Uuid
            | E::Taken
            | E::Media
            | E::PeerHangUp
            | E::PeerError
            | E::Unreadable
            | E::HangUp,
        ) => (&[], state),
        (Sending | Closing, E::Late) => (&[Abort], Over),

        (Waiting, E::Late) | (Waiting | Up | Sending | Closing, E::Eof | E::Reset | E::Failed) => {
            (&[Close], Over)
        }

        (Waiting, E::HangUp | E::Sent) | (Up | Closing, E::Sent) | (Over, _) => {
            return Err(Illegal { state, event });
        }
    };
    Ok(Row { actions, next })
}

impl State {
    /// All of them.
    pub const ALL: [Self; 5] = [
        Self::Waiting,
        Self::Up,
        Self::Sending,
        Self::Closing,
        Self::Over,
    ];
}

impl Event {
    /// All of them.
    pub const ALL: [Self; 12] = [
        Self::Uuid,
        Self::Taken,
        Self::Media,
        Self::PeerHangUp,
        Self::PeerError,
        Self::Unreadable,
        Self::HangUp,
        Self::Sent,
        Self::Eof,
        Self::Reset,
        Self::Failed,
        Self::Late,
    ];
}

impl fmt::Display for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self, f)
    }
}

impl fmt::Display for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Uuid => "UUID",
            Self::Taken => "UUID that is taken",
            Self::Media => "audio or DTMF",
            Self::PeerHangUp => "hang-up of the peer",
            Self::PeerError => "error of the peer",
            Self::Unreadable => "unreadable",
            Self::HangUp => "hang up",
            Self::Sent => "hang-up sent",
            Self::Eof => "end of file",
            Self::Reset => "reset",
            Self::Failed => "other error",
            Self::Late => "deadline",
        })
    }
}

impl fmt::Display for Action {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Open => "open",
            Self::Deliver => "deliver",
            Self::HangUp => "send hang-up",
            Self::Close => "close",
            Self::Abort => "abort",
            Self::AwaitFrame => "await frame",
            Self::AwaitClose => "await close",
        })
    }
}

impl fmt::Display for Illegal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} cannot happen in {}", self.event, self.state)
    }
}

impl std::error::Error for Illegal {}

#[cfg(test)]
mod tests {
    use super::*;

    /// One line for every state × event pair, so that a change of any cell shows.
    #[test]
    fn session_table() {
        let mut text = String::new();
        for state in State::ALL {
            text += &format!("{state}\n");
            for event in Event::ALL {
                let cell = match step(state, event) {
                    Err(_) => "illegal".to_owned(),
                    Ok(row) => line(state, row),
                };
                text += &format!("  {:<20} {cell}\n", event.to_string());
            }
        }
        insta::assert_snapshot!(text);
    }

    fn line(state: State, row: Row) -> String {
        let actions: Vec<_> = row.actions.iter().map(ToString::to_string).collect();
        let actions = match actions.len() {
            0 => "absorb".to_owned(),
            _ => actions.join(", "),
        };
        match row.next == state {
            true => actions,
            false => format!("{actions} → {}", row.next),
        }
    }

    /// What a peer or a network does must never be an error of ours.
    #[test]
    fn the_wire_never_meets_an_illegal_pair() {
        let ours = [Event::HangUp, Event::Sent];
        for state in [State::Waiting, State::Up, State::Sending, State::Closing] {
            for event in Event::ALL.into_iter().filter(|event| !ours.contains(event)) {
                assert!(step(state, event).is_ok(), "{state} {event}");
            }
        }
    }
}
