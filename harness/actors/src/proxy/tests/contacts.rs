//! Several contacts of one user, and contacts behind a NAT.

use super::*;

const DESK: &str = "192.168.8.121:5060";

/// Bob has a second phone, which is picked up so many milliseconds after its ring.
fn two_phones(pick_up: u64) -> Pump {
    let mut pump = Pump::report_a(|config| config.health_check = None);
    pump.add_phone("desk", DESK, "1002", |config| {
        config.answer.pick_up = std::time::Duration::from_millis(pick_up);
    });
    for name in ["alice", "bob", "desk"] {
        pump.tell(name, "register", None);
    }
    pump.run(1000);
    pump
}

fn nothing_is_left(pump: &Pump, names: &[&str]) {
    for name in names {
        assert_eq!(pump.left_over(name), Vec::<String>::new(), "{name}");
    }
}

#[test]
fn all_phones_of_a_user_ring_and_the_first_to_answer_silences_the_others() {
    let mut pump = two_phones(500);
    pump.tell("alice", "call", Some("bob"));
    pump.run(3000);
    assert_eq!(
        pump.seen(&["1.6"]),
        [
            "1.610 desk → proxy 200 INVITE",
            "1.615 proxy → alice 200 INVITE",
            "1.615 proxy → bob CANCEL sip:1002@192.168.8.120:41303",
            "1.620 alice → proxy ACK sip:1002@192.168.8.121:5060",
            "1.620 bob → proxy 200 CANCEL",
            "1.620 bob → proxy 487 INVITE",
            "1.625 proxy → desk ACK sip:1002@192.168.8.121:5060",
            "1.625 proxy → bob ACK sip:1002@192.168.8.120:41303",
        ]
    );
    pump.tell("alice", "hang-up", None);
    pump.run(70_000);
    nothing_is_left(&pump, &["alice", "bob", "desk", "proxy"]);
}

#[test]
fn of_two_that_answer_at_once_the_second_is_acknowledged_and_ended() {
    // Bob's own phone is picked up a second after its ring, as is this one.
    let mut pump = two_phones(1000);
    pump.tell("alice", "call", Some("bob"));
    pump.run(5000);
    assert_eq!(pump.seen(&["proxy → alice 200 INVITE"]).len(), 2);
    assert_eq!(pump.seen(&["alice → proxy ACK"]).len(), 2);
    assert_eq!(pump.seen(&["alice → proxy BYE"]).len(), 1);
    assert_eq!(pump.open("alice", "dialog").len(), 1);
    pump.tell("alice", "hang-up", None);
    pump.run(70_000);
    nothing_is_left(&pump, &["alice", "bob", "desk", "proxy"]);
}

#[traced_test]
#[test]
fn only_the_contact_that_failed_goes_and_the_others_ring_on() {
    let mut pump = two_phones(500);
    pump.failing.insert(address(BOB), NO_ROUTE);
    pump.tell("alice", "call", Some("bob"));
    pump.run(5000);
    assert_eq!(pump.seen(&["proxy → alice", "480"]), Vec::<&str>::new());
    assert_eq!(pump.open("desk", "dialog").len(), 1);
    assert_eq!(
        pump.open("proxy", "binding"),
        [
            "sip:1001@sim.test → 192.168.8.129:57446",
            "sip:1002@sim.test → 192.168.8.121:5060"
        ]
    );
    logs_assert(|lines| one(lines, &["WARN", "target unreachable", "method=INVITE"]));
}

#[test]
fn one_that_declines_everywhere_silences_the_others_too() {
    let mut pump = two_phones(500);
    pump.tell("alice", "call", Some("bob"));
    pump.run(1300);
    // 603: a 6xx speaks for the user, not for this phone.
    pump.tell("desk", "hang-up", None);
    pump.run(70_000);
    assert_eq!(
        pump.seen(&["proxy → bob CANCEL"]),
        ["1.305 proxy → bob CANCEL sip:1002@192.168.8.120:41303"]
    );
    assert_eq!(
        pump.seen(&["proxy → alice", "603 INVITE"]),
        ["1.315 proxy → alice 603 INVITE"]
    );
    nothing_is_left(&pump, &["alice", "bob", "desk", "proxy"]);
}

#[test]
fn a_bye_is_tried_on_the_next_contact_before_giving_up() {
    let second = "192.168.8.121:5060";
    let mut pump = Pump::report_a(|config| config.health_check = None);
    pump.inject(ALICE, PROXY, &register("second", second, "3600"));
    pump.run(100);
    pump.tell("alice", "register", None);
    pump.tell("bob", "register", None);
    pump.run(1000);
    pump.tell("alice", "call", Some("bob"));
    pump.run(12_000);
    pump.power_off("bob");
    pump.failing.insert(address(BOB), NO_ROUTE);
    pump.tell("alice", "hang-up", None);
    pump.run(12_010);
    assert_eq!(
        pump.seen(&["12.005 proxy", "BYE"]),
        [
            "12.005 proxy ✗ nobody BYE sip:1002@192.168.8.120:41303",
            "12.005 proxy → nobody BYE sip:1002@192.168.8.121:5060",
        ]
    );
    // Only the contact that failed is gone.
    assert_eq!(pump.open("proxy", "binding").len(), 2);
}

