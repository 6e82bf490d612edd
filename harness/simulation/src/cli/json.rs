//! One JSON object a test, for other programs.

use std::time::Duration;

use serde_json::{Map, Value, json};

use crate::evidence::Evidence;
use crate::snapshot::{LEVELS, log_counts, status_lines};
use crate::suite::Test;
use crate::verdict::{Outcome, Verdict};

/// The object for one test, on one line.
pub(super) fn line(test: &Test, outcome: &Outcome, wall: Duration) -> String {
    let mut object = object(test, outcome);
    object["wall_us"] = u64::try_from(wall.as_micros()).unwrap_or(u64::MAX).into();
    object.to_string()
}

/// What is the same in every run.
pub(super) fn object(test: &Test, outcome: &Outcome) -> Value {
    let evidence = Evidence::new(&outcome.simulation);
    let scenario = test.scenario();
    let combination: Map<_, _> = test
        .combination()
        .settings()
        .map(|(path, value)| (path.to_owned(), value.into()))
        .collect();
    json!({
        "test": test.name(),
        "scenario": test.path(),
        "combination": combination,
        "known_bad": test.known_bad().map(|twin| twin.number),
        "seed": scenario.run.seed,
        "verdict": outcome.verdict.word(),
        "violations": violations(outcome, &evidence),
        "differs": differs(&outcome.verdict),
        "trace_hash": outcome.simulation.trace.hash().to_string(),
        "status_codes": status_codes(&evidence),
        "log_levels": log_levels(&evidence),
        "faults": faults(test, outcome, &evidence),
        "left_over": left_over(outcome, &evidence),
        "simulated_s": seconds(outcome.simulation.ended_at),
    })
}

fn seconds(at: linefault_network::Instant) -> Value {
    json!(at.as_micros() as f64 / 1e6)
}

fn violations(outcome: &Outcome, evidence: &Evidence<'_>) -> Vec<Value> {
    let object = |violation: &crate::verdict::Violation| {
        json!({
            "name": violation.name,
            "host": violation.host.map(|host| evidence.name(host)),
            "at_s": seconds(violation.at),
            "text": violation.text,
        })
    };
    outcome.violations.iter().map(object).collect()
}

fn differs(verdict: &Verdict) -> Value {
    match verdict {
        Verdict::Differs { missing, unnamed } => json!({ "missing": missing, "unnamed": unnamed }),
        Verdict::Pass | Verdict::Violated => Value::Null,
    }
}

fn status_codes(evidence: &Evidence<'_>) -> Vec<Value> {
    let lines = status_lines(evidence).into_iter().map(|line| {
        let methods: Map<_, _> = line
            .methods
            .iter()
            .map(|(method, codes)| {
                let codes = codes.iter().map(
                    |code| json!({ "status": code.status, "lost": code.lost, "count": code.count }),
                );
                (method.clone(), Value::Array(codes.collect()))
            })
            .collect();
        let to = line.to.map(|host| evidence.name(host));
        json!({ "from": evidence.name(line.from), "to": to, "methods": methods })
    });
    lines.collect()
}

fn log_levels(evidence: &Evidence<'_>) -> Map<String, Value> {
    let counted = log_counts(evidence.trace)
        .into_iter()
        .map(|(host, counts)| {
            let levels = LEVELS.iter().zip(counts);
            let levels: Map<_, _> = levels
                .map(|(level, count)| (level.to_string(), count.into()))
                .collect();
            (host.to_owned(), Value::Object(levels))
        });
    counted.collect()
}

fn faults(test: &Test, outcome: &Outcome, evidence: &Evidence<'_>) -> Vec<Value> {
    let all = test.scenario().faults.iter().zip(&outcome.faults);
    let objects = all.map(|(fault, found)| {
        let noticed = found
            .noticed
            .map(|noticed| json!({ "by": evidence.name(noticed.by), "at_s": seconds(noticed.at) }));
        json!({
            "fault": fault.display,
            "armed_s": found.count.armed_at.map(seconds),
            "matched": found.count.matched,
            "applied": found.count.applied,
            "changed": found.noticed.is_some(),
            "noticed": noticed,
        })
    });
    objects.collect()
}

fn left_over(outcome: &Outcome, evidence: &Evidence<'_>) -> Vec<Value> {
    let object = |thing: &crate::oracle::LeftOver| {
        json!({
            "host": evidence.name(thing.host),
            "kind": thing.kind,
            "label": thing.label,
            "since_s": seconds(thing.opened_at),
        })
    };
    outcome.left_over.iter().map(object).collect()
}
