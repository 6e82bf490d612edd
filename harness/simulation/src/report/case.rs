//! One test as a reader of a report sees it.

use linefault_network::Instant;

use super::chart::Chart;
use crate::evidence::Evidence;
use crate::scenario::Scenario;
use crate::snapshot::{StatusLine, left_over_lines, log_counts, status_lines};
use crate::suite::Test;
use crate::verdict::{FaultOutcome, Outcome};

/// One test, judged.
#[derive(Clone, Debug)]
pub struct Case {
    /// The test's name.
    pub name: String,
    /// The scenario file's path.
    pub path: String,
    /// What the scenario shows, in one line.
    pub title: String,
    /// Its combination of the matrix: dotted path and value.
    pub settings: Vec<(String, String)>,
    /// What its broken twin is made of; nothing for the scenario itself.
    pub twin: Option<String>,
    /// What every draw of chance is keyed by.
    pub seed: u64,
    /// One word: "pass", "violation", "differs".
    pub verdict: &'static str,
    /// Whether that is as it should be.
    pub passes: bool,
    /// The status codes: "proxy → alice", and "100 180 200 INVITE · 408 BYE".
    pub codes: Vec<(String, String)>,
    /// How many lines each host logged at INFO, WARN and ERROR.
    pub levels: Vec<(String, [usize; 3])>,
    /// The faults, in file order.
    pub faults: Vec<FaultRow>,
    /// What was open at the end, a line each.
    pub left_over: Vec<String>,
    /// What was objected to.
    pub objections: Vec<Objection>,
    /// When the run ended, in virtual time.
    pub ended_at: Instant,
    /// The command that runs it again.
    pub replay: String,
    /// What its author is told; nothing if it passes.
    pub failure: Option<String>,
    /// Everything that happened.
    pub chart: Chart,
}

/// One fault and what became of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FaultRow {
    /// In a few words.
    pub text: String,
    /// When it began, if it did.
    pub armed_at: Option<Instant>,
    /// How much it concerned: packets, calls or hosts.
    pub matched: u64,
    /// How much of that it altered.
    pub applied: u64,
    /// Who first did something otherwise because of it, and when.
    pub changed: Option<(String, Instant)>,
}

/// Something that an expectation or an oracle objects to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Objection {
    /// The expectation's or oracle's name.
    pub name: String,
    /// Who is to blame, if one host is.
    pub host: Option<String>,
    /// When it showed.
    pub at: Instant,
    /// What was wanted and what was seen.
    pub text: String,
    /// Its rung in the chart.
    pub rung: usize,
}

impl Case {
    /// Reads a test that has run.
    #[must_use]
    pub fn of(test: &Test, outcome: &Outcome) -> Self {
        let scenario = test.scenario();
        let evidence = Evidence::new(&outcome.simulation);
        let chart = Chart::of(scenario, outcome, &evidence);
        let settings = test.combination().settings();
        Self {
            name: test.name().to_owned(),
            path: test.path().to_owned(),
            title: scenario.title.clone(),
            settings: settings
                .map(|(path, value)| (path.to_owned(), value))
                .collect(),
            twin: test.known_bad().map(|twin| {
                let host = &scenario.host(twin.host).name;
                format!("{host} with {}", twin.defects.join(", "))
            }),
            seed: scenario.run.seed,
            verdict: outcome.verdict.word(),
            passes: outcome.verdict.is_pass(),
            codes: codes(&evidence),
            levels: log_counts(evidence.trace)
                .into_iter()
                .map(|(host, counts)| (host.to_owned(), counts))
                .collect(),
            faults: faults(scenario, &outcome.faults, &evidence),
            left_over: left_over_lines(outcome, &evidence),
            objections: objections(outcome, &evidence, &chart),
            ended_at: outcome.simulation.ended_at,
            replay: test.replay(),
            failure: (!outcome.verdict.is_pass()).then(|| test.failure(outcome, false)),
            chart,
        }
    }
}

impl Case {
    /// Where it differs from other tests of its file, and how long it took: "run.platform = macos · seed 1 · 44.010 s".
    #[must_use]
    pub fn heading(&self) -> String {
        let settings = self.settings.iter();
        let mut parts: Vec<_> = settings
            .map(|(path, value)| format!("{path} = {value}"))
            .collect();
        parts.push(format!("seed {}", self.seed));
        parts.extend(self.twin.as_ref().map(|twin| format!("broken: {twin}")));
        parts.push(format!("{} s simulated", self.ended_at));
        parts.join(" · ")
    }
}

fn codes(evidence: &Evidence<'_>) -> Vec<(String, String)> {
    let name = |line: &StatusLine| {
        let to = line.to.map_or("?", |to| evidence.name(to));
        format!("{} → {to}", evidence.name(line.from))
    };
    let lines = status_lines(evidence).into_iter();
    lines.map(|line| (name(&line), line.text())).collect()
}

fn faults(
    scenario: &Scenario,
    outcomes: &[FaultOutcome],
    evidence: &Evidence<'_>,
) -> Vec<FaultRow> {
    let rows = scenario
        .faults
        .iter()
        .zip(outcomes)
        .map(|(fault, outcome)| FaultRow {
            text: fault.display.clone(),
            armed_at: outcome.count.armed_at,
            matched: outcome.count.matched,
            applied: outcome.count.applied,
            changed: outcome
                .noticed
                .map(|noticed| (evidence.name(noticed.by).to_owned(), noticed.at)),
        });
    rows.collect()
}

fn objections(outcome: &Outcome, evidence: &Evidence<'_>, chart: &Chart) -> Vec<Objection> {
    let marked = outcome.violations.iter().zip(&chart.marks);
    let objections = marked.map(|(violation, rung)| Objection {
        name: violation.name.clone(),
        host: violation.host.map(|host| evidence.name(host).to_owned()),
        at: violation.at,
        text: violation.text.clone(),
        rung: *rung,
    });
    objections.collect()
}
