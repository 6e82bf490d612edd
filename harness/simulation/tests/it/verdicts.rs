//! When a run fails although nobody broke an expectation: idle faults, deadlocks, runs without an end.

use linefault::run::End;
use linefault::scenario::File;
use linefault::suite::names;
use linefault::verdict::{Outcome, Verdict, judge};

use crate::support::CALL;

/// The call with other words in it.
fn call_with(changes: &[(&str, &str)]) -> Outcome {
    let text = changes.iter().fold(CALL.to_owned(), |text, (old, new)| {
        assert!(text.contains(old), "`{old}` is not in the scenario");
        text.replace(old, new)
    });
    let file =
        File::read("call.toml", &text, &names()).unwrap_or_else(|mistakes| panic!("{mistakes}"));
    let scenario = file
        .resolve(&file.combinations()[0], &[])
        .expect("it was checked");
    judge(&scenario, None)
}

fn with_faults(faults: &str) -> Outcome {
    call_with(&[("[outcome]", &format!("faults = [{faults}]\n\n[outcome]"))])
}

fn violations(outcome: &Outcome) -> Vec<(&str, &str)> {
    outcome
        .violations
        .iter()
        .map(|violation| (violation.name.as_str(), violation.text.as_str()))
        .collect()
}

#[test]
fn a_fault_that_matches_nothing_fails_the_run() {
    let outcome =
        with_faults(r#"{ at = "2s", fault = "drop", host = "bob", message = "MESSAGE" }"#);
    assert_eq!(
        violations(&outcome),
        [(
            "fault-without-effect",
            "armed at 2.000, but nothing matched"
        )]
    );
}

#[test]
fn a_fault_may_miss_where_the_file_says_so() {
    let fault =
        r#"{ at = "2s", fault = "drop", host = "bob", message = "MESSAGE", may_miss = true }"#;
    assert_eq!(with_faults(fault).verdict, Verdict::Pass);
}

// The copy of an answer that a proxy passes on reaches alice, who absorbs it: a mere receipt is no change.
#[test]
fn a_fault_that_only_makes_something_arrive_fails_the_run() {
    let outcome = with_faults(
        r#"{ at = "0s", fault = "duplicate", to = "alice", from = "proxy", message = "100 INVITE" }"#,
    );
    let text = "armed at 0.000, matched 1, applied 1, changed nothing: without it every actor does the same";
    assert_eq!(violations(&outcome), [("fault-without-effect", text)]);
}

// What is delayed is lost all the same, bob's second 180 too; only without the loss would the delay show.
#[test]
fn a_fault_that_another_one_masks_is_told_so() {
    let outcome = with_faults(
        r#"{ at = "0s", fault = "delay", from = "bob", to = "proxy", message = "180 INVITE", by = "50ms" },
           { at = "0s", fault = "drop", from = "bob", to = "proxy", message = "180 INVITE" }"#,
    );
    let text = "armed at 0.000, matched 2, applied 2, changed nothing: masked by drop 180 INVITE bob → proxy";
    assert_eq!(violations(&outcome), [("fault-without-effect", text)]);
}

#[test]
fn a_fault_that_waits_for_what_never_comes_fails_the_run() {
    let outcome =
        with_faults(r#"{ when = "bob sends 486 INVITE", fault = "power-off", host = "bob" }"#);
    let never = "never began: what it waits for was not seen";
    assert_eq!(violations(&outcome), [("fault-without-effect", never)]);
}

// The kill comes 10 ms after bob's 200 left: it is the trigger, not a clock, that decides when.
#[test]
fn a_fault_begins_when_what_it_waits_for_is_seen() {
    let outcome = with_faults(
        r#"{ when = "bob sends 200 INVITE", after = "10ms", fault = "power-off", host = "bob" }"#,
    );
    let armed = outcome.faults[0].count.armed_at.expect("bob answers");
    assert_eq!(armed.as_micros(), 1_010_000 + 1_000_000 + 10_000);
}

#[test]
fn a_step_that_waits_for_what_never_comes_is_a_deadlock() {
    let outcome = call_with(&[("{ at = \"5s\",", "{ when = \"bob sends 486 INVITE\",")]);
    assert_eq!(outcome.simulation.end, End::Deadlock { steps: vec![3] });
    let (name, text) = violations(&outcome)[0];
    assert_eq!(
        (name, text),
        (
            "deadlock",
            "nothing can run any more, but step 4 still waits"
        )
    );
}

// Bob would ring for an hour; the run is cut off long before.
#[test]
fn a_run_that_is_still_busy_at_time_max_fails() {
    let ringing = "user = \"bob\"\nanswer = { pick_up = \"50min\" }";
    let outcome = call_with(&[
        (
            "title = \"A call\"",
            "title = \"A call\"\n\n[run]\ntime_max = \"2min\"",
        ),
        ("user = \"bob\"", ringing),
        (
            "  { at = \"5s\", host = \"alice\", do = \"hang-up\" },\n",
            "",
        ),
        (
            "  { name = \"answered\", host = \"alice\", receives = \"200 INVITE\" },\n",
            "",
        ),
    ]);
    assert_eq!(outcome.simulation.end, End::TimeMax);
    assert_eq!(violations(&outcome)[0].0, "never-quiet");
    assert_eq!(outcome.simulation.ended_at.as_micros(), 120_000_000);
}

#[test]
fn run_until_ends_a_run_exactly_then_and_judges_nothing_left_over() {
    let outcome = call_with(&[(
        "title = \"A call\"",
        "title = \"A call\"\n\n[run]\nrun_until = \"5500ms\"",
    )]);
    assert_eq!(outcome.simulation.ended_at.as_micros(), 5_500_000);
    assert_eq!(
        (outcome.simulation.end.clone(), outcome.verdict),
        (End::RunUntil, Verdict::Pass)
    );
}

#[test]
fn a_step_for_a_host_that_is_down_is_recorded_and_fails_the_run() {
    let off = r#"{ at = "4s", fault = "power-off", host = "alice" }"#;
    let outcome = with_faults(off);
    let text = "hang-up at 5.000: the host is down";
    assert!(violations(&outcome).contains(&("step-not-taken", text)));
    let may_miss = call_with(&[
        ("do = \"hang-up\"", "do = \"hang-up\", may_miss = true"),
        ("[outcome]", &format!("faults = [{off}]\n\n[outcome]")),
    ]);
    assert!(
        violations(&may_miss)
            .iter()
            .all(|(name, _)| *name != "step-not-taken")
    );
}

// The proxy forgets who is registered. The twin run of the kill leaves the restart out as well: alone, that would end the same process and hide the kill.
#[test]
fn a_kill_and_the_restart_after_it_both_have_an_effect() {
    let outcome = with_faults(
        r#"{ at = "500ms", fault = "kill", host = "proxy" },
           { at = "600ms", fault = "restart", host = "proxy" }"#,
    );
    assert!(
        violations(&outcome)
            .iter()
            .all(|(name, _)| *name != "fault-without-effect")
    );
}

// A health check every microsecond makes more records than any machine has memory for.
#[test]
fn a_run_that_floods_its_trace_is_stopped() {
    let outcome = call_with(&[(
        "domain = \"sim.test\"",
        "domain = \"sim.test\"\nhealth_check = \"1us\"",
    )]);
    assert_eq!(outcome.simulation.end, End::Flooded);
    assert_eq!(violations(&outcome)[0].0, "flooded");
}

#[test]
fn levels_that_no_trace_keeps_cannot_be_expected() {
    let text = CALL.replace("receives = \"200 INVITE\"", "never_logs = \"DEBUG\"");
    let mistakes = File::read("call.toml", &text, &names())
        .err()
        .expect("refused")
        .to_string();
    assert!(
        mistakes.contains("expected `ERROR`, `WARN` or `INFO`"),
        "{mistakes}"
    );
}
