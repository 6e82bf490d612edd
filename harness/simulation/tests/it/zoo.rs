//! The known-bad zoo: exploration finds every defect that there is, and nothing where there is none.

use std::collections::BTreeMap;
use std::num::NonZero;
use std::path::Path;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use linefault::defect::{self, Defect};
use linefault::explore::{Explorer, Kind, Plan, campaign, shrink};
use linefault::suite::{Suite, Test};

/// Seeds within which a defect must show.
const SEEDS: u64 = 1_000;

fn suite() -> Suite {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../scenarios");
    Suite::load(&[root], &[]).expect("there are scenarios")
}

/// Where each defect is planted: the tests whose broken twins have it, each with the host.
fn habitats(suite: &Suite) -> BTreeMap<&'static str, Vec<(&Test, String)>> {
    let mut habitats: BTreeMap<&'static str, Vec<(&Test, String)>> = BTreeMap::new();
    for test in &suite.tests {
        let Some(twin) = test.known_bad() else {
            continue;
        };
        for name in &twin.defects {
            let defect = defect::find(name).expect("the reader checks names");
            let host = test.scenario().host(twin.host).name.clone();
            let all = habitats.entry(defect.name).or_default();
            all.push((test, host));
        }
    }
    habitats
}

/// A defect that exploration caught.
struct Caught {
    name: &'static str,
    kind: Kind,
    seed: u64,
    faults: usize,
    runs: usize,
}

/// A plan with the defect, and the same without.
struct Twins {
    planted: Plan,
    sound: Plan,
}

fn twins(test: &Test, host: &str, defect: &'static Defect) -> Option<Twins> {
    let draft = test.draft().expect("sound");
    Some(Twins {
        planted: Plan::new(&draft, vec![(host.to_owned(), defect)]).ok()?,
        sound: Plan::new(&draft, Vec::new()).ok()?,
    })
}

/// Explores up to three of the scenarios in which the defect is planted, until something shows that does not without it.
fn catch(defect: &'static Defect, habitats: &[(&Test, String)]) -> Option<Caught> {
    let all = habitats
        .iter()
        .filter_map(|(test, host)| twins(test, host, defect));
    let all: Vec<Twins> = all.take(3).collect();
    let explorers = all.iter().map(|twins| {
        let planted = Explorer::new(&twins.planted);
        (planted, Explorer::new(&twins.sound))
    });
    let explorers: Vec<_> = explorers.collect();
    (0..SEEDS).find_map(|seed| {
        let mut explorers = explorers.iter();
        explorers.find_map(|(planted, sound)| catch_with(defect, planted, sound, seed))
    })
}

fn catch_with(
    defect: &'static Defect,
    planted: &Explorer<'_>,
    sound: &Explorer<'_>,
    seed: u64,
) -> Option<Caught> {
    let explored = planted.run(seed).expect("sound");
    if explored.violations.is_empty() {
        return None;
    }
    let anyway = sound.run(seed).expect("sound").violations;
    let mut own: Vec<_> = explored.violations.iter().collect();
    own.retain(|(kind, _)| !anyway.contains_key(kind));
    let (kind, seen) = own.into_iter().min_by_key(|(_, seen)| seen.at)?;
    let plan = planted.plan();
    let whole = plan.draft(seed, &explored.schedule);
    let shrunk = shrink::shrink(plan, whole, kind, seen.at, &|| true);
    Some(Caught {
        name: defect.name,
        kind: kind.clone(),
        seed,
        faults: shrunk.draft.keys("timeline.faults").len(),
        runs: shrunk.runs,
    })
}

/// What exploration does not show within its seeds, and why. A scenario's own expectations catch each of them.
const OUT_OF_REACH: [(&str, &str); 10] = [
    ("api-500-on-reset", STATUS),
    ("bye-stops-at-first-contact", STATUS),
    ("network-error-is-502", STATUS),
    ("unreachable-is-502", STATUS),
    (
        "retries-at-once",
        "no oracle holds a B2BUA to its pause between two tries",
    ),
    (
        "caller-left-in-silence",
        "silence is a fair answer where nobody says otherwise",
    ),
    ("dead-binding-stays", BACK),
    ("no-health-check", BACK),
    (
        "offer-altered",
        "no oracle reads who a session description says that it is from",
    ),
    (
        "reconnects-without-limit",
        "takes an outage that is longer than all attempts, and faults are shorter",
    ),
];

/// What is wrong with a dead host's binding is that it stays.
const BACK: &str = "everybody is back before the end, and a binding may outlive a short absence";

