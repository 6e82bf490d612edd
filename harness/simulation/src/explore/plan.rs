//! A scenario made ready to be explored: its steps, a time for faults, and then everything again.
//!
//! Owns what "it recovers" means: once the last fault is over, registrations are refreshed once; then every step of the
//! file is taken a second time, and every success that the hosts see when nothing goes wrong they must see again.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

use linefault_network::{HostId, Instant};

use super::aims::{self, Aims};
use super::schedule::{Schedule, Window, duration};
use crate::coverage::Coverage;
use crate::defect::Defect;
use crate::divergence::{self, Divergence};
use crate::evidence::Evidence;
use crate::run::{Setup, Simulation, simulate};
use crate::scenario::{Diagnostics, Draft, HostIndex, Latency, Scenario, Step, When};
use crate::trace::{Event, Trace, TraceHash};
use crate::verdict;

/// How often phones refresh their registrations in explored runs, in seconds.
const REFRESH_SECONDS: u64 = 60;
/// How long those last, in seconds: phones refresh 64·T1 ahead, so that one more REGISTER can time out.
const LIFETIME_SECONDS: u64 = REFRESH_SECONDS + 32;
/// From the last step to the last moment at which a fault begins: a call's own end is in it.
const FAULTS_GO_ON_MICROS: u64 = 5_000_000;
/// From there to the end of the last fault: more than 64·T1, so that time-outs happen within a fault.
const FAULTS_LAST_MICROS: u64 = 35_000_000;
/// What was under way when the last fault ended may take as long as 64·T1; then everybody has refreshed once, and every
/// session that nobody refreshes is over (RFC 4028: 90 s at least).
const RECOVERY_MICROS: u64 = (32 + REFRESH_SECONDS) * 1_000_000;

/// With how many seeds a success must be seen without a fault before it is demanded with one: a fault shifts which latencies
/// later packets draw, so that the run's own seed does not tell what a race decides.
const CALM_SEEDS: u64 = 12;

/// Before the second time whoever is still in a call hangs up, and has 64·T1 and a little more to do so.
const TIDY_MICROS: u64 = 34_000_000;

/// The pause between two moments of the second time: enough for a call with sound, if a packet takes 300 ms at most.
const PAUSE_MICROS: u64 = 5_000_000;
/// Beyond which latency it is not, in microseconds; the pause is then twice as long.
const LONG_LATENCY_MICROS: u128 = 300_000;

/// A scenario made ready to be explored.
#[derive(Clone)]
pub struct Plan {
    draft: Draft,
    scenario: Scenario,
    defects: Vec<Planted>,
    aims: Arc<Aims>,
    window: Window,
    first_steps: usize,
    tidying_steps: usize,
    /// Of each step of the second time, and of what tidies up after it, by how many pauses it comes after the first.
    pauses: Vec<u64>,
}

/// A defect and the name of the host that has it.
pub type Planted = (String, &'static Defect);

/// Why a scenario cannot be explored. Blames its author.
#[derive(Debug)]
pub enum Unexplorable {
    /// The file has mistakes, or what exploration makes of it has.
    Mistakes(Diagnostics),
    /// No host is told to do anything that it can do when nothing goes wrong.
    NothingHappens,
    /// It violates something even without a fault.
    Violates {
        /// What.
        name: String,
        /// In which way.
        text: String,
    },
}

impl fmt::Display for Unexplorable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Mistakes(mistakes) => write!(f, "{}", mistakes.render(false)),
            Self::NothingHappens => f.write_str("without faults no step of it is taken"),
            Self::Violates { name, text } => write!(f, "even without a fault: {name}: {text}"),
        }
    }
}

impl std::error::Error for Unexplorable {}

