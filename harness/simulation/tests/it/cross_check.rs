//! The scenarios on a second simulator, `turmoil::Sim`, that shares nothing with ours below the actors.
//!
//! What turmoil can express must give the same status codes and log levels. The rest is listed in the snapshot, and so is
//! every difference, with its reason. Runs with LINEFAULT_REQUIRE_ALL=1: turmoil steps each host every millisecond.

use std::collections::BTreeMap;
use std::env;
use std::fmt::Write as _;
use std::fs;
use std::net::IpAddr;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::time::Duration;

use linefault::bridge::Cast;
use linefault::evidence::Evidence;
use linefault::run::{Setup, Simulation, simulate};
use linefault::scenario::{Fault, HostIndex, Latency, Place, Scenario, Selection, When};
use linefault::snapshot::{log_counts, status_lines};
use linefault::suite::Suite;

use crate::support::scenarios;

/// One way, on both.
const LATENCY: Duration = Duration::from_millis(5);

/// Why a scenario differs: "audio/hang-up: no reset on demand", a line for the tests whose names begin so.
const REASONS: &str = "tests/it/cross_check/differences.txt";

/// What is done to a `Sim`, and when.
struct Act {
    at: Duration,
    what: Deed,
}

enum Deed {
    Partition(Vec<IpAddr>, Vec<IpAddr>, bool),
    Repair(Vec<IpAddr>, Vec<IpAddr>),
    Crash(IpAddr),
    Bounce(IpAddr),
}

/// What is compared: who sent which codes to whom, and how often each host logged at each level.
type Summary = BTreeMap<String, String>;

// Two simulators by different authors agree on what the actors do only if neither bends it; a difference without a reason
// in the table, or a reason without a difference, fails.
#[test]
fn both_simulators_give_the_same_status_codes_and_log_levels() {
    if env::var_os("LINEFAULT_REQUIRE_ALL").is_none() {
        println!("SKIPPED: the second simulator runs only with LINEFAULT_REQUIRE_ALL=1");
        return;
    }
    let suite = Suite::load(&[scenarios()], &[]).expect("the scenarios can be read");
    let (mut same, mut inexpressible, mut different) = (0, BTreeMap::new(), BTreeMap::new());
    for test in suite.tests.iter().filter(|test| test.known_bad().is_none()) {
        let scenario = on_even_ground(test.scenario());
        match plan(&scenario) {
            Err(why) => _ = inexpressible.insert(test.name(), why),
            Ok((cast, acts)) => match differences(&scenario, &cast, acts) {
                found if found.is_empty() => same += 1,
                found => _ = different.insert(test.name(), found),
            },
        }
    }
    let reasons = read_reasons();
    let reason = |name: &str| {
        let found = reasons.iter().find(|(begin, _)| name.starts_with(begin));
        found.map(|(_, why)| why.as_str())
    };
    let mut text = format!("the same on both: {same}\n\nturmoil cannot express\n");
    for (name, why) in &inexpressible {
        let _ = writeln!(text, "  {name}: {why}");
    }
    text.push_str("\ndifferent\n");
    for (name, found) in &different {
        let _ = writeln!(text, "  {name}: {}", reason(name).unwrap_or("?"));
        for line in found {
            let _ = writeln!(text, "    {line}");
        }
    }
    insta::assert_snapshot!(text);
    let unexplained = different.keys().find(|name| reason(name).is_none());
    assert_eq!(unexplained, None, "each difference has a reason");
    let explains = |begin: &str| different.keys().any(|name| name.starts_with(begin));
    let idle = reasons.iter().find(|(begin, _)| !explains(begin));
    assert_eq!(idle, None, "each reason has a difference");
}

fn read_reasons() -> Vec<(String, String)> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(REASONS);
    let text = fs::read_to_string(path).expect("the list of reasons is there");
    let lines = text.lines().filter_map(|line| line.split_once(": "));
    lines
        .map(|(begin, why)| (begin.to_owned(), why.to_owned()))
        .collect()
}

/// The scenario with one latency everywhere, which both simulators have.
fn on_even_ground(scenario: &Scenario) -> Scenario {
    let mut even = scenario.clone();
    even.latency = Latency {
        min: LATENCY,
        max: LATENCY,
    };
    even.links.clear();
    even
}

/// What is to be done to a `Sim` in place of the scenario's faults, or what of them it cannot express.
fn plan(scenario: &Scenario) -> Result<(Cast, Vec<Act>), String> {
    let cast = Cast::of(scenario).map_err(|error| error.to_string())?;
    let mut acts = Vec::new();
    for fault in &scenario.faults {
        acts.extend(deeds(scenario, fault)?);
    }
    acts.sort_by_key(|act| act.at);
    Ok((cast, acts))
}

