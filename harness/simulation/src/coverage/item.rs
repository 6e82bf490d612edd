//! The things that are counted.

use std::fmt;

use linefault_actors::checkpoint::{self, Checkpoint, Group};
use linefault_network as network;
use linefault_protocol::sip::transaction::{Event, Kind, State, Timer, step};

use super::MessageKind;
use crate::injection;

/// One thing that a run may have tried.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Item {
    /// A fault of that kind began.
    Armed(FaultKind),
    /// A fault of that kind began and touched no message.
    Missed(FaultKind),
    /// A fault of that kind began, and in the same run such a message was sent that it could have touched.
    Chance(FaultKind, MessageKind),
    /// A fault of that kind touched a message of that kind: lost it, altered it, refused to send it, answered it with an
    /// error; or broke the host that sent or got it last.
    Touched(FaultKind, MessageKind),
    /// A transaction of that machine came to that state.
    State(Kind, State),
    /// A timer of that name was set.
    Set(Timer),
    /// A timer of that name fired in that state of that machine.
    Fired(Kind, State, Timer),
    /// The group of checkpoints of that place was there: a host had one of its actors.
    Group(u16),
    /// A program came by the checkpoint of that place; of one that says "sometimes", with its condition met.
    Checkpoint(u16),
}

/// A kind of fault: one of the network's catalogue, or a failure of a host's own program.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FaultKind(u8);

impl FaultKind {
    /// All of them, in the order of the catalogue.
    pub fn all() -> impl Iterator<Item = Self> {
        (0..=network::fault::CATALOGUE.len()).filter_map(|place| u8::try_from(place).ok().map(Self))
    }

    /// The kind of that name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::all().find(|kind| kind.name() == name)
    }

    /// What scenario files call it.
    #[must_use]
    pub fn name(self) -> &'static str {
        self.entry().map_or(injection::NAME, |entry| entry.name)
    }

    /// Whether a fault of that kind can touch that kind of message, sent over TCP or not. What undoes other faults
    /// touches none.
    #[must_use]
    pub fn can_touch(self, over_tcp: bool) -> bool {
        let acts = self.entry().map(|entry| entry.acts);
        // The two whose very description is a TCP connection's.
        let of_connections = matches!(self.name(), "reset" | "stall");
        acts != Some(network::fault::Acts::Faults) && (over_tcp || !of_connections)
    }

    fn entry(self) -> Option<&'static network::fault::Entry> {
        network::fault::CATALOGUE.get(usize::from(self.0))
    }
}

impl fmt::Display for FaultKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// All checkpoints, each with its place and its group's.
pub(super) fn checkpoints() -> impl Iterator<Item = (u16, u16, &'static Group, &'static Checkpoint)>
{
    let groups = (0..).zip(checkpoint::CATALOGUE);
    let all = groups
        .flat_map(|(place, group)| group.checkpoints.iter().map(move |it| (place, group, it)));
    (0..)
        .zip(all)
        .map(|(place, (group, of, checkpoint))| (place, group, of, checkpoint))
}

/// The states that the machine can come to, as its table says: those that some cell leads to.
pub(super) fn states(kind: Kind) -> impl Iterator<Item = State> {
    State::ALL.into_iter().filter(move |state| {
        let mut cells = State::ALL.into_iter().flat_map(|from| {
            Event::ALL
                .into_iter()
                .map(move |event| step(kind, from, event))
        });
        cells.any(|cell| cell.is_ok_and(|row| row.next == *state))
    })
}

/// Whether the timer can fire in that state, as the machine's table says.
pub(super) fn can_fire(kind: Kind, state: State, timer: Timer) -> bool {
    match timer {
        // RFC 3261 §16.8: the proxy's own, beside the machine. Before a provisional response Timer B is earlier.
        Timer::C => (kind, state) == (Kind::InviteClient, State::Proceeding),
        _ => step(kind, state, Event::Fired(timer)).is_ok(),
    }
}
