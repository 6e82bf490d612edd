//! `linefault explore`: many seeds of scenarios, what was found, and its files.

use std::collections::BTreeSet;
use std::num::NonZero;
use std::ops::Range;
use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use clap::Args;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::{Exit, Selection, output, report_mistakes, select};
use crate::defect;
use crate::explore::campaign::{self, FaultTally, Finding, Tally};
use crate::explore::found::{Found, Origin};
use crate::explore::{Explorer, Kind, Plan, Planted, Unexplorable, shrink};
use crate::scenario::Draft;
use crate::suite::{Suite, Test};

#[derive(Debug, Args)]
pub(super) struct Explore {
    #[command(flatten)]
    selection: Selection,
    /// The seeds of each scenario, the last one excluded: 0..1000
    #[arg(long, value_name = "A..B", value_parser = seeds, conflicts_with_all = ["runs", "time"])]
    seeds: Option<Range<u64>>,
    /// So many seeds of each scenario, from 0
    #[arg(long, value_name = "NUMBER", conflicts_with = "time")]
    runs: Option<u64>,
    /// As many seeds as there is time for, like 30s
    #[arg(long, value_name = "TIME", value_parser = time)]
    time: Option<Duration>,
    /// How many runs at once; as many as there are cores without it
    #[arg(long, value_name = "NUMBER")]
    workers: Option<NonZero<usize>>,
    /// Plants a defect in a host, as a broken twin does: proxy=unreachable-is-502
    #[arg(long = "defect", value_name = "HOST=DEFECT")]
    defects: Vec<String>,
    /// Prints what was tried and what was not: faults by kinds of message, machine states by timers
    #[arg(long)]
    coverage: bool,
    /// Where to write what was found
    #[arg(long, value_name = "FOLDER", default_value = "scenarios/found")]
    found: PathBuf,
}

/// Without any of --seeds, --runs and --time.
const RUNS: u64 = 1_000;

fn seeds(text: &str) -> Result<Range<u64>, String> {
    let wrong = || format!("`{text}` is no range of seeds: expected A..B, like 0..1000");
    let (begin, end) = text.split_once("..").ok_or_else(wrong)?;
    let number = |text: &str| text.trim().parse::<u64>().map_err(|_| wrong());
    let range = number(begin)?..number(end)?;
    if range.is_empty() {
        return Err(format!(
            "`{text}` has no seed in it: the first must be below the last"
        ));
    }
    Ok(range)
}

fn time(text: &str) -> Result<Duration, String> {
    crate::scenario::duration(text)
        .filter(|time| !time.is_zero())
        .ok_or_else(|| format!("`{text}` is no length of time: expected one like 30s or 5min"))
}

pub(super) fn explore(explore: &Explore) -> Result<Exit, Exit> {
    let suite = select(&explore.selection)?;
    let worst = report_mistakes(&suite);
    let plans = plans(&suite, &explore.defects)?;
    if plans.is_empty() {
        return Ok(worst.max(Exit::Mistake));
    }
    let campaign = Campaign::new(explore, plans);
    Ok(worst.max(campaign.run()?))
}

/// The plans of all scenarios that can be explored. One that was named and cannot be is a mistake.
fn plans(suite: &Suite, defects: &[String]) -> Result<Vec<(Test, Plan)>, Exit> {
    let named = suite.files == 1;
    let mut plans = Vec::new();
    let mut known = BTreeSet::new();
    for test in suite.tests.iter().filter(|test| test.known_bad().is_none()) {
        let planted = planted(defects, test)?;
        let draft = test.draft().map_err(|wrong| {
            output::text(&wrong.render(false));
            Exit::Mistake
        })?;
        match Plan::new(&draft, planted) {
            // Combinations that differ in what exploration leaves out are one plan.
            Ok(plan) if !known.insert(plan.text()) => {}
            Ok(plan) => plans.push((test.clone(), plan)),
            Err(Unexplorable::Mistakes(wrong)) => {
                output::text(&wrong.render(false));
                return Err(Exit::Harness);
            }
            Err(why) => {
                let name = test.name();
                output::text(&format!(
                    "{}: {name} cannot be explored: {why}\n",
                    if named { "error" } else { "left out" }
                ));
            }
        }
    }
    Ok(plans)
}

