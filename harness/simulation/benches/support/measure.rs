//! What the benches of whole runs share: a scenario from its text, oracles over its trace, medians of real time.

use std::time::Duration;

use linefault::evidence::Evidence;
use linefault::oracle::CATALOGUE;
use linefault::scenario::{File, Scenario};
use linefault::suite::names;

/// The only combination of a scenario.
pub(crate) fn read(text: &str) -> Scenario {
    let file =
        File::read("bench.toml", text, &names()).unwrap_or_else(|mistakes| panic!("{mistakes}"));
    file.resolve(&file.combinations().remove(0), &[])
        .expect("it was checked")
}

/// How many objections the oracles have.
pub(crate) fn findings(evidence: &Evidence<'_>) -> usize {
    let found = CATALOGUE
        .iter()
        .map(|oracle| (oracle.judge)(evidence).len());
    found.sum()
}

/// The median time of so many runs.
#[expect(clippy::disallowed_methods, reason = "a bench measures real time")]
pub(crate) fn median(runs: usize, mut work: impl FnMut()) -> Duration {
    let mut times: Vec<_> = (0..runs)
        .map(|_| {
            let began = std::time::Instant::now();
            work();
            began.elapsed()
        })
        .collect();
    times.sort_unstable();
    times[runs / 2]
}

/// How many times as long the one is.
pub(crate) fn ratio(one: Duration, other: Duration) -> f64 {
    one.as_secs_f64() / other.as_secs_f64()
}
