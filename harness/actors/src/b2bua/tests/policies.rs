//! Calling again, elsewhere, or later.

use super::*;
use linefault_protocol::sip::Uri;

#[test]
fn a_503_is_tried_three_times_a_second_apart_and_then_relayed() {
    let mut pump = call_to_carol(refusing(503), |_| {});
    pump.run(60_000);
    let invites = pump.seen(&["b2bua → carol INVITE"]);
    let times: Vec<_> = invites.iter().map(|line| &line[..5]).collect();
    // Each pause begins with the 503, 10 ms after its INVITE.
    assert_eq!(times, ["1.015", "2.025", "3.035", "4.045"]);
    assert_eq!(
        pump.seen(&["b2bua → alice 503"]),
        ["4.055 b2bua → alice 503 INVITE"]
    );
    assert_nothing_is_left(&pump, &["alice", "carol", "b2bua"]);
}

#[test]
fn a_caller_who_gives_up_between_two_tries_ends_them() {
    let mut pump = call_to_carol(refusing(503), |_| {});
    pump.run(1500);
    pump.tell("alice", "hang-up", None);
    pump.run(60_000);
    assert_eq!(pump.seen(&["b2bua → carol INVITE"]).len(), 1);
    assert_eq!(pump.seen(&["b2bua → alice 487 INVITE"]).len(), 1);
    assert_nothing_is_left(&pump, &["alice", "carol", "b2bua"]);
}

#[test]
fn a_busy_callees_call_is_forwarded() {
    let mut pump = call_to_carol(refusing(486), |config| {
        config.forward_to = Uri::parse("sip:1002@sim.test").ok();
    });
    pump.run(10_000);
    assert_eq!(pump.seen(&["486"]), ["1.020 carol → b2bua 486 INVITE"]);
    assert_eq!(pump.seen(&["181"]), ["1.025 b2bua → alice 181 INVITE"]);
    assert_eq!(pump.seen(&["b2bua → alice 200 INVITE"]).len(), 1);
    assert_eq!(pump.open("bob", "dialog").len(), 1);
}

#[test]
fn a_callee_that_rings_too_long_is_cancelled_and_the_caller_told() {
    let answer = Answer {
        pick_up: Duration::from_secs(1000),
        ..Answer::default()
    };
    let mut pump = call_to_carol(answer, |config| {
        config.ring_limit = Some(Duration::from_secs(10));
    });
    pump.run(60_000);
    assert_eq!(
        pump.seen(&["11.0"])[..2],
        [
            "11.015 b2bua → carol CANCEL sip:1003@192.168.8.9:9999",
            "11.015 b2bua → alice 408 INVITE",
        ]
    );
    assert_nothing_is_left(&pump, &["alice", "carol", "b2bua"]);
}

#[test]
fn a_queue_moves_when_a_call_ends() {
    let mut pump = registered(|config| config.queue = Some(1));
    for (name, at, user) in [
        ("carol", "192.168.8.9:9999", "1003"),
        ("dave", "192.168.8.8:8888", "1004"),
    ] {
        pump.add_phone(name, at, user, |_| {});
    }
    pump.tell("alice", "call", Some("bob"));
    pump.run(3000);
    for name in ["carol", "dave"] {
        pump.tell(name, "call", Some("bob"));
    }
    pump.run(5000);
    assert_eq!(pump.open("b2bua", "call").len(), 3);
    pump.tell("alice", "hang-up", None);
    pump.run(8000);
    // Carol's place is free, so that dave hears of his second one.
    assert_eq!(pump.seen(&["b2bua → carol 182"]).len(), 1);
    assert_eq!(
        pump.seen(&["b2bua → dave 182"]),
        [
            "3.005 b2bua → dave 182 INVITE",
            "5.015 b2bua → dave 182 INVITE"
        ]
    );
    assert_eq!(pump.seen(&["b2bua → carol 200 INVITE"]).len(), 1);
    pump.tell("dave", "hang-up", None);
    pump.tell("carol", "hang-up", None);
    pump.run(80_000);
    assert_nothing_is_left(&pump, &["alice", "bob", "carol", "dave", "b2bua"]);
}

#[test]
fn what_it_has_no_room_for_is_refused_for_now() {
    let mut pump = call_to_carol(Answer::default(), |config| config.calls_max = 1);
    pump.run(3000);
    pump.tell("bob", "call", Some("sip:1003@sim.test"));
    pump.run(4000);
    assert_eq!(pump.seen(&["b2bua → bob 503 INVITE"]).len(), 1);
    assert_eq!(pump.open("b2bua", "call").len(), 1);
}

#[test]
fn unknown_users_are_404_and_absent_ones_480() {
    for (user, status) in [("9999", "404"), ("1003", "480")] {
        let mut pump = registered(|_| {});
        pump.tell("alice", "call", Some(&format!("sip:{user}@sim.test")));
        pump.run(1100);
        assert_eq!(pump.seen(&["b2bua → alice", status]).len(), 1, "{user}");
    }
}

#[test]
fn a_callee_that_is_gone_is_408_and_forgotten() {
    let mut pump = call_under_way();
    pump.power_off("bob");
    pump.run(120_000);
    assert_eq!(pump.seen(&["33.005 b2bua → alice 408 INVITE"]).len(), 1);
    assert_nothing_is_left(&pump, &["alice", "b2bua"]);
}

#[test]
fn after_a_restart_a_bye_is_for_nothing_known() {
    let mut pump = call_under_way();
    pump.run(5000);
    pump.power_off("b2bua");
    let config = Config::new("sim.test", ["1001", "1002"].map(str::to_owned).into());
    pump.start("b2bua", address(PROXY), &B2bua { config });
    pump.tell("alice", "hang-up", None);
    pump.run(6000);
    assert_eq!(pump.seen(&["481"]), ["5.005 b2bua → alice 481 BYE"]);
}
