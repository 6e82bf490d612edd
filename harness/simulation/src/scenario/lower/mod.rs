//! From checked tables to what a run consumes.
//!
//! Owns the mistakes that only show when tables are held against each other: addresses, times, places,
//! names that must be known elsewhere. Goes on after a mistake like the reader does.

mod nat;
mod outcome;
mod place;
mod timeline;
mod topology;

use linefault_actors::Instant;

use super::model::{Link, Platform, Run, Scenario};
use super::names::Names;
use super::reader::Reader;
use super::record::Record;
use super::tables::Vocabulary;

/// Holds the tables of a file against each other.
pub(super) struct Lowering<'r, 'a> {
    pub(super) reader: &'r mut Reader<'a>,
    pub(super) vocabulary: &'a Vocabulary,
    pub(super) names: &'a Names,
}

impl Lowering<'_, '_> {
    /// The whole file; None, or a scenario with gaps, after a mistake.
    pub(super) fn scenario(&mut self, file: &Record) -> Option<Scenario> {
        let run = file.table("run").and_then(run);
        if let (Some(run), Some(record)) = (&run, file.table("run"))
            && let Some(until) = run.run_until
        {
            self.in_time(until, record.place("run_until"), Some(run));
        }
        let platform = run.as_ref().map_or(Platform::Linux, |run| run.platform);
        let mut lans = self.lans(file);
        let hosts = self.hosts(file, &lans, platform);
        self.nats(file, &mut lans, &hosts);
        let outcome = file.table("outcome");
        let timeline = file.table("timeline");
        let links = self.links(file);
        let steps = timeline
            .map(|timeline| self.steps(timeline, run.as_ref()))
            .unwrap_or_default();
        let faults = timeline
            .map(|timeline| self.faults(timeline, run.as_ref()))
            .unwrap_or_default();
        let last = timeline::last(&steps, &faults);
        let expects = outcome
            .map(|outcome| self.expects(outcome, last, run.as_ref()))
            .unwrap_or_default();
        let known_bads = self.known_bads(file);
        Some(Scenario {
            title: file.text("title")?.to_owned(),
            description: file.text("description").map(str::to_owned),
            tags: file.texts("tags").map(|(_, tag)| tag.to_owned()).collect(),
            run: run?,
            latency: file.table("network")?.latency("latency")?,
            lans,
            hosts,
            links,
            steps,
            faults,
            expects,
            known_bads,
            sources: Vec::new(),
        })
    }

    /// Whether a mistake is already noted within the value of a key.
    fn faulty(&self, record: &Record, key: &str) -> bool {
        let value = record.place(key);
        self.reader
            .mistakes
            .iter()
            .any(|mistake| value.contains(mistake.span))
    }

    fn links(&mut self, file: &Record) -> Vec<Link> {
        let mut links = Vec::new();
        for record in file.records("link") {
            let (Some(from), Some(to)) = (record.host("from"), record.host("to")) else {
                continue;
            };
            if from == to {
                let label = "expected another host";
                self.reader.mistake(
                    record.place("to"),
                    "a link from a host to itself",
                    label,
                    None,
                );
            }
            let Some(latency) = record.latency("latency") else {
                continue;
            };
            links.push(Link { from, to, latency });
            if record.switch("both_ways") {
                links.push(Link {
                    from: to,
                    to: from,
                    latency,
                });
            }
        }
        links
    }
}

fn run(record: &Record) -> Option<Run> {
    let at = |name: &str| record.duration(name).map(|length| Instant::START + length);
    Some(Run {
        seed: u64::try_from(record.integer("seed")?).ok()?,
        platform: Platform::named(record.text("platform")?)?,
        time_max: at("time_max")?,
        run_until: at("run_until"),
    })
}
