//! The command line: run, check, list, report, explore, merge, replay, diff, new, explain.
//!
//! Owns arguments, output and exit codes. Results go to standard output; mistakes, progress and the text of
//! failures to standard error.

mod captures;
mod diff;
mod explain;
mod explore;
mod json;
mod junit;
mod new;
mod output;
mod pool;
mod replay;
mod report;

use std::io::{self, IsTerminal as _};
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Parser, Subcommand};

use crate::coverage::Coverage;
use crate::evidence::Evidence;
use crate::scenario::Override;
use crate::suite::{Suite, Test};
use captures::Captures;
use diff::Diff;
use junit::JunitFile;
use output::Output;
use pool::TestResult;
use replay::Replay;

/// How the command ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Exit {
    /// Everything passes.
    Pass = 0,
    /// The system under test is wrong.
    Violation = 1,
    /// A scenario, or the command itself, was written wrongly.
    Mistake = 2,
    /// We are wrong.
    Harness = 3,
    /// Somebody stopped it before its end, as shells number that.
    Interrupted = 130,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit as u8)
    }
}

/// Deterministic network fault injection for SIP and other real-time services.
#[derive(Debug, Parser)]
#[command(name = "linefault", version, about, after_help = EXIT_CODES)]
struct Cli {
    #[command(subcommand)]
    action: Action,
}

const EXIT_CODES: &str = "Exit codes: 0 everything passes, 1 a violation, 2 a mistake in a scenario or in \
                          the arguments, 3 a fault of linefault itself, 130 stopped before its end.";

#[derive(Debug, Subcommand)]
enum Action {
    /// Runs scenarios, their combinations and their broken twins
    Run(Run),
    /// Checks scenario files without running them
    Check(Paths),
    /// Lists the tests that scenarios make
    List(Selection),
    /// Writes a report: a page with the ladder of every test, or other formats
    Report(report::Report),
    /// Searches scenarios for faults that nobody wrote down
    Explore(explore::Explore),
    /// Puts the parts of a campaign together
    Merge(explore::Merge),
    /// Runs one test again and prints everything that happened
    Replay(Replay),
    /// Writes a scenario to begin with, below `scenarios`
    New(new::New),
    /// Explains a word of scenario files, with an example
    Explain(explain::Explain),
    /// Shows where two runs part: of two seeds, with and without a fault, of two builds
    Diff(Diff),
}

#[derive(Debug, Args)]
struct Paths {
    /// Scenario files, or folders of them
    #[arg(default_value = "scenarios")]
    paths: Vec<PathBuf>,
}

#[derive(Debug, Args)]
struct Selection {
    #[command(flatten)]
    paths: Paths,
    /// Runs everything with this seed
    #[arg(long, value_name = "NUMBER")]
    seed: Option<u64>,
    /// Sets a key of the scenarios, like run.platform=macos; an axis of the matrix is held at that value
    #[arg(long = "set", value_name = "KEY=VALUE")]
    set: Vec<String>,
    /// Only scenarios with one of these tags
    #[arg(long = "tag", value_name = "WORD")]
    tags: Vec<String>,
}

#[derive(Debug, Args)]
struct Run {
    #[command(flatten)]
    selection: Selection,
    /// Prints the snapshot of every test: status codes, log levels, the ladder
    #[arg(long, conflicts_with = "json")]
    trace: bool,
    /// Prints one JSON object a line and a test
    #[arg(long)]
    json: bool,
    /// Writes the results to this file as JUnit XML, too
    #[arg(long, value_name = "FILE")]
    junit: Option<PathBuf>,
    /// Prints what all these tests together have tried: which faults hit which messages, which timers fired where
    #[arg(long)]
    coverage: bool,
    #[command(flatten)]
    pcap: Pcap,
}

#[derive(Debug, Args)]
struct Pcap {
    /// Writes the traffic as pcapng: of one test to a file *.pcapng, of several to a folder
    #[arg(long, value_name = "PATH")]
    pcap: Option<PathBuf>,
}

impl Pcap {
    fn plan(&self, tests: &[Test]) -> Result<Captures, Exit> {
        Captures::plan(self.pcap.as_deref(), tests).map_err(|wrong| {
            output::mistake(&wrong.to_string());
            Exit::Mistake
        })
    }
}

/// Runs the command with the process's arguments.
#[must_use]
pub fn main() -> ExitCode {
    crate::panics::keep_quiet();
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(help) => return usage(&help).into(),
    };
    let exit = match cli.action {
        Action::Run(run) => execute(&run),
        Action::Check(paths) => check(&paths.paths),
        Action::List(selection) => list(&selection),
        Action::Report(report) => report::execute(&report),
        Action::Replay(replay) => replay.run(),
        Action::Diff(diff) => diff.run(),
        Action::Explore(explore) => explore::explore(&explore),
        Action::Merge(merge) => explore::merge(&merge),
        Action::New(new) => new::run(&new),
        Action::Explain(explain) => explain::run(&explain),
    };
    exit.unwrap_or_else(|exit| exit).into()
}

