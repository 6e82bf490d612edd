//! What one trace has tried: what the actors' machines and programs went through. What faults did is [`super::touch`]'s.

use std::collections::{BTreeMap, BTreeSet};

use linefault_actors::{Report, TimerChange, checkpoint};
use linefault_network::HostId;
use linefault_protocol::sip::transaction::{Kind, State, Timer};

use super::Item;
use super::touch::Touches;
use crate::evidence::Evidence;
use crate::scenario::Scenario;
use crate::trace::Event;

/// Everything that happened, each thing once.
pub(super) fn items(evidence: &Evidence<'_>, scenario: &Scenario) -> BTreeSet<Item> {
    let mut reader = Reader::default();
    reader.meet(scenario);
    for record in evidence.trace.records() {
        if let (Event::Report(report), Some(host)) = (&record.event, record.host) {
            reader.reported(host, report);
        }
    }
    // Most happen many times over: to sort them at the end costs less than to look each of them up.
    reader.items.sort_unstable();
    reader.items.dedup();
    let mut items: BTreeSet<Item> = reader.items.into_iter().collect();
    if !scenario.faults.is_empty() {
        items.extend(Touches::of(evidence, scenario));
    }
    items
}

#[derive(Default)]
struct Reader {
    items: Vec<Item>,
    transactions: BTreeMap<(HostId, u64), (Kind, State)>,
}

impl Reader {
    /// Whose programs run.
    fn meet(&mut self, scenario: &Scenario) {
        for (place, group) in (0..).zip(checkpoint::CATALOGUE) {
            let mut hosts = scenario.hosts.iter();
            if hosts.any(|host| group.actors.contains(&host.actor.name)) {
                self.items.push(Item::Group(place));
            }
        }
    }

    fn reported(&mut self, host: HostId, report: &Report) {
        match report {
            Report::State {
                machine,
                id,
                from,
                to,
                on,
            } => self.moved((host, *id), machine, (from, to), on),
            Report::Timer {
                timer: name,
                id,
                change,
            } => {
                let Some(timer) = timer(name) else { return };
                let at = self.transactions.get(&(host, *id)).copied();
                match (change, at) {
                    (TimerChange::Set(_), _) => self.items.push(Item::Set(timer)),
                    (TimerChange::Fired, Some((kind, state))) => {
                        self.items.push(Item::Fired(kind, state, timer));
                    }
                    _ => {}
                }
            }
            Report::Checkpoint { place, .. } => self.items.push(Item::Checkpoint(*place)),
            Report::Opened { .. } | Report::Closed { .. } => {}
        }
    }

    /// A machine changed its state; only those of transactions are counted.
    fn moved(&mut self, key: (HostId, u64), machine: &str, (from, to): (&str, &str), on: &str) {
        let Some(kind) = Kind::ALL.into_iter().find(|kind| kind.name() == machine) else {
            return;
        };
        // A timer of no length fires without being set.
        let fired = on.strip_prefix("Timer ").and_then(timer);
        if let (Some(from), Some(timer)) = (state(from), fired) {
            self.items.push(Item::Fired(kind, from, timer));
        }
        if let Some(to) = state(to) {
            self.items.push(Item::State(kind, to));
            self.transactions.insert(key, (kind, to));
        }
    }
}

fn state(name: &str) -> Option<State> {
    State::ALL.into_iter().find(|state| state.name() == name)
}

fn timer(name: &str) -> Option<Timer> {
    Timer::ALL.into_iter().find(|timer| timer.name() == name)
}
