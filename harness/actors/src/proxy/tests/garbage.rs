//! Bytes that no well-behaved peer sends.

use std::sync::LazyLock;

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::Index;

use super::*;
use crate::pump::damage::{Datagram, ERIN, damaged, damages, mutations, record, throw};
use linefault_protocol::sip::{Limits, Method, Verdict, parse};

static REAL: LazyLock<Vec<Datagram>> = LazyLock::new(record);

/// A call of alice's with bob is up, two others whom no damage to their messages can be mistaken for are there, and so is
/// erin, whom the record speaks to.
fn phones() -> Pump {
    let users = ["1001", "1002", "1003", "27771", "38883"];
    let mut pump = Pump::report_a(|config| {
        config.users = users.map(str::to_owned).into();
        config.health_check = None;
    });
    pump.add_phone("carol", "192.168.9.3:33333", "27771", |_| {});
    pump.add_phone("dave", "192.168.9.4:44444", "38883", |_| {});
    pump.add_phone("erin", ERIN, "1003", |_| {});
    for name in ["alice", "bob", "carol", "dave"] {
        pump.tell(name, "register", None);
    }
    pump.run(1000);
    pump.tell("alice", "call", Some("bob"));
    pump.run(3000);
    pump
}

/// The first lines of what the receiver of a damaged message sends at once. The rest of an answer repeats the damage.
fn reaction(datagram: &Datagram, bytes: &[u8]) -> Vec<String> {
    let mut pump = phones();
    let (from, to, _) = datagram;
    let before = pump.captured.len() + 1;
    pump.inject(&from.to_string(), &to.to_string(), bytes);
    pump.run(3005);
    let sent = pump.captured[before..].iter();
    let first_line = |bytes: &[u8]| {
        let line = bytes.split(|byte| *byte == b'\r').next();
        String::from_utf8_lossy(line.unwrap_or_default()).into_owned()
    };
    sent.filter(|(sender, ..)| sender == to)
        .map(|(_, _, bytes)| first_line(bytes))
        .collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    /// Whatever becomes of alice's and bob's messages, carol and dave talk, and in the end the proxy forgets everything.
    #[test]
    fn another_call_completes(garbage in vec((any::<Index>(), damages(), 0..9000u64), 1..40)) {
        let mut pump = phones();
        pump.tell("carol", "call", Some("sip:38883@sim.test"));
        throw(&mut pump, &REAL, garbage);
        pump.run(12_000);
        prop_assert_eq!(pump.open("carol", "dialog").len(), 1);
        pump.tell("carol", "hang-up", None);
        pump.run(13_000);
        prop_assert_eq!(pump.seen(&["dave → proxy 200 BYE"]).len(), 1);
        // Timer C, the CANCEL after it and 64·T1 more: then even a call that was half made has ended.
        pump.run(400_000);
        prop_assert_eq!(pump.left_over("proxy"), Vec::<String>::new());
    }

    /// What cannot be parsed is answered with the status and the reason of its fault, or not at all; a response or an ACK
    /// never is.
    #[test]
    fn garbage_is_named_or_ignored(which in any::<Index>(), damages in damages()) {
        let datagram: &Datagram = which.get(&REAL);
        let bytes = damaged(&datagram.2, &damages);
        let sent = reaction(datagram, &bytes);
        match parse(&bytes, &Limits::default()) {
            Verdict::Reject(fault) => {
                prop_assert_eq!(sent, [format!("SIP/2.0 {} {}", fault.status, fault.reason)]);
            }
            Verdict::Drop(_) => prop_assert_eq!(sent, Vec::<String>::new()),
            Verdict::Accept(message) => {
                let unanswerable = !message.is_request() || message.method() == Method::Ack;
                let answered = sent.iter().any(|line| line.starts_with("SIP/2.0 "));
                prop_assert!(!(unanswerable && answered), "{sent:?}");
            }
        }
    }
}

#[test]
fn no_bytes_make_a_proxy_panic_or_forget_its_bindings() {
    let mut pump = call_to_a_dead_phone(|config| config.health_check = None);
    pump.failing.clear();
    for valid in [
        register("mutated", "192.0.2.7:5060", "60"),
        request("INVITE", "sip:1002@sim.test"),
    ] {
        for mutated in mutations(&valid) {
            pump.inject(ALICE, PROXY, &mutated);
        }
    }
    pump.run(200_000);
    assert!(
        pump.open("proxy", "binding")
            .iter()
            .any(|label| label.contains(ALICE))
    );
    assert_eq!(pump.left_over("proxy"), Vec::<String>::new());
}
