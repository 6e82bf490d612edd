//! Same scenario, seed and binary: the same bytes of trace, wherever and however often it runs.

use std::collections::BTreeSet;
use std::env;
use std::path::Path;
use std::thread;

use linefault::run::{Setup, simulate};
use linefault::suite::{Suite, Test};

use crate::support::{linefault, run_program, scenarios};

fn tests() -> Vec<Test> {
    let suite = Suite::load(&[scenarios()], &[]).expect("the repository's scenarios can be read");
    suite.tests
}

fn hash(test: &Test) -> String {
    simulate(test.scenario(), Setup::default())
        .trace
        .hash()
        .to_string()
}

// A run that depends on anything but its scenario gives two hashes sooner or later: 1,000 runs in a row and
// four threads at once share allocator, hash keys and thread-locals in every way that a user's would.
#[test]
fn a_thousand_runs_and_four_threads_give_one_hash() {
    let tests = tests();
    let lossy = tests
        .iter()
        .find(|test| test.name().starts_with("bye/power-off"))
        .expect("it exists");
    let hashes: BTreeSet<String> = thread::scope(|scope| {
        let worker = || (0..250).map(|_| hash(lossy)).collect::<BTreeSet<_>>();
        let workers: Vec<_> = (0..4).map(|_| scope.spawn(worker)).collect();
        workers
            .into_iter()
            .flat_map(|worker| worker.join().expect("no panic"))
            .collect()
    });
    assert_eq!(hashes.len(), 1, "{hashes:?}");
    let in_a_row: BTreeSet<String> = (0..1000).map(|_| hash(lossy)).collect();
    assert_eq!(in_a_row, hashes);
}

// Broken twins included: a planted defect may bring disorder of its own. That the check can fail is shown where it is made.
#[test]
fn every_scenario_runs_twice_to_the_same_hash() {
    for test in tests() {
        if let Err(divergence) = test.self_check() {
            panic!("{} does not repeat itself\n{divergence}", test.name());
        }
    }
}

// Another seed must show: a hash that never changes would prove nothing above.
#[test]
fn another_seed_gives_another_hash() {
    let of_seed = |seed: &str| {
        hashes(&linefault(&scenarios(), &["run", "call", "--json", "--seed", seed]).out)
    };
    assert_ne!(of_seed("1"), of_seed("2"));
}

#[test]
fn separate_processes_give_the_same_hashes() {
    let run = || hashes(&linefault(&scenarios(), &["run", ".", "--json"]).out);
    let first = run();
    assert!(!first.is_empty());
    assert_eq!(first, run());
}

// Needs a second build; the CI script makes it and names it.
#[test]
fn debug_and_release_builds_give_the_same_hashes() {
    let Some(other) = env::var_os("LINEFAULT_OTHER_BUILD") else {
        assert!(
            env::var_os("LINEFAULT_REQUIRE_ALL").is_none(),
            "LINEFAULT_OTHER_BUILD names no binary"
        );
        skipped("LINEFAULT_OTHER_BUILD does not name another build of the command");
        return;
    };
    let theirs = run_program(Path::new(&other), &scenarios(), &["run", ".", "--json"]);
    assert_eq!(theirs.code, Some(0), "{}", theirs.err);
    assert_eq!(
        hashes(&theirs.out),
        hashes(&linefault(&scenarios(), &["run", ".", "--json"]).out)
    );
}

#[expect(clippy::print_stderr, reason = "a test that cannot run says so")]
fn skipped(why: &str) {
    eprintln!("SKIPPED: {why}");
}

fn hashes(json_lines: &str) -> Vec<(String, String)> {
    let object = |line: &str| -> serde_json::Value { serde_json::from_str(line).expect("JSON") };
    let pair = |line| {
        let object = object(line);
        (object["test"].to_string(), object["trace_hash"].to_string())
    };
    json_lines.lines().map(pair).collect()
}
