//! `linefault explain`: every word has a page, and every example stands in a scenario that uses it.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use linefault::explain::{Example, Subject, explain};
use linefault::scenario::StepAction;
use linefault::suite::{Suite, Test};

use crate::support::{linefault, root, scenarios};

/// Subjects whose pages carry an excerpt of their own. A status names its scenarios; a key is in most of them.
const WITH_EXAMPLE: [Subject; 5] = [
    Subject::Fault,
    Subject::Actor,
    Subject::Step,
    Subject::Oracle,
    Subject::Defect,
];

/// The scenarios by their paths below the folder, without ending; small ones first.
fn texts() -> Vec<(String, String)> {
    let suite = Suite::load(&[scenarios()], &[]).expect("the scenarios can be read");
    let mut paths: Vec<_> = suite
        .tests
        .iter()
        .map(|test| test.path().to_owned())
        .collect();
    paths.dedup();
    let below = |path: &str| {
        let path = Path::new(path).with_extension("");
        let below = path.strip_prefix(scenarios()).expect("it lies below");
        below.to_str().expect("it is UTF-8").to_owned()
    };
    let read = |path: &String| fs::read_to_string(path).expect("a scenario can be read");
    let mut texts: Vec<_> = paths.iter().map(|path| (below(path), read(path))).collect();
    texts.sort_by_key(|(path, text)| (text.len(), path.clone()));
    texts
}

/// The lines of a scenario that show a name best: the fault or step, the host with the actor, the broken twin.
fn excerpt(text: &str, subject: Subject, name: &str) -> Option<String> {
    let line = |wanted: String| {
        let mut lines = text.lines().filter(|line| !line.starts_with('#'));
        lines.find(|line| line.contains(&wanted)).map(str::to_owned)
    };
    let block = |begin: &str, wanted: String| {
        let mut blocks = text.split("\n\n").map(str::trim_end);
        let found = blocks.find(|block| block.starts_with(begin) && block.contains(&wanted));
        found.map(str::to_owned)
    };
    match subject {
        Subject::Fault => line(format!("fault = \"{name}\"")),
        Subject::Step => line(format!("do = \"{name}\"")),
        Subject::Actor => block("[host.", format!("actor = \"{name}\"")),
        Subject::Oracle | Subject::Defect => block("[[known_bad]]", format!("\"{name}\"")),
        Subject::Status | Subject::Key => None,
    }
}

/// Whether a test of the scenario really has it: a word in a comment or a title would not do.
fn uses(test: &Test, subject: Subject, name: &str) -> bool {
    let scenario = test.scenario();
    let twins = || scenario.known_bads.iter();
    match subject {
        Subject::Fault => scenario.faults.iter().any(|fault| fault.name == name),
        Subject::Actor => scenario.hosts.iter().any(|host| host.actor.name == name),
        Subject::Step => scenario.steps.iter().any(|step| match &step.action {
            StepAction::Command(command) => command.name == name,
            StepAction::SendRaw { .. } => name == "send",
        }),
        Subject::Oracle => twins().any(|twin| twin.must_fail.iter().any(|it| it == name)),
        Subject::Defect => twins().any(|twin| twin.defects.iter().any(|it| it == name)),
        Subject::Status | Subject::Key => true,
    }
}

// `UPDATE_MANUAL=1` leaves what still stands in its file, so that a new scenario does not change other words' examples.
#[test]
fn every_word_has_an_example_that_stands_in_a_scenario_and_is_used_there() {
    let texts = texts();
    let by_path: BTreeMap<_, _> = texts
        .iter()
        .map(|(path, text)| (path.as_str(), text))
        .collect();
    let (mut current, mut stale, mut without) = (String::new(), Vec::new(), Vec::new());
    for subject in WITH_EXAMPLE {
        for name in subject.names() {
            let word = format!("{} {name}", subject.name());
            let stands = |example: &Example| {
                by_path
                    .get(example.scenario)
                    .is_some_and(|text| text.contains(example.text))
            };
            let kept = Example::of(subject, &name).filter(stands);
            let kept = kept.map(|it| (it.scenario.to_owned(), it.text.to_owned()));
            let found = || {
                texts
                    .iter()
                    .find_map(|(path, text)| Some((path.clone(), excerpt(text, subject, &name)?)))
            };
            if kept.is_none() {
                stale.push(word.clone());
            }
            match kept.or_else(found) {
                Some((path, text)) => {
                    let _ = write!(current, "## {word}\n{path}\n{text}\n");
                    let file = scenarios().join(format!("{path}.toml"));
                    let suite = Suite::load(&[file], &[]).expect("the scenario can be read");
                    let used = suite.tests.iter().any(|test| uses(test, subject, &name));
                    assert!(used, "{path} does not use {word}");
                }
                None => without.push(word),
            }
        }
    }
    assert!(without.is_empty(), "no scenario shows {without:?}");
    if std::env::var_os("UPDATE_MANUAL").is_some() && !stale.is_empty() {
        fs::write(examples(), &current).expect("the examples can be written");
        return;
    }
    assert!(
        stale.is_empty(),
        "these no longer stand where the examples say; run with UPDATE_MANUAL=1: {stale:?}"
    );
}

fn examples() -> PathBuf {
    root().join("harness/simulation/src/explain/examples.txt")
}

// A page without text, or with a stranger's, would be worse than none: each names its word and says more than that.
#[test]
fn every_word_has_a_page() {
    for subject in Subject::ALL {
        let names = subject.names();
        assert!(names.len() > 5, "{subject:?}");
        for name in names {
            let page = explain(subject.name(), &name).unwrap_or_else(|unknown| panic!("{unknown}"));
            let last = name.rsplit('.').next().expect("a name has a part");
            assert!(page.contains(last), "{subject:?} {name}\n{page}");
            assert!(page.lines().count() > 3, "{subject:?} {name}\n{page}");
        }
    }
}

#[test]
fn the_command_prints_the_page_with_its_example() {
    let drop = linefault(&root(), &["explain", "fault", "drop"]);
    assert_eq!(drop.code, Some(0), "{}", drop.err);
    assert!(drop.out.contains("fault = \"drop\"") && drop.out.contains("As in `scenarios/"));
    let status = linefault(&root(), &["explain", "status", "488"]);
    assert!(status.out.contains("§21.4.26"), "{}", status.out);
    let subjects = linefault(&root(), &["explain"]);
    assert_eq!(subjects.out.lines().count(), Subject::ALL.len());
    let faults = linefault(&root(), &["explain", "fault"]);
    assert!(
        faults.out.lines().any(|line| line == "power-off"),
        "{}",
        faults.out
    );
}

#[test]
fn a_word_that_nobody_knows_is_a_mistake_with_the_nearest_one() {
    let mistakes = [
        (
            &["fault", "dorp"][..],
            "there is no fault `dorp`; did you mean `drop`?",
        ),
        (
            &["falt", "drop"],
            "`falt` is not one of fault, actor, step, oracle, defect, status, key; did you mean `fault`?",
        ),
        (&["drop"], "did you mean `fault drop`?"),
        (
            &["key", "run.sed"],
            "there is no key `run.sed`; did you mean `run.seed`?",
        ),
        (&["status", "299"], "there is no status `299`"),
        (&["status", ""], "there is no status ``"),
    ];
    for (words, expected) in mistakes {
        let all: Vec<_> = std::iter::once(&"explain").chain(words).copied().collect();
        let ran = linefault(&root(), &all);
        assert_eq!((ran.code, ran.out.as_str()), (Some(2), ""), "{words:?}");
        assert!(ran.err.contains(expected), "{words:?}\n{}", ran.err);
    }
}
