//! Every cell of report A's broken column, set by a value.

use super::*;
use crate::{SocketError, SocketErrorKind};

/// A request of alice's in the dialog with bob, or towards him, as the proxy gets it; what alice is answered.
fn answered(change: impl FnOnce(&mut Config), error: SocketError, bytes: &[u8]) -> Vec<String> {
    let mut pump = call_to_a_dead_phone(change);
    pump.failing.insert(address(BOB), error);
    let before = pump.trace.len();
    pump.inject(ALICE, PROXY, bytes);
    // Before any retransmission.
    pump.run(12_400);
    pump.trace[before..]
        .iter()
        .filter_map(|line| line.split_once("proxy → alice ")?.1.to_owned().into())
        .filter(|words: &String| !words.starts_with("100"))
        .collect()
}

fn inside(method: &str) -> Vec<u8> {
    with_target(method, ";tag=2")
}

fn outside(method: &str) -> Vec<u8> {
    with_target(method, "")
}

fn with_target(method: &str, tag: &str) -> Vec<u8> {
    let text = String::from_utf8(request(method, "sip:1002@192.168.8.120:41303")).unwrap();
    text.replace(
        "To: <sip:1002@sim.test>",
        &format!("To: <sip:1002@sim.test>{tag}"),
    )
    .into_bytes()
}

#[test]
fn each_request_and_each_failure_has_its_status_in_every_policy() {
    // Request, error; incident, rfc3261, and the broken column by values.
    let table = [
        (outside("INVITE"), NO_ROUTE, "480", "500", "502"),
        (outside("MESSAGE"), NO_ROUTE, "480", "500", "502"),
        (outside("SUBSCRIBE"), NO_ROUTE, "480", "500", "502"),
        (outside("OPTIONS"), NO_NETWORK, "480", "500", "502"),
        (inside("INVITE"), NO_ROUTE, "480", "500", "502"),
        (inside("UPDATE"), NO_ROUTE, "480", "500", "502"),
        (inside("INFO"), NO_ROUTE, "480", "500", "502"),
        (inside("BYE"), NO_ROUTE, "408", "500", "502"),
        (inside("BYE"), NO_NETWORK, "408", "500", "502"),
        (outside("INVITE"), NOT_PERMITTED, "503", "500", "502"),
        (inside("BYE"), NOT_PERMITTED, "503", "500", "502"),
    ];
    for (bytes, error, incident, rfc3261, bad) in table {
        let words = String::from_utf8_lossy(&bytes).into_owned();
        let method = words.split(' ').next().unwrap().to_owned();
        let expect = |code: &str| [format!("{code} {method}")];
        assert_eq!(answered(|_| {}, error, &bytes), expect(incident), "{words}");
        let by_rfc = |config: &mut Config| config.statuses = Statuses::RFC3261;
        assert_eq!(answered(by_rfc, error, &bytes), expect(rfc3261), "{words}");
        assert_eq!(answered(broken, error, &bytes), expect(bad), "{words}");
    }
}

#[test]
fn unreachable_is_a_kind_and_never_a_number() {
    let named = |kind, errno| SocketError { kind, errno };
    let table = [
        (named(SocketErrorKind::HostUnreachable, 113), "408"),
        (named(SocketErrorKind::HostUnreachable, 65), "408"),
        (named(SocketErrorKind::NetworkUnreachable, 51), "408"),
        (named(SocketErrorKind::HostDown, 64), "408"),
        // 65 is another error on Linux.
        (named(SocketErrorKind::Other, 65), "503"),
        (named(SocketErrorKind::NetworkDown, 100), "503"),
        (named(SocketErrorKind::ConnectionRefused, 111), "503"),
    ];
    for (error, expected) in table {
        let answers = answered(|_| {}, error, &inside("BYE"));
        assert_eq!(answers, [format!("{expected} BYE")], "{error:?}");
    }
}

#[test]
fn an_ack_is_answered_by_the_broken_policy_alone() {
    let ack = inside("ACK");
    assert_eq!(answered(|_| {}, NO_ROUTE, &ack), Vec::<String>::new());
    assert_eq!(answered(broken, NO_ROUTE, &ack), ["502 ACK"]);
}

