//! A folder of scenarios as a list of tests: one per file, combination and broken twin.
//!
//! Owns which files count and what each test is called; the same name finds it in `cargo test`, in
//! `snapshots/` and in the command's output.

use std::collections::BTreeSet;
use std::fmt;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use linefault_network::Instant;

use crate::defect;
use crate::divergence::{self, Divergence};
use crate::failure;
use crate::run::{Setup, Simulation, simulate};
use crate::scenario::{Combination, Diagnostics, Draft, File, KnownBad, Names, Override, Scenario};
use crate::snapshot;
use crate::trace::TraceHash;
use crate::verdict::{self, Outcome};

/// Files in a folder of this name must be refused by the reader; they are nobody's tests.
pub const REJECTED: &str = "rejected";

/// What a path led to.
pub struct Suite {
    /// The tests of every file that could be read, in order of path, combination, twin.
    pub tests: Vec<Test>,
    /// The mistakes of every other file, in order of path.
    pub mistakes: Vec<Diagnostics>,
    /// How many files there were.
    pub files: usize,
}

/// One test.
#[derive(Clone)]
pub struct Test {
    name: String,
    file: Arc<File>,
    combination: Combination,
    known_bad: Option<usize>,
    overrides: Arc<[Override]>,
    scenario: Arc<Scenario>,
}

/// Why a suite cannot be loaded. Blames the caller's paths.
#[derive(Debug)]
pub enum SuiteError {
    /// A file or folder cannot be read.
    Unreadable {
        /// Which.
        path: PathBuf,
        /// What the system says.
        error: io::Error,
    },
    /// A folder holds no scenario.
    Empty {
        /// Which.
        path: PathBuf,
    },
}

impl fmt::Display for SuiteError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unreadable { path, error } => {
                write!(f, "cannot read {}: {error}", path.display())
            }
            Self::Empty { path } => write!(f, "no scenario (*.toml) in {}", path.display()),
        }
    }
}

impl std::error::Error for SuiteError {}

impl Suite {
    /// Reads every scenario at those paths: files as they are, folders with all that is below them.
    ///
    /// # Errors
    /// A path that cannot be read, or a folder without a scenario. Mistakes in files are no error here:
    /// they are listed.
    pub fn load(paths: &[PathBuf], overrides: &[Override]) -> Result<Self, SuiteError> {
        Self::load_with(paths, overrides, &names())
    }

    /// The same, where files may name more than linefault itself has.
    ///
    /// # Errors
    /// As [`Suite::load`].
    pub fn load_with(
        paths: &[PathBuf],
        overrides: &[Override],
        names: &Names,
    ) -> Result<Self, SuiteError> {
        let overrides: Arc<[Override]> = overrides.into();
        let mut known = BTreeSet::new();
        let mut suite = Self {
            tests: Vec::new(),
            mistakes: Vec::new(),
            files: 0,
        };
        for path in paths {
            let found = find(path)?;
            if found.is_empty() {
                return Err(SuiteError::Empty { path: path.clone() });
            }
            // A file that was named twice is still one file.
            for file in found.into_iter().filter(|file| known.insert(file.clone())) {
                let bytes = read(&file)?;
                suite.files += 1;
                match File::read_bytes(&slashes(&file), &bytes, names) {
                    Ok(read) => suite.add(path, &file, &Arc::new(read), &overrides),
                    Err(mistakes) => suite.mistakes.push(mistakes),
                }
            }
        }
        Ok(suite)
    }

    /// The tests of one scenario that is given as text, under that name.
    #[must_use]
    pub fn read_with(name: &str, text: &str, names: &Names) -> Self {
        let mut suite = Self {
            tests: Vec::new(),
            mistakes: Vec::new(),
            files: 1,
        };
        match File::read(name, text, names) {
            Ok(read) => suite.add(Path::new(""), Path::new(name), &Arc::new(read), &[].into()),
            Err(mistakes) => suite.mistakes.push(mistakes),
        }
        suite
    }

    fn add(&mut self, root: &Path, path: &Path, file: &Arc<File>, overrides: &Arc<[Override]>) {
        let name = test_name(root, path);
        for combination in pinned(file.combinations(), overrides) {
            match file.resolve(&combination, overrides) {
                Err(mistakes) => self.mistakes.push(mistakes),
                Ok(scenario) => {
                    self.add_combination(&name, file, &combination, overrides, scenario);
                }
            }
        }
    }

