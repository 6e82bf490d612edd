//! What is still to be done to the hosts: steps and faults, at their time or after what they wait for.

use std::collections::BTreeMap;

use linefault_actors::Instant as Time;
use linefault_network::{Instant, RecordId};

use crate::scenario::{Scenario, Trigger, When};

/// A step or a fault, by its index in the scenario.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Item {
    Step(usize),
    Fault(usize),
}

/// An item that waits for something to be seen.
#[derive(Clone, Debug)]
pub(super) struct Waiting {
    pub(super) item: Item,
    pub(super) trigger: Trigger,
    delay_micros: u64,
}

/// What is still to come.
#[derive(Debug, Default)]
pub(super) struct Agenda {
    /// By time, then by place in the file: at one instant faults come before steps.
    timed: BTreeMap<(Instant, usize), (Item, Option<RecordId>)>,
    waiting: Vec<Waiting>,
    entries: usize,
}

impl Agenda {
    /// Everything that the scenario plans, less the faults `without`.
    pub(super) fn new(scenario: &Scenario, without: &[usize]) -> Self {
        let mut agenda = Self::default();
        for fault in scenario
            .faults
            .iter()
            .filter(|fault| !without.contains(&fault.index))
        {
            agenda.plan(Item::Fault(fault.index), &fault.when);
        }
        for (index, step) in scenario.steps.iter().enumerate() {
            agenda.plan(Item::Step(index), &step.when);
        }
        agenda
    }

    fn plan(&mut self, item: Item, when: &When) {
        match when {
            When::At(at) => self.put(moment(*at), item, None),
            When::Seen { trigger, delay } => self.waiting.push(Waiting {
                item,
                trigger: trigger.clone(),
                delay_micros: u64::try_from(delay.as_micros()).unwrap_or(u64::MAX),
            }),
        }
    }

    fn put(&mut self, at: Instant, item: Item, cause: Option<RecordId>) {
        self.timed.insert((at, self.entries), (item, cause));
        self.entries += 1;
    }

    /// The moment of the next item that has one.
    pub(super) fn next(&self) -> Option<Instant> {
        self.timed.first_key_value().map(|((at, _), _)| *at)
    }

    /// Takes one item that is due, with the record that triggered it.
    pub(super) fn take_due(&mut self, now: Instant) -> Option<(Item, Option<RecordId>)> {
        let entry = self
            .timed
            .first_entry()
            .filter(|entry| entry.key().0 <= now)?;
        Some(entry.remove())
    }

    /// Whether anything has a moment and is still to come.
    pub(super) fn is_empty(&self) -> bool {
        self.timed.is_empty()
    }

    /// Whether anything waits to see something.
    pub(super) fn is_watching(&self) -> bool {
        !self.waiting.is_empty()
    }

    /// Whether anything waits for what is said on a TCP connection.
    pub(super) fn is_listening(&self) -> bool {
        self.waiting.iter().any(|waits| waits.trigger.is_stream())
    }

    /// Moves to its moment every item for which `seen` finds the record that it waits for.
    pub(super) fn trigger(
        &mut self,
        now: Instant,
        mut seen: impl FnMut(&Trigger) -> Option<RecordId>,
    ) {
        let waiting = std::mem::take(&mut self.waiting);
        for waits in waiting {
            match seen(&waits.trigger) {
                Some(record) => {
                    let at =
                        Instant::from_micros(now.as_micros().saturating_add(waits.delay_micros));
                    self.put(at, waits.item, Some(record));
                }
                None => self.waiting.push(waits),
            }
        }
    }

    /// The steps that still wait to see something.
    pub(super) fn waiting_steps(&self) -> Vec<usize> {
        let steps = self.waiting.iter().filter_map(|waits| match waits.item {
            Item::Step(index) => Some(index),
            Item::Fault(_) => None,
        });
        steps.collect()
    }
}

/// The scenario's time on the network's clock.
pub(super) fn moment(time: Time) -> Instant {
    Instant::from_micros(time.as_micros())
}
