//! How far the engine may jump where foreign hosts live.

use std::rc::Rc;

use super::runtime::{after, floor};
use crate::executor::Incarnation;
use crate::state::State;
use crate::{Instant, Network};

impl Network {
    /// Where the engine has to stop on its way to `until` because a tokio timer may be due there; whoever has to look is
    /// listed as woken. `None` if nothing is in the way.
    ///
    /// One foreign host is asked for its next timer, which moves its clock there. With several, that could leave one clock
    /// ahead of the engine when another's timer turns out to be earlier, and clocks do not go back: then the engine
    /// stops at every millisecond.
    pub(crate) fn foreign_stop(&self, until: Instant) -> Option<Instant> {
        let (now, foreign) = self.0.with(|state| (state.now, state.foreign_running()));
        let next = after(now);
        if foreign.is_empty() || next > until {
            return None;
        }
        let stop = match foreign.as_slice() {
            [only] => only.runtime().filter(|runtime| runtime.is_on_grid()),
            _ => None,
        };
        let stop = stop.map_or(next, |runtime| runtime.jump(floor(until)));
        for incarnation in foreign {
            incarnation.list();
        }
        Some(stop)
    }

    /// Whether a foreign host lives that can run, whose timers nobody knows.
    pub(crate) fn has_foreign(&self) -> bool {
        self.0.with(|state| state.foreign().next().is_some())
    }
}

impl State {
    fn foreign_running(&self) -> Vec<Rc<Incarnation>> {
        if !self.has_foreign {
            return Vec::new();
        }
        let hosts = self.foreign().map(|(host, _)| host);
        hosts
            .filter_map(|host| self.machine(host).running.clone())
            .collect()
    }
}
