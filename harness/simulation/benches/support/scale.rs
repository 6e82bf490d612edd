//! What one thing costs among few and among many.

use std::fmt;
use std::hint::black_box;
use std::time::Duration;

use linefault::evidence::Evidence;
use linefault::oracle::CATALOGUE;
use linefault::run::{Setup, Simulation, simulate};

use crate::measure::{findings, median, ratio, read};

/// What a run cost, per thing that happened in it.
pub(crate) struct Scale {
    /// How many there are of what there may be few or many of.
    of: String,
    things: String,
    run: Duration,
    judged: Duration,
}

impl Scale {
    /// Runs a scenario to which no oracle objects; `count` says how many things happened, and what they are called.
    pub(crate) fn of(
        of: String,
        scenario: &str,
        runs: usize,
        count: fn(&Evidence<'_>) -> (usize, &'static str),
    ) -> Self {
        let scenario = read(scenario);
        let run = simulate(&scenario, Setup::default());
        let evidence = Evidence::new(&run);
        assert_eq!(first_finding(&evidence), None, "{of}: nobody is to blame");
        let (things, called) = count(&evidence);
        let each = |whole: Duration| whole / u32::try_from(things).unwrap_or(u32::MAX);
        Self {
            of,
            things: format!("{things} {called}"),
            run: each(median(runs, || {
                black_box::<Simulation>(simulate(&scenario, Setup::default()));
            })),
            judged: each(median(runs, || {
                black_box(findings(&Evidence::new(&run)));
            })),
        }
    }

    /// How much more each costs here than there.
    pub(crate) fn against(&self, other: &Self) -> String {
        format!(
            "per thing: {:.2}× (run {:.2}×, read back and judged {:.2}×)",
            ratio(self.run + self.judged, other.run + other.judged),
            ratio(self.run, other.run),
            ratio(self.judged, other.judged)
        )
    }
}

/// What an oracle objects to first, with how many objections there are.
fn first_finding(evidence: &Evidence<'_>) -> Option<String> {
    let number = findings(evidence);
    let mut objecting = CATALOGUE.iter().filter_map(|oracle| {
        let found = (oracle.judge)(evidence);
        let first = found.first()?;
        let host = first.host.map_or("", |host| evidence.name(host));
        Some(format!(
            "{} of {number}: {} at {}: {host} {}",
            found.len(),
            oracle.name,
            first.at,
            first.text
        ))
    });
    objecting.next()
}

impl fmt::Display for Scale {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            of,
            things,
            run,
            judged,
        } = self;
        write!(
            f,
            "  {of:>12}, {things:>18}: run {run:>8.2?}, read back and judged {judged:>8.2?} each"
        )
    }
}
