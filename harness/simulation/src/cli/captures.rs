//! Where the traffic of tests is written to.
//!
//! Owns the names of files. Refuses to replace anything but a capture, and says so before any test runs.

use std::collections::BTreeMap;
use std::fmt;
use std::fs::{self, File};
use std::io::{self, BufWriter, Read as _};
use std::path::{Path, PathBuf};

use super::pool::TestResult;
use crate::pcap::{self, CaptureError};
use crate::suite::Test;

/// How a capture's name ends.
const ENDING: &str = "pcapng";

/// A file for each test, or for none.
#[derive(Debug, Default)]
pub(super) struct Captures {
    by_test: BTreeMap<String, PathBuf>,
}

/// Why a capture cannot be written. Blames the caller's path, except where [`CaptureError`] does not.
#[derive(Debug)]
pub(super) enum CaptureMistake {
    /// One file for several tests.
    OneFile { path: PathBuf, tests: usize },
    /// Neither a capture's name nor a folder's.
    Ending { path: PathBuf },
    /// Something else is there.
    NoCapture { path: PathBuf },
    /// Two tests of one name.
    SameName { path: PathBuf },
    /// The system says no.
    Unusable { path: PathBuf, error: io::Error },
    /// It could not be written to the end.
    Unwritten { path: PathBuf, error: CaptureError },
}

impl Captures {
    /// Decides on the files: `path` itself if it ends in `.pcapng`, which takes exactly one test; else a folder with a
    /// file a test, named like the test.
    ///
    /// # Errors
    /// Anything that can be known before the tests run.
    pub(super) fn plan(path: Option<&Path>, tests: &[Test]) -> Result<Self, CaptureMistake> {
        let mut captures = Self::default();
        let Some(path) = path else {
            return Ok(captures);
        };
        let one = path.extension().is_some_and(|ending| ending == ENDING) && !path.is_dir();
        if one && tests.len() > 1 {
            let (path, tests) = (path.to_owned(), tests.len());
            return Err(CaptureMistake::OneFile { path, tests });
        }
        if !one && path.extension().is_some() && !path.is_dir() {
            return Err(CaptureMistake::Ending {
                path: path.to_owned(),
            });
        }
        for test in tests {
            let file = if one {
                path.to_owned()
            } else {
                below(path, test.name())
            };
            replaceable(&file)?;
            if captures.by_test.values().any(|other| *other == file) {
                return Err(CaptureMistake::SameName { path: file });
            }
            captures.by_test.insert(test.name().to_owned(), file);
        }
        Ok(captures)
    }

    /// Writes the traffic of a test that ran, if it is wanted.
    ///
    /// # Errors
    /// The file cannot be written.
    pub(super) fn save(&self, test: &Test, result: &TestResult) -> Result<(), CaptureMistake> {
        let (Some(path), TestResult::Ran { outcome, .. }) = (self.by_test.get(test.name()), result)
        else {
            return Ok(());
        };
        let unusable = |error| CaptureMistake::Unusable {
            path: path.clone(),
            error,
        };
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder).map_err(unusable)?;
        }
        let file = BufWriter::new(File::create(path).map_err(unusable)?);
        let written = pcap::write(test.scenario(), &outcome.simulation, file);
        written.map_err(|error| CaptureMistake::Unwritten {
            path: path.clone(),
            error,
        })
    }
}

/// The test's file below a folder, and never outside it.
fn below(folder: &Path, test: &str) -> PathBuf {
    let parts = test
        .split('/')
        .filter(|part| !matches!(*part, "" | "." | ".."));
    let path: PathBuf = std::iter::once(folder.as_os_str())
        .chain(parts.map(AsRef::as_ref))
        .collect();
    let mut name = path.into_os_string();
    name.push(".");
    name.push(ENDING);
    name.into()
}

/// Nothing is there yet, or an empty file, or a capture.
fn replaceable(path: &Path) -> Result<(), CaptureMistake> {
    let unusable = |error| CaptureMistake::Unusable {
        path: path.to_owned(),
        error,
    };
    let found = match fs::metadata(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        found => found.map_err(unusable)?,
    };
    let mut begin = Vec::new();
    if found.is_file() {
        let file = File::open(path).map_err(unusable)?;
        let magic = pcap::MAGIC.len() as u64;
        file.take(magic).read_to_end(&mut begin).map_err(unusable)?;
    }
    if found.is_file() && (begin.is_empty() || begin == pcap::MAGIC) {
        return Ok(());
    }
    Err(CaptureMistake::NoCapture {
        path: path.to_owned(),
    })
}

impl fmt::Display for CaptureMistake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::OneFile { path, tests } => write!(
                f,
                "{} takes the traffic of one test, and these are {tests}: name a folder, or select one with --set or replay",
                path.display()
            ),
            Self::Ending { path } => write!(
                f,
                "{} is neither a capture, whose name ends in .{ENDING}, nor a folder",
                path.display()
            ),
            Self::NoCapture { path } => write!(
                f,
                "{} is there already and no capture: it stays as it is",
                path.display()
            ),
            Self::SameName { path } => {
                write!(f, "two tests would write {}", path.display())
            }
            Self::Unusable { path, error } => {
                write!(f, "cannot write {}: {error}", path.display())
            }
            Self::Unwritten { path, error } => {
                write!(f, "cannot write {} to its end: {error}", path.display())
            }
        }
    }
}

impl std::error::Error for CaptureMistake {}
