//! What a failing test prints: its parts, their order, and how much.

use std::fs;

use crate::support::{folder_with, linefault, root};

/// More than that is a wall.
const LINES: usize = 40;

/// A scenario of the repository, without its broken twins.
fn power_off() -> String {
    let path = root().join("scenarios/bye/power-off.toml");
    let text = fs::read_to_string(path).expect("it is there");
    let (scenario, _) = text.split_once("[[known_bad]]").expect("it has twins");
    scenario.to_owned()
}

/// What is told of the first test of a file that fails.
fn told(name: &str, text: &str, setting: &str) -> String {
    let folder = folder_with(name, text);
    let ran = linefault(folder.path(), &["run", name, "--set", setting]);
    assert_eq!(ran.code, Some(1), "{}", ran.err);
    let end = ran.err.find("replay: ").expect("it ends with the replay");
    let length = ran.err[end..].find('\n').expect("of one line");
    ran.err[..end + length].to_owned()
}

/// Asserts that the parts stand in the text in that order.
fn in_order(text: &str, parts: &[&str]) {
    let mut rest = text;
    for part in parts {
        let Some((_, behind)) = rest.split_once(part) else {
            panic!("{part:?} is missing, or stands too early, in\n{text}");
        };
        rest = behind;
    }
}

// The order in which somebody asks: what, where, what instead, how it came, since when, once more.
#[test]
fn a_broken_expectation_is_told_in_the_order_of_the_questions() {
    let text = power_off().replace("\"408 BYE\"", "\"200 BYE\"");
    let line = text.lines().position(|line| line.contains("bye-answered"));
    let place = format!("╭▸ wrong.toml:{}:3\n", line.expect("it is there") + 1);
    let told = told("wrong.toml", &text, "run.platform=macos");
    let parts = [
        "error: bye-answered\n",
        &place,
        "{ name = \"bye-answered\", host = \"alice\", receives = \"200 BYE\", within = \"1s\"",
        "━━━ seen instead: 408 BYE at 12.010\n",
        "around 13.000:\n",
        "alice ──▶ proxy   BYE",
        "proxy WARN         target unreachable",
        "proxy ──▶ alice   408 BYE\n",
        "error: without this fault it passes\n",
        "╭▸ wrong.toml:",
        "{ at = \"10s\", fault = \"power-off\", host = \"bob\" }",
        "━━━ the runs part at 12.005, where proxy does something else\n",
        "here: 12.005",
        "without: 12.005",
        "replay: linefault replay wrong.toml --set run.platform=macos",
    ];
    in_order(&told, &parts);
    assert!(told.lines().count() <= LINES, "{told}");
}

// No file says what an oracle demands, so the text has to, with the clause that it comes from.
#[test]
fn an_objecting_oracle_says_what_it_demands_and_why() {
    let text = power_off();
    let (call, _) = text.split_once("faults = [").expect("it has faults");
    let twin = "\n[[known_bad]]\nhost = \"bob\"\ndefects = [\"bye-ignored\"]\nmust_fail = [\"answered\"]\n\
        \n[outcome]\nexpect = [{ name = \"answered\", host = \"alice\", receives = \"200 INVITE\" }]\n";
    let told = told(
        "ignored.toml",
        &format!("{call}{twin}"),
        "run.platform=linux",
    );
    let parts = [
        "error: the broken twin fails otherwise than must_fail says\n",
        "error: one-final-answer\n",
        "   expected: Each server transaction",
        "(RFC 3261 §8.2.6",
        "   seen: bob: BYE was never answered with a final response (at ",
        "around ",
        "replay: linefault replay ignored.toml",
    ];
    in_order(&told, &parts);
    assert!(told.lines().count() <= LINES, "{told}");
}
