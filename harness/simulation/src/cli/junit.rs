//! The JUnit file that `run` writes beside its output.
//!
//! Owns which files may be overwritten: empty ones, and JUnit files.

use std::fs::{self, OpenOptions};
use std::path::{Path, PathBuf};

use super::pool::TestResult;
use super::{Exit, output};
use crate::report::Junit;
use crate::suite::{Suite, Test};

/// A file to be written when all tests have run.
pub(super) struct JunitFile {
    path: PathBuf,
    report: Junit,
}

impl JunitFile {
    /// Takes a path, before anything is run.
    ///
    /// # Errors
    /// Something else is there, or the system refuses to write there; both have been told.
    pub(super) fn open(path: &Path, suite: &Suite) -> Result<Self, Exit> {
        let is_ours = |text: &str| text.is_empty() || text.contains("<testsuites");
        if fs::metadata(path).is_ok_and(|found| found.is_file())
            && !fs::read_to_string(path).is_ok_and(|text| is_ours(&text))
        {
            let path = path.display();
            output::mistake(&format!("{path} is no JUnit file: it is not overwritten"));
            return Err(Exit::Mistake);
        }
        let opened = OpenOptions::new().append(true).create(true).open(path);
        opened.map_err(|error| refused(path, &error))?;
        let mut report = Junit::new();
        for mistakes in &suite.mistakes {
            report.add_mistakes(mistakes.name(), &mistakes.render(false));
        }
        let path = path.to_owned();
        Ok(Self { path, report })
    }

    /// Adds a test.
    pub(super) fn add(&mut self, test: &Test, result: &TestResult) {
        match result {
            TestResult::Ran { outcome, wall } => self.report.add(test, outcome, *wall),
            TestResult::Crashed { message } => self.report.add_crashed(test, message),
        }
    }

    /// Writes the file.
    ///
    /// # Errors
    /// It cannot be written; that has been told.
    pub(super) fn write(self) -> Result<(), Exit> {
        let text = finished(self.report)?;
        fs::write(&self.path, text).map_err(|error| refused(&self.path, &error))
    }
}

/// The report's text.
///
/// # Errors
/// It cannot be put into words; that has been told.
pub(super) fn finished(report: Junit) -> Result<String, Exit> {
    report.finish().map_err(|error| {
        output::mistake(&format!("linefault cannot write JUnit: {error}"));
        Exit::Harness
    })
}

fn refused(path: &Path, error: &std::io::Error) -> Exit {
    output::mistake(&format!("cannot write {}: {error}", path.display()));
    Exit::Mistake
}
