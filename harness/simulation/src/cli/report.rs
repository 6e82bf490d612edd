//! The command `report`: tests as pages, pictures and lists.
//!
//! Owns which format goes where. With `--out` each goes to its own file, or to one a test; without, the only one goes to
//! standard output.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use super::pool::{self, TestResult};
use super::{Exit, Selection, json, junit, output, report_mistakes, select};
use crate::report::folder::{Folder, FolderError, file_name};
use crate::report::{Case, Junit, Page, ladder, mermaid, svg};
use crate::suite::{Suite, Test};
use crate::verdict::Outcome;

/// Arguments of `report`.
#[derive(Debug, Args)]
pub(super) struct Report {
    #[command(flatten)]
    selection: Selection,
    /// The folder to write to: a new or empty one, or that of an earlier report. Without it the report goes to standard
    /// output
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// What to write; with --out several times
    #[arg(long = "format", value_name = "FORMAT", default_value = "html")]
    formats: Vec<Format>,
}

/// What a report can be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Format {
    /// One page with everything: index.html
    Html,
    /// A picture of each ladder
    Svg,
    /// The snapshot of each test
    Text,
    /// A Mermaid sequence diagram of each ladder
    Mermaid,
    /// One list for continuous integration: junit.xml
    Junit,
    /// One object a test, its ladder included
    Json,
}

impl Format {
    /// The ending of its files.
    const fn ending(self) -> &'static str {
        match self {
            Self::Html => ".html",
            Self::Svg => ".svg",
            Self::Text => ".txt",
            Self::Mermaid => ".mmd",
            Self::Junit => ".xml",
            Self::Json => ".json",
        }
    }

    /// Whether two of them, one behind the other, are no longer one document.
    const fn stands_alone(self) -> bool {
        matches!(self, Self::Svg | Self::Mermaid)
    }
}

/// Runs the tests and writes the report.
pub(super) fn execute(report: &Report) -> Result<Exit, Exit> {
    let suite = select(&report.selection)?;
    let mut writer = Writer::new(report, &suite)?;
    let mut worst = report_mistakes(&suite);
    for mistakes in &suite.mistakes {
        let text = mistakes.render(false);
        writer.page.add_mistakes(&text);
        writer.junit.add_mistakes(mistakes.name(), &text);
    }
    let mut refused = None;
    let taken = pool::run_all(&suite.tests, |test, result| {
        worst = worst.max(result.exit());
        // Errors of the folder are told as such, not as errors of a pipe.
        if refused.is_none() {
            refused = writer.take(test, &result).err();
        }
        Ok(())
    });
    taken.map_err(|error| output::broken_pipe(&error))?;
    refused.map_or(Ok(()), Err)?;
    writer.finish()?;
    Ok(worst)
}

/// Writes each format where it belongs.
struct Writer {
    formats: Vec<Format>,
    /// Nothing for standard output.
    folder: Option<Folder>,
    page: Page,
    junit: Junit,
}

impl Writer {
    fn new(report: &Report, suite: &Suite) -> Result<Self, Exit> {
        let mut formats = Vec::new();
        for format in &report.formats {
            if !formats.contains(format) {
                formats.push(*format);
            }
        }
        if report.out.is_none() {
            fits_standard_output(&formats, suite.tests.len())?;
        }
        let folder = report.out.as_deref().map(Folder::open).transpose();
        Ok(Self {
            formats,
            folder: folder.map_err(|error| refuse(&error))?,
            page: Page::new(),
            junit: Junit::new(),
        })
    }

    fn take(&mut self, test: &Test, result: &TestResult) -> Result<(), Exit> {
        let (outcome, wall) = match result {
            TestResult::Ran { outcome, wall } => (outcome, *wall),
            TestResult::Crashed { message } => {
                let name = test.name();
                output::mistake(&format!("linefault itself failed in {name}: {message}"));
                self.page.add_crashed(name, message);
                self.junit.add_crashed(test, message);
                return Ok(());
            }
        };
        let case = Case::of(test, outcome);
        for format in self.formats.clone() {
            match format {
                Format::Html => self.page.add(&case),
                Format::Junit => self.junit.add(test, outcome, wall),
                Format::Svg => self.write_one(test, format, &svg(&case))?,
                Format::Mermaid => self.write_one(test, format, &mermaid(&case))?,
                Format::Text => self.write_one(test, format, &text(test, outcome))?,
                Format::Json => self.write_one(test, format, &object(test, outcome, &case))?,
            }
        }
        Ok(())
    }

    fn write_one(&mut self, test: &Test, format: Format, text: &str) -> Result<(), Exit> {
        self.write(&file_name(test.name(), format.ending()), text)
    }

    fn write(&mut self, name: &str, text: &str) -> Result<(), Exit> {
        match &mut self.folder {
            Some(folder) => folder.write(name, text).map_err(|error| refuse(&error)),
            None => output::line(text).map_err(|error| output::broken_pipe(&error)),
        }
    }

    fn finish(mut self) -> Result<(), Exit> {
        if self.formats.contains(&Format::Html) {
            let page = std::mem::take(&mut self.page).finish();
            self.write("index.html", &page)?;
        }
        if self.formats.contains(&Format::Junit) {
            let list = junit::finished(std::mem::take(&mut self.junit))?;
            self.write("junit.xml", &list)?;
        }
        for format in self.formats {
            if let Some(folder) = &mut self.folder {
                let removed = folder.remove_stale(format.ending());
                removed.map_err(|error| refuse(&error))?;
            }
        }
        Ok(())
    }
}

/// Standard output is one document.
fn fits_standard_output(formats: &[Format], tests: usize) -> Result<(), Exit> {
    let mistake = match formats {
        [format] if format.stands_alone() && tests > 1 => format!(
            "{tests} tests make {tests} files: say where with --out DIR, or select one test with PATH and --set"
        ),
        [_] => return Ok(()),
        _ => "several formats make several files: say where with --out DIR".to_owned(),
    };
    output::mistake(&mistake);
    Err(Exit::Mistake)
}

fn text(test: &Test, outcome: &Outcome) -> String {
    let mut text = test.snapshot(outcome);
    if !outcome.verdict.is_pass() {
        text.push('\n');
        text.push_str(&test.failure(outcome, false));
    }
    text
}

fn object(test: &Test, outcome: &Outcome, case: &Case) -> String {
    let mut object = json::object(test, outcome);
    object["ladder"] = ladder(&case.chart);
    object.to_string()
}

fn refuse(error: &FolderError) -> Exit {
    output::mistake(&error.to_string());
    Exit::Mistake
}
