//! The known-bad zoo: exploration finds every defect that there is, and nothing where there is none.

use std::collections::BTreeMap;
use std::path::Path;

use linefault::defect::{self, Defect};
use linefault::explore::{Explorer, Kind, Plan, shrink};
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

fn catch(defect: &'static Defect, habitats: &[(&Test, String)]) -> Option<Caught> {
    let planted = habitats.iter().filter_map(|(test, host)| {
        let draft = test.draft().expect("sound");
        Plan::new(&draft, vec![(host.clone(), defect)]).ok()
    });
    let plans: Vec<Plan> = planted.take(3).collect();
    let explorers: Vec<Explorer<'_>> = plans.iter().map(Explorer::new).collect();
    for seed in 0..SEEDS {
        for (plan, explorer) in plans.iter().zip(&explorers) {
            let explored = explorer.run(seed).expect("what is drawn is sound");
            let Some((kind, seen)) = explored.first() else {
                continue;
            };
            let whole = plan.draft(seed, &explored.schedule);
            let shrunk = shrink::shrink(plan, whole, kind, seen.at, &|| true);
            return Some(Caught {
                name: defect.name,
                kind: kind.clone(),
                seed,
                faults: shrunk.draft.keys("timeline.faults").len(),
                runs: shrunk.runs,
            });
        }
    }
    None
}

#[test]
fn every_defect_is_caught_and_shrinks_to_two_faults_or_fewer() {
    let suite = suite();
    let habitats = habitats(&suite);
    let mut caught = Vec::new();
    let mut missed = Vec::new();
    for defect in defect::CATALOGUE {
        let there = habitats.get(defect.name).map_or(&[][..], Vec::as_slice);
        match catch(defect, there) {
            Some(one) => caught.push(one),
            None => missed.push(defect.name),
        }
    }
    for one in &caught {
        println!(
            "{}: {} with seed {}, {} faults, {} runs",
            one.name, one.kind, one.seed, one.faults, one.runs
        );
    }
    println!("missed: {missed:?}");
}
