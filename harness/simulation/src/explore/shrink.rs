//! Makes a case small: takes away from its data whatever is not needed for the same violation.
//!
//! Owns delta debugging over faults, steps, expectations, hosts and keys, and the rounding of times. A candidate counts
//! only if the same kind of violation shows, and if nothing is wrong once the faults and planted defects are gone: else
//! taking away the very step that an expectation waits for would pass for the fault that was looked for.

use linefault_network::Instant;

use super::plan::Plan;
use super::{Kind, by_kind, keep_what_can_recover};
use crate::defect::Defect;
use crate::scenario::{Draft, HostIndex, Scenario, When};
use crate::verdict::observe;

/// What shrinking arrived at.
#[derive(Clone)]
pub struct Shrunk {
    /// The case.
    pub draft: Draft,
    /// How many candidates were run.
    pub runs: usize,
}

/// How many candidates are run at most; what is not small by then stays as it is.
const MOST_RUNS: usize = 2_000;

/// The smallest case that was found to show that kind of violation, which showed at that moment first. `go_on` is asked
/// before every candidate.
#[must_use]
pub fn shrink(
    plan: &Plan,
    draft: Draft,
    kind: &Kind,
    at: Instant,
    go_on: &dyn Fn() -> bool,
) -> Shrunk {
    let healed = plan.healed_at();
    // What is left over shows at the end, though it was opened before.
    let late = at.as_micros() > healed || kind.name == "nothing-left-over";
    let mut shrinking = Shrinking {
        plan,
        kind,
        healed: late.then_some(healed),
        draft,
        runs: 0,
        go_on,
    };
    // Most of a plan is its second half; without it every further candidate is cheaper.
    shrinking.halve();
    loop {
        let before = shrinking.draft.to_toml("", "");
        shrinking.pass();
        if shrinking.draft.to_toml("", "") == before {
            break;
        }
    }
    Shrunk {
        draft: shrinking.draft,
        runs: shrinking.runs,
    }
}

struct Shrinking<'a> {
    plan: &'a Plan,
    kind: &'a Kind,
    /// Of a violation that showed after everything had healed: when that is, in microseconds. Its faults must be over by
    /// then, and what is done afterwards so that the system can recover must stay: else a fault that nobody mends, or a
    /// call that nobody ends, would pass for one from which the system did not recover.
    healed: Option<u64>,
    draft: Draft,
    runs: usize,
    go_on: &'a dyn Fn() -> bool,
}

