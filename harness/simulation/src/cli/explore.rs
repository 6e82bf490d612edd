//! `linefault explore` and `linefault merge`: many seeds of scenarios, what was found, and its files.

mod findings;
mod plans;
mod write;

use std::num::NonZero;
use std::ops::Range;
use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use clap::Args;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::{Exit, Selection, output, report_mistakes, select};
use crate::coverage::Item;
use crate::explore::campaign::{self, Block};
use crate::explore::part::{Campaign, Part};
use plans::Plans;

#[derive(Debug, Args)]
pub(super) struct Explore {
    #[command(flatten)]
    selection: Selection,
    /// The seeds of each scenario, the last one excluded: 0..1000
    #[arg(long, value_name = "A..B", value_parser = seeds, conflicts_with_all = ["runs", "time"])]
    seeds: Option<Range<u64>>,
    /// So many seeds of each scenario, from 0
    #[arg(long, value_name = "NUMBER", conflicts_with = "time", value_parser = clap::value_parser!(u64).range(1..))]
    runs: Option<u64>,
    /// As many seeds as there is time for, like 30s
    #[arg(long, value_name = "TIME", value_parser = time, conflicts_with_all = ["shard", "out"])]
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
    /// Only the Kth of N shares of the campaign: 1/4
    #[arg(long, value_name = "K/N", value_parser = shard, requires = "out")]
    shard: Option<Shard>,
    /// Writes the campaign, or this share of it, to a file that `linefault merge` reads
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(super) struct Merge {
    /// What `linefault explore --out` wrote
    #[arg(required = true)]
    parts: Vec<PathBuf>,
    /// Writes what they make together
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// Prints what was tried and what was not
    #[arg(long)]
    coverage: bool,
}

/// One of several equal shares of a campaign's blocks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Shard {
    /// From 1.
    number: usize,
    of: usize,
}

/// Without any of --seeds, --runs and --time.
const RUNS: u64 = 1_000;

fn seeds(text: &str) -> Result<Range<u64>, String> {
    let wrong = || "expected A..B, like 0..1000".to_owned();
    let (begin, end) = text.split_once("..").ok_or_else(wrong)?;
    let number = |text: &str| text.trim().parse::<u64>().map_err(|_| wrong());
    let range = number(begin)?..number(end)?;
    if range.is_empty() {
        return Err("there is no seed in it: the first must be below the last".to_owned());
    }
    Ok(range)
}

fn time(text: &str) -> Result<Duration, String> {
    let time = crate::scenario::duration(text).filter(|time| !time.is_zero());
    time.ok_or_else(|| "expected a length of time, like 30s or 5min".to_owned())
}

fn shard(text: &str) -> Result<Shard, String> {
    let wrong = || "expected K/N, like 1/4, with K from 1 to N".to_owned();
    let (number, of) = text.split_once('/').ok_or_else(wrong)?;
    let part = |text: &str| text.parse::<usize>().map_err(|_| wrong());
    let shard = Shard {
        number: part(number)?,
        of: part(of)?,
    };
    let sound = (1..=shard.of).contains(&shard.number);
    sound.then_some(shard).ok_or_else(wrong)
}

impl Shard {
    fn has(self, place: usize) -> bool {
        place % self.of == self.number - 1
    }
}

/// Runs a campaign, or a share of it.
pub(super) fn explore(explore: &Explore) -> Result<Exit, Exit> {
    if explore.selection.seed.is_some() {
        output::mistake("explore draws from many seeds: expected --seeds A..B instead of --seed");
        return Err(Exit::Mistake);
    }
    let suite = select(&explore.selection)?;
    let worst = report_mistakes(&suite);
    let plans = Plans::new(&suite, &explore.defects)?;
    if plans.is_empty() {
        output::mistake("there is nothing to explore");
        return Ok(worst.max(Exit::Mistake));
    }
    let seeds = match (&explore.seeds, explore.runs) {
        (Some(seeds), _) => seeds.clone(),
        (None, Some(runs)) => 0..runs,
        (None, None) if explore.time.is_some() => 0..u64::MAX,
        (None, None) => 0..RUNS,
    };
    let campaign = Campaign {
        build: build()?,
        seeds,
        plans: plans.ids(),
    };
    let begun = match &explore.out {
        Some(out) => write::begun(out, &campaign)?,
        None => None,
    };
    let stops = stops();
    let begun = begun.unwrap_or_else(|| Part::new(campaign));
    let (part, took) = run(explore, &plans, begun, &stops);
    // Whatever cannot be written, what was found is said.
    let out = explore.out.as_ref();
    let written = out.map_or(Ok(()), |out| write::part(out, &part));
    let findings = findings::Findings {
        part: &part,
        coverage: explore.coverage,
    };
    // A share is judged when all are merged: another may know of a lower seed. To have been run is all that is asked of it.
    let exit = if explore.shard.is_some() {
        findings.crashes()
    } else {
        findings.write(&plans, &explore.found, &stops)?
    };
    findings.summary(Some(took))?;
    written?;
    if stops.load(Ordering::Relaxed) > 0 {
        output::mistake("stopped before its end; what was found by then is kept");
        return Ok(Exit::Interrupted);
    }
    Ok(worst.max(exit))
}