    fn add_combination(
        &mut self,
        name: &str,
        file: &Arc<File>,
        combination: &Combination,
        overrides: &Arc<[Override]>,
        scenario: Scenario,
    ) {
        let scenario = Arc::new(scenario);
        let name = match combination.slug() {
            slug if slug.is_empty() => name.to_owned(),
            slug => format!("{name}@{slug}"),
        };
        let twins = (0..scenario.known_bads.len()).map(Some);
        for known_bad in std::iter::once(None).chain(twins) {
            let name = match known_bad.and_then(|index| scenario.known_bads.get(index)) {
                None => name.clone(),
                Some(twin) => format!("{name}+known-bad-{}", twin.number),
            };
            self.tests.push(Test {
                name,
                file: Arc::clone(file),
                combination: combination.clone(),
                known_bad,
                overrides: Arc::clone(overrides),
                scenario: Arc::clone(&scenario),
            });
        }
    }
}

impl Test {
    /// Its name: the file's path below the suite's folder, `@` and the combination, `+known-bad-` and the number.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The file's path, as found.
    #[must_use]
    pub fn path(&self) -> &str {
        self.file.name()
    }

    /// What it runs.
    #[must_use]
    pub fn scenario(&self) -> &Scenario {
        &self.scenario
    }

    /// Its combination of the matrix.
    #[must_use]
    pub fn combination(&self) -> &Combination {
        &self.combination
    }

    /// The broken twin that it runs.
    #[must_use]
    pub fn known_bad(&self) -> Option<&KnownBad> {
        self.known_bad
            .and_then(|index| self.scenario.known_bads.get(index))
    }

    /// Simulates it and judges nothing, without the faults of those indices.
    #[must_use]
    pub fn simulate(&self, without: &[usize]) -> Simulation {
        self.simulate_as(&self.scenario, without)
    }

    /// Simulates it up to that moment, or to its own end if that is earlier. What happens until then is what happens in the
    /// whole run.
    #[must_use]
    pub fn simulate_until(&self, until: Instant) -> Simulation {
        let mut scenario = Scenario::clone(&self.scenario);
        let until = linefault_actors::Instant::from_micros(until.as_micros());
        let own = scenario.run.run_until.unwrap_or(scenario.run.time_max);
        scenario.run.run_until = Some(until.min(own));
        self.simulate_as(&scenario, &[])
    }

    /// Runs it twice: the hash of its trace, if both runs are the same.
    ///
    /// # Errors
    /// They are not.
    pub fn self_check(&self) -> Result<TraceHash, Box<Divergence>> {
        let defects = verdict::planted(&self.scenario, self.known_bad);
        let setup = Setup {
            without: &[],
            defects: &defects,
        };
        divergence::self_check(&self.scenario, setup)
    }

    fn simulate_as(&self, scenario: &Scenario, without: &[usize]) -> Simulation {
        let defects = verdict::planted(scenario, self.known_bad);
        let setup = Setup {
            without,
            defects: &defects,
        };
        simulate(scenario, setup)
    }

    /// What it runs, as data that can be changed.
    ///
    /// # Errors
    /// Never for a test of a suite: its overrides have been applied before.
    pub fn draft(&self) -> Result<Draft, Diagnostics> {
        Draft::new(&self.file, &self.combination, &self.overrides)
    }

    /// Runs it.
    #[must_use]
    pub fn run(&self) -> Outcome {
        verdict::judge(&self.scenario, self.known_bad)
    }

    /// The text to compare with its snapshot.
    #[must_use]
    pub fn snapshot(&self, outcome: &Outcome) -> String {
        snapshot::render(&self.scenario, &self.combination, self.known_bad, outcome)
    }

    /// What to tell its author when it does not pass.
    #[must_use]
    pub fn failure(&self, outcome: &Outcome, color: bool) -> String {
        failure::render(
            &self.scenario,
            self.known_bad,
            outcome,
            &self.replay(),
            color,
        )
    }

    /// The command that runs it again.
    #[must_use]
    pub fn replay(&self) -> String {
        let mut words = vec!["linefault replay".to_owned(), quote(self.path())];
        for (path, value) in self.combination.settings() {
            if !self.overrides.iter().any(|given| given.path() == path) {
                words.push(format!("--set {}", quote(&format!("{path}={value}"))));
            }
        }
        words.extend(
            self.overrides
                .iter()
                .map(|given| format!("--set {}", quote(given.text()))),
        );
        words.extend(
            self.known_bad()
                .map(|twin| format!("--known-bad {}", twin.number)),
        );
        words.join(" ")
    }
}

/// A word for a shell, in quotes only where it needs them.
fn quote(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "./_-=,:@+%".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        return word.to_owned();
    }
    format!("'{}'", word.replace('\'', r"'\''"))
}

