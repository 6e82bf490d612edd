//! Exit codes, output and mistakes of the command.

use std::fs;
use std::process::{Command, Stdio};

use crate::support::{CALL, folder_with, linefault, scenarios};

#[test]
fn a_passing_run_exits_0_and_says_so() {
    let folder = folder_with("call.toml", CALL);
    let ran = linefault(folder.path(), &["run", "call.toml"]);
    assert_eq!((ran.code, ran.err.as_str()), (Some(0), "1 passed\n"));
    assert!(ran.out.starts_with("pass      call  "), "{}", ran.out);
}

#[test]
fn scenarios_is_the_default_folder_and_folders_named_rejected_are_left_out() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let scenarios = folder.path().join("scenarios/deep");
    fs::create_dir_all(&scenarios).expect("it can be made");
    fs::write(scenarios.join("call.toml"), CALL).expect("it can be written");
    fs::create_dir(folder.path().join("scenarios/rejected")).expect("it can be made");
    fs::write(folder.path().join("scenarios/rejected/bad.toml"), "bad").expect("it can be written");
    let ran = linefault(folder.path(), &["list"]);
    assert_eq!(
        (ran.code, ran.out.as_str()),
        (Some(0), "deep/call  A call\n")
    );
}

// The violation points at the expectation in the file, shows the moment, and ends with the command that repeats it.
#[test]
fn a_violation_exits_1_and_ends_with_the_replay_line() {
    let wrong = CALL.replace("receives = \"200 INVITE\"", "receives = \"486 INVITE\"");
    let folder = folder_with("wrong call.toml", &wrong);
    let ran = linefault(folder.path(), &["run", "wrong call.toml", "--seed", "7"]);
    assert_eq!(ran.code, Some(1));
    assert!(ran.err.contains("wrong call.toml:30:3"), "{}", ran.err);
    assert!(
        ran.err.contains("seen instead: 100 INVITE at"),
        "{}",
        ran.err
    );
    let replay = "replay: linefault replay 'wrong call.toml' --set run.seed=7\n";
    assert!(
        ran.err.ends_with(&format!("{replay}0 passed, 1 failed\n")),
        "{}",
        ran.err
    );
    let again = linefault(
        folder.path(),
        &["replay", "wrong call.toml", "--set", "run.seed=7"],
    );
    assert_eq!(again.code, Some(1));
    assert!(again.out.contains("seed 7"), "{}", again.out);
}

#[test]
fn every_mistake_of_a_file_is_told_at_its_place_with_exit_code_2() {
    let wrong = CALL
        .replace("actor = \"phone\"", "actor = \"fone\"")
        .replace("\"5s\"", "\"5\"");
    let folder = folder_with("wrong.toml", &wrong);
    let ran = linefault(folder.path(), &["check", "wrong.toml"]);
    assert_eq!(ran.code, Some(2));
    for place in ["wrong.toml:11:9", "wrong.toml:16:9", "wrong.toml:25:10"] {
        assert!(
            ran.err.contains(place),
            "{place} is missing in:\n{}",
            ran.err
        );
    }
    assert!(ran.err.contains("phone"), "{}", ran.err);
    assert_eq!(ran.out, "1 file, 1 with mistakes\n");
}

#[test]
fn mistakes_in_arguments_exit_2_with_a_line_each() {
    let folder = folder_with("call.toml", CALL);
    let mistakes = [
        (vec!["run", "nowhere.toml"], "cannot read nowhere.toml"),
        (vec!["run", "call.toml", "--set", "run.sed=2"], "run.sed=2"),
        (
            vec!["run", "call.toml", "--set", "nothing"],
            "`nothing` sets nothing",
        ),
        (vec!["run", "call.toml", "--seed", "x"], "invalid value 'x'"),
        (vec!["walk"], "unrecognized subcommand 'walk'"),
        (
            vec!["replay", "call.toml", "--known-bad", "3"],
            "call.toml has no broken twin 3",
        ),
        (vec![], "Usage"),
    ];
    for (arguments, expected) in mistakes {
        let ran = linefault(folder.path(), &arguments);
        assert_eq!(ran.code, Some(2), "{arguments:?}\n{}", ran.err);
        assert!(ran.err.contains(expected), "{arguments:?}\n{}", ran.err);
        assert!(!ran.err.contains("panicked"), "{arguments:?}\n{}", ran.err);
    }
}

