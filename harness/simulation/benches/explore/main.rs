//! How fast exploration is: seeds a second on one worker and on two, with and without sound; and how long it takes to
//! shrink what planted defects show.
//!
//! `cargo bench -p linefault --bench explore`

#[path = "../support/allocator.rs"]
mod allocator;

use std::num::NonZero;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use linefault::defect;
use linefault::explore::{Explorer, Plan, campaign, shrink};
use linefault::scenario::{Combination, Draft, File};
use linefault::suite::{Suite, Test, names};

/// Two calls of 20 s among four hosts.
const CALLS: &str = r#"title = "Four hosts"

[host.proxy]
actor = "proxy"
domain = "sim.test"

[host.alice]
actor = "phone"
user = "alice"
registrar = "proxy"

[host.bob]
actor = "phone"
user = "bob"
registrar = "proxy"

[host.carol]
actor = "phone"
user = "carol"
registrar = "proxy"

[timeline]
steps = [
  { at = "0s", host = "alice", do = "register" },
  { at = "0s", host = "bob", do = "register" },
  { at = "1s", host = "alice", do = "call", to = "bob" },
  { at = "20s", host = "carol", do = "call", to = "bob" },
  { at = "40s", host = "alice", do = "hang-up" },
]
"#;

/// The same with a call of 40 s on an audio service beside it.
const WITH_SOUND: &str = r#"
[host.service]
actor = "audio-service"
flow = "echo"

[host.visitor]
actor = "audio-peer"
service = "service"
"#;

const SOUND_STEPS: &str = r#"
  { at = "0s", host = "visitor", do = "call" },
  { at = "40s", host = "visitor", do = "hang-up" },
]
"#;

#[expect(clippy::print_stdout, reason = "that is what a bench is for")]
fn main() {
    // Panics are among the faults: printing them would cost more than everything else.
    linefault::panics::keep_quiet();
    let calls = plan(CALLS);
    let (head, steps) = CALLS.rsplit_once("[timeline]").expect("it has steps");
    let steps = steps.trim_end().trim_end_matches(']');
    let sound = plan(&format!(
        "{head}{WITH_SOUND}\n[timeline]{steps}{SOUND_STEPS}"
    ));
    let cores = std::thread::available_parallelism().map_or(1, NonZero::get);
    println!("Exploration; {cores} cores");
    for (name, plan, seeds) in [
        ("calls", &calls, 10_000),
        ("calls and sound", &sound, 2_000),
    ] {
        let one = explore(plan, seeds, 1);
        let two = explore(plan, seeds, 2);
        let of_all = two.mul_f64(10_000.0 / seeds as f64);
        println!(
            "  {name}: {seeds} seeds, one worker {one:.2?}, two {two:.2?}: {:.2} times; 10,000 seeds on two would take {of_all:.1?}",
            one.as_secs_f64() / two.as_secs_f64()
        );
    }
    let mut times = zoo();
    times.sort_unstable();
    if let (Some(median), Some(most)) = (times.get(times.len() / 2), times.last()) {
        println!(
            "  shrinking what {} planted defects show: median {median:.2?}, most {most:.2?}",
            times.len()
        );
    }
}

fn plan(text: &str) -> Plan {
    let file = File::read("bench.toml", text, &names());
    let file = Arc::new(file.unwrap_or_else(|mistakes| panic!("{mistakes}")));
    let draft = Draft::new(&file, &Combination::default(), &[]).expect("there are no overrides");
    Plan::new(&draft, Vec::new()).unwrap_or_else(|why| panic!("{why}"))
}

fn explore(plan: &Plan, seeds: u64, workers: usize) -> Duration {
    let plans = std::slice::from_ref(plan);
    let blocks = campaign::blocks(1, &(0..seeds));
    timed(|| campaign::run(plans, &blocks, workers, &|| true, &mut |_, _| {})).1
}

#[expect(clippy::disallowed_methods, reason = "a bench measures real time")]
fn timed<T>(work: impl FnOnce() -> T) -> (T, Duration) {
    let began = std::time::Instant::now();
    let made = work();
    (made, began.elapsed())
}

/// How long it takes to shrink the first violation of each defect, planted where a broken twin has it.
fn zoo() -> Vec<Duration> {
    let scenarios = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../scenarios");
    let suite = Suite::load(&[scenarios], &[]).expect("there are scenarios");
    let shrunk = defect::CATALOGUE.iter().filter_map(|defect| {
        let has = |test: &&Test| {
            test.known_bad()
                .is_some_and(|twin| twin.defects.iter().any(|name| name == defect.name))
        };
        let test = suite.tests.iter().find(has)?;
        let host = test.scenario().host(test.known_bad()?.host).name.clone();
        let plan = Plan::new(&test.draft().ok()?, vec![(host, defect)]).ok()?;
        let explorer = Explorer::new(&plan);
        let found = (0..200).find_map(|seed| {
            let explored = explorer.run(seed).ok()?;
            let (kind, seen) = explored.first()?;
            Some((plan.draft(seed, &explored.schedule), kind.clone(), seen.at))
        });
        let (draft, kind, at) = found?;
        Some(timed(|| shrink::shrink(&plan, draft, &kind, at, &|| true)).1)
    });
    shrunk.collect()
}
