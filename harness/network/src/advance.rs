//! The loop: deliver what is due, poll who was woken, until nothing moves; then jump.

use std::fmt;

use crate::state::Happening;
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
    /// A task that never yields hangs the call; a task that wakes itself for ever gives [`Advance::Stuck`].
    ///
    /// # Panics
    /// When called from within itself, by code on a host or a control event.
    pub fn advance(&self, limit: Instant) -> Advance {
        let next = self.next_event();
        match next {
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
        loop {
            while let Some(happening) = self.0.with(|state| state.queue.pop(state.now)) {
                self.happen(happening);
                if let Some(stuck) = self.count(None) {
                    return Some(stuck);
                }
            }
            let woken = self.0.with(|state| state.woken.take());
            if woken.is_empty() {
                return None;
            }
            for host in woken {
                self.poll(host);
                if let Some(stuck) = self.count(Some(host)) {
                    return Some(stuck);
                }
            }
        }
    }

    fn happen(&self, happening: Happening) {
        self.0.with(|state| state.cause = None);
        match happening {
            Happening::Control(event) => event(self),
            Happening::Heal(fault) => self.heal(fault),
            Happening::Timer(timer) => self.0.with(|state| state.timer_due(timer)),
            Happening::Connection(place) => self.0.with(|state| state.connection_due(place)),
            Happening::Probe(asker, hop) => self.0.with(|state| state.probe(asker, hop)),
            Happening::Arrival(arrival) => self.0.with(|state| {
                state.packets_in_flight -= 1;
                state.arrive(*arrival);
            }),
        }
    }

    fn poll(&self, host: HostId) {
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
        });
    }

    fn count(&self, host: Option<HostId>) -> Option<Stuck> {
        self.0.with(|state| {
            state.work_done += 1;
            let stuck = Stuck {
                at: state.now,
                limit: state.work_limit,
                host,
            };
            (state.work_done > state.work_limit).then_some(stuck)
        })
    }
}

impl crate::state::State {
    /// Time never goes back.
    fn move_to(&mut self, at: Instant) {
        if at > self.now {
            self.now = at;
            self.work_done = 0;
        }
    }
}