/// What scenario files may name that other modules own.
#[must_use]
pub fn names() -> Names {
    Names {
        actors: Vec::new(),
        defects: defect::CATALOGUE
            .iter()
            .map(|defect| (defect.name, defect.actor))
            .collect(),
        verdicts: verdict::names().collect(),
    }
}

/// The combinations that the overrides leave: an override of an axis selects that value, or replaces the
/// axis where it has no such value.
fn pinned(combinations: Vec<Combination>, overrides: &[Override]) -> Vec<Combination> {
    let mut left = combinations;
    for given in overrides {
        let is_axis = |path: &str| path == given.path();
        let (selected, others): (Vec<_>, Vec<_>) = left.into_iter().partition(|combination| {
            combination
                .settings()
                .any(|(path, value)| is_axis(path) && value == given.value())
        });
        left = if !selected.is_empty() {
            selected
        } else if others
            .iter()
            .any(|other| other.settings().any(|(path, _)| is_axis(path)))
        {
            without_axis(others, given.path())
        } else {
            others
        };
    }
    left
}

fn without_axis(combinations: Vec<Combination>, axis: &str) -> Vec<Combination> {
    let mut left: Vec<Combination> = Vec::new();
    for combination in combinations {
        let combination = combination.without(axis);
        if !left.iter().any(|other| other.slug() == combination.slug()) {
            left.push(combination);
        }
    }
    left
}

/// All scenario files at a path, sorted, without hidden ones and those that must be refused. Links to folders
/// are not followed, since they may lead back.
fn find(path: &Path) -> Result<Vec<PathBuf>, SuiteError> {
    let unreadable = |error| SuiteError::Unreadable {
        path: path.to_owned(),
        error,
    };
    if !fs::metadata(path).map_err(unreadable)?.is_dir() {
        return Ok(vec![path.to_owned()]);
    }
    let mut entries = Vec::new();
    for entry in fs::read_dir(path).map_err(unreadable)? {
        let entry = entry.map_err(unreadable)?;
        entries.push((entry.path(), entry.file_type().map_err(unreadable)?));
    }
    entries.sort_by(|(left, _), (right, _)| left.cmp(right));
    let mut files = Vec::new();
    for (entry, kind) in entries {
        let name = entry.file_name().unwrap_or_default().to_string_lossy();
        if name.starts_with('.') || name == REJECTED {
            continue;
        }
        if kind.is_dir() {
            files.extend(find(&entry)?);
        } else if entry.extension().is_some_and(|ending| ending == "toml") && !entry.is_dir() {
            files.push(entry);
        }
    }
    Ok(files)
}

fn read(path: &Path) -> Result<Vec<u8>, SuiteError> {
    fs::read(path).map_err(|error| SuiteError::Unreadable {
        path: path.to_owned(),
        error,
    })
}

/// The file's path below the folder that was asked for, or below a folder `scenarios`; without its ending.
fn test_name(root: &Path, path: &Path) -> String {
    let path = path.with_extension("");
    let below = path.strip_prefix(root).unwrap_or(&path);
    let all: Vec<_> = path.components().collect();
    let place = all.iter().rposition(|part| part.as_os_str() == "scenarios");
    match place {
        Some(place) => slashes(&all[place + 1..].iter().collect::<PathBuf>()),
        None if below.as_os_str().is_empty() => {
            slashes(Path::new(path.file_name().unwrap_or_default()))
        }
        None => slashes(below),
    }
}

/// A path with forward slashes, on any platform.
fn slashes(path: &Path) -> String {
    let parts: Vec<_> = path
        .components()
        .map(|part| part.as_os_str().to_string_lossy())
        .collect();
    parts.join("/").replacen("//", "/", 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_test_is_named_after_its_file_below_the_folder_of_scenarios() {
        let name = |root: &str, path: &str| test_name(Path::new(root), Path::new(path));
        assert_eq!(name("scenarios", "scenarios/bye/lost.toml"), "bye/lost");
        assert_eq!(
            name("/a/scenarios", "/a/scenarios/bye/lost.toml"),
            "bye/lost"
        );
        assert_eq!(name("scenarios/bye", "scenarios/bye/lost.toml"), "bye/lost");
        assert_eq!(name("/a/x", "/a/x/lost.toml"), "lost");
        assert_eq!(name("lost.toml", "lost.toml"), "lost");
    }

    #[test]
    fn a_word_is_quoted_only_where_a_shell_would_misread_it() {
        assert_eq!(quote("run.platform=macos"), "run.platform=macos");
        assert_eq!(quote("it's a name.toml"), r"'it'\''s a name.toml'");
        assert_eq!(quote(""), "''");
    }
}