impl Shrinking<'_> {
    fn halve(&mut self) {
        let mut candidate = self.draft.clone();
        candidate.remove("outcome");
        let first = match self.healed {
            None => self.plan.first_steps(),
            Some(_) => self.plan.steps_until_tidy(),
        };
        for step in candidate
            .keys("timeline.steps")
            .into_iter()
            .skip(first)
            .rev()
        {
            candidate.remove(&format!("timeline.steps.{step}"));
        }
        self.offer(candidate);
    }

    fn pass(&mut self) {
        for list in [
            "timeline.faults",
            "outcome.expect",
            "timeline.steps",
            "link",
        ] {
            self.thin_out(list);
        }
        for table in ["host", "lan"] {
            self.each_key(table);
        }
        for path in [
            "description",
            "tags",
            "network",
            "timeline.faults",
            "outcome",
            "link",
        ] {
            if !self.draft.keys(path).is_empty() || self.draft.value(path).is_some() {
                self.without(path);
            }
        }
        for host in self.draft.keys("host") {
            self.each_key(&format!("host.{host}"));
        }
        for list in ["timeline.faults", "timeline.steps"] {
            for item in self.draft.keys(list) {
                self.simplify(&format!("{list}.{item}"));
            }
        }
    }

    /// Takes items from a list, many at once and then fewer (Zeller and Hildebrandt, "Simplifying and isolating
    /// failure-inducing input", 2002).
    fn thin_out(&mut self, list: &str) {
        let mut size = self.draft.keys(list).len().div_ceil(2);
        while size > 0 {
            let mut end = self.draft.keys(list).len();
            while end > 0 {
                let begin = end.saturating_sub(size);
                let mut candidate = self.draft.clone();
                for item in (begin..end).rev() {
                    let item = format!("{list}.{item}");
                    if !self.must_stay(&item) {
                        candidate.remove(&item);
                    }
                }
                self.offer(candidate);
                end = begin;
            }
            size /= 2;
        }
    }

    /// Whether it is a step that ends what the faults may have left behind.
    fn must_stay(&self, item: &str) -> bool {
        let at = self.draft.value(&format!("{item}.at"));
        let at = at.as_deref().and_then(micros);
        let after = self.healed.zip(at).is_some_and(|(healed, at)| at > healed);
        after && item.starts_with("timeline.steps.")
    }

    fn each_key(&mut self, table: &str) {
        for key in self.draft.keys(table) {
            self.without(&format!("{table}.{key}"));
        }
    }

    fn without(&mut self, path: &str) {
        let mut candidate = self.draft.clone();
        if candidate.remove(path) {
            self.offer(candidate);
        }
    }

    /// Takes keys from a fault or step, and rounds its times.
    fn simplify(&mut self, item: &str) {
        if self.must_stay(item) {
            return;
        }
        for key in self.draft.keys(item) {
            // What may miss is decided at the end, when it is known what has an effect.
            if key != "may_miss" {
                self.without(&format!("{item}.{key}"));
            }
        }
        for key in ["at", "for", "by", "apart", "at-most", "jitter"] {
            self.round(&format!("{item}.{key}"));
        }
    }

    /// Writes a time with as few digits as show the same.
    fn round(&mut self, path: &str) {
        let Some(micros) = self.draft.value(path).as_deref().and_then(micros) else {
            return;
        };
        for unit in [10_000_000, 1_000_000, 500_000, 100_000, 10_000, 1_000] {
            let rounded = (micros + unit / 2) / unit * unit;
            if rounded == micros {
                return;
            }
            let mut candidate = self.draft.clone();
            let text = super::schedule::duration(rounded);
            candidate.set(path, &format!("\"{text}\""));
            if self.offer(candidate) {
                return;
            }
        }
    }

    /// Takes the candidate if it shows the same.
    fn offer(&mut self, candidate: Draft) -> bool {
        if self.runs >= MOST_RUNS || !(self.go_on)() {
            return false;
        }
        self.runs += 1;
        let shows = shows(&candidate, self.plan, self.kind, self.healed);
        if shows {
            self.draft = candidate;
        }
        shows
    }
}

fn micros(text: &str) -> Option<u64> {
    let length = crate::scenario::duration(text)?;
    u64::try_from(length.as_micros()).ok()
}

/// Whether the case shows that kind of violation, and shows nothing wrong without its faults and defects.
fn shows(draft: &Draft, plan: &Plan, kind: &Kind, healed: Option<u64>) -> bool {
    let Ok(mut scenario) = draft.scenario() else {
        return false;
    };
    let Some(defects) = plan.defects_in(&scenario) else {
        return false;
    };
    if healed.is_some_and(|by| !is_over(&scenario, by)) || !has(&scenario, &defects, kind) {
        return false;
    }
    scenario.faults.clear();
    observe(&scenario, &[], |_| ()).1.is_empty()
}

fn has(scenario: &Scenario, defects: &[(HostIndex, &'static Defect)], kind: &Kind) -> bool {
    let (simulation, mut violations, _) = observe(scenario, defects, |_| ());
    keep_what_can_recover(&simulation, &mut violations);
    by_kind(&violations, scenario, &simulation).contains_key(kind)
}

/// Whether no fault lasts beyond that moment. Those without a length are over at once, or for good: which of the two, the
/// draws decided, and shrinking may not take the length away.
fn is_over(scenario: &Scenario, by: u64) -> bool {
    scenario.faults.iter().all(|fault| {
        let When::At(at) = fault.when else {
            return false;
        };
        let instant = ["nat-expire", "nat-rebind", "reset"].contains(&fault.name);
        let lasts = fault.lasts.map(|lasts| lasts.as_micros());
        let end = lasts.map(|lasts| u128::from(at.as_micros()) + lasts);
        end.map_or(instant, |end| end <= u128::from(by))
    })
}
