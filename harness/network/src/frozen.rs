//! Frozen processes: what the kernel keeps for them until they go on.

use std::collections::BTreeMap;
use std::rc::Rc;

use crate::event::{Event, TimerId};
use crate::fault::FaultId;
use crate::state::State;
use crate::timer::TimerCell;
use crate::{HostId, Instant};

/// What a machine knows about the stopping of its process.
#[derive(Default)]
pub(crate) struct Frozen {
    /// The faults that keep the process stopped.
    by: Vec<FaultId>,
    /// Timers that came due meanwhile, in that order.
    overdue: BTreeMap<(Instant, TimerId), Rc<TimerCell>>,
}

impl Frozen {
    pub(crate) fn is_frozen(&self) -> bool {
        !self.by.is_empty()
    }

    pub(crate) fn take_overdue(&mut self, key: (Instant, TimerId)) -> Option<Rc<TimerCell>> {
        self.overdue.remove(&key)
    }
}

impl State {
    /// Stops the process; false if there is none, or it is stopped already.
    pub(crate) fn freeze(&mut self, host: HostId, fault: FaultId) -> bool {
        let machine = self.machine_mut(host);
        if machine.running.is_none() {
            return false;
        }
        let first = !machine.frozen.is_frozen();
        machine.frozen.by.push(fault);
        if first {
            let incarnation = machine.incarnation;
            self.record(Some(host), Event::HostFrozen { incarnation });
        }
        first
    }

    /// Ends one freeze, or all; true if the process goes on by that.
    pub(crate) fn resume_host(&mut self, host: HostId, fault: Option<FaultId>) -> bool {
        let machine = self.machine_mut(host);
        if !machine.frozen.is_frozen() {
            return false;
        }
        let ends = |by: &FaultId| fault.is_none_or(|fault| fault == *by);
        machine.frozen.by.retain(|by| !ends(by));
        if machine.frozen.is_frozen() {
            return false;
        }
        let (incarnation, running) = (machine.incarnation, machine.running.clone());
        let overdue = std::mem::take(&mut machine.frozen.overdue);
        let resumed = self.record(Some(host), Event::HostResumed { incarnation });
        self.cause = Some(resumed);
        for timer in overdue.into_values() {
            self.fire(&timer);
        }
        if let Some(running) = running {
            running.list_if_woken();
        }
        true
    }

    /// Keeps a timer that is due for a process that cannot take it. It goes on counting as somebody's wait only if the
    /// process will go on by itself: else the run may be over, for all that is known.
    pub(crate) fn keep_overdue(&mut self, host: HostId, timer: Rc<TimerCell>) {
        let (machine, faults) = (&self.machines[host.index()], &self.faults);
        let goes_on = machine
            .frozen
            .by
            .iter()
            .all(|fault| faults.heals_by_itself(*fault));
        if !goes_on {
            self.uncount(&timer);
        }
        let frozen = &mut self.machine_mut(host).frozen;
        frozen.overdue.insert(timer.key(), timer);
    }

    /// The process has ended: nothing is kept for it but what its tasks' destructors will cancel.
    pub(crate) fn forget_freezing(&mut self, host: HostId) {
        let frozen = &mut self.machine_mut(host).frozen;
        frozen.by.clear();
        let overdue: Vec<_> = frozen.overdue.values().cloned().collect();
        overdue.iter().for_each(|timer| self.uncount(timer));
    }
}