impl Plan {
    /// Makes a scenario ready. Its own faults, expectations and broken twins are left out: they belong together, and
    /// exploration brings its own. The defects are planted in every run but the ones from which the plan is made.
    ///
    /// # Errors
    /// It cannot be explored.
    pub fn new(draft: &Draft, defects: Vec<Planted>) -> Result<Self, Unexplorable> {
        let mut draft = draft.clone();
        strip(&mut draft);
        let moments = moments(&lowered(&draft)?);
        let last = *moments
            .iter()
            .flatten()
            .max()
            .ok_or(Unexplorable::NothingHappens)?;
        let window = Window {
            begin: last + FAULTS_GO_ON_MICROS,
            end: last + FAULTS_GO_ON_MICROS + FAULTS_LAST_MICROS,
        };
        let again = window.end + RECOVERY_MICROS;
        let tidying_steps = tidying(&draft, 0).len();
        let pauses = retime(&mut draft, &moments, again);
        // Where nobody hangs up afterwards, what takes long is a success all the same.
        let over = match (tidying_steps, pauses.iter().max()) {
            (1.., Some(pauses)) => again + pauses * PAUSE_MICROS,
            _ => u64::MAX,
        };
        draft.set("run.time_max", &duration(again + 2 * last + 600_000_000));
        let scenario = lowered(&draft)?;
        let (_, violations, seen) = verdict::observe(&scenario, &[], |evidence| {
            let until = Instant::from_micros(window.begin);
            let aims = Aims::of(evidence, &scenario, until);
            (aims, expectations(&scenario, evidence, again..over))
        });
        if let Some(violation) = violations.into_iter().next() {
            let (name, text) = (violation.name, violation.text);
            return Err(Unexplorable::Violates { name, text });
        }
        let (aims, expects) = seen.unwrap_or_default();
        if !expects.is_empty() {
            draft.set_list("outcome.expect", &expects);
        }
        Ok(Self {
            scenario: lowered(&draft)?,
            draft,
            defects,
            aims: Arc::new(aims),
            window,
            first_steps: moments.iter().flatten().count(),
            tidying_steps,
            pauses,
        })
    }

    /// What faults can be aimed at.
    #[must_use]
    pub fn aims(&self) -> &Arc<Aims> {
        &self.aims
    }

    /// All that its runs have in common, as a file.
    #[must_use]
    pub fn text(&self) -> String {
        let mut draft = self.draft.clone();
        draft.remove("title");
        draft.remove("description");
        draft.to_toml("", "")
    }

    /// The defects that are planted.
    #[must_use]
    pub fn defects(&self) -> &[Planted] {
        &self.defects
    }

    /// The same in a scenario that shrinking has made of this one; nothing if it lacks one of their hosts.
    pub(super) fn defects_in(
        &self,
        scenario: &Scenario,
    ) -> Option<Vec<(HostIndex, &'static Defect)>> {
        let planted = self.defects.iter();
        planted
            .map(|(host, defect)| Some((scenario.host_index(host)?, *defect)))
            .collect()
    }

    /// Runs a scenario of this plan, and says what it has tried.
    pub(super) fn run(
        &self,
        scenario: &Scenario,
    ) -> (Simulation, Vec<verdict::Violation>, Coverage) {
        let defects = self.defects_in(scenario).unwrap_or_default();
        let look = |evidence: &Evidence<'_>| Coverage::of(evidence, scenario);
        let (simulation, violations, coverage) = verdict::observe(scenario, &defects, look);
        (simulation, violations, coverage.unwrap_or_default())
    }

    /// Drops the expectations that do not hold with this latency even if nothing goes wrong, with this seed or those after
    /// it: what a race decides is no question of recovery.
    pub(super) fn keep_what_should_recover(
        &self,
        scenario: &Scenario,
        violations: &mut Vec<verdict::Violation>,
    ) {
        let is_expect = |it: &verdict::Violation| matches!(it.source, verdict::Source::Expect(_));
        if violations.iter().any(is_expect) {
            let anyway = (0..CALM_SEEDS).flat_map(|offset| {
                let mut calm = scenario.clone();
                calm.faults.clear();
                calm.run.seed = calm.run.seed.wrapping_add(offset);
                verdict::observe(&calm, &[], |_| ()).1
            });
            let anyway: BTreeSet<String> = anyway.map(|violation| violation.name).collect();
            let fails_anyway = |it: &verdict::Violation| anyway.contains(&it.name);
            violations.retain(|it| !is_expect(it) || !fails_anyway(it));
        }
    }

    /// Runs a scenario of this plan again, and says whether it is the same.
    pub(super) fn check_again(
        &self,
        scenario: &Scenario,
        first: &Trace,
    ) -> Result<TraceHash, Box<Divergence>> {
        let defects = &self.defects_in(scenario).unwrap_or_default();
        let without = &[];
        divergence::check_again(first, scenario, Setup { without, defects })
    }

    /// When the last fault is over, in microseconds.
    pub(super) const fn healed_at(&self) -> u64 {
        self.window.end
    }

    /// How many of its steps are the file's own, taken for the first time. Then come those that tidy up, and then all of the
    /// first again.
    pub(super) const fn first_steps(&self) -> usize {
        self.first_steps
    }

