//! What a wait of 32 simulated seconds costs: the Timer B scenario here, and the same actors on
//! `turmoil::Sim` with its tick of 1 ms, in one run.
//!
//! `cargo bench -p linefault --features turmoil --bench timer_b`

mod turmoil_host;

use std::hint::black_box;
use std::time::Duration;

use linefault::run::{Setup, simulate};
use linefault::scenario::{File, Override, Scenario};
use linefault::suite::names;
use linefault::verdict::judge;

const FILE: &str = include_str!("../../../../scenarios/invite/timer-b.toml");
/// Two seconds after the 408 has gone up.
const UNTIL: Duration = Duration::from_secs(35);

#[expect(clippy::print_stdout, reason = "that is what a bench is for")]
fn main() {
    let scenario = scenario();
    let recorded = median(201, || {
        black_box(simulate(&scenario, Setup::default()).trace.hash());
    });
    let judged = median(201, || {
        black_box(judge(&scenario, None));
    });
    let turmoil = median(21, || turmoil_host::timer_b(&scenario, UNTIL));
    println!("Timer B: an INVITE that nobody hears, 35 simulated seconds; medians");
    println!("  linefault, one run, recorded and hashed       {recorded:>9.1?}");
    println!("  linefault, judged, with its fault's twin run  {judged:>9.1?}");
    println!("  the same actors on turmoil::Sim, 1 ms tick    {turmoil:>9.1?}");
    println!(
        "  turmoil / linefault, one run each             {:>8.0}×",
        ratio(turmoil, recorded)
    );
}

fn scenario() -> Scenario {
    let file =
        File::read("timer-b.toml", FILE, &names()).expect("the repository's scenario is right");
    let until = Override::parse("run.run_until=\"35s\"").expect("it sets something");
    let combination = file.combinations().remove(0);
    file.resolve(&combination, &[until])
        .expect("the scenario may run until then")
}

#[expect(clippy::disallowed_methods, reason = "a bench measures real time")]
fn median(runs: usize, mut work: impl FnMut()) -> Duration {
    let mut times: Vec<_> = (0..runs)
        .map(|_| {
            let began = std::time::Instant::now();
            work();
            began.elapsed()
        })
        .collect();
    times.sort();
    times[runs / 2]
}

fn ratio(slow: Duration, fast: Duration) -> f64 {
    slow.as_secs_f64() / fast.as_secs_f64()
}