#[test]
fn a_second_contact_is_tried_unless_the_policy_says_never() {
    for (tried, expected) in [(true, 1), (false, 0)] {
        let mut pump = Pump::report_a(|config| config.statuses.bye_tries_next_contact = tried);
        pump.inject(
            ALICE,
            PROXY,
            &register("second", "192.168.8.121:5060", "3600"),
        );
        pump.tell("bob", "register", None);
        pump.run(1000);
        pump.failing.insert(address(BOB), NO_ROUTE);
        pump.inject(ALICE, PROXY, &inside("BYE"));
        pump.run(1400);
        assert_eq!(
            pump.seen(&["BYE sip:1002@192.168.8.121:5060"]).len(),
            expected
        );
        assert_eq!(pump.seen(&["proxy → alice 408 BYE"]).len(), 1 - expected);
    }
}

#[traced_test]
#[test]
fn expired_bindings_stay_if_the_policy_lets_them() {
    let mut pump = Pump::report_a(|config| {
        config.remove_expired = false;
        config.health_check = None;
    });
    pump.inject(BOB, PROXY, &register("once", BOB, "60"));
    pump.run(100_000);
    assert_eq!(pump.open("proxy", "binding").len(), 1);
    pump.tell("alice", "call", Some("bob"));
    pump.run(101_000);
    assert_eq!(pump.seen(&["proxy → bob INVITE"]).len(), 1, "and is used");
}

#[test]
fn without_a_health_check_nobody_is_asked() {
    for (every, expected) in [(None, 0), (Some(std::time::Duration::from_secs(60)), 3)] {
        let mut pump = Pump::report_a(|config| config.health_check = every);
        pump.tell("bob", "register", None);
        pump.run(200_000);
        assert_eq!(pump.seen(&["proxy → bob OPTIONS"]).len(), expected);
    }
}

#[traced_test]
#[test]
fn a_reset_that_an_earlier_datagram_left_behind_is_one_error_and_no_end() {
    // Windows reports ICMP 3/3 so, once, and cannot say of whom. Report A's table knows three kinds that count as
    // unreachable, and this is none of them: ERROR, as any other socket error. Nobody is removed for it.
    let mut pump = Pump::report_a(|_| {});
    pump.tell("bob", "register", None);
    pump.run(1000);
    let reset = SocketError {
        kind: SocketErrorKind::ConnectionReset,
        errno: 10054,
    };
    pump.fail_receive("proxy", reset);
    pump.tell("alice", "call", Some("bob"));
    pump.run(5000);
    assert_eq!(pump.open("bob", "dialog").len(), 1);
    assert_eq!(pump.open("proxy", "binding").len(), 1);
    logs_assert(|lines| one(lines, &["ERROR", "UDP server error: [Errno 10054]"]));
}

#[traced_test]
#[test]
fn what_receiving_says_of_an_unreachable_peer_is_a_warning_as_sending_would_give() {
    let mut pump = Pump::report_a(|_| {});
    pump.fail_receive("proxy", NO_ROUTE);
    logs_assert(|lines| one(lines, &["WARN", "target unreachable", "errno=65"]));
    assert!(!logs_contain("ERROR"));
}

#[traced_test]
#[test]
fn after_a_restart_answers_that_nobody_waits_for_are_dropped() {
    let mut pump = Pump::report_a(|_| {});
    pump.tell("bob", "register", None);
    pump.run(1000);
    pump.tell("alice", "call", Some("bob"));
    pump.run(1500);
    let config = Config::incident("sim.test", ["1001", "1002"].map(str::to_owned).into());
    pump.start("proxy", address(PROXY), &super::super::Proxy { config });
    pump.run(30_000);
    // Bob's 200 and its repetitions belong to a transaction that the earlier life had.
    assert!(pump.seen(&["bob → proxy 200 INVITE"]).len() > 1);
    assert_eq!(pump.seen(&["proxy → alice 200"]), Vec::<&str>::new());
    assert!(!logs_contain("ERROR"));
}
