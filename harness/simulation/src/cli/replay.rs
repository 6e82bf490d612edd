//! `linefault replay`: one test again, up to a moment, or record by record.

use std::path::PathBuf;

use clap::Args;
use linefault_network::Instant;

use super::output::{self, Output};
use super::{Exit, Pcap, load, report_mistakes, run_all};
use crate::evidence::Evidence;
use crate::run::Simulation;
use crate::scenario::{self, Scenario};
use crate::snapshot::ladder;
use crate::standing::Standing;
use crate::suite::Test;
use crate::trace::Line;

/// What is replayed, and how much of it is shown.
#[derive(Debug, Args)]
pub(super) struct Replay {
    /// The scenario file
    path: PathBuf,
    /// The seed, if not the file's own
    #[arg(long, value_name = "NUMBER")]
    seed: Option<u64>,
    /// Sets a key of the scenario; an axis of the matrix is held at that value
    #[arg(long = "set", value_name = "KEY=VALUE")]
    set: Vec<String>,
    /// Replays the broken twin of that number, from 1
    #[arg(long, value_name = "NUMBER")]
    known_bad: Option<usize>,
    /// Stops at that moment and prints what is open and pending then, like 12.004s; judges nothing
    #[arg(long, value_name = "TIME")]
    until: Option<String>,
    /// Prints every record on a line, with its number and its cause's; judges nothing
    #[arg(long)]
    trace: bool,
    /// Prints every record as a JSON object on a line, for `linefault diff`; judges nothing
    #[arg(long, conflicts_with = "trace")]
    json: bool,
    #[command(flatten)]
    pcap: Pcap,
}

impl Replay {
    /// Replays; how the command ends.
    pub(super) fn run(&self) -> Result<Exit, Exit> {
        let suite = load(std::slice::from_ref(&self.path), self.seed, &self.set)?;
        let worst = report_mistakes(&suite);
        let tests = of_twin(suite.tests, self.known_bad);
        if tests.is_empty() && worst == Exit::Pass {
            return Err(no_twin(&self.path, self.known_bad));
        }
        if self.until.is_none() && !self.trace && !self.json {
            let captures = self.pcap.plan(&tests)?;
            let mut output = Output::new(false, true, tests.len());
            let ran = run_all(&tests, &captures, &mut output, |_, _| {})?;
            return Ok(worst.max(ran));
        }
        if worst != Exit::Pass {
            return Err(worst);
        }
        if self.pcap.pcap.is_some() {
            output::mistake(
                "--pcap writes whole runs: expected it without --until, --trace and --json",
            );
            return Err(Exit::Mistake);
        }
        let test = the_one(&self.path, &tests)?;
        let until = self.until.as_deref().map(moment).transpose()?;
        let simulation = stopped(test, until);
        let printed = self.print(test, &simulation, until);
        printed.map_err(|error| output::broken_pipe(&error))?;
        Ok(Exit::Pass)
    }

    fn print(
        &self,
        test: &Test,
        simulation: &Simulation,
        until: Option<Instant>,
    ) -> std::io::Result<()> {
        let trace = &simulation.trace;
        if self.trace || self.json {
            for (id, record) in trace.iter() {
                let line = Line::of(trace, id, record);
                let text = if self.json {
                    line.to_json().to_string()
                } else {
                    line.to_string()
                };
                output::line(&text)?;
            }
        }
        match until {
            Some(until) if !self.json => {
                output::line(&at_moment(test.scenario(), simulation, until, !self.trace))
            }
            _ => Ok(()),
        }
    }
}

/// The tests that are the scenario itself, or its broken twin of that number.
pub(super) fn of_twin(tests: Vec<Test>, known_bad: Option<usize>) -> Vec<Test> {
    let wanted = |test: &Test| test.known_bad().map(|twin| twin.number) == known_bad;
    tests.into_iter().filter(wanted).collect()
}

/// Says that a scenario has no such broken twin.
pub(super) fn no_twin(path: &std::path::Path, known_bad: Option<usize>) -> Exit {
    let number = known_bad.unwrap_or_default();
    output::mistake(&format!("{} has no broken twin {number}", path.display()));
    Exit::Mistake
}

/// The only test, or the mistake that there are several.
pub(super) fn the_one<'a>(path: &std::path::Path, tests: &'a [Test]) -> Result<&'a Test, Exit> {
    match tests {
        [test] => Ok(test),
        several => {
            let path = path.display();
            let mut text = format!(
                "{path} makes {} tests, and this is for one; add one of:",
                several.len()
            );
            for test in several {
                let settings = test.combination().settings();
                let settings = settings.map(|(key, value)| format!(" --set {key}={value}"));
                text.push_str("\n ");
                text.extend(settings);
            }
            output::mistake(&text);
            Err(Exit::Mistake)
        }
    }
}

/// A moment as the user writes it.
fn moment(text: &str) -> Result<Instant, Exit> {
    let length = scenario::duration(text).ok_or_else(|| {
        output::mistake(&format!(
            "--until {text}: no length of time with a unit, like 12.004s or 500ms"
        ));
        Exit::Mistake
    })?;
    Ok(Instant::START + length)
}

/// The test's run; not beyond that moment.
fn stopped(test: &Test, until: Option<Instant>) -> Simulation {
    match until {
        Some(until) => test.simulate_until(until),
        None => test.simulate(&[]),
    }
}

/// The ladder until then, and what stands.
fn at_moment(
    scenario: &Scenario,
    simulation: &Simulation,
    until: Instant,
    with_ladder: bool,
) -> String {
    let mut text = String::new();
    if with_ladder {
        for line in ladder(scenario, &Evidence::new(simulation)) {
            text.push_str(&line.text);
            text.push('\n');
        }
    }
    let over = simulation.ended_at < until;
    let over = if over { ", where the run is over" } else { "" };
    format!(
        "{text}\nat {}{over}\n{}",
        simulation.ended_at,
        Standing::of(&simulation.trace)
    )
}