    /// How many there are up to the last one that tidies up.
    pub(super) const fn steps_until_tidy(&self) -> usize {
        self.first_steps + self.tidying_steps
    }

    pub(super) const fn window(&self) -> Window {
        self.window
    }

    /// The latency of links that have none of their own.
    fn latency(&self, schedule: &Schedule) -> Latency {
        let drawn = schedule.latency.as_deref().and_then(Latency::read);
        drawn.unwrap_or(self.scenario.latency)
    }

    /// Spreads the second time out if packets take long in that schedule.
    pub(super) fn spread(&self, schedule: &mut Schedule) {
        if self.latency(schedule).max.as_micros() > LONG_LATENCY_MICROS {
            let later = self.pauses.iter().map(|pauses| pauses * PAUSE_MICROS);
            let steps = self.steps_until_tidy()..;
            schedule.delayed.extend(steps.zip(later));
        }
    }

    /// The scenario with a seed and a schedule.
    ///
    /// # Errors
    /// A drawn fault is none that the format allows: a mistake of ours.
    pub fn scenario(&self, seed: u64, schedule: &Schedule) -> Result<Scenario, Diagnostics> {
        let mut scenario = self.scenario.clone();
        scenario.run.seed = seed;
        scenario.faults = self.draft.faults(&schedule.faults, &scenario.run)?;
        scenario.latency = self.latency(schedule);
        for (step, micros) in &schedule.delayed {
            if let Some(Step {
                when: When::At(at), ..
            }) = scenario.steps.get_mut(*step)
            {
                *at = *at + Duration::from_micros(*micros);
            }
        }
        Ok(scenario)
    }

    /// The same as data.
    #[must_use]
    pub fn draft(&self, seed: u64, schedule: &Schedule) -> Draft {
        let mut draft = self.draft.clone();
        draft.set("run.seed", &seed.to_string());
        if let Some(latency) = &schedule.latency {
            draft.set("network.latency", latency);
        }
        for (step, micros) in &schedule.delayed {
            if let Some(When::At(at)) = self.scenario.steps.get(*step).map(|step| &step.when) {
                let at = duration(at.as_micros() + micros);
                draft.set(&format!("timeline.steps.{step}.at"), &format!("\"{at}\""));
            }
        }
        draft.set_list("timeline.faults", &schedule.faults);
        draft
    }
}

fn lowered(draft: &Draft) -> Result<Scenario, Unexplorable> {
    draft.scenario().map_err(Unexplorable::Mistakes)
}

/// Takes away what belongs to the file's own faults, and gives registrations a short life.
fn strip(draft: &mut Draft) {
    for path in ["outcome", "known_bad", "timeline.faults", "run.run_until"] {
        draft.remove(path);
    }
    for host in draft.keys("host") {
        if draft.value(&format!("host.{host}.actor")).as_deref() == Some("phone") {
            draft.set(
                &format!("host.{host}.expires"),
                &format!("{LIFETIME_SECONDS}s"),
            );
        }
    }
}

/// When each step is taken if nothing goes wrong, in microseconds; nothing for one that never is.
fn moments(scenario: &Scenario) -> Vec<Option<u64>> {
    let simulation = simulate(scenario, Setup::default());
    let mut moments = vec![None; scenario.steps.len()];
    for record in simulation.trace.records() {
        if let Event::Step(step) = &record.event
            && step.refused.is_none()
        {
            moments[step.index] = Some(record.at.as_micros());
        }
    }
    moments
}

/// Gives every step its moment, since what it waited for may not come now; and takes all of them a second time from
/// `again` on. Hosts may be down by then; those that are in a call hang up before. Says by how many pauses each step of the
/// second time comes after the first, with those that hang up after it.
fn retime(draft: &mut Draft, moments: &[Option<u64>], again: u64) -> Vec<u64> {
    let slots = slots(draft, moments);
    let second_time = evened(&slots);
    let mut first = Vec::new();
    let mut second = Vec::new();
    for (step, slot) in slots.iter().enumerate() {
        let Some(slot @ (moment, _)) = slot else {
            continue;
        };
        let mut draft = draft.clone();
        let step = format!("timeline.steps.{step}");
        for key in ["when", "after"] {
            draft.remove(&format!("{step}.{key}"));
        }
        draft.set(&format!("{step}.may_miss"), "true");
        draft.set(&format!("{step}.at"), &format!("\"{}\"", duration(*moment)));
        first.extend(draft.toml(&step));
        let later = again + second_time[slot] * PAUSE_MICROS;
        draft.set(&format!("{step}.at"), &format!("\"{}\"", duration(later)));
        second.extend(draft.toml(&step));
    }
    let over = second_time.len() as u64;
    let before = tidying(draft, again - TIDY_MICROS);
    let after = tidying(draft, again + over * PAUSE_MICROS);
    let pauses = slots.iter().flatten().map(|slot| second_time[slot]);
    let pauses = pauses.chain(after.iter().map(|_| over)).collect();
    let parts = [first, before, second, after];
    let all: Vec<String> = parts.into_iter().flatten().collect();
    draft.set_list("timeline.steps", &all);
    pauses
}

