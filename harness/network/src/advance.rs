//! The loop: deliver what is due, poll who was woken, until nothing moves; then jump.

use std::fmt;

use crate::state::{Happening, State};
use crate::{HostId, Instant, Network};

/// What a call of [`Network::advance`] came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Advance {
    /// One instant is done with.
    Moved,
    /// Nothing is due by the limit, and that is what the time is now.
    Limit,
    /// Nothing is scheduled at all; time stands still.
    Idle,
    /// One instant does not end.
    Stuck(Stuck),
}

/// More polls and events within one instant than the limit allows: a livelock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stuck {
    /// The instant.
    pub at: Instant,
    /// The limit.
    pub limit: u64,
    /// The host that was polled last.
    pub host: Option<HostId>,
}

impl fmt::Display for Stuck {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} polls and events at {} and no end",
            self.limit, self.at
        )
    }
}

impl std::error::Error for Stuck {}

impl Network {
    /// Handles one instant completely: the present one if something is left of it, else the next one that is due by
    /// `limit`.
    ///
    /// A task that never yields hangs the call; a task that wakes itself for ever gives [`Advance::Stuck`], and one of a
    /// foreign host hangs it.
    ///
    /// # Panics
    /// When called from within itself, by code on a host or a control event.
    pub fn advance(&self, limit: Instant) -> Advance {
        let next = self.next_event();
        #[cfg(feature = "foreign")]
        {
            let until = next.map_or(limit, |at| at.min(limit));
            if let Some(at) = self.foreign_stop(until) {
                self.0.with(|state| state.move_to(at));
                return self.settle().map_or(Advance::Moved, Advance::Stuck);
            }
        }
        match next {
            #[cfg(feature = "foreign")]
            None if self.has_foreign() => {
                self.0.with(|state| state.move_to(limit));
                return Advance::Limit;
            }
            None => return Advance::Idle,
            Some(at) if at > limit => {
                self.0.with(|state| state.move_to(limit));
                return Advance::Limit;
            }
            Some(at) => self.0.with(|state| state.move_to(at)),
        }
        self.settle().map_or(Advance::Moved, Advance::Stuck)
    }

    fn settle(&self) -> Option<Stuck> {
        let mut woken = self.0.with(|state| std::mem::take(&mut state.polling));
        let stuck = self.settle_with(&mut woken);
        woken.clear();
        self.0.with(|state| state.polling = woken);
        stuck
    }

    fn settle_with(&self, woken: &mut Vec<HostId>) -> Option<Stuck> {
        loop {
            while let Some(happening) = self.0.with(State::take_due) {
                if let Some(stuck) = self.happen(happening) {
                    return Some(stuck);
                }
            }
            self.0.with(|state| state.take_woken(woken));
            if woken.is_empty() {
                return None;
            }
            for host in woken.drain(..) {
                if let Some(stuck) = self.poll(host) {
                    return Some(stuck);
                }
            }
        }
    }

    fn happen(&self, happening: Happening) -> Option<Stuck> {
        match happening {
            Happening::Control(event) => event(self),
            Happening::Heal(fault) => self.heal(fault),
            Happening::Timer(timer) => return self.work(|state| state.timer_due(timer)),
            Happening::Connection(place) => {
                return self.work(|state| state.connection_due(place));
            }
            Happening::Probe(asker, hop) => return self.work(|state| state.probe(asker, hop)),
            Happening::Arrival(arrival) => {
                return self.work(|state| {
                    state.packets_in_flight -= 1;
                    state.arrive(arrival);
                });
            }
        }
        self.work(|_| {})
    }

    /// Does a piece of work and counts it.
    fn work(&self, work: impl FnOnce(&mut State)) -> Option<Stuck> {
        self.0.with(|state| {
            work(state);
            state.count(None)
        })
    }

    fn poll(&self, host: HostId) -> Option<Stuck> {
        let running = self.0.with(|state| {
            state.cause = None;
            state.polled = Some(host);
            let machine = state.machine(host);
            machine
                .running
                .clone()
                .filter(|_| !machine.frozen.is_frozen())
        });
        if let Some(incarnation) = running {
            incarnation.poll();
        }
        self.0.with(|state| {
            state.cause = None;
            state.polled = None;
            state.count(Some(host))
        })
    }
}

impl State {
    /// Who is to be polled, in order of number.
    fn take_woken(&self, woken: &mut Vec<HostId>) {
        self.woken.take(woken);
        #[cfg(feature = "foreign")]
        self.list_foreign(woken);
    }

    pub(crate) fn is_anyone_woken(&self) -> bool {
        #[cfg(feature = "foreign")]
        if self.is_foreign_woken() {
            return true;
        }
        !self.woken.is_empty()
    }

    /// What is due now and has no cause yet.
    fn take_due(&mut self) -> Option<Happening> {
        self.cause = None;
        self.queue.pop(self.now)
    }

    /// Counts a piece of work; there may be only so many within an instant.
    fn count(&mut self, host: Option<HostId>) -> Option<Stuck> {
        self.work_done += 1;
        (self.work_done > self.work_limit).then_some(Stuck {
            at: self.now,
            limit: self.work_limit,
            host,
        })
    }

    /// Time never goes back.
    fn move_to(&mut self, at: Instant) {
        if at > self.now {
            self.now = at;
            self.work_done = 0;
        }
    }
}
