//! Whether the oracles can fail, and the defects are of use.

use std::collections::BTreeSet;

use linefault::scenario::KnownBad;
use linefault::suite::Suite;
use linefault::{defect, oracle};

use crate::support;

/// Every broken twin of the repository's scenarios. That each fails as it says is what `cargo test` runs them for.
fn twins() -> Vec<KnownBad> {
    let suite = Suite::load(&[support::scenarios()], &[]).expect("the scenarios can be read");
    let twins = suite.tests.iter().filter_map(|test| test.known_bad());
    twins.cloned().collect()
}

// What nobody plants could be without effect, or break more than it says, and nobody would know.
#[test]
fn every_defect_is_planted_somewhere() {
    let twins = twins();
    let planted: BTreeSet<&str> = twins
        .iter()
        .flat_map(|twin| twin.defects.iter().map(String::as_str))
        .collect();
    let all: BTreeSet<&str> = defect::CATALOGUE.iter().map(|it| it.name).collect();
    assert_eq!(planted, all);
}

// Where an oracle is the only one to object, there is something that it alone sees: without it, that would pass. It also
// shows that it objects at all.
#[test]
fn every_oracle_catches_something_that_nothing_else_does() {
    let twins = twins();
    let alone: BTreeSet<&str> = twins
        .iter()
        .filter_map(|twin| match &twin.must_fail[..] {
            [only] => Some(only.as_str()),
            _ => None,
        })
        .collect();
    let without = oracle::CATALOGUE
        .iter()
        .map(|it| it.name)
        .filter(|name| !alone.contains(name));
    assert_eq!(without.collect::<Vec<_>>(), [""; 0]);
}