#[test]
fn the_same_phone_at_its_second_address_answers_the_bye() {
    let mut pump = Pump::report_a(|config| config.health_check = None);
    pump.aliases.insert(address(DESK), "bob");
    pump.inject(BOB, PROXY, &register("second", DESK, "3600"));
    pump.run(100);
    pump.tell("bob", "register", None);
    pump.run(1000);
    // The call goes to both addresses of one phone, which takes it once (RFC 3261 §8.2.2.2).
    pump.tell("alice", "call", Some("bob"));
    pump.run(12_000);
    assert_eq!(pump.seen(&["bob → proxy 482 INVITE"]).len(), 1);
    pump.failing.insert(address(BOB), NO_ROUTE);
    pump.tell("alice", "hang-up", None);
    pump.run(13_000);
    assert_eq!(
        pump.seen(&["12.", "BYE"]),
        [
            "12.000 alice → proxy BYE sip:1002@192.168.8.120:41303",
            "12.005 proxy ✗ bob BYE sip:1002@192.168.8.120:41303",
            "12.005 proxy → bob BYE sip:1002@192.168.8.121:5060",
            "12.010 bob → proxy 200 BYE",
            "12.015 proxy → alice 200 BYE",
        ]
    );
}

#[test]
fn another_device_knows_nothing_of_the_call_and_its_481_is_relayed() {
    let mut pump = two_phones(60_000);
    pump.tell("alice", "call", Some("bob"));
    pump.run(12_000);
    pump.power_off("bob");
    pump.failing.insert(address(BOB), NO_ROUTE);
    pump.tell("alice", "hang-up", None);
    pump.run(13_000);
    assert_eq!(pump.seen(&["12.010 desk → proxy 481 BYE"]).len(), 1);
    assert_eq!(pump.seen(&["12.015 proxy → alice 481 BYE"]).len(), 1);
    assert_eq!(pump.open("alice", "dialog"), Vec::<&str>::new());
}

#[test]
fn a_phone_behind_a_nat_calls_and_is_called() {
    let mut pump = Pump::report_a(|config| config.health_check = None);
    let (inside, outside) = ("10.0.0.7:5060", "198.51.100.1:40000");
    pump.nat.insert(address(inside), address(outside));
    pump.add_phone("desk", inside, "1002", |config| {
        config.keep_alive = Some(std::time::Duration::from_secs(20));
    });
    pump.tell("alice", "register", None);
    pump.tell("desk", "register", None);
    pump.run(1000);
    pump.tell("alice", "call", Some("bob"));
    pump.run(12_000);
    assert_eq!(pump.open("desk", "dialog").len(), 1, "{:#?}", pump.trace);
    pump.tell("alice", "hang-up", None);
    pump.run(13_000);
    assert_eq!(pump.seen(&["desk → proxy 200 BYE"]).len(), 1);
    pump.tell("desk", "call", Some("alice"));
    pump.run(20_000);
    pump.tell("alice", "hang-up", None);
    pump.run(21_000);
    assert_eq!(pump.seen(&["desk → proxy 200 BYE"]).len(), 2);
    pump.run(70_000);
    nothing_is_left(&pump, &["alice", "desk", "proxy"]);
    assert_eq!(
        pump.seen(&["keep-alive"]),
        [
            "20.000 desk → proxy keep-alive",
            "40.000 desk → proxy keep-alive",
            "60.000 desk → proxy keep-alive"
        ]
    );
    // Another mapping: it is reached again as soon as it registers again, and not before.
    pump.nat
        .insert(address(inside), address("198.51.100.1:40001"));
    pump.tell("desk", "register", None);
    pump.run(71_000);
    pump.tell("alice", "call", Some("bob"));
    pump.run(75_000);
    assert_eq!(pump.open("desk", "dialog").len(), 1);
}

#[test]
fn a_contact_that_leads_back_to_the_proxy_is_a_loop_and_ends_as_one() {
    let mut pump = Pump::report_a(|config| config.health_check = None);
    pump.inject(BOB, PROXY, &register("loop", PROXY, "3600"));
    pump.run(1000);
    pump.tell("alice", "call", Some("bob"));
    pump.run(2000);
    // To itself as the contact says, once more from there, and then it is known.
    assert_eq!(pump.seen(&["proxy → proxy INVITE"]).len(), 2);
    assert_eq!(pump.seen(&["proxy → alice 482 INVITE"]).len(), 1);
    pump.run(70_000);
    nothing_is_left(&pump, &["alice", "proxy"]);
}
