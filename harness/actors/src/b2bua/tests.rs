mod garbage;
mod policies;

use tracing_test::traced_test;

use super::{B2bua, Config};
use crate::phone::Answer;
use crate::pump::{PROXY, Pump, address};
use linefault_protocol::sip::Status;
use std::time::Duration;

/// The phones of report A around a B2BUA, registered; the call is set up from 1 s on.
fn registered(change: impl FnOnce(&mut Config)) -> Pump {
    let mut pump = Pump::report_a(|_| {});
    pump.power_off("proxy");
    let users = ["1001", "1002", "1003"].map(str::to_owned).into();
    let mut config = Config::new("sim.test", users);
    config.health_check = None;
    change(&mut config);
    pump.start("b2bua", address(PROXY), &B2bua { config });
    pump.tell("alice", "register", None);
    pump.tell("bob", "register", None);
    pump.run(1000);
    pump
}

fn call_under_way() -> Pump {
    let mut pump = registered(|_| {});
    pump.tell("alice", "call", Some("bob"));
    pump
}

/// Alice calls carol (1003), who answers so.
fn call_to_carol(answer: Answer, change: impl FnOnce(&mut Config)) -> Pump {
    let mut pump = registered(change);
    pump.add_phone("carol", "192.168.8.9:9999", "1003", |config| {
        config.answer = answer;
    });
    pump.tell("carol", "register", None);
    pump.run(1010);
    pump.tell("alice", "call", Some("sip:1003@sim.test"));
    pump
}

fn refusing(status: u16) -> Answer {
    Answer {
        pick_up: Duration::ZERO,
        status: Status::new(status),
        ..Answer::default()
    }
}

fn assert_nothing_is_left(pump: &Pump, names: &[&str]) {
    for name in names {
        assert_eq!(pump.left_over(name), Vec::<String>::new(), "{name}");
    }
}

#[test]
fn a_call_has_two_legs_and_this_is_all_that_goes_over_them() {
    let mut pump = call_under_way();
    pump.run(12_000);
    assert_eq!(pump.open("b2bua", "dialog").len(), 2);
    pump.tell("alice", "hang-up", None);
    pump.run(12_100);
    assert_eq!(
        pump.trace[4..].join("\n"),
        "\
1.000 alice → b2bua INVITE sip:1002@sim.test
1.005 b2bua → alice 100 INVITE
1.005 b2bua → bob INVITE sip:1002@192.168.8.120:41303
1.110 bob → b2bua 180 INVITE
1.115 b2bua → alice 180 INVITE
2.110 bob → b2bua 200 INVITE
2.115 b2bua → alice 200 INVITE
2.120 alice → b2bua ACK sip:1002@192.168.8.2:5060
2.125 b2bua → bob ACK sip:1002@192.168.8.120:41303
12.000 alice → b2bua BYE sip:1002@192.168.8.2:5060
12.005 b2bua → alice 200 BYE
12.005 b2bua → bob BYE sip:1002@192.168.8.120:41303
12.010 bob → b2bua 200 BYE"
    );
    pump.run(60_000);
    assert_nothing_is_left(&pump, &["alice", "bob", "b2bua"]);
}

#[test]
fn the_callee_can_end_the_call_too() {
    let mut pump = call_under_way();
    pump.run(5000);
    pump.tell("bob", "hang-up", None);
    pump.run(60_000);
    assert_eq!(
        pump.seen(&["BYE"]),
        [
            "5.000 bob → b2bua BYE sip:1001@192.168.8.2:5060",
            "5.005 b2bua → bob 200 BYE",
            "5.005 b2bua → alice BYE sip:1001@192.168.8.129:57446",
            "5.010 alice → b2bua 200 BYE",
        ]
    );
    assert_nothing_is_left(&pump, &["alice", "bob", "b2bua"]);
}

#[test]
fn a_cancel_is_answered_on_one_leg_and_made_anew_on_the_other() {
    let mut pump = call_under_way();
    pump.run(1500);
    pump.tell("alice", "hang-up", None);
    pump.run(60_000);
    assert_eq!(
        pump.seen(&["1.5"]),
        [
            "1.500 alice → b2bua CANCEL sip:1002@sim.test",
            "1.505 b2bua → alice 200 CANCEL",
            "1.505 b2bua → bob CANCEL sip:1002@192.168.8.120:41303",
            "1.505 b2bua → alice 487 INVITE",
            "1.510 bob → b2bua 200 CANCEL",
            "1.510 bob → b2bua 487 INVITE",
            "1.510 alice → b2bua ACK sip:1002@sim.test",
            "1.515 b2bua → bob ACK sip:1002@192.168.8.120:41303",
        ]
    );
    assert_nothing_is_left(&pump, &["alice", "bob", "b2bua"]);
}

