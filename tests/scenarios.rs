//! One test per scenario file, combination and broken twin; each compares with its snapshot in `snapshots/`.
//!
//! `cargo insta review` shows what changed; `INSTA_UPDATE=always cargo test` accepts it unseen.

use std::collections::BTreeSet;
use std::env;
use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};
use std::sync::Arc;

use libtest_mimic::{Arguments, Failed, Trial};
use linefault::panics;
use linefault::suite::{Suite, Test};
use similar::TextDiff;

/// insta prints its own account of a difference, which nobody captures here; ours is part of the test's result.
const INSTA_OUTPUT: &str = "INSTA_OUTPUT";

fn main() -> ExitCode {
    let arguments = Arguments::from_args();
    if env::var_os(INSTA_OUTPUT).is_none_or(|output| output != "none") {
        return run_again_quietly();
    }
    panics::keep_quiet();
    // Cargo runs a package's tests in the package's folder.
    let suite = match Suite::load(&[PathBuf::from("scenarios")], &[]) {
        Ok(suite) => suite,
        Err(error) => return complain(&error.to_string()),
    };
    libtest_mimic::run(&arguments, trials(suite)).exit_code()
}

/// The environment is read by insta itself, and may not be changed by a process with threads: by its parent it may.
fn run_again_quietly() -> ExitCode {
    let program = env::current_exe().expect("a running test has a path");
    let status = Command::new(program)
        .args(env::args_os().skip(1))
        .env(INSTA_OUTPUT, "none")
        .status();
    let code = status.expect("a test can start itself").code();
    code.and_then(|code| u8::try_from(code).ok())
        .map_or(ExitCode::FAILURE, ExitCode::from)
}

#[expect(
    clippy::print_stderr,
    reason = "there is no test yet that could carry the message"
)]
fn complain(message: &str) -> ExitCode {
    eprintln!("{message}");
    ExitCode::FAILURE
}

fn trials(suite: Suite) -> Vec<Trial> {
    let expected: BTreeSet<PathBuf> = suite.tests.iter().map(snapshot_path).collect();
    let mut trials: Vec<_> = suite.tests.into_iter().map(trial).collect();
    trials.push(Trial::test("no-mistakes-in-scenario-files", move || {
        let texts: Vec<_> = suite
            .mistakes
            .iter()
            .map(|mistakes| mistakes.render(false))
            .collect();
        if texts.is_empty() {
            Ok(())
        } else {
            Err(texts.concat().into())
        }
    }));
    trials.push(Trial::test("no-orphan-snapshots", move || {
        no_orphans(&expected)
    }));
    trials
}

fn trial(test: Test) -> Trial {
    let test = Arc::new(test);
    Trial::test(test.name().to_owned(), move || run(&test))
}

fn run(test: &Test) -> Result<(), Failed> {
    let outcome = panics::catch(|| test.run()).map_err(|message| {
        format!(
            "linefault itself failed: {message}\nreplay: {}",
            test.replay()
        )
    })?;
    let difference = compare(test, &test.snapshot(&outcome));
    let failure = (!outcome.verdict.is_pass()).then(|| test.failure(&outcome, false));
    let parts: Vec<_> = [failure, difference].into_iter().flatten().collect();
    if parts.is_empty() {
        Ok(())
    } else {
        Err(parts.join("\n").into())
    }
}

/// What differs from the snapshot, if anything does. insta decides, and keeps the new text for review.
fn compare(test: &Test, text: &str) -> Option<String> {
    let path = snapshot_path(test);
    let name = path.file_stem()?.to_string_lossy().into_owned();
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join(path.parent()?);
    let mut settings = insta::Settings::clone_current();
    settings.set_snapshot_path(folder);
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    let compared = catch_unwind(AssertUnwindSafe(|| {
        settings.bind(|| insta::assert_snapshot!(name.as_str(), text));
    }));
    compared.is_err().then(|| difference(test, &path, text))
}

fn difference(test: &Test, path: &Path, text: &str) -> String {
    let old = fs::read_to_string(path).unwrap_or_default();
    // Behind the second `---` of insta's header.
    let old = old.splitn(3, "---\n").nth(2).unwrap_or_default();
    let diff = TextDiff::from_lines(old.trim_end(), text.trim_end());
    let diff = diff
        .unified_diff()
        .context_radius(3)
        .header("snapshot", "this run")
        .to_string();
    format!(
        "{} differs from this run:\n{diff}replay: {}\n",
        path.display(),
        test.replay()
    )
}

/// `snapshots/` mirrors `scenarios/`; the file is named like the test.
fn snapshot_path(test: &Test) -> PathBuf {
    PathBuf::from(format!("snapshots/{}.snap", test.name()))
}

fn no_orphans(expected: &BTreeSet<PathBuf>) -> Result<(), Failed> {
    let mut orphans = Vec::new();
    collect(Path::new("snapshots"), &mut orphans)?;
    orphans.retain(|path| !expected.contains(path));
    let list: Vec<_> = orphans
        .iter()
        .map(|path| format!("no scenario makes {}", path.display()))
        .collect();
    if list.is_empty() {
        Ok(())
    } else {
        Err(list.join("\n").into())
    }
}

fn collect(folder: &Path, found: &mut Vec<PathBuf>) -> Result<(), Failed> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            collect(&path, found)?;
        } else if path.extension().is_some_and(|ending| ending == "snap") {
            found.push(path);
        }
    }
    Ok(())
}