fn planted(defects: &[String], test: &Test) -> Result<Vec<Planted>, Exit> {
    let planted = defects.iter().map(|given| {
        let (host, name) = given.split_once('=').ok_or_else(|| {
            format!("`{given}` plants nothing: expected host=defect, like proxy=unreachable-is-502")
        })?;
        let scenario = test.scenario();
        let index = scenario.host_index(host);
        let index = index.ok_or_else(|| format!("{} has no host `{host}`", test.path()))?;
        let defect = defect::find(name).ok_or_else(|| format!("there is no defect `{name}`"))?;
        let actor = scenario.host(index).actor.name;
        if defect.actor != actor {
            return Err(format!(
                "`{name}` is a defect of the actor `{}`, and {host} is a {actor}",
                defect.actor
            ));
        }
        Ok((host.to_owned(), defect))
    });
    planted.collect::<Result<_, String>>().map_err(|wrong| {
        output::mistake(&wrong);
        Exit::Mistake
    })
}

struct Campaign<'a> {
    explore: &'a Explore,
    tests: Vec<Test>,
    plans: Vec<Plan>,
    /// How often somebody asked it to stop.
    stops: Arc<AtomicUsize>,
}

impl<'a> Campaign<'a> {
    fn new(explore: &'a Explore, plans: Vec<(Test, Plan)>) -> Self {
        let (tests, plans) = plans.into_iter().unzip();
        let stops = Arc::new(AtomicUsize::new(0));
        let counted = Arc::clone(&stops);
        // Without a handler Ctrl-C ends the process at once, and only what is on disk by then is kept.
        let _ = ctrlc::set_handler(move || {
            counted.fetch_add(1, Ordering::Relaxed);
        });
        Self {
            explore,
            tests,
            plans,
            stops,
        }
    }