/// Help and version are no mistakes.
fn usage(help: &clap::Error) -> Exit {
    // Nothing is left to be done if even that cannot be printed.
    let _ = help.print();
    if help.use_stderr() {
        Exit::Mistake
    } else {
        Exit::Pass
    }
}

fn execute(run: &Run) -> Result<Exit, Exit> {
    let suite = select(&run.selection)?;
    let captures = run.pcap.plan(&suite.tests)?;
    let mut output = Output::new(run.json, run.trace, suite.tests.len());
    let junit = run.junit.as_deref();
    let mut junit = junit
        .map(|path| JunitFile::open(path, &suite))
        .transpose()?;
    let mut worst = report_mistakes(&suite);
    let mut coverage = run.coverage.then(Coverage::default);
    let ran = run_all(&suite.tests, &captures, &mut output, |test, result| {
        if let Some(junit) = &mut junit {
            junit.add(test, result);
        }
        if let (Some(sum), TestResult::Ran { outcome, .. }) = (&mut coverage, result) {
            sum.merge(&Coverage::of(
                &Evidence::new(&outcome.simulation),
                test.scenario(),
            ));
        }
    });
    worst = worst.max(ran?);
    junit.map_or(Ok(()), JunitFile::write)?;
    if let Some(coverage) = coverage {
        output
            .coverage(&coverage)
            .map_err(|error| output::broken_pipe(&error))?;
    }
    output.summary(suite.tests.len(), suite.mistakes.len());
    Ok(worst)
}

/// Runs them all; each result is shown to `also`, too.
fn run_all(
    tests: &[Test],
    captures: &Captures,
    output: &mut Output,
    mut also: impl FnMut(&Test, &TestResult),
) -> Result<Exit, Exit> {
    let mut worst = Exit::Pass;
    let written = pool::run_all(tests, |test, result| {
        worst = worst.max(result.exit());
        also(test, &result);
        if let Err(wrong) = captures.save(test, &result) {
            output.mistake(&wrong.to_string());
            worst = worst.max(Exit::Mistake);
        }
        output.result(test, &result)
    });
    written.map_err(|error| output::broken_pipe(&error))?;
    Ok(worst)
}

fn check(paths: &[PathBuf]) -> Result<Exit, Exit> {
    let suite = load(paths, None, &[])?;
    let worst = report_mistakes(&suite);
    let files = output::count(suite.files, "file");
    let text = match suite.mistakes.len() {
        0 => format!(
            "{files}, {}, no mistake",
            output::count(suite.tests.len(), "test")
        ),
        wrong => format!("{files}, {wrong} with mistakes"),
    };
    output::line(&text).map_err(|error| output::broken_pipe(&error))?;
    Ok(worst)
}

fn list(selection: &Selection) -> Result<Exit, Exit> {
    let suite = select(selection)?;
    let worst = report_mistakes(&suite);
    for test in &suite.tests {
        let title = &test.scenario().title;
        output::line(&format!("{}  {title}", test.name()))
            .map_err(|error| output::broken_pipe(&error))?;
    }
    Ok(worst)
}

/// The tests at those paths that have one of the tags, where any are given.
fn select(selection: &Selection) -> Result<Suite, Exit> {
    let mut suite = load(&selection.paths.paths, selection.seed, &selection.set)?;
    let tags = &selection.tags;
    if !tags.is_empty() {
        let has = |test: &Test| test.scenario().tags.iter().any(|tag| tags.contains(tag));
        suite.tests.retain(has);
        if suite.tests.is_empty() && suite.mistakes.is_empty() {
            output::mistake(&format!("no scenario has the tag {}", tags.join(" or ")));
            return Err(Exit::Mistake);
        }
    }
    Ok(suite)
}

fn load(paths: &[PathBuf], seed: Option<u64>, set: &[String]) -> Result<Suite, Exit> {
    let seed = seed.map(|seed| format!("run.seed={seed}"));
    let mut overrides = Vec::new();
    for text in set.iter().cloned().chain(seed) {
        let parsed = Override::parse(&text);
        overrides.push(parsed.map_err(|wrong| {
            output::mistake(&wrong.to_string());
            Exit::Mistake
        })?);
    }
    Suite::load(paths, &overrides).map_err(|wrong| {
        output::mistake(&wrong.to_string());
        Exit::Mistake
    })
}

fn report_mistakes(suite: &Suite) -> Exit {
    let color = io::stderr().is_terminal();
    for mistakes in &suite.mistakes {
        output::text(&mistakes.render(color));
    }
    if suite.mistakes.is_empty() {
        Exit::Pass
    } else {
        Exit::Mistake
    }
}
