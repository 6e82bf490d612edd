//! Whatever three branches say, in whatever order.

use std::collections::BTreeSet;

use proptest::collection::vec;
use proptest::prelude::*;

use super::*;
use crate::sip::turn::cancel_of;

const PHONES: [&str; 3] = ["192.0.2.4:5060", "192.0.2.3:5060", BOB];

/// What happens next.
#[derive(Clone, Debug)]
enum Step {
    /// The phone of that number answers so.
    Answer(usize, u16),
    /// It answers the CANCEL.
    CancelDone(usize),
    /// What the proxy sends on that branch does not leave any more.
    Fail(usize),
    /// The caller gives up.
    Cancel,
    /// Nothing, for so many milliseconds.
    Wait(u64),
}

fn step() -> impl Strategy<Value = Step> {
    let codes = vec![100, 180, 183, 200, 302, 401, 404, 486, 487, 503, 600, 603];
    prop_oneof![
        8 => (0..3usize, prop::sample::select(codes)).prop_map(|(at, code)| Step::Answer(at, code)),
        2 => (0..3usize).prop_map(Step::CancelDone),
        1 => (0..3usize).prop_map(Step::Fail),
        1 => Just(Step::Cancel),
        2 => (0..70_000u64).prop_map(Step::Wait),
    ]
}

fn three_phones() -> Bench {
    let mut bench = Bench::new(Statuses::INCIDENT);
    bench.register("sip:1002@sim.test", "<sip:1002@192.0.2.3>");
    bench.register("sip:1002@sim.test", "<sip:1002@192.0.2.4>");
    bench
}

/// All that goes to the caller, in order.
fn story(steps: &[Step]) -> (Bench, Vec<u16>) {
    let mut bench = three_phones();
    let mut words = bench.receive(ALICE, invite(""));
    let copies: Vec<Message> = PHONES
        .iter()
        .filter_map(|at| bench.sent.iter().find(|(to, _)| *to == address(at)))
        .map(|(_, copy)| copy.clone())
        .collect();
    let clients: Vec<_> = bench.proxy.upstream.keys().copied().collect();
    for step in steps {
        words.extend(match step {
            Step::Answer(at, code) => bench.receive(PHONES[*at], answer(&copies[*at], *code)),
            Step::CancelDone(at) => {
                bench.receive(PHONES[*at], answer(&cancel_of(&copies[*at]), 200))
            }
            Step::Fail(at) => bench.fail(clients[*at], Failure::Unreachable),
            Step::Cancel => bench.receive(ALICE, message("CANCEL sip:1002@sim.test", "CANCEL", "")),
            Step::Wait(length) => bench.wait(Duration::from_millis(*length)),
        });
    }
    // Timer C, its CANCEL and all that lingers.
    words.extend(bench.wait(Duration::from_secs(400)));
    let up = words.iter().filter_map(|word| {
        let (code, _) = word.split_once(" INVITE to 192.0.2.1:5060")?;
        code.parse().ok()
    });
    let up = up.collect();
    (bench, up)
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_caller_gets_one_outcome_and_the_proxy_keeps_nothing(steps in vec(step(), 0..20)) {
        let (bench, up) = story(&steps);
        // RFC 3261 §16.7: 100 is the proxy's own and the first; a final ends what is provisional.
        prop_assert_eq!(up[0], 100);
        prop_assert!(!up[1..].contains(&100), "{up:?}");
        let first_final = up.iter().position(|code| *code >= 200);
        let Some(first_final) = first_final else {
            return Err(TestCaseError::fail(format!("no outcome: {up:?}")));
        };
        // After a 2xx only more of them; after a failure only its repetitions, since the caller sends no ACK here.
        let after: BTreeSet<u16> = up[first_final..].iter().copied().collect();
        prop_assert_eq!(after.len(), 1, "{:?}", up);
        // §16.7 step 6: a 503 of one branch is no 503 of the proxy.
        prop_assert!(after.iter().all(|code| *code != 503), "{up:?}");
        prop_assert_eq!(bench.proxy.contexts(), 0);
        prop_assert!(bench.proxy.upstream.is_empty() && bench.proxy.cancels.is_empty());
        prop_assert!(bench.proxy.deadline().is_none() && bench.proxy.lingering_deadline().is_none());
        prop_assert!(bench.layer.is_empty(), "{} transactions", bench.layer.len());
    }
}