/// Which status answers a failure is a policy: RFC 3261 leaves room, and oracles leave what it leaves.
const STATUS: &str = "a matter of policy";

fn on_all_cores<T: Sync, R: Send>(items: &[T], work: impl Fn(&T) -> R + Sync) -> Vec<R> {
    let next = AtomicUsize::new(0);
    let done = Mutex::new(Vec::new());
    let workers = std::thread::available_parallelism().map_or(1, NonZero::get);
    std::thread::scope(|scope| {
        for _ in 0..workers {
            scope.spawn(|| {
                while let Some(item) = items.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let result = work(item);
                    done.lock().expect("no worker panics").push(result);
                }
            });
        }
    });
    done.into_inner().expect("no worker panics")
}

// A defect counts as caught by what does not show without it, so that an oracle that accuses the innocent cannot pass.
#[test]
fn every_defect_is_caught_and_shrinks_to_two_faults_or_fewer() {
    linefault::panics::keep_quiet();
    let suite = suite();
    let habitats = habitats(&suite);
    let sought = |defect: &&&Defect| OUT_OF_REACH.iter().all(|(name, _)| *name != defect.name);
    let sought: Vec<&'static Defect> = defect::CATALOGUE.iter().filter(sought).copied().collect();
    let results = on_all_cores(&sought, |defect| {
        let there = habitats.get(defect.name).map_or(&[][..], Vec::as_slice);
        catch(defect, there).ok_or(defect.name)
    });
    let (caught, missed): (Vec<_>, Vec<_>) = results.into_iter().partition(Result::is_ok);
    let caught: Vec<Caught> = caught.into_iter().flatten().collect();
    let missed: Vec<&str> = missed.into_iter().filter_map(Result::err).collect();
    let mut table = String::new();
    for one in &caught {
        let Caught {
            name,
            kind,
            seed,
            faults,
            runs,
        } = one;
        table.push_str(&format!(
            "{name}: {kind}, seed {seed}, {faults} faults, {runs} runs\n"
        ));
    }
    println!("{table}not caught within {SEEDS} seeds: {missed:?}");
    assert!(missed.is_empty());
    let mut faults: Vec<usize> = caught.iter().map(|one| one.faults).collect();
    faults.sort_unstable();
    assert!(
        caught.len() >= 40 && faults[faults.len() / 2] <= 2,
        "{table}"
    );
}

/// What the sound actors are explored with: a call and what can become of it through a proxy and through a B2BUA, over both
/// transports, sound, a stream, and all of them together.
const SOUND: [&str; 8] = [
    "call/caller-hangs-up",
    "call/fork",
    "field/nat-rebind",
    "tcp/call",
    "b2bua/caller-hangs-up",
    "audio/hang-up@host.visitor.on_hang_up=close",
    "stream/complete",
    "across/one-call@timeline.faults.0.for=2s",
];

/// How many seeds, all scenarios together; a nightly run sets `LINEFAULT_SEEDS` to more.
const SOUND_SEEDS: u64 = 2_000;

// The other half of the zoo: who accuses the innocent is caught here.
#[test]
fn actors_without_a_defect_raise_nothing() {
    linefault::panics::keep_quiet();
    let suite = suite();
    let tests = SOUND.map(|name| {
        let found = suite.tests.iter().find(|test| test.name() == name);
        found.unwrap_or_else(|| panic!("there is no test {name}"))
    });
    let plans =
        tests.map(|test| Plan::new(&test.draft().expect("sound"), Vec::new()).expect("sound"));
    let seeds = std::env::var("LINEFAULT_SEEDS")
        .ok()
        .and_then(|seeds| seeds.parse().ok());
    let each = seeds.unwrap_or(SOUND_SEEDS).div_ceil(SOUND.len() as u64);
    let blocks = campaign::blocks(plans.len(), &(0..each));
    let workers = std::thread::available_parallelism().map_or(1, NonZero::get);
    let mut all = String::new();
    let mut runs = 0;
    campaign::run(&plans, &blocks, workers, &|| true, &mut |place, tally| {
        runs += tally.runs;
        for (kind, finding) in &tally.findings {
            let (path, seed) = (tests[blocks[place].plan].name(), finding.seed);
            all.push_str(&format!(
                "{path}, seed {seed}: {kind}: {}\n",
                finding.seen.text
            ));
        }
        for (seed, how) in &tally.crashes {
            all.push_str(&format!(
                "{} seed {seed}: linefault failed: {how}\n",
                blocks[place].plan
            ));
        }
    });
    assert_eq!(runs, each * SOUND.len() as u64);
    println!("{all}");
    assert!(all.is_empty());
}