    #[expect(
        clippy::disallowed_methods,
        reason = "how long to explore, and how fast that was, is real time"
    )]
    fn run(&self) -> Result<Exit, Exit> {
        let began = Instant::now();
        let seeds = match (&self.explore.seeds, self.explore.runs) {
            (Some(seeds), _) => seeds.clone(),
            (None, Some(runs)) => 0..runs,
            (None, None) if self.explore.time.is_some() => 0..u64::MAX,
            (None, None) => 0..RUNS,
        };
        let in_time = || self.explore.time.is_none_or(|time| began.elapsed() < time);
        let go_on = || in_time() && self.stops.load(Ordering::Relaxed) == 0;
        let tallies = self.tallies(&seeds, &go_on);
        let took = began.elapsed();
        let exit = self.findings(&tallies)?;
        self.summary(&tallies, took)?;
        Ok(exit)
    }

    /// Runs the seeds; one tally for each plan.
    fn tallies(&self, seeds: &Range<u64>, go_on: &(dyn Fn() -> bool + Sync)) -> Vec<Tally> {
        let workers = self
            .explore
            .workers
            .or(std::thread::available_parallelism().ok());
        let workers = workers.map_or(1, NonZero::get);
        let bar = progress(seeds, self.plans.len(), self.explore.time.is_some());
        let tallies = Mutex::new(vec![Tally::default(); self.plans.len()]);
        // With a time limit there is no last block: rounds of a thousand seeds.
        let mut begin = seeds.start;
        while begin < seeds.end && go_on() {
            let end = begin.saturating_add(1_000).min(seeds.end);
            let blocks = campaign::blocks(self.plans.len(), &(begin..end));
            campaign::run(&self.plans, &blocks, workers, go_on, &mut |place, tally| {
                if let Ok(mut tallies) = tallies.lock() {
                    tallies[blocks[place].plan].merge(&tally);
                    bar.inc(tally.runs);
                    let kinds: usize = tallies.iter().map(|tally| tally.findings.len()).sum();
                    bar.set_message(output::count(kinds, "kind of violation"));
                }
            });
            begin = end;
        }
        bar.finish_and_clear();
        tallies.into_inner().unwrap_or_default()
    }

    /// Shrinks and writes what was found.
    fn findings(&self, tallies: &[Tally]) -> Result<Exit, Exit> {
        let mut worst = Exit::Pass;
        let mut known: Vec<Kind> = Vec::new();
        for ((test, plan), tally) in self.tests.iter().zip(&self.plans).zip(tallies) {
            for (seed, how) in &tally.crashes {
                worst = Exit::Harness;
                let command = self.command(test, *seed);
                output::mistake(&format!(
                    "linefault itself failed: {how}\nreplay: {command}"
                ));
            }
            for (kind, finding) in &tally.findings {
                worst = worst.max(Exit::Violation);
                let again = known.contains(kind);
                known.push(kind.clone());
                self.finding(test, plan, kind, finding, again)?;
            }
        }
        Ok(worst)
    }

    fn finding(
        &self,
        test: &Test,
        plan: &Plan,
        kind: &Kind,
        finding: &Finding,
        again: bool,
    ) -> Result<(), Exit> {
        let Finding {
            seed,
            seen,
            drawn,
            runs,
        } = finding;
        let command = self.command(test, *seed);
        let mut text = format!(
            "found     {kind}, first in {} runs of {}\n          {}\n",
            runs,
            test.name(),
            seen.text
        );
        if again {
            text.push_str("          known from another scenario\n");
        } else {
            let explorer = Explorer::new(plan);
            let draft = plan.draft(*seed, &explorer.schedule(*seed));
            let patient = || self.stops.load(Ordering::Relaxed) < 2;
            let shrunk = shrink::shrink(plan, draft.clone(), kind, seen.at, &patient);
            let origin = Origin {
                scenario: test.path(),
                command: &command,
                seen,
                drawn: *drawn,
            };
            text.push_str(&self.write(plan, kind, &shrunk.draft, &draft, &origin)?);
        }
        text.push_str(&format!("replay: {command}\n"));
        output::line(&text).map_err(|error| output::broken_pipe(&error))
    }

    fn write(
        &self,
        plan: &Plan,
        kind: &Kind,
        shrunk: &Draft,
        whole: &Draft,
        origin: &Origin<'_>,
    ) -> Result<String, Exit> {
        let found = Found::new(shrunk, kind, plan, origin)
            .or_else(|_| Found::new(whole, kind, plan, origin));
        let found = match found {
            Ok(found) => found,
            Err(wrong) => return Ok(format!("          not written: {wrong}\n")),
        };
        let path = found.path(&self.explore.found);
        let written = found.write(&self.explore.found).map_err(|error| {
            output::mistake(&format!("cannot write {}: {error}", path.display()));
            Exit::Mistake
        })?;
        let faults = output::count(found.faults, "fault");
        Ok(match written {
            true => format!("          {faults}: {}\n", path.display()),
            false => format!("          known: {}\n", path.display()),
        })
    }

    /// The command that shows one seed as it was found.
    fn command(&self, test: &Test, seed: u64) -> String {
        let again = test
            .replay()
            .replacen("linefault replay", "linefault explore", 1);
        let defects: String = self
            .explore
            .defects
            .iter()
            .map(|given| format!(" --defect {given}"))
            .collect();
        format!(
            "{again}{defects} --seeds {seed}..{}",
            seed.saturating_add(1)
        )
    }

    fn summary(&self, tallies: &[Tally], took: Duration) -> Result<(), Exit> {
        let mut all = Tally::default();
        tallies.iter().for_each(|tally| all.merge(tally));
        let speed = (all.runs as f64 / took.as_secs_f64().max(1e-9)).round();
        let line = format!(
            "{} of {}, {speed} a second: {} with violations, {}",
            output::count(all.runs as usize, "run"),
            output::count(self.plans.len(), "scenario"),
            all.violating,
            output::count(all.findings.len(), "kind"),
        );
        let mut text = String::new();
        if self.explore.coverage {
            text.push_str(&format!("{}\n", all.coverage));
        }
        text.push_str(&faults(&all));
        text.push_str(&line);
        output::line(&text).map_err(|error| output::broken_pipe(&error))
    }
}

/// How many faults of each name were drawn, concerned something, and altered something.
fn faults(tally: &Tally) -> String {
    let mut text = format!(
        "{:<22} {:>9} {:>9} {:>9}\n",
        "fault", "drawn", "matched", "applied"
    );
    for (name, faults) in &tally.faults {
        let FaultTally {
            drawn,
            matched,
            applied,
        } = faults;
        text.push_str(&format!(
            "{name:<22} {drawn:>9} {matched:>9} {applied:>9}\n"
        ));
    }
    text
}

fn progress(seeds: &Range<u64>, plans: usize, timed: bool) -> ProgressBar {
    let total = (!timed).then(|| (seeds.end - seeds.start) * plans as u64);
    let bar = ProgressBar::with_draw_target(total, ProgressDrawTarget::stderr());
    let template = if timed {
        "{spinner} {pos} runs, {per_sec}, {msg}"
    } else {
        "{bar:30} {pos}/{len} runs, {per_sec}, {msg}"
    };
    if let Ok(style) = ProgressStyle::with_template(template) {
        bar.set_style(style);
    }
    bar
}