fn deeds(scenario: &Scenario, fault: &Fault) -> Result<Vec<Act>, String> {
    let When::At(at) = fault.when else {
        return Err(format!("{} waits until something is seen", fault.name));
    };
    if fault.selection != Selection::default() {
        return Err(format!("{} chooses among packets", fault.name));
    }
    let at = Duration::from_micros(at.as_micros());
    let ip = |host: &HostIndex| scenario.host(*host).address.ip();
    let (now, over) = (|what| Act { at, what }, fault.lasts.map(|lasts| at + lasts));
    match (fault.name, &fault.place) {
        (
            "partition",
            Place::Between {
                left,
                right,
                one_way,
            },
        ) => {
            let (left, right): (Vec<_>, Vec<_>) = (
                left.iter().map(ip).collect(),
                right.iter().map(ip).collect(),
            );
            let cut = now(Deed::Partition(left.clone(), right.clone(), *one_way));
            let repair = over.map(|at| Act {
                at,
                what: Deed::Repair(left, right),
            });
            Ok(std::iter::once(cut).chain(repair).collect())
        }
        ("kill" | "crash" | "power-off", Place::Host(host)) => {
            // Healing starts it anew.
            let bounce = over.map(|at| Act {
                at,
                what: Deed::Bounce(ip(host)),
            });
            let crash = now(Deed::Crash(ip(host)));
            Ok(std::iter::once(crash).chain(bounce).collect())
        }
        ("restart", Place::Host(host)) => Ok(vec![now(Deed::Bounce(ip(host)))]),
        (name, _) => Err(format!("it has no {name}")),
    }
}

/// What each simulator has that the other has not; a panic or an error of a `Sim` is such a thing.
fn differences(scenario: &Scenario, cast: &Cast, acts: Vec<Act>) -> Vec<String> {
    let ours = simulate(scenario, Setup::default());
    let until = Duration::from_micros(ours.ended_at.as_micros());
    let ran = catch_unwind(AssertUnwindSafe(|| run(cast, acts, until)));
    let failed = match ran {
        Ok(Ok(())) => None,
        Ok(Err(error)) => Some(format!("turmoil: {error}")),
        Err(_) => Some("turmoil: a panic".to_owned()),
    };
    let (ours, theirs) = (summary(&ours), summary(&cast.recording().simulation()));
    let only = |whose: &str, these: &Summary, those: &Summary| {
        let own = these
            .iter()
            .filter(|(what, how)| those.get(*what) != Some(how));
        let lines = own.map(|(what, how)| format!("{whose} {what}: {how}"));
        lines.collect::<Vec<_>>()
    };
    let mut found = only("linefault", &ours, &theirs);
    found.extend(only("turmoil  ", &theirs, &ours));
    found.extend(failed);
    found
}

fn run(cast: &Cast, acts: Vec<Act>, until: Duration) -> Result<(), Box<dyn std::error::Error>> {
    let mut sim = turmoil::Builder::new()
        .simulation_duration(until * 2)
        .min_message_latency(LATENCY)
        .max_message_latency(LATENCY)
        .tcp_capacity(1024)
        .udp_capacity(1024)
        .build();
    for actor in cast.actors() {
        sim.host(actor.ip(), move || actor.run());
    }
    let mut acts = acts.into_iter().peekable();
    while sim.elapsed() < until {
        while let Some(act) = acts.next_if(|act| act.at <= sim.elapsed()) {
            act.what.carry_out(&mut sim);
        }
        sim.step()?;
    }
    Ok(())
}

impl Deed {
    fn carry_out(self, sim: &mut turmoil::Sim<'_>) {
        match self {
            Self::Partition(left, right, one_way) => {
                each(&left, &right, |from, to| {
                    if one_way {
                        sim.partition_oneway(from, to);
                    } else {
                        sim.partition(from, to);
                    }
                });
            }
            Self::Repair(left, right) => each(&left, &right, |from, to| sim.repair(from, to)),
            Self::Crash(host) => sim.crash(host),
            Self::Bounce(host) => sim.bounce(host),
        }
    }
}

fn each(left: &[IpAddr], right: &[IpAddr], act: impl Fn(IpAddr, IpAddr)) {
    for from in left {
        right.iter().for_each(|to| act(*from, *to));
    }
}

/// Whether a message got lost is left out: turmoil does not tell.
fn summary(simulation: &Simulation) -> Summary {
    let evidence = Evidence::new(simulation);
    let name = |host| evidence.name(host);
    let codes = status_lines(&evidence).into_iter().flat_map(|line| {
        let ends = format!("{} → {}", name(line.from), line.to.map_or("?", name));
        let codes = line.methods.into_iter().map(move |(method, codes)| {
            let each = codes
                .iter()
                .flat_map(|code| (0..code.count).map(|_| code.status.to_string()));
            let codes: Vec<_> = each.collect();
            (format!("{ends} {method}"), codes.join(" "))
        });
        codes.collect::<Vec<_>>()
    });
    let levels = log_counts(&simulation.trace);
    let levels = levels.into_iter().map(|(host, [info, warn, error])| {
        (
            format!("{host} logs"),
            format!("INFO {info} · WARN {warn} · ERROR {error}"),
        )
    });
    codes.chain(levels).collect()
}
