//! What report A says of its clients' habits, and how a phone turns a call away.

use linefault_protocol::sip::Status;
use tracing_test::traced_test;

use super::super::Config;
use super::*;

const CAROL: &str = "192.168.8.140:5062";

/// A third phone, 1002's second one, that is called by alice at 1 s; bob is not there.
fn carol_is_called(change: impl FnOnce(&mut Config)) -> Pump {
    let mut pump = Pump::report_a(|config| config.health_check = None);
    pump.add_phone("carol", CAROL, "1002", change);
    pump.tell("carol", "register", None);
    pump.run(1000);
    pump.tell("alice", "call", Some("bob"));
    pump
}

#[test]
fn a_phone_turns_a_call_away_as_it_is_told_to() {
    // Status, and whether it rings before.
    let table: [(&str, Option<Status>, bool, bool); 4] = [
        ("480", None, true, false),
        ("486", Some(Status::BUSY_HERE), false, true),
        ("404", Some(Status::NOT_FOUND), false, true),
        ("603", Some(Status::DECLINE), false, true),
    ];
    for (expected, status, do_not_disturb, rings) in table {
        let mut pump = carol_is_called(|config| {
            config.answer.status = status;
            config.answer.do_not_disturb = do_not_disturb;
        });
        pump.run(3000);
        let up = format!("proxy → alice {expected} INVITE");
        assert_eq!(pump.seen(&[&up]).len(), 1, "{expected}");
        let rang = pump.seen(&["proxy → alice 180 INVITE"]).len();
        assert_eq!(rang, usize::from(rings), "{expected}");
        pump.run(70_000);
        for name in ["alice", "carol", "proxy"] {
            assert_eq!(pump.left_over(name), Vec::<String>::new(), "{name}");
        }
    }
}

// The second call differs from the first in nothing but that it is the second.
#[test]
fn a_phone_refuses_only_as_often_as_it_is_told_to() {
    let mut pump = carol_is_called(|config| {
        config.answer.status = Some(Status::BUSY_HERE);
        config.answer.refuse_times = Some(1);
    });
    let answers = |pump: &Pump| {
        ["486", "200"].map(|code| {
            let words = format!("proxy → alice {code} INVITE");
            pump.seen(&[&words]).len()
        })
    };
    pump.run(5000);
    assert_eq!(answers(&pump), [1, 0]);
    pump.tell("alice", "call", Some("bob"));
    pump.run(8000);
    assert_eq!(answers(&pump), [1, 1]);
}

#[test]
fn who_hangs_up_what_rings_declines() {
    let mut pump = carol_is_called(|_| {});
    pump.run(1500);
    pump.tell("carol", "hang-up", None);
    pump.run(2000);
    assert_eq!(pump.seen(&["1.505 proxy → alice 603 INVITE"]).len(), 1);
}

#[test]
fn do_not_disturb_can_be_told_at_any_time() {
    let mut pump = carol_is_called(|_| {});
    pump.run(5000);
    pump.tell("carol", "hang-up", None);
    pump.tell("carol", "do-not-disturb", None);
    pump.run(6000);
    pump.tell("alice", "call", Some("bob"));
    pump.run(7000);
    assert_eq!(pump.seen(&["6.015 proxy → alice 480 INVITE"]).len(), 1);
}

#[traced_test]
#[test]
fn texts_questions_and_what_is_said_in_a_call_are_answered() {
    let mut pump = call_under_way();
    pump.run(3000);
    for command in ["info", "update"] {
        pump.tell("alice", command, None);
    }
    for command in ["message", "options"] {
        pump.tell("alice", command, Some("bob"));
    }
    pump.run(3100);
    for answer in ["200 INFO", "200 UPDATE", "200 MESSAGE", "486 OPTIONS"] {
        let line = format!("3.015 proxy → alice {answer}");
        assert_eq!(pump.seen(&[&line]).len(), 1, "{answer}");
    }
    // In the dialog by its route and target; outside of it by the address-of-record.
    assert_eq!(
        pump.seen(&["alice → proxy INFO sip:1002@192.168.8.120:41303"])
            .len(),
        1
    );
    assert_eq!(
        pump.seen(&["alice → proxy MESSAGE sip:1002@sim.test"])
            .len(),
        1
    );
    assert!(logs_contain("text received"));
    assert!(logs_contain("request answered"));
    pump.tell("alice", "message", Some("no URI"));
    assert!(logs_contain("cannot reach what is no URI"));
}

#[test]
fn a_phone_registers_again_when_its_network_is_back() {
    let mut pump = Pump::report_a(|config| config.health_check = None);
    pump.add_phone("carol", CAROL, "1002", |config| {
        config.expires = std::time::Duration::from_secs(60);
    });
    pump.tell("carol", "register", None);
    pump.run(20_000);
    // Gone for more than its lifetime: the refresh at 30 s cannot be sent, and the binding expires.
    pump.cut_off.insert("carol");
    pump.run(100_000);
    assert_eq!(pump.open("proxy", "binding"), Vec::<&str>::new());
    pump.cut_off.clear();
    // RFC 5626 §4.5: the waits were 15 to 30 s, 30 to 60 s, then 60 to 120 s at the most.
    pump.run(240_000);
    assert_eq!(pump.open("proxy", "binding").len(), 1);
}

#[test]
fn a_keep_alive_is_sent_on_time_and_ends_with_the_application() {
    let mut pump = Pump::report_a(|config| config.health_check = None);
    pump.add_phone("carol", CAROL, "1002", |config| {
        config.keep_alive = Some(std::time::Duration::from_secs(25));
    });
    pump.tell("carol", "register", None);
    // One that cannot be sent is not missed: the next one comes on time.
    pump.run(40_000);
    pump.cut_off.insert("carol");
    pump.run(60_000);
    pump.cut_off.clear();
    pump.run(80_000);
    pump.tell("carol", "exit", None);
    pump.run(200_000);
    assert_eq!(
        pump.seen(&["keep-alive"]),
        [
            "25.000 carol → proxy keep-alive",
            "50.000 carol ✗ proxy keep-alive",
            "75.000 carol → proxy keep-alive"
        ]
    );
}
