//! Exploration from the outside: what is found, how it is written down, and campaigns in shares.

use std::fs;
use std::path::Path;

use linefault::explore::part::{Campaign, Part, PartError, PlanId};
use linefault::explore::{Explorer, Plan, campaign};
use linefault::suite::Suite;

use crate::support::{Ran, linefault, root};

const CALL: &str = "scenarios/call/caller-hangs-up.toml";

fn folder() -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let to = folder.path().join("scenarios/call");
    fs::create_dir_all(&to).expect("it can be made");
    fs::copy(root().join(CALL), to.join("caller-hangs-up.toml")).expect("it can be copied");
    folder
}

fn explore(folder: &Path, more: &[&str]) -> Ran {
    let arguments: Vec<&str> = ["explore", CALL].iter().chain(more).copied().collect();
    linefault(folder, &arguments)
}

fn plan() -> Plan {
    let suite = Suite::load(&[root().join(CALL)], &[]).expect("it is there");
    let draft = suite.tests[0].draft().expect("sound");
    Plan::new(&draft, Vec::new()).expect("it can be explored")
}

/// All seeds up to that one, by so many workers.
fn campaign(plan: &Plan, seeds: u64, workers: usize, shard: impl Fn(usize) -> bool) -> Part {
    let all = campaign::blocks(1, &(0..seeds)).into_iter().enumerate();
    let blocks: Vec<_> = all
        .filter(|(place, _)| shard(*place))
        .map(|(_, block)| block)
        .collect();
    let mut part = Part::new(Campaign {
        build: "this".to_owned(),
        seeds: 0..seeds,
        plans: vec![PlanId::new("call", "linefault explore call", plan)],
    });
    let plans = std::slice::from_ref(plan);
    campaign::run(plans, &blocks, workers, &|| true, &mut |place, tally| {
        part.add(&blocks[place], tally);
    });
    part
}

// The text has everything that a campaign says; if it is the same, no worker has left a mark on it.
#[test]
fn the_result_does_not_depend_on_the_number_of_workers_nor_on_the_shares() {
    let plan = plan();
    let alone = campaign(&plan, 400, 1, |_| true);
    assert_eq!(alone.tallies()[0].runs, 400);
    assert_eq!(alone.tallies()[0].checked, 20, "5 % are run twice");
    assert_eq!(
        campaign(&plan, 400, 3, |_| true).to_jsonl(),
        alone.to_jsonl()
    );
    let even = campaign(&plan, 400, 2, |place| place % 2 == 0);
    let odd = campaign(&plan, 400, 2, |place| place % 2 == 1);
    assert_eq!(even.progress(), (200, 400));
    for order in [[&even, &odd, &even], [&odd, &alone, &even]] {
        let mut whole = order[0].clone();
        for part in &order[1..] {
            whole.merge((*part).clone()).expect("they belong together");
        }
        assert_eq!(whole.to_jsonl(), alone.to_jsonl());
    }
    let again = Part::from_jsonl(&alone.to_jsonl()).expect("it was just written");
    assert_eq!(
        again, alone,
        "nothing is lost on the way to a file and back"
    );
}

// The file is red by itself, or as a broken twin where a defect had to be planted; here it is the latter, and passes.
#[test]
fn what_is_found_is_a_scenario_that_fails_in_the_same_way() {
    let folder = folder();
    let planted = ["--defect", "bob=bye-ignored", "--runs", "20"];
    let ran = explore(folder.path(), &planted);
    assert_eq!(ran.code, Some(1), "{}{}", ran.out, ran.err);
    let found = fs::read_dir(folder.path().join("scenarios/found")).expect("something was found");
    let found: Vec<_> = found.map(|file| file.expect("readable").path()).collect();
    assert!(!found.is_empty());
    for file in &found {
        let text = fs::read_to_string(file).expect("readable");
        assert!(
            text.contains("Found by exploring") && text.contains("[[known_bad]]"),
            "{text}"
        );
        let ran = linefault(folder.path(), &["run", &file.display().to_string()]);
        assert_eq!(ran.code, Some(0), "{text}\n{}{}", ran.out, ran.err);
    }
    let again = explore(folder.path(), &planted);
    assert!(again.out.contains("known: "), "{}", again.out);
    let count = fs::read_dir(folder.path().join("scenarios/found"))
        .expect("readable")
        .count();
    assert_eq!(
        count,
        found.len(),
        "a kind that is known is not written again"
    );
}