/// A moment, and whether what is done then comes after what registers then: who is called must be known by then.
type Slot = (u64, bool);

fn slots(draft: &Draft, moments: &[Option<u64>]) -> Vec<Option<Slot>> {
    let steps = draft.keys("timeline.steps").into_iter();
    let slot = |(step, moment): (String, &Option<u64>)| {
        let action = draft.value(&format!("timeline.steps.{step}.do"));
        moment.map(|moment| (moment, action.as_deref() != Some("register")))
    };
    steps.zip(moments).map(slot).collect()
}

/// The same moments, counted: to see that everything works again nobody has to talk for long.
fn evened(slots: &[Option<Slot>]) -> BTreeMap<Slot, u64> {
    let slots: BTreeSet<Slot> = slots.iter().flatten().copied().collect();
    slots.into_iter().zip(0..).collect()
}

/// Every actor that can hang up does so, so that the second time begins as the first did.
fn tidying(draft: &Draft, at: u64) -> Vec<String> {
    let at = duration(at);
    let hosts = draft.keys("host").into_iter().filter(|host| {
        let actor = draft.value(&format!("host.{host}.actor"));
        actor.is_some_and(|actor| ["phone", "audio-peer"].contains(&actor.as_str()))
    });
    hosts
        .map(|host| {
            format!("{{ at = \"{at}\", host = \"{host}\", do = \"hang-up\", may_miss = true }}")
        })
        .collect()
}

/// Expectations of every success that was seen the second time by a host that is told to do something: that a registration works,
/// that a call is answered and ends, that a stream ends complete, that sound is heard. How a call ends that both ends leave
/// at once, when all hang up afterwards, is no success of either.
fn expectations(scenario: &Scenario, evidence: &Evidence<'_>, again: Range<u64>) -> Vec<String> {
    let after = duration(again.start);
    let acts = |host: HostId| {
        scenario
            .steps
            .iter()
            .any(|step| step.host.0 == host.index())
    };
    let again = Instant::from_micros(again.start)..Instant::from_micros(again.end);
    let seen: BTreeSet<(HostId, String)> = successes(evidence, again)
        .filter(|(host, _)| acts(*host))
        .collect();
    let expects = seen.iter().map(|(host, pattern)| {
        let host = evidence.name(*host);
        let what = pattern.to_ascii_lowercase().replace(' ', "-");
        let name = format!("{host}-recovers-{what}");
        format!("{{ name = \"{name}\", host = \"{host}\", receives = \"{pattern}\", after = \"{after}\" }}")
    });
    expects.collect()
}

/// Who received what, of all that means success. What comes of a race is none: how a CANCEL or an API's request ends depends
/// on who was quicker; and whether somebody is asked by a health check, on when.
fn successes<'e>(
    evidence: &'e Evidence<'_>,
    when: Range<Instant>,
) -> impl Iterator<Item = (HostId, String)> + 'e {
    let within = when.clone();
    let sip = evidence.arrivals.iter().filter_map(move |arrival| {
        let message = arrival.message.as_ref();
        let message = message.filter(|_| within.contains(&arrival.at))?;
        let method = message.method.as_str();
        let counts = message.is_success() && ["REGISTER", "INVITE", "BYE"].contains(&method);
        counts.then(|| (arrival.host, format!("200 {method}")))
    });
    let said = evidence.utterances.iter().filter_map(move |said| {
        said.arrived.filter(|seen| when.contains(&seen.at))?;
        let host = said.to(&evidence.connections)?;
        let mut patterns = aims::patterns(&said.what).into_iter();
        let is_success = |pattern: &String| SUCCESSES.contains(&pattern.as_str());
        Some((host, patterns.find(is_success)?))
    });
    sip.chain(said)
}

/// What means success on a connection.
const SUCCESSES: [&str; 2] = ["sse event done", "audiosocket audio"];
