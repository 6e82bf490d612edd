//! The command `report`: tests as pages, pictures and lists.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use super::pool::{self, TestResult};
use super::{Exit, Selection, output, report_mistakes, select};
use crate::report::folder::{Folder, FolderError};
use crate::report::{Case, Page};
use crate::suite::{Suite, Test};

/// Arguments of `report`.
#[derive(Debug, Args)]
pub(super) struct Report {
    #[command(flatten)]
    selection: Selection,
    /// The folder to write to: a new or empty one, or that of an earlier report
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// What to write; may be given several times with --out
    #[arg(long = "format", value_name = "FORMAT", default_value = "html")]
    formats: Vec<Format>,
}

/// What a report can be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, ValueEnum)]
enum Format {
    /// One page with everything: index.html
    Html,
}

/// Where files go.
enum Target {
    Folder(Folder),
    StandardOutput,
}

/// Runs the tests and writes the report.
pub(super) fn execute(report: &Report) -> Result<Exit, Exit> {
    let suite = select(&report.selection)?;
    let mut target = match &report.out {
        Some(path) => Target::Folder(Folder::open(path).map_err(|error| refused(&error))?),
        None => Target::StandardOutput,
    };
    let worst = report_mistakes(&suite);
    let mut page = Page::new();
    for mistakes in &suite.mistakes {
        page.add_mistakes(&mistakes.render(false));
    }
    let worst = worst.max(run(&suite, &mut page)?);
    target.write("index.html", &page.finish())?;
    Ok(worst)
}

fn run(suite: &Suite, page: &mut Page) -> Result<Exit, Exit> {
    let mut worst = Exit::Pass;
    let written = pool::run_all(&suite.tests, |test, result| {
        worst = worst.max(result.exit());
        add(test, &result, page);
        Ok(())
    });
    written.map_err(|error| output::broken_pipe(&error))?;
    Ok(worst)
}

fn add(test: &Test, result: &TestResult, page: &mut Page) {
    match result {
        TestResult::Ran { outcome, .. } => page.add(&Case::of(test, outcome)),
        TestResult::Crashed { message } => page.add_crashed(test.name(), message),
    }
}

impl Target {
    fn write(&mut self, name: &str, text: &str) -> Result<(), Exit> {
        match self {
            Self::Folder(folder) => folder.write(name, text).map_err(|error| refused(&error)),
            Self::StandardOutput => output::line(text).map_err(|error| output::broken_pipe(&error)),
        }
    }
}

fn refused(error: &FolderError) -> Exit {
    output::mistake(&error.to_string());
    Exit::Mistake
}
