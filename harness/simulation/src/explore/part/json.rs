//! The lines of a part: values to JSON and back.

use std::ops::Range;

use linefault_network::Instant;
use serde_json::{Map, Value, json};

use super::{Campaign, PlanId};
use crate::coverage::Coverage;
use crate::explore::campaign::{Block, FaultTally, Finding, Tally};
use crate::explore::{Kind, Seen};

/// What the first line says that it is.
const FORMAT: &str = "linefault campaign 1";

pub(super) fn campaign(campaign: &Campaign) -> Value {
    let plans = campaign
        .plans
        .iter()
        .map(|plan| json!({ "test": plan.test, "hash": plan.hash, "command": plan.command }));
    json!({
        "format": FORMAT,
        "build": campaign.build,
        "seeds": [campaign.seeds.start, campaign.seeds.end],
        "plans": plans.collect::<Vec<_>>(),
    })
}

pub(super) fn read_campaign(line: &str) -> Option<Campaign> {
    let value: Value = serde_json::from_str(line).ok()?;
    let is_ours = value["format"] == FORMAT;
    let plans = value["plans"].as_array().filter(|_| is_ours)?;
    let plan = |plan: &Value| {
        Some(PlanId {
            test: text(plan, "test")?,
            hash: text(plan, "hash")?,
            command: text(plan, "command")?,
        })
    };
    Some(Campaign {
        build: text(&value, "build")?,
        seeds: seeds(&value)?,
        plans: plans.iter().map(plan).collect::<Option<_>>()?,
    })
}

pub(super) fn end(blocks: usize) -> Value {
    json!({ "end": blocks })
}

pub(super) fn read_end(value: &Value) -> Option<usize> {
    usize::try_from(value["end"].as_u64()?).ok()
}

pub(super) fn block(plan: usize, seeds: &Range<u64>, tally: &Tally) -> Value {
    let findings = tally.findings.iter().map(|(kind, finding)| {
        json!({
            "name": kind.name,
            "actor": kind.actor,
            "shape": kind.shape,
            "seed": finding.seed,
            "at_us": finding.seen.at.as_micros(),
            "text": finding.seen.text,
            "drawn": finding.drawn,
            "runs": finding.runs,
        })
    });
    let faults = tally
        .faults
        .iter()
        .map(|(name, it)| (name.clone(), json!([it.drawn, it.matched, it.applied])));
    let crashes = tally.crashes.iter().map(|(seed, how)| json!([seed, how]));
    json!({
        "plan": plan,
        "seeds": [seeds.start, seeds.end],
        "runs": tally.runs,
        "violating": tally.violating,
        "checked": tally.checked,
        "findings": findings.collect::<Vec<_>>(),
        "faults": faults.collect::<Map<_, _>>(),
        "coverage": tally.coverage.to_json(),
        "crashes": crashes.collect::<Vec<_>>(),
    })
}

pub(super) fn read_block(value: &Value) -> Result<(Block, Tally), String> {
    let missing = |key: &str| format!("`{key}` is missing, or not what it should be");
    let number = |key: &str| value[key].as_u64().ok_or_else(|| missing(key));
    let list = |key: &str| value[key].as_array().ok_or_else(|| missing(key));
    let plan = usize::try_from(number("plan")?).map_err(|_| missing("plan"))?;
    let seeds = seeds(value).ok_or_else(|| missing("seeds"))?;
    let faults = value["faults"]
        .as_object()
        .ok_or_else(|| missing("faults"))?;
    let faults = faults
        .iter()
        .map(|(name, counts)| Some((name.clone(), fault(counts)?)));
    let coverage = Coverage::from_json(&value["coverage"]);
    let tally = Tally {
        runs: number("runs")?,
        violating: number("violating")?,
        checked: number("checked")?,
        findings: list("findings")?
            .iter()
            .map(finding)
            .collect::<Option<_>>()
            .ok_or_else(|| missing("findings"))?,
        faults: faults
            .collect::<Option<_>>()
            .ok_or_else(|| missing("faults"))?,
        coverage: coverage.map_err(|wrong| wrong.to_string())?,
        crashes: list("crashes")?
            .iter()
            .map(crash)
            .collect::<Option<_>>()
            .ok_or_else(|| missing("crashes"))?,
    };
    Ok((Block { plan, seeds }, tally))
}

fn finding(value: &Value) -> Option<(Kind, Finding)> {
    let kind = Kind {
        name: text(value, "name")?,
        actor: value["actor"].as_str().map(str::to_owned),
        shape: text(value, "shape")?,
    };
    let seen = Seen {
        at: Instant::from_micros(value["at_us"].as_u64()?),
        text: text(value, "text")?,
    };
    let finding = Finding {
        seed: value["seed"].as_u64()?,
        seen,
        drawn: usize::try_from(value["drawn"].as_u64()?).ok()?,
        runs: value["runs"].as_u64()?,
    };
    Some((kind, finding))
}

fn fault(counts: &Value) -> Option<FaultTally> {
    Some(FaultTally {
        drawn: counts.get(0)?.as_u64()?,
        matched: counts.get(1)?.as_u64()?,
        applied: counts.get(2)?.as_u64()?,
    })
}

fn crash(value: &Value) -> Option<(u64, String)> {
    let how = value.get(1)?.as_str()?.to_owned();
    Some((value.get(0)?.as_u64()?, how))
}

fn seeds(value: &Value) -> Option<Range<u64>> {
    let bounds = value["seeds"].as_array()?;
    Some(bounds.first()?.as_u64()?..bounds.get(1)?.as_u64()?)
}

fn text(value: &Value, key: &str) -> Option<String> {
    value[key].as_str().map(str::to_owned)
}