#[test]
fn an_empty_folder_is_a_mistake_and_not_a_pass() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let ran = linefault(folder.path(), &["run", "."]);
    assert_eq!(
        (ran.code, ran.err.as_str()),
        (Some(2), "error: no scenario (*.toml) in .\n")
    );
}

// What the format promises to other programs, key by key.
#[test]
fn json_gives_one_object_a_test_with_every_promised_key() {
    let ran = linefault(&scenarios(), &["run", "bye/power-off.toml", "--json"]);
    assert_eq!(ran.code, Some(0), "{}", ran.err);
    let objects: Vec<serde_json::Value> = ran
        .out
        .lines()
        .map(|line| serde_json::from_str(line).expect("a line is an object"))
        .collect();
    let keys = [
        "scenario",
        "combination",
        "seed",
        "verdict",
        "violations",
        "trace_hash",
        "status_codes",
        "log_levels",
        "faults",
        "left_over",
        "simulated_s",
        "wall_us",
    ];
    for object in &objects {
        assert!(keys.iter().all(|key| object.get(key).is_some()), "{object}");
    }
    let macos = &objects[0];
    assert_eq!(macos["combination"]["run.platform"], "macos");
    assert_eq!(macos["faults"][0]["armed_s"], 10.0);
    assert_eq!(macos["faults"][0]["noticed"]["by"], "proxy");
    assert_eq!(macos["log_levels"]["proxy"]["WARN"], 1);
}

#[test]
fn an_axis_is_held_at_the_value_that_is_set() {
    let ran = linefault(
        &scenarios(),
        &["list", "bye/power-off.toml", "--set", "run.platform=linux"],
    );
    assert!(!ran.out.contains("macos"), "{}", ran.out);
    assert!(
        ran.out.starts_with("bye/power-off@run.platform=linux  "),
        "{}",
        ran.out
    );
}

#[test]
fn tags_select_scenarios() {
    let folder = folder_with(
        "call.toml",
        &CALL.replace("title", "tags = [\"basic\"]\ntitle"),
    );
    let list = |tag| linefault(folder.path(), &["list", "call.toml", "--tag", tag]);
    assert_eq!(list("basic").out, "call  A call\n");
    let none = list("other");
    assert_eq!(
        (none.code, none.err.as_str()),
        (Some(2), "error: no scenario has the tag other\n")
    );
}

#[test]
fn trace_prints_the_ladder() {
    let folder = folder_with("call.toml", CALL);
    let ran = linefault(folder.path(), &["run", "call.toml", "--trace"]);
    assert!(
        ran.out.contains("status codes   proxy → alice"),
        "{}",
        ran.out
    );
    assert!(
        ran.out
            .contains("alice ──▶ proxy   INVITE sip:bob@sim.test"),
        "{}",
        ran.out
    );
}

// A reader that goes away, as `head` does, must not make the command fail or complain.
#[test]
fn a_closed_pipe_ends_the_command_quietly() {
    let mut child = Command::new(env!("CARGO_BIN_EXE_linefault"))
        .args(["run", "--trace"])
        .arg(scenarios())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the command starts");
    drop(child.stdout.take());
    let ended = child.wait_with_output().expect("the command ends");
    let err = String::from_utf8_lossy(&ended.stderr);
    assert_eq!(ended.status.code(), Some(0), "{err}");
    assert!(
        !err.contains("panicked") && !err.contains("cannot write"),
        "{err}"
    );
}
