//! What a user sees: a line a test, a progress bar on a terminal, failures, a summary.

use std::io::{self, IsTerminal as _, Write as _};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::pool::TestResult;
use super::{Exit, json};
use crate::coverage::Coverage;
use crate::suite::Test;
use crate::verdict::Outcome;

/// Prints results as they come.
pub(super) struct Output {
    json: bool,
    trace: bool,
    bar: ProgressBar,
    color: bool,
    failed: usize,
    crashed: usize,
}

impl Output {
    /// For so many tests; with a progress bar if standard error is a terminal.
    pub(super) fn new(json: bool, trace: bool, tests: usize) -> Self {
        let bar = ProgressBar::with_draw_target(Some(tests as u64), ProgressDrawTarget::stderr());
        if let Ok(style) = ProgressStyle::with_template("{bar:30} {pos}/{len} {msg}") {
            bar.set_style(style);
        }
        let color = io::stderr().is_terminal();
        Self {
            json,
            trace,
            bar,
            color,
            failed: 0,
            crashed: 0,
        }
    }

    /// Prints the result of one test.
    ///
    /// # Errors
    /// Standard output cannot be written to.
    pub(super) fn result(&mut self, test: &Test, result: &TestResult) -> io::Result<()> {
        self.bar.set_message(test.name().to_owned());
        self.bar.inc(1);
        match result {
            TestResult::Ran { outcome, wall } => {
                let text = if self.json {
                    json::line(test, outcome, *wall)
                } else if self.trace {
                    format!("{}\n{}", test.name(), test.snapshot(outcome))
                } else {
                    plain(test, outcome)
                };
                self.print(&text)?;
                if !outcome.verdict.is_pass() {
                    self.failed += 1;
                    let failure = test.failure(outcome, self.color);
                    self.bar.suspend(|| self::text(&failure));
                }
            }
            TestResult::Crashed { message } => {
                self.crashed += 1;
                let name = test.name();
                let blame = format!(
                    "linefault itself failed in {name}: {message}\nreplay: {}",
                    test.replay()
                );
                self.bar.suspend(|| mistake(&blame));
            }
        }
        Ok(())
    }

    /// Prints what all tests together have tried: two tables, or one more JSON object.
    ///
    /// # Errors
    /// Standard output cannot be written to.
    pub(super) fn coverage(&self, coverage: &Coverage) -> io::Result<()> {
        let text = if self.json {
            serde_json::json!({ "coverage": coverage.to_json() }).to_string()
        } else {
            format!("\n{coverage}")
        };
        self.print(&text)
    }

    /// Prints how many tests there were and what became of them.
    pub(super) fn summary(&self, tests: usize, unreadable: usize) {
        self.bar.finish_and_clear();
        let mut parts = vec![format!("{} passed", tests - self.failed - self.crashed)];
        let files = if unreadable == 1 {
            "file with mistakes"
        } else {
            "files with mistakes"
        };
        let more = [
            (self.failed, "failed"),
            (unreadable, files),
            (self.crashed, "crashed"),
        ];
        parts.extend(
            more.iter()
                .filter(|(count, _)| *count > 0)
                .map(|(count, what)| format!("{count} {what}")),
        );
        text(&format!("{}\n", parts.join(", ")));
    }

    /// Tells of a mistake between two results.
    pub(super) fn mistake(&self, message: &str) {
        self.bar.suspend(|| mistake(message));
    }

    fn print(&self, text: &str) -> io::Result<()> {
        self.bar.suspend(|| line(text))
    }
}

fn plain(test: &Test, outcome: &Outcome) -> String {
    let seconds = outcome.simulation.ended_at.as_micros() / 1_000_000;
    let mut line = format!(
        "{:<9} {}  {seconds} s simulated",
        outcome.verdict.word(),
        test.name()
    );
    if outcome.verdict.is_pass() {
        return line;
    }
    for violation in &outcome.violations {
        line.push_str(&format!(
            "\n          {}: {}",
            violation.name, violation.text
        ));
    }
    line
}

/// "1 file", "2 files".
pub(super) fn count(number: usize, thing: &str) -> String {
    format!("{number} {thing}{}", if number == 1 { "" } else { "s" })
}

/// Writes a line to standard output.
///
/// # Errors
/// It cannot be written to: often a pipe whose reader has gone.
pub(super) fn line(text: &str) -> io::Result<()> {
    let mut out = io::stdout().lock();
    out.write_all(text.as_bytes())?;
    if !text.ends_with('\n') {
        out.write_all(b"\n")?;
    }
    out.flush()
}

/// Writes to standard error; where that is closed nobody wants to know.
pub(super) fn text(text: &str) {
    let _ = io::stderr().lock().write_all(text.as_bytes());
}

/// Tells of a mistake on standard error.
pub(super) fn mistake(message: &str) {
    text(&format!("error: {message}\n"));
}

/// A reader that has gone, as `head` does, is no failure of ours; anything else is said.
pub(super) fn broken_pipe(error: &io::Error) -> Exit {
    if error.kind() == io::ErrorKind::BrokenPipe {
        return Exit::Pass;
    }
    mistake(&format!("cannot write to standard output: {error}"));
    Exit::Mistake
}