// The line that a finding ends with is typed in as it stands, and finds the same.
#[test]
fn the_replay_line_finds_it_again() {
    let folder = folder();
    let ran = explore(
        folder.path(),
        &["--defect", "bob=bye-ignored", "--runs", "20"],
    );
    let replay = ran
        .out
        .lines()
        .find_map(|line| line.strip_prefix("replay: linefault "));
    let words: Vec<&str> = replay.expect("there is one").split(' ').collect();
    let again = linefault(folder.path(), &words);
    let what = |text: &str| {
        text.lines()
            .find(|line| line.starts_with("found"))
            .map(|line| line.split(',').next().unwrap_or_default().to_owned())
    };
    assert_eq!(what(&again.out), what(&ran.out));
}

// What was there before is there afterwards, whatever is wrong with it or with the arguments.
#[test]
fn mistakes_are_said_and_nothing_is_overwritten() {
    let folder = folder();
    let place = |name: &str| folder.path().join(name);
    fs::write(place("notes"), "mine\n").expect("it can be written");
    let out = |seeds: &str, out: &str| explore(folder.path(), &["--seeds", seeds, "--out", out]);
    assert_eq!(out("0..50", "part").code, Some(0));
    let part = fs::read_to_string(place("part")).expect("readable");
    fs::write(place("cut"), &part[..part.len() / 2]).expect("it can be written");
    fs::write(
        place("other-build"),
        part.replacen("\"build\":\"", "\"build\":\"0", 1),
    )
    .expect("it can be written");
    let merge = |parts: &[&str]| {
        let words: Vec<&str> = ["merge"].iter().chain(parts).copied().collect();
        linefault(folder.path(), &words)
    };
    let mistakes = [
        (out("5..5", "x"), "no seed"),
        (out("a..b", "x"), "expected A..B"),
        (out("0..50", "notes"), "nothing was overwritten"),
        (out("0..100", "part"), "another campaign"),
        (out("0..50", "no/such/folder/x"), "cannot write"),
        (
            explore(folder.path(), &["--shard", "3/2", "--out", "x"]),
            "expected K/N",
        ),
        (
            explore(folder.path(), &["--defect", "proxy"]),
            "expected host=defect",
        ),
        (
            explore(folder.path(), &["--defect", "proxy=no-such-defect"]),
            "no defect",
        ),
        (
            explore(folder.path(), &["--defect", "bob=dead-binding-stays"]),
            "defect of the actor",
        ),
        (merge(&["cut"]), "cut short"),
        (merge(&["notes"]), "no part of a campaign"),
        (merge(&["missing"]), "cannot read"),
        (merge(&["part", "other-build"]), "another build"),
        (
            merge(&["part", "--out", "notes"]),
            "nothing was overwritten",
        ),
    ];
    for (ran, expected) in mistakes {
        assert_eq!(ran.code, Some(2), "{expected}: {}{}", ran.out, ran.err);
        assert!(ran.err.contains(expected), "{expected}: {}", ran.err);
    }
    assert_eq!(
        fs::read_to_string(place("notes")).expect("readable"),
        "mine\n"
    );
    assert_eq!(fs::read_to_string(place("part")).expect("readable"), part);
    assert!(!place("x").exists());
}

// Two parts that say different things about the same seeds are proof that a run was not repeatable.
#[test]
fn parts_that_disagree_are_not_merged() {
    let part = campaign(&plan(), 50, 1, |_| true);
    let other = part.to_jsonl().replacen("\"runs\":50", "\"runs\":49", 1);
    let other = Part::from_jsonl(&other).expect("it is sound");
    let merged = part.clone().merge(other);
    assert!(
        matches!(merged, Err(PartError::Disagree { .. })),
        "{merged:?}"
    );
}

// Drawn faults that never strike would make every campaign green.
#[test]
fn what_is_drawn_strikes() {
    let plan = plan();
    let tally = campaign::tally(&Explorer::new(&plan), 0..400);
    for (name, faults) in &tally.faults {
        assert!(faults.applied > 0, "{name}: {faults:?}");
    }
    assert!(tally.faults.len() > 15, "{:?}", tally.faults.keys());
}

// Without a demand nothing could fail to recover. A stream has no hang-up that would bound its second time.
#[test]
fn recovery_is_demanded_of_calls_and_of_streams() {
    let demands = |path: &str, demand: &str| {
        let suite = Suite::load(&[root().join(path)], &[]).expect("it is there");
        let draft = suite.tests[0].draft().expect("sound");
        let plan = Plan::new(&draft, Vec::new()).expect("it can be explored");
        assert!(plan.text().contains(demand), "{}", plan.text());
    };
    for demand in ["alice-recovers-200-invite", "alice-recovers-200-bye"] {
        demands(CALL, demand);
    }
    demands(
        "scenarios/stream/complete.toml",
        "client-recovers-sse-event-done",
    );
}