#[test]
fn a_re_invite_of_either_side_goes_over() {
    let mut pump = call_under_way();
    for (at, name, answer) in [
        (5000, "alice", "b2bua → alice 200 INVITE"),
        (6000, "bob", "b2bua → bob 200 INVITE"),
    ] {
        pump.run(at);
        pump.tell(name, "re-invite", None);
        pump.run(at + 900);
        assert_eq!(
            pump.seen(&[answer]).last().map(|line| &line[..2]),
            Some(&*format!("{}.", at / 1000))
        );
    }
    // The ACK goes over as well, or somebody would repeat a 2xx.
    assert_eq!(pump.seen(&["bob → b2bua 200 INVITE"]).len(), 2);
    assert_eq!(pump.seen(&["alice → b2bua 200 INVITE"]).len(), 1);
    pump.tell("bob", "hang-up", None);
    pump.run(60_000);
    assert_nothing_is_left(&pump, &["alice", "bob", "b2bua"]);
}

#[test]
fn re_invites_that_cross_are_both_refused_and_tried_again() {
    let mut pump = call_under_way();
    pump.run(5000);
    pump.tell("alice", "re-invite", None);
    pump.tell("bob", "re-invite", None);
    pump.run(5100);
    // RFC 3261 §14.2: bob's meets the one that was passed on to him, and so does that one his; the latter goes back.
    assert_eq!(
        pump.seen(&["491 INVITE"]),
        [
            "5.005 b2bua → bob 491 INVITE",
            "5.010 bob → b2bua 491 INVITE",
            "5.015 b2bua → alice 491 INVITE",
        ]
    );
    pump.run(11_000);
    assert_eq!(pump.seen(&["b2bua → alice 200 INVITE"]).len(), 2);
    assert_eq!(pump.seen(&["b2bua → bob 200 INVITE"]).len(), 1);
    pump.tell("alice", "hang-up", None);
    pump.run(60_000);
    assert_nothing_is_left(&pump, &["alice", "bob", "b2bua"]);
}

#[test]
fn lost_acks_repeat_the_answer_on_their_leg_alone() {
    let mut pump = call_under_way();
    pump.lose("alice", "ACK", 1);
    pump.lose("b2bua", "ACK", 1);
    pump.run(20_000);
    // Alice's lost ACK holds that of the other leg back, and there one is lost as well.
    assert_eq!(
        pump.seen(&["200 INVITE"]),
        [
            "2.110 bob → b2bua 200 INVITE",
            "2.115 b2bua → alice 200 INVITE",
            "2.610 bob → b2bua 200 INVITE",
            "2.615 b2bua → alice 200 INVITE",
            "3.610 bob → b2bua 200 INVITE",
        ]
    );
    assert_eq!(pump.open("bob", "dialog").len(), 1);
    pump.tell("alice", "hang-up", None);
    pump.run(80_000);
    assert_nothing_is_left(&pump, &["alice", "bob", "b2bua"]);
}

#[test]
fn a_caller_that_never_acknowledges_ends_both_legs() {
    let mut pump = call_under_way();
    pump.lose("alice", "ACK", 1000);
    pump.run(40_000);
    // RFC 3261 §13.3.1.4 at 64·T1; the callee's 200 gets its ACK before the BYE.
    assert_eq!(
        pump.seen(&["34.115 b2bua → alice BYE"]).len(),
        1,
        "{:?}",
        pump.seen(&["34."])
    );
    assert!(!pump.seen(&["b2bua → bob ACK"]).is_empty());
    pump.run(120_000);
    assert_nothing_is_left(&pump, &["alice", "bob", "b2bua"]);
}

#[test]
fn every_failure_goes_over_with_its_code_and_leaves_nothing() {
    for status in [400, 404, 408, 480, 486, 487, 488, 500, 503, 603, 302] {
        let mut pump = call_to_carol(refusing(status), |config| config.retry.times = 0);
        pump.run(60_000);
        let words = format!("{status} INVITE");
        assert_eq!(
            pump.seen(&[&words]),
            [
                format!("1.020 carol → b2bua {words}"),
                format!("1.025 b2bua → alice {words}")
            ]
        );
        assert_nothing_is_left(&pump, &["alice", "carol", "b2bua"]);
    }
}

#[traced_test]
#[test]
fn each_outcome_has_the_level_and_words_of_report_e() {
    for (status, wanted) in [
        (488, ["WARN", "codec negotiation failed", "sdp=\"v=0"]),
        (486, ["INFO", "callee busy", "call_id"]),
        (404, ["WARN", "callee not found", "call_id"]),
        (603, ["INFO", "call failed: Decline call_id", "status=603"]),
    ] {
        call_to_carol(refusing(status), |_| {}).run(2000);
        logs_assert(|lines| {
            let found = lines
                .iter()
                .filter(|line| wanted.iter().all(|word| line.contains(word)));
            match found.count() {
                1 => Ok(()),
                count => Err(format!("{count} lines with {wanted:?} in {lines:#?}")),
            }
        });
    }
}
