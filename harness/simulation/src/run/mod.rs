//! One simulation: from a scenario to its trace.
//!
//! Owns the world, the agenda of steps and faults, and when a run is over. Refuses to judge: what the trace
//! means is [`crate::verdict`]'s.

mod agenda;
mod fault;
mod life;
mod topology;
mod world;

use linefault_network::Instant;

use crate::defect::Defect;
use crate::scenario::{HostIndex, Scenario};
use crate::trace::Trace;

pub use fault::FaultCount;
#[cfg(feature = "turmoil")]
pub(crate) use life::directory;

/// 64·T1 in microseconds: how long a run goes on once it is quiet, so that what is left over shows.
pub(crate) const LINGER_MICROS: u64 = 64 * 500_000;

/// How many records a run may make: some 200,000 messages, and less than a gigabyte.
pub(crate) const MOST_RECORDS: usize = 2_000_000;

/// What distinguishes one simulation of a scenario from another.
#[derive(Clone, Copy, Debug, Default)]
pub struct Setup<'a> {
    /// Faults to leave out, by index: for twin runs.
    pub without: &'a [usize],
    /// Defects to plant, and in whom.
    pub defects: &'a [(HostIndex, &'static Defect)],
}

/// One finished simulation.
#[derive(Clone, Debug)]
pub struct Simulation {
    /// Everything that happened.
    pub trace: Trace,
    /// Why it ended.
    pub end: End,
    /// When it ended.
    pub ended_at: Instant,
    /// What became of each fault of the scenario, in its order.
    pub faults: Vec<FaultCount>,
}

/// Why a simulation ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum End {
    /// Nothing was left to happen, and 64·T1 have passed since.
    Quiet,
    /// The scenario said until when.
    RunUntil,
    /// It was still busy at the scenario's `time_max`.
    TimeMax,
    /// Nothing was left to happen, but steps still wait for something to be seen.
    Deadlock {
        /// The steps, by index.
        steps: Vec<usize>,
    },
    /// An instant without end: the hosts kept each other busy and time could not move.
    Stuck,
    /// More happened than a run may record.
    Flooded,
}

/// Runs a scenario once.
///
/// # Panics
/// Never for what a scenario says: the reader has checked that its world can be built.
#[must_use]
pub fn simulate(scenario: &Scenario, setup: Setup<'_>) -> Simulation {
    world::World::new(scenario, setup).run()
}

/// Decides when a run is over. Kept apart from the world, since the rule is subtle.
///
/// A run is quiet when no packet is in flight, no foreground timer is set and nothing is on the agenda. From
/// then 64·T1 more pass. What background timers start meanwhile does not put the end off, but once begun it
/// may end: the run is over at the first quiet moment from then on.
#[derive(Debug)]
struct Ending {
    earliest: Instant,
    due: Option<Instant>,
}

impl Ending {
    /// A run that may not end before `earliest`, because an outcome is still open until then.
    fn new(earliest: Instant) -> Self {
        Self {
            earliest,
            due: None,
        }
    }

    /// Takes note of whether the run is busy, and whether steps or faults are still to come.
    fn observe(&mut self, now: Instant, busy: bool, agenda_empty: bool) {
        if !agenda_empty {
            self.due = None;
        } else if self.due.is_none() && !busy {
            let due = Instant::from_micros(now.as_micros() + LINGER_MICROS);
            self.due = Some(due.max(self.earliest));
        }
    }

    /// Until when the run must go on at least, as far as is known.
    fn due(&self) -> Option<Instant> {
        self.due
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seconds(seconds: u64) -> Instant {
        Instant::from_micros(seconds * 1_000_000)
    }

    #[test]
    fn the_end_is_64_t1_after_the_first_quiet_moment_and_background_work_does_not_move_it() {
        let mut ending = Ending::new(Instant::START);
        ending.observe(seconds(1), true, true);
        assert_eq!(ending.due(), None);
        ending.observe(seconds(2), false, true);
        ending.observe(seconds(3), true, true);
        ending.observe(seconds(4), false, true);
        assert_eq!(ending.due(), Some(seconds(34)));
    }

    #[test]
    fn a_step_to_come_puts_the_end_off() {
        let mut ending = Ending::new(Instant::START);
        ending.observe(seconds(2), false, true);
        ending.observe(seconds(3), false, false);
        assert_eq!(ending.due(), None);
    }

    #[test]
    fn an_open_outcome_keeps_the_run_going() {
        let mut ending = Ending::new(seconds(100));
        ending.observe(seconds(2), false, true);
        assert_eq!(ending.due(), Some(seconds(100)));
    }
}
