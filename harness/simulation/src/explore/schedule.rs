//! Fault schedules, drawn with proptest's strategies.
//!
//! Owns which faults are drawn, where they strike and when. What is drawn is text, as it would stand in a scenario file,
//! so that what was found can be written down.

mod place;
mod time;

use std::sync::Arc;

use proptest::collection::vec;
use proptest::prelude::{Just, Strategy};
use proptest::sample::{select, subsequence};
use proptest::strategy::{BoxedStrategy, ValueTree as _};
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};

use super::aims::Aims;
use place::Struck;
pub(super) use time::{Window, duration};

/// As many faults as one schedule has.
const MOST_FAULTS: usize = 6;

/// What is drawn for one seed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Schedule {
    /// The latency of links that have none of their own, "5ms..40ms"; the file's where absent.
    pub latency: Option<String>,
    /// Steps that are taken later than the file says: which, and by how many microseconds.
    pub delayed: Vec<(usize, u64)>,
    /// Faults as inline tables.
    pub faults: Vec<String>,
}

/// Draws the schedules of a campaign. The same seed gives the same schedule, whatever was drawn before.
pub(super) struct Draws {
    strategy: BoxedStrategy<Schedule>,
}

impl Draws {
    /// Draws of faults at these aims that are over at the window's end, beside so many steps.
    pub(super) fn new(aims: &Arc<Aims>, window: Window, steps: usize) -> Self {
        Self {
            strategy: schedules(aims, window, steps),
        }
    }

    /// The schedule of that seed.
    ///
    /// # Panics
    /// Never: no strategy in here rejects what it has drawn.
    pub(super) fn draw(&self, seed: u64) -> Schedule {
        let mut key = [0; 32];
        key[..8].copy_from_slice(&seed.to_le_bytes());
        let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &key);
        let mut runner = TestRunner::new_with_rng(Config::default(), rng);
        let drawn = self.strategy.new_tree(&mut runner);
        drawn.expect("nothing is filtered").current()
    }
}

/// Swarm testing: each seed has only some kinds of fault, so that none drowns the others.
fn schedules(aims: &Arc<Aims>, window: Window, steps: usize) -> BoxedStrategy<Schedule> {
    let kinds = place::kinds(aims);
    let most = kinds.len();
    let aims = Arc::clone(aims);
    let moments: Arc<[u64]> = time::moments(&aims, window).into();
    let flow = (latency(), delays(steps));
    (subsequence(kinds, 1..=most), time::pattern(), flow)
        .prop_flat_map(move |(kinds, pattern, flow)| {
            let aims = Arc::clone(&aims);
            let struck = select(kinds).prop_flat_map(move |kind| place::struck(kind, &aims));
            let begins = time::begin(&moments, window);
            let faults = vec((struck, begins, time::length()), 1..=MOST_FAULTS);
            (faults, Just(pattern), Just(flow))
        })
        .prop_map(move |(faults, pattern, (latency, delayed))| {
            let (struck, times): (Vec<Struck>, Vec<_>) = faults
                .into_iter()
                .map(|(struck, begin, length)| (struck, (begin, length)))
                .unzip();
            let times = time::arrange(pattern, &times, window);
            let faults = struck
                .iter()
                .zip(times)
                .map(|(struck, when)| table(struck, when));
            Schedule {
                latency,
                delayed,
                faults: faults.collect(),
            }
        })
        .boxed()
}

/// A fault as an inline table. Drawn faults may miss.
fn table(struck: &Struck, (begin, length): (u64, u64)) -> String {
    let at = duration(begin);
    let Struck { fault, lasts } = struck;
    let lasts = match lasts {
        true => format!(", for = \"{}\"", duration(length)),
        false => String::new(),
    };
    format!("{{ at = \"{at}\", {fault}{lasts}, may_miss = true }}")
}

/// Two of three runs have the file's own latency, so that faults aimed at a moment of it hit. The longest way of a packet
/// stays well below T4 (RFC 3261 §17.1.1.1: 5 s), since timers are right to assume that.
fn latency() -> impl Strategy<Value = Option<String>> {
    let ranges = [
        "1ms..2ms",
        "1ms..20ms",
        "20ms..60ms",
        "80ms..300ms",
        "5ms..900ms",
    ];
    proptest::prop_oneof![
        2 => Just(None),
        1 => select(ranges.to_vec()).prop_map(|range| Some(range.to_owned())),
    ]
}

/// In one of three runs people do things a little later than the file says.
fn delays(steps: usize) -> impl Strategy<Value = Vec<(usize, u64)>> {
    let lengths = [1_000, 30_000, 400_000, 1_500_000, 4_000_000];
    let delay = (0..steps.max(1), select(lengths.to_vec()));
    proptest::prop_oneof![
        2 => Just(Vec::new()),
        1 => vec(delay, 1..=2).prop_map(|mut delays| {
            delays.sort_unstable();
            delays.dedup_by_key(|(step, _)| *step);
            delays
        }),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::explore::aims::{Aimed, Target};

    fn aims() -> Arc<Aims> {
        let target = |name: &str| Target {
            name: name.to_owned(),
            behind_nat: name == "b",
            points: &["while forwarding"],
        };
        Arc::new(Aims {
            hosts: vec![target("a"), target("b")],
            links: vec![(0, 1), (1, 0)],
            messages: vec![Aimed {
                pattern: "INVITE".to_owned(),
                from: 0,
                to: 1,
                moments: vec![1_000_000],
            }],
            tcp: true,
        })
    }

    const WINDOW: Window = Window {
        begin: 20_000_000,
        end: 60_000_000,
    };

    /// A draw depends on its seed alone: in another order it is the same.
    #[test]
    fn a_seed_has_one_schedule() {
        let (one, other) = (
            Draws::new(&aims(), WINDOW, 3),
            Draws::new(&aims(), WINDOW, 3),
        );
        let forth: Vec<_> = (0..50).map(|seed| one.draw(seed)).collect();
        let mut back: Vec<_> = (0..50).rev().map(|seed| other.draw(seed)).collect();
        back.reverse();
        assert_eq!(forth, back);
    }

    /// Over enough seeds everything that can be drawn is: otherwise a part of the search would be dead.
    #[test]
    fn every_kind_of_fault_is_drawn() {
        let draws = Draws::new(&aims(), WINDOW, 3);
        let all: String = (0..2000).flat_map(|seed| draws.draw(seed).faults).collect();
        for kind in place::kinds(&aims()) {
            assert!(
                all.contains(&format!("fault = \"{}\"", kind.name())),
                "{kind:?}"
            );
        }
    }
}