/// Puts shares together.
pub(super) fn merge(merge: &Merge) -> Result<Exit, Exit> {
    let mut whole: Option<Part> = None;
    for path in &merge.parts {
        let part = write::read(path)?;
        match &mut whole {
            None => whole = Some(part),
            Some(whole) => whole.merge(part).map_err(|wrong| {
                output::mistake(&format!("{}: {wrong}", path.display()));
                Exit::Mistake
            })?,
        }
    }
    let whole = whole.ok_or(Exit::Mistake)?;
    let written = match &merge.out {
        Some(out) => write::begun(out, &whole.campaign).and_then(|_| write::part(out, &whole)),
        None => Ok(()),
    };
    let findings = findings::Findings {
        part: &whole,
        coverage: merge.coverage,
    };
    let exit = findings.list()?;
    findings.summary(None)?;
    written.map(|()| exit)
}

/// Counts how often somebody asks the command to stop: once ends the search, twice what is being shrunk.
fn stops() -> std::sync::Arc<AtomicUsize> {
    let stops = std::sync::Arc::new(AtomicUsize::new(0));
    let counted = std::sync::Arc::clone(&stops);
    // Without a handler Ctrl-C ends the process at once, and only what is on disk by then is kept.
    let _ = ctrlc::set_handler(move || {
        counted.fetch_add(1, Ordering::Relaxed);
    });
    stops
}

#[expect(
    clippy::disallowed_methods,
    reason = "how long to explore, and how fast that was, is real time"
)]
fn run(explore: &Explore, plans: &Plans, begun: Part, stops: &AtomicUsize) -> (Part, Duration) {
    let began = Instant::now();
    let in_time = || explore.time.is_none_or(|time| began.elapsed() < time);
    let go_on = || in_time() && stops.load(Ordering::Relaxed) == 0;
    let workers = explore
        .workers
        .or(std::thread::available_parallelism().ok());
    let workers = workers.map_or(1, NonZero::get);
    let mut bar = Progress::new(&begun, explore);
    let mut seeds = begun.campaign.seeds.clone();
    let mut part = begun;
    // Blocks are made a round at a time: with a time limit there is no last one.
    while !seeds.is_empty() && go_on() {
        let round = seeds.start..seeds.end.min(seeds.start.saturating_add(ROUND));
        let mut blocks = blocks(plans, &round, explore.shard);
        blocks.retain(|block| !part.has(block));
        campaign::run(
            plans.all(),
            &blocks,
            workers,
            &go_on,
            &mut |place, tally| {
                bar.add(&tally);
                part.add(&blocks[place], tally);
            },
        );
        seeds.start = round.end;
    }
    bar.done();
    (part, began.elapsed())
}

/// Seeds of which blocks are made at once; a multiple of [`campaign::BLOCK`].
const ROUND: u64 = 100 * campaign::BLOCK;

fn blocks(plans: &Plans, seeds: &Range<u64>, shard: Option<Shard>) -> Vec<Block> {
    let all = campaign::blocks(plans.all().len(), seeds)
        .into_iter()
        .enumerate();
    let own = all.filter(|(place, _)| shard.is_none_or(|shard| shard.has(*place)));
    own.map(|(_, block)| block).collect()
}

/// A bar, and what was found and tried so far.
struct Progress {
    bar: ProgressBar,
    so_far: campaign::Tally,
}

impl Progress {
    fn new(begun: &Part, explore: &Explore) -> Self {
        let (done, all) = begun.progress();
        let share = all / explore.shard.map_or(1, |shard| shard.of as u64);
        let share = share.saturating_sub(done);
        let total = explore.time.is_none().then_some(share);
        let bar = ProgressBar::with_draw_target(total, ProgressDrawTarget::stderr());
        let template = match total {
            Some(_) => "{bar:24} {pos}/{len} runs, {per_sec:.0}{msg}",
            None => "{spinner} {pos} runs, {per_sec:.0}{msg}",
        };
        if let Ok(style) = ProgressStyle::with_template(template) {
            bar.set_style(style);
        }
        let so_far = campaign::Tally::default();
        Self { bar, so_far }
    }

    fn add(&mut self, tally: &campaign::Tally) {
        let so_far = &mut self.so_far;
        so_far.merge(tally);
        self.bar.inc(tally.runs);
        let count = |wanted: fn(&Item) -> bool| {
            so_far
                .coverage
                .items()
                .filter(|(item, _)| wanted(item))
                .count()
        };
        let touched = count(|item| matches!(item, Item::Touched(..)));
        let fired = count(|item| matches!(item, Item::Fired(..)));
        let kinds: Vec<String> = so_far
            .findings
            .keys()
            .map(|kind| kind.name.clone())
            .collect();
        let kinds = match kinds.as_slice() {
            [] => String::new(),
            [one] => format!(", found {one}"),
            [first, ..] => format!(", found {first} and {} more", kinds.len() - 1),
        };
        self.bar.set_message(format!(
            ", {touched} faults × messages, {fired} states × timers{kinds}"
        ));
    }

    fn done(&self) {
        self.bar.finish_and_clear();
    }
}

/// Which build this is. Only the same gives the same runs.
fn build() -> Result<String, Exit> {
    let binary = std::env::current_exe().and_then(std::fs::read);
    let binary = binary.map_err(|error| {
        output::mistake(&format!("cannot read linefault's own binary: {error}"));
        Exit::Harness
    })?;
    Ok(format!("{:016x}", xxhash_rust::xxh3::xxh3_64(&binary)))
}
