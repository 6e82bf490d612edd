//! Replaying up to a moment and record by record, and finding where two runs part.

use std::fs;

use linefault::suite::Suite;
use linefault_network::Instant;

use crate::support::{CALL, Ran, folder_with, linefault, scenarios};

const POWER_OFF: &str = "bye/power-off.toml";
const MACOS: [&str; 2] = ["--set", "run.platform=macos"];

fn in_scenarios(arguments: &[&str]) -> Ran {
    linefault(&scenarios(), &[arguments, &MACOS].concat())
}

// If stopping changed what happens before, `--until` would show another run than the one that failed.
#[test]
fn what_happens_until_a_moment_is_what_happens_in_the_whole_run() {
    let suite = Suite::load(&[scenarios()], &[]).expect("the repository's scenarios can be read");
    for test in suite.tests.iter().step_by(11) {
        let whole = test.simulate(&[]);
        let half = Instant::from_micros(whole.ended_at.as_micros() / 2);
        let stopped = test.simulate_until(half);
        let before = whole
            .trace
            .records()
            .iter()
            .filter(|it| it.at < half)
            .count();
        assert!(stopped.trace.records().len() >= before, "{}", test.name());
        for (ours, theirs) in whole.trace.records().iter().zip(stopped.trace.records()) {
            assert_eq!(
                format!("{ours:?}"),
                format!("{theirs:?}"),
                "{}",
                test.name()
            );
        }
    }
}

#[test]
fn until_a_moment_shows_what_is_open_and_pending_and_nothing_later() {
    let ran = in_scenarios(&["replay", POWER_OFF, "--until", "12.004s"]);
    assert_eq!(ran.code, Some(0), "{}", ran.err);
    // The BYE is under way: alice's transaction waits for its Timer E, bob's things went with his power.
    assert!(
        ran.out.contains("  12.000  alice ──▶ proxy   BYE"),
        "{}",
        ran.out
    );
    assert!(!ran.out.contains("12.005"), "{}", ran.out);
    assert!(
        ran.out
            .contains("12.500  alice  Timer E of transaction BYE"),
        "{}",
        ran.out
    );
    assert!(!ran.out.contains("\n  bob"), "{}", ran.out);
}

// What one build prints, another must be able to compare: with a file, with the scenario, and with its own second run.
#[test]
fn a_printed_trace_compares_with_its_scenario_and_with_another_trace() {
    let folder = folder_with("call.toml", CALL);
    let run = |arguments: &[&str]| linefault(folder.path(), arguments);
    let write = |name: &str, seed: &str| {
        let ran = run(&["replay", "call.toml", "--seed", seed, "--json"]);
        assert_eq!(ran.code, Some(0), "{}", ran.err);
        fs::write(folder.path().join(name), ran.out).expect("it can be written");
    };
    write("one.jsonl", "1");
    write("two.jsonl", "2");
    let same = run(&["diff", "one.jsonl", "call.toml", "--set-b", "run.seed=1"]);
    assert_eq!((same.code, same.out.as_str()), (Some(0), "no difference\n"));
    let other = run(&["diff", "one.jsonl", "two.jsonl"]);
    let seeds = run(&["diff", "call.toml", "--seeds", "1", "2"]);
    assert_eq!((other.code, seeds.code), (Some(1), Some(1)));
    assert!(
        seeds.out.starts_with(other.out.trim_end()),
        "{}\n{}",
        seeds.out,
        other.out
    );
    assert!(
        other.out.contains("label differs: REGISTER"),
        "{}",
        other.out
    );
}

#[test]
fn a_fault_that_is_left_out_shows_where_it_began_and_who_noticed() {
    let ran = in_scenarios(&["diff", POWER_OFF, "--without-fault", "1"]);
    assert_eq!(ran.code, Some(1), "{}", ran.err);
    assert!(
        ran.out.contains("fault-armed fault=0 name=power-off"),
        "{}",
        ran.out
    );
    assert!(
        ran.out
            .ends_with("the first actor that does something else: proxy at 12.005\n"),
        "{}",
        ran.out
    );
}

#[test]
fn mistakes_are_named_with_exit_code_2_and_nothing_on_standard_output() {
    let folder = folder_with("call.toml", CALL);
    fs::write(folder.path().join("cut.jsonl"), "{\"id\":0,\"at_us\"").expect("it can be written");
    fs::write(folder.path().join("odd.jsonl"), "{\"id\":-1}\n").expect("it can be written");
    fs::write(folder.path().join("empty.jsonl"), "").expect("it can be written");
    let mistakes: [(&[&str], &str); 8] = [
        (&["diff", "cut.jsonl", "call.toml"], "cut.jsonl:1: not JSON"),
        (
            &["diff", "odd.jsonl", "call.toml"],
            "odd.jsonl:1: `id` is missing",
        ),
        (&["diff", "empty.jsonl", "call.toml"], "holds no record"),
        (
            &["diff", "gone.jsonl", "call.toml"],
            "cannot read gone.jsonl",
        ),
        (
            &["diff", "call.toml", "--without-fault", "1"],
            "call.toml has no fault 1",
        ),
        (
            &["diff", "call.toml", "--known-bad", "1"],
            "has no broken twin 1",
        ),
        (
            &["replay", "call.toml", "--until", "12"],
            "--until 12: no length of time",
        ),
        (
            &["replay", "call.toml", "--until=-1s"],
            "--until -1s: no length of time",
        ),
    ];
    for (arguments, text) in mistakes {
        let ran = linefault(folder.path(), arguments);
        assert_eq!((ran.code, ran.out.as_str()), (Some(2), ""), "{arguments:?}");
        assert!(ran.err.contains(text), "{arguments:?}: {}", ran.err);
    }
    let several = linefault(&scenarios(), &["replay", POWER_OFF, "--trace"]);
    assert_eq!(several.code, Some(2));
    assert!(
        several.err.contains("--set run.platform=linux"),
        "{}",
        several.err
    );
}

// Coverage is of all tests of a run; the same counts come as JSON.
#[test]
fn a_run_prints_what_it_tried() {
    let ran = in_scenarios(&["run", POWER_OFF, "--coverage"]);
    assert_eq!(ran.code, Some(0), "{}", ran.err);
    assert!(ran.out.contains("  power-off  began in "), "{}", ran.out);
    assert!(ran.out.contains("timers never set: "), "{}", ran.out);
    let json = in_scenarios(&["run", POWER_OFF, "--coverage", "--json"]);
    let last = json.out.lines().last().expect("there are lines");
    let value: serde_json::Value = serde_json::from_str(last).expect("it is JSON");
    assert!(
        value["coverage"]["touched"]["power-off"]["BYE"].as_u64() > Some(0),
        "{last}"
    );
}
