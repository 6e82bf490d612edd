//! Runs tests on all cores, one simulation a thread, and hands their results on in order.

use std::collections::BTreeMap;
use std::io;
use std::num::NonZero;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use super::Exit;
use crate::panics;
use crate::suite::Test;
use crate::verdict::Outcome;

/// What came of one test.
pub(super) enum TestResult {
    /// It ran.
    Ran {
        /// What was found.
        outcome: Box<Outcome>,
        /// How long it took, in real time.
        wall: Duration,
    },
    /// linefault itself failed.
    Crashed {
        /// The panic's message and place.
        message: String,
    },
}

impl TestResult {
    pub(super) fn exit(&self) -> Exit {
        match self {
            Self::Ran { outcome, .. } if outcome.verdict.is_pass() => Exit::Pass,
            Self::Ran { .. } => Exit::Violation,
            Self::Crashed { .. } => Exit::Harness,
        }
    }
}

/// Runs all tests and calls `take` with each result, in the tests' order.
///
/// # Errors
/// The first error of `take`; the tests that run by then are finished first.
pub(super) fn run_all(
    tests: &[Test],
    mut take: impl FnMut(&Test, TestResult) -> io::Result<()>,
) -> io::Result<()> {
    let next = AtomicUsize::new(0);
    let workers = thread::available_parallelism()
        .map_or(1, NonZero::get)
        .min(tests.len().max(1));
    thread::scope(|scope| {
        let (sender, results) = mpsc::channel();
        for _ in 0..workers {
            let (sender, next) = (sender.clone(), &next);
            scope.spawn(move || {
                while let Some((index, test)) = claim(next, tests) {
                    if sender.send((index, run(test))).is_err() {
                        return;
                    }
                }
            });
        }
        drop(sender);
        let mut early = BTreeMap::new();
        for (index, test) in tests.iter().enumerate() {
            while !early.contains_key(&index) {
                let Ok((done, result)) = results.recv() else {
                    return Ok(());
                };
                early.insert(done, result);
            }
            if let Some(result) = early.remove(&index) {
                take(test, result)?;
            }
        }
        Ok(())
    })
}

fn claim<'a>(next: &AtomicUsize, tests: &'a [Test]) -> Option<(usize, &'a Test)> {
    let index = next.fetch_add(1, Ordering::Relaxed);
    Some((index, tests.get(index)?))
}

#[expect(
    clippy::disallowed_methods,
    reason = "how long a run takes in real time is shown to the user"
)]
fn run(test: &Test) -> TestResult {
    let began = std::time::Instant::now();
    match panics::catch(|| test.run()) {
        Ok(outcome) => TestResult::Ran {
            outcome: Box::new(outcome),
            wall: began.elapsed(),
        },
        Err(message) => TestResult::Crashed { message },
    }
}
