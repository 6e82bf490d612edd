//! One transaction's state and timers.
//!
//! Owns when each timer is due, and walks the tables. Refuses messages: it says that something is to be sent, the layer
//! knows what.

use std::time::Duration;

use super::{Action, Event, Illegal, Kind, State, Timer, Timers, step};
use crate::Instant;

/// A running transaction without its messages.
#[derive(Clone, Debug)]
pub struct Machine {
    kind: Kind,
    state: State,
    timers: Timers,
    reliable: bool,
    running: Vec<Running>,
    /// The latest interval of A, E or G; a transaction has at most one of them.
    interval: Duration,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Running {
    at: Instant,
    timer: Timer,
}

/// What a machine did or wants done, in order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Effect {
    /// The state changed.
    Entered {
        /// The state before.
        from: State,
        /// The state now.
        to: State,
        /// What changed it.
        on: Event,
    },
    /// An action other than those on timers.
    Do(Action),
    /// A timer was set.
    TimerSet(Timer, Instant),
    /// A timer ran out.
    TimerFired(Timer),
    /// A timer was stopped before it ran out.
    TimerCancelled(Timer),
    /// Nobody answered before this timer ran out.
    TimedOut(Timer),
}

impl Machine {
    /// A machine in its initial state. `reliable` is what the transport is: TCP and its kin are, UDP is not.
    #[must_use]
    pub fn new(kind: Kind, timers: Timers, reliable: bool) -> Self {
        Self {
            kind,
            state: State::Initial,
            timers,
            reliable,
            running: Vec::new(),
            interval: Duration::ZERO,
        }
    }

    /// Which machine it is.
    #[must_use]
    pub fn kind(&self) -> Kind {
        self.kind
    }

    /// The state it is in.
    #[must_use]
    pub fn state(&self) -> State {
        self.state
    }

    /// When the next timer runs out; `None` if none runs.
    #[must_use]
    pub fn deadline(&self) -> Option<Instant> {
        self.running.iter().min().map(|next| next.at)
    }

    /// Whether its work is done, and it only stays to recognise repeats.
    #[must_use]
    pub fn lingers(&self) -> bool {
        self.running
            .iter()
            .all(|running| running.timer.only_lingers())
    }

    /// Back to its initial state, for an unreliable transport: it begins anew (RFC 3261 §18.1.1).
    pub fn fall_back(&mut self, out: &mut Vec<Effect>) {
        self.reliable = false;
        self.state = State::Initial;
        let stopped = self.running.drain(..);
        out.extend(stopped.map(|running| Effect::TimerCancelled(running.timer)));
    }

    /// Lets something happen.
    ///
    /// # Errors
    /// The event cannot happen in this state; nothing has changed then.
    pub fn apply(
        &mut self,
        now: Instant,
        event: Event,
        out: &mut Vec<Effect>,
    ) -> Result<(), Illegal> {
        let mut next = Some(event);
        while let Some(event) = next {
            next = self.walk(now, event, out)?;
        }
        Ok(())
    }

    /// Lets every timer run out that is due, earliest first. Each runs out at most once: one that it sets again is due
    /// later, if time is not at its end.
    pub fn expire(&mut self, now: Instant, out: &mut Vec<Effect>) {
        let mut last = None;
        let due = |running: &&Running, last| running.at <= now && Some(**running) > last;
        while let Some(next) = self
            .running
            .iter()
            .filter(|it| due(it, last))
            .min()
            .copied()
        {
            last = Some(next);
            let timer = next.timer;
            self.running.retain(|running| running.timer != timer);
            out.push(Effect::TimerFired(timer));
            // A table that sets a timer in a state has a cell for it there, or stops it on the way out.
            let outcome = self.apply(now, Event::Fired(timer), out);
            debug_assert_eq!(outcome, Ok(()));
        }
    }

    /// Goes through one cell. A timer of no length has run out as it is set: that event is returned.
    fn walk(
        &mut self,
        now: Instant,
        event: Event,
        out: &mut Vec<Effect>,
    ) -> Result<Option<Event>, Illegal> {
        let row = step(self.kind, self.state, event)?;
        if row.next != self.state {
            out.push(Effect::Entered {
                from: self.state,
                to: row.next,
                on: event,
            });
            self.state = row.next;
        }
        let mut at_once = None;
        for action in row.actions {
            let over = self.perform(now, *action, event, out);
            at_once = at_once.or(over);
        }
        if self.state == State::Terminated {
            out.extend(
                self.running
                    .drain(..)
                    .map(|running| Effect::TimerCancelled(running.timer)),
            );
        }
        Ok(at_once)
    }

    fn perform(
        &mut self,
        now: Instant,
        action: Action,
        event: Event,
        out: &mut Vec<Effect>,
    ) -> Option<Event> {
        match (action, event) {
            (Action::Set(timer), _) => match self.timers.length(timer, self.reliable) {
                Some(Duration::ZERO) => return Some(Event::Fired(timer)),
                Some(length) => self.set(now, timer, length, out),
                None => {}
            },
            (Action::Double(timer), _) => {
                self.set(now, timer, self.timers.doubled(timer, self.interval), out);
            }
            (Action::Slow(timer), _) => self.set(now, timer, self.timers.t2, out),
            (Action::Stop(timer), _) => self.stop(timer, out),
            (Action::TimedOut, Event::Fired(timer)) => out.push(Effect::TimedOut(timer)),
            (other, _) => out.push(Effect::Do(other)),
        }
        None
    }

    fn set(&mut self, now: Instant, timer: Timer, length: Duration, out: &mut Vec<Effect>) {
        if matches!(timer, Timer::A | Timer::E | Timer::G) {
            self.interval = length;
        }
        // A retransmission that is due at once would be due for ever.
        let at = now + length.max(Duration::from_micros(1));
        self.running.retain(|running| running.timer != timer);
        self.running.push(Running { at, timer });
        out.push(Effect::TimerSet(timer, at));
    }

    fn stop(&mut self, timer: Timer, out: &mut Vec<Effect>) {
        let before = self.running.len();
        self.running.retain(|running| running.timer != timer);
        if self.running.len() < before {
            out.push(Effect::TimerCancelled(timer));
        }
    }
}

#[cfg(test)]
mod tests;
