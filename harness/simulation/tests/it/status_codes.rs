//! The page of status codes: that it is complete, that it is true, and that it is the table's.

use std::collections::BTreeSet;
use std::fs;

use linefault::status_codes::{self, CODES, ROWS};

use crate::support::root;

/// Codes of RFC 3261 §21 that no scenario emits yet.
const MISSING: &[u16] = &[];

// A code without a row would be one of which nothing shows that it ever goes out.
#[test]
fn every_code_of_rfc_3261_has_a_row_or_is_known_to_miss_one() {
    let shown: BTreeSet<u16> = ROWS.iter().map(|row| row.code).collect();
    let missing: Vec<u16> = CODES
        .into_iter()
        .filter(|code| !shown.contains(code))
        .collect();
    assert_eq!(missing, MISSING);
}

// The summary of a reviewed snapshot lists what went out; a row whose code is not in it would be a claim.
#[test]
fn every_row_names_a_scenario_that_emits_its_code() {
    let untrue = ROWS
        .iter()
        .filter(|row| !emitted(row.scenario).contains(&row.code));
    let untrue: Vec<_> = untrue.map(|row| (row.code, row.scenario)).collect();
    assert!(untrue.is_empty(), "not emitted there: {untrue:?}");
}

#[test]
fn the_page_is_made_from_the_table() {
    let path = root().join("docs/status-codes.md");
    let text = fs::read_to_string(&path).unwrap_or_default();
    let current = status_codes::page();
    if current != text && std::env::var_os("UPDATE_MANUAL").is_some() {
        fs::write(&path, &current).expect("the page can be written");
        return;
    }
    assert!(
        current == text,
        "run the tests of `linefault` with UPDATE_MANUAL=1 and review the diff"
    );
}

// The reading of a summary must be able to miss a code: one that only a ladder or a broken twin shows.
#[test]
fn a_summary_is_read_up_to_the_log_levels() {
    let text = "status codes   a → b   200×2 REGISTER · 100 486✗ INVITE\nlog levels  INFO 480\n";
    assert_eq!(codes_of(text), BTreeSet::from([100, 200, 486]));
}

/// What goes out in the snapshots of a scenario, in any combination of its matrix but in no broken twin.
fn emitted(scenario: &str) -> BTreeSet<u16> {
    let path = root().join("snapshots").join(scenario);
    let (Some(folder), Some(name)) = (path.parent(), path.file_name()) else {
        return BTreeSet::new();
    };
    let name = name.to_string_lossy();
    let is_of_scenario = |file: &str| {
        let rest = file.strip_prefix(&*name);
        rest.is_some_and(|rest| rest.starts_with(['.', '@']) && !rest.contains("+known-bad"))
    };
    let files = fs::read_dir(folder).into_iter().flatten().flatten();
    files
        .filter(|file| is_of_scenario(&file.file_name().to_string_lossy()))
        .flat_map(|file| codes_of(&fs::read_to_string(file.path()).unwrap_or_default()))
        .collect()
}

/// The codes in the summary of a snapshot.
fn codes_of(text: &str) -> BTreeSet<u16> {
    let summary = text
        .split_once("status codes")
        .and_then(|(_, rest)| rest.split_once("log levels"));
    let words = summary
        .map_or("", |(summary, _)| summary)
        .split_whitespace();
    let code = |word: &str| word.get(..3)?.parse().ok();
    words.filter_map(code).collect()
}
