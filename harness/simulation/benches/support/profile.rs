//! For profilers, and for machines that do other things as well.

use std::hint::black_box;
use std::time::Duration;

use linefault::evidence::Evidence;
use linefault::run::{Setup, simulate};
use linefault::scenario::Scenario;

use crate::measure::findings;

/// With `LINEFAULT_PROFILE=n` in the environment does nothing but `n` whole runs, says what the quickest took, and returns
/// true: the bench is over.
#[expect(clippy::disallowed_methods, reason = "a bench measures real time")]
#[expect(clippy::print_stdout, reason = "that is what a bench is for")]
pub(crate) fn profile(scenario: &Scenario) -> bool {
    let runs = std::env::var("LINEFAULT_PROFILE").ok();
    let Some(runs) = runs.and_then(|runs| runs.parse::<u32>().ok()) else {
        return false;
    };
    let mut quickest = Duration::MAX;
    for _ in 0..runs {
        let began = std::time::Instant::now();
        let run = simulate(scenario, Setup::default());
        black_box(findings(&Evidence::new(&run)));
        drop(run);
        quickest = quickest.min(began.elapsed());
    }
    println!("the quickest of {runs} runs, read back and judged: {quickest:.1?}");
    true
}
