//! `linefault diff`: where two runs part.

use std::fs;
use std::path::{Path, PathBuf};

use clap::Args;

use super::replay::{no_twin, of_twin, the_one};
use super::{Exit, load, output, report_mistakes};
use crate::divergence::{Divergence, Lines};
use crate::evidence::Evidence;
use crate::run::Simulation;
use crate::snapshot::{self, ladder};
use crate::suite::Test;
use crate::trace::Line;
use crate::twin::first_difference;

/// The two runs: each a scenario file, or a trace that `linefault replay --json` printed, of this build or another.
#[derive(Debug, Args)]
pub(super) struct Diff {
    /// A scenario file, or a trace (*.jsonl) as `linefault replay --json` prints it
    #[arg(value_name = "A")]
    left: PathBuf,
    /// The other one; A once more if not given
    #[arg(value_name = "B")]
    right: Option<PathBuf>,
    /// Sets a key of both scenarios; an axis of the matrix is held at that value
    #[arg(long = "set", value_name = "KEY=VALUE")]
    set: Vec<String>,
    /// Sets a key of A alone
    #[arg(long, value_name = "KEY=VALUE")]
    set_a: Vec<String>,
    /// Sets a key of B alone
    #[arg(long, value_name = "KEY=VALUE")]
    set_b: Vec<String>,
    /// Runs A with the first seed and B with the second
    #[arg(long, num_args = 2, value_names = ["A", "B"])]
    seeds: Vec<u64>,
    /// Runs B without the fault of that number, from 1 in the order of the file
    #[arg(long, value_name = "NUMBER")]
    without_fault: Option<usize>,
    /// Runs B as the broken twin of that number, from 1
    #[arg(long, value_name = "NUMBER")]
    known_bad: Option<usize>,
}

/// One of the two.
enum Side {
    Run(Box<Played>),
    File(Vec<Line>),
}

/// A scenario's run.
struct Played {
    test: Test,
    run: Simulation,
}

impl Played {
    fn ladder(&self) -> Vec<snapshot::Line> {
        ladder(self.test.scenario(), &Evidence::new(&self.run))
    }
}

impl Diff {
    /// Compares; how the command ends: 0 if the runs are the same, 1 if not.
    pub(super) fn run(&self) -> Result<Exit, Exit> {
        let right = self.right.as_ref().unwrap_or(&self.left);
        let a = self.side(&self.left, &self.set_a, self.seeds.first(), None, None)?;
        let b = self.side(
            right,
            &self.set_b,
            self.seeds.get(1),
            self.without_fault,
            self.known_bad,
        )?;
        let (text, exit) = match Divergence::between(a.lines(), b.lines()) {
            None => ("no difference".to_owned(), Exit::Pass),
            Some(divergence) => (format!("{divergence}{}", noticed(&a, &b)), Exit::Violation),
        };
        output::line(&text).map_err(|error| output::broken_pipe(&error))?;
        Ok(exit)
    }

    fn side(
        &self,
        path: &Path,
        set: &[String],
        seed: Option<&u64>,
        without: Option<usize>,
        known_bad: Option<usize>,
    ) -> Result<Side, Exit> {
        if path.extension().is_some_and(|ending| ending == "jsonl") {
            return read(path).map(Side::File);
        }
        let set = [&self.set, set].concat();
        let suite = load(&[path.to_owned()], seed.copied(), &set)?;
        let worst = report_mistakes(&suite);
        if worst != Exit::Pass {
            return Err(worst);
        }
        let tests = of_twin(suite.tests, known_bad);
        if tests.is_empty() {
            return Err(no_twin(path, known_bad));
        }
        let test = the_one(path, &tests)?;
        let without = without.map(|number| fault(test, number)).transpose()?;
        let run = test.simulate(without.as_slice());
        let test = test.clone();
        Ok(Side::Run(Box::new(Played { test, run })))
    }
}

impl Side {
    fn lines(&self) -> &dyn Lines {
        match self {
            Self::Run(played) => &played.run.trace,
            Self::File(lines) => lines,
        }
    }
}

/// The index of the fault of that number.
fn fault(test: &Test, number: usize) -> Result<usize, Exit> {
    let faults = &test.scenario().faults;
    let index = number.checked_sub(1).filter(|it| *it < faults.len());
    index.ok_or_else(|| {
        let mut text = format!("{} has no fault {number}", test.path());
        for fault in faults {
            text.push_str(&format!("\n  {}: {fault}", fault.index + 1));
        }
        output::mistake(&text);
        Exit::Mistake
    })
}

/// Where the two ladders part, in which random identifiers are numbered; and who first did something otherwise.
fn noticed(a: &Side, b: &Side) -> String {
    let (Side::Run(a), Side::Run(b)) = (a, b) else {
        return String::new();
    };
    let (left, right) = (a.ladder(), b.ladder());
    let pairs = left.iter().zip(&right);
    let same = pairs.take_while(|(left, right)| left == right).count();
    let mut text = "the ladders are the same\n".to_owned();
    if same < left.len().max(right.len()) {
        text = format!("the ladders part behind {same} lines:\n");
        for (name, ladder) in [("A", &left), ("B", &right)] {
            let line = ladder.get(same).map_or("is over", |line| &line.text);
            text.push_str(&format!("{name} {line}\n"));
        }
    }
    let noticed = first_difference(&a.run, &b.run);
    text + &noticed.map_or_else(
        || "every actor does the same in both".to_owned(),
        |noticed| {
            let name = a.run.trace.host_name(noticed.by);
            let at = noticed.at;
            format!("the first actor that does something else: {name} at {at}")
        },
    )
}

fn read(path: &Path) -> Result<Vec<Line>, Exit> {
    let refuse = |why: String| {
        output::mistake(&why);
        Exit::Mistake
    };
    let text = fs::read_to_string(path)
        .map_err(|error| refuse(format!("cannot read {}: {error}", path.display())))?;
    let lines = text.lines().enumerate();
    let lines = lines.map(|(index, line)| {
        Line::from_json(line)
            .map_err(|wrong| refuse(format!("{}:{}: {wrong}", path.display(), index + 1)))
    });
    let lines: Vec<_> = lines.collect::<Result<_, _>>()?;
    if lines.is_empty() {
        return Err(refuse(format!("{} holds no record", path.display())));
    }
    Ok(lines)
}
