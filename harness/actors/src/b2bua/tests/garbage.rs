//! Bytes that no well-behaved peer sends.

use std::sync::LazyLock;

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::Index;

use super::*;
use crate::pump::damage::{Datagram, damages, throw};

static REAL: LazyLock<Vec<Datagram>> = LazyLock::new(record);

/// Everything that goes over the wire while two phones do all that phones can do through a B2BUA.
fn record() -> Vec<Datagram> {
    let mut pump = call_under_way();
    pump.run(1500);
    pump.tell("alice", "hang-up", None);
    pump.run(2000);
    pump.tell("alice", "call", Some("bob"));
    pump.run(5000);
    for command in ["info", "update", "re-invite"] {
        pump.tell("alice", command, None);
        pump.run(5500);
        pump.tell("bob", command, None);
    }
    pump.run(6000);
    pump.tell("bob", "hang-up", None);
    pump.run(7000);
    pump.captured
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    /// Whatever becomes of alice's and bob's messages, carol and dave talk, and in the end all calls are forgotten.
    #[test]
    fn another_call_completes(garbage in vec((any::<Index>(), damages(), 0..9000u64), 1..40)) {
        let mut pump = registered(|config| {
            config.users = ["1001", "1002", "27771", "38883"].map(str::to_owned).into();
        });
        pump.add_phone("carol", "192.168.9.3:33333", "27771", |_| {});
        pump.add_phone("dave", "192.168.9.4:44444", "38883", |_| {});
        pump.tell("carol", "register", None);
        pump.tell("dave", "register", None);
        pump.tell("alice", "call", Some("bob"));
        pump.run(3000);
        pump.tell("carol", "call", Some("sip:38883@sim.test"));
        throw(&mut pump, &REAL, garbage);
        pump.run(12_000);
        prop_assert_eq!(pump.open("carol", "dialog").len(), 1);
        pump.tell("carol", "hang-up", None);
        pump.run(13_000);
        prop_assert_eq!(pump.seen(&["dave → b2bua 200 BYE"]).len(), 1);
        pump.tell("alice", "hang-up", None);
        pump.tell("bob", "hang-up", None);
        // The ring limit, the CANCEL after it and 64·T1 more: then what was half made has ended; a call that is up may
        // stay, if its peer never heard of it.
        pump.run(400_000);
        let dialogs = pump.open("b2bua", "dialog").len();
        prop_assert!(pump.open("b2bua", "call").len() * 2 <= dialogs + 1);
        prop_assert_eq!(pump.open("b2bua", "transaction"), Vec::<&str>::new());
    }
}
