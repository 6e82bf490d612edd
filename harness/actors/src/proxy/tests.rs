mod contacts;
mod garbage;
mod policies;
mod registrations;
mod uplink;

use tracing::Level;
use tracing_test::traced_test;

use super::{Config, LogLine, Removal, Wording};
use crate::pump::{ALICE, BOB, NO_NETWORK, NO_ROUTE, NOT_PERMITTED, PROXY, Pump, address};
use linefault_protocol::sip::Status;
use linefault_protocol::sip::proxy::Statuses;

/// A call that is up at 12 s, when nobody can send to bob any more.
fn call_to_a_dead_phone(change: impl FnOnce(&mut Config)) -> Pump {
    let mut pump = Pump::report_a(change);
    pump.tell("alice", "register", None);
    pump.tell("bob", "register", None);
    pump.run(1000);
    pump.tell("alice", "call", Some("bob"));
    pump.run(12_000);
    pump.power_off("bob");
    pump.failing.insert(address(BOB), NO_ROUTE);
    pump
}

fn hang_up_and_wait(pump: &mut Pump) {
    pump.tell("alice", "hang-up", None);
    pump.run(50_000);
}

/// The broken service of report A, by values alone.
fn broken(config: &mut Config) {
    let bad = Status::BAD_GATEWAY;
    config.statuses = Statuses {
        unreachable: bad,
        unreachable_in_dialog: bad,
        unreachable_bye: bad,
        network: bad,
        undeliverable_ack: Some(bad),
        ..Statuses::INCIDENT
    };
    config.unreachable_log = LogLine {
        level: Level::ERROR,
        wording: Wording::ServerError,
    };
    config.remove_unreachable = Removal::Never;
    config.health_check = None;
}

#[traced_test]
#[test]
fn a_bye_to_an_unreachable_phone_is_408_at_once_a_warning_and_the_end_of_the_binding() {
    let mut pump = call_to_a_dead_phone(|_| {});
    hang_up_and_wait(&mut pump);
    assert_eq!(
        pump.seen(&["BYE"]),
        [
            "12.000 alice → proxy BYE sip:1002@192.168.8.120:41303",
            "12.005 proxy ✗ nobody BYE sip:1002@192.168.8.120:41303",
            "12.005 proxy → alice 408 BYE",
        ]
    );
    assert_eq!(
        pump.open("proxy", "binding"),
        ["sip:1001@sim.test → 192.168.8.129:57446"]
    );
    assert_eq!(pump.left_over("proxy"), Vec::<String>::new());
    assert_eq!(pump.left_over("alice"), Vec::<String>::new());
    // One line of each, with its level and fields; the fields are what an operator searches for.
    logs_assert(|lines| {
        one(
            lines,
            &[
                "WARN",
                "target unreachable",
                "peer=192.168.8.120:41303",
                "errno=65",
                "method=BYE",
            ],
        )
    });
    logs_assert(|lines| {
        one(
            lines,
            &[
                "INFO",
                "removed unreachable binding",
                "aor=\"sip:1002@sim.test\"",
            ],
        )
    });
    assert!(!logs_contain("ERROR"));
}

#[traced_test]
#[test]
fn the_broken_service_of_report_a_is_a_matter_of_values() {
    let mut pump = call_to_a_dead_phone(broken);
    hang_up_and_wait(&mut pump);
    assert_eq!(pump.seen(&["12.005 proxy → alice 502 BYE"]).len(), 1);
    assert_eq!(
        pump.open("proxy", "binding").len(),
        2,
        "the dead binding is kept"
    );
    logs_assert(|lines| {
        one(
            lines,
            &["ERROR", "UDP server error: [Errno 65] No route to host"],
        )
    });
    assert!(!logs_contain("target unreachable"));
}

#[test]
fn a_reinvite_to_an_unreachable_phone_is_480_and_the_dialog_stays() {
    let mut pump = call_to_a_dead_phone(|_| {});
    pump.tell("alice", "re-invite", None);
    pump.run(13_000);
    assert_eq!(pump.seen(&["12.005 proxy → alice 480 INVITE"]).len(), 1);
    assert_eq!(pump.open("alice", "dialog").len(), 1);
}

#[traced_test]
#[test]
fn another_socket_error_is_503_an_error_and_no_reason_to_forget_anybody() {
    let mut pump = call_to_a_dead_phone(|config| config.health_check = None);
    pump.failing.insert(address(BOB), NOT_PERMITTED);
    hang_up_and_wait(&mut pump);
    assert_eq!(pump.seen(&["12.005 proxy → alice 503 BYE"]).len(), 1);
    assert_eq!(pump.open("proxy", "binding").len(), 2);
    logs_assert(|lines| {
        one(
            lines,
            &[
                "ERROR",
                "UDP server error: [Errno 1] Operation not permitted",
            ],
        )
    });
}

#[traced_test]
#[test]
fn a_response_that_cannot_be_sent_is_dropped_and_cancels_nothing() {
    let mut pump = Pump::report_a(|_| {});
    pump.tell("alice", "register", None);
    pump.tell("bob", "register", None);
    pump.run(1000);
    pump.tell("alice", "call", Some("bob"));
    pump.run(1050);
    pump.failing.insert(address(ALICE), NO_ROUTE);
    pump.run(1500);
    logs_assert(|lines| one(lines, &["WARN", "target unreachable", "method=INVITE"]));
    assert_eq!(pump.seen(&["proxy ✗ alice 180 INVITE"]).len(), 1);
    // The way is free again before the answer: the call comes about as if the 180 had been lost on the way.
    pump.failing.clear();
    pump.run(5000);
    assert_eq!(pump.seen(&["CANCEL"]), Vec::<&str>::new());
    assert_eq!(pump.open("alice", "dialog").len(), 1);
    assert_eq!(pump.open("proxy", "binding").len(), 2);
}

#[test]
fn a_repeated_request_finds_the_answer_that_could_not_be_sent() {
    let mut pump = Pump::report_a(|_| {});
    pump.tell("bob", "register", None);
    pump.run(1000);
    pump.tell("alice", "call", Some("bob"));
    pump.run(12_000);
    pump.tell("alice", "hang-up", None);
    pump.run(12_014);
    pump.failing.insert(address(ALICE), NO_ROUTE);
    pump.run(12_100);
    assert_eq!(pump.seen(&["12.015 proxy ✗ alice 200 BYE"]).len(), 1);
    pump.failing.clear();
    pump.run(13_000);
    // Answered from the transaction, without troubling bob again, who would say 481.
    assert_eq!(pump.seen(&["12.505 proxy → alice 200 BYE"]).len(), 1);
    assert_eq!(pump.seen(&["proxy → bob BYE"]).len(), 1);
}

#[test]
fn rfc3261_makes_a_lone_transport_error_500() {
    let mut pump = call_to_a_dead_phone(|config| config.statuses = Statuses::RFC3261);
    hang_up_and_wait(&mut pump);
    assert_eq!(pump.seen(&["12.005 proxy → alice 500 BYE"]).len(), 1);
}

#[traced_test]
#[test]
fn an_invite_to_an_unreachable_phone_is_480() {
    let mut pump = Pump::report_a(|_| {});
    pump.tell("bob", "register", None);
    pump.run(1000);
    pump.failing.insert(address(BOB), NO_ROUTE);
    pump.tell("alice", "call", Some("bob"));
    pump.run(40_000);
    // 100 first: the proxy sends it before it tries to forward.
    assert_eq!(
        pump.seen(&["proxy →", "INVITE"]),
        [
            "1.005 proxy → alice 100 INVITE",
            "1.005 proxy → alice 480 INVITE"
        ]
    );
    logs_assert(|lines| one(lines, &["WARN", "target unreachable", "method=INVITE"]));
    // The user is still known, but has no binding now.
    pump.tell("alice", "call", Some("bob"));
    pump.run(41_000);
    assert_eq!(pump.seen(&["40.005 proxy → alice 480 INVITE"]).len(), 1);
    assert_eq!(
        pump.seen(&["✗"]).len(),
        1,
        "the dead contact is not tried again"
    );
}

#[traced_test]
#[test]
fn silence_is_408_to_an_invite_after_timer_b_and_nothing_to_a_bye_after_timer_f() {
    let mut pump = Pump::report_a(|config| config.health_check = None);
    pump.tell("bob", "register", None);
    pump.run(1000);
    pump.power_off("bob");
    pump.tell("alice", "call", Some("bob"));
    pump.run(40_000);
    // Timer B of the proxy's client transaction began at 1.005.
    assert_eq!(pump.seen(&["33.005 proxy → alice 408 INVITE"]).len(), 1);
    assert_eq!(pump.seen(&["proxy → nobody INVITE"]).len(), 7);
    logs_assert(|lines| one(lines, &["WARN", "target did not answer", "method=INVITE"]));
    assert!(!logs_contain("ERROR"));
}

#[traced_test]
#[test]
fn a_bye_into_silence_ends_without_an_answer() {
    let mut pump = call_to_a_dead_phone(|config| config.health_check = None);
    pump.failing.clear();
    hang_up_and_wait(&mut pump);
    // RFC 4320 §4.2: no 408 to a non-INVITE; alice's own Timer F ends her dialog.
    assert_eq!(pump.seen(&["proxy → alice", "BYE"]), Vec::<&str>::new());
    assert_eq!(pump.open("alice", "dialog"), Vec::<&str>::new());
    assert_eq!(pump.left_over("proxy"), Vec::<String>::new());
    logs_assert(|lines| one(lines, &["WARN", "BYE was not answered"]));
}

#[traced_test]
#[test]
fn a_health_check_without_an_answer_removes_the_binding_with_a_warning() {
    let mut pump = Pump::report_a(|_| {});
    pump.tell("alice", "register", None);
    pump.tell("bob", "register", None);
    pump.run(30_000);
    pump.power_off("bob");
    pump.run(91_999);
    assert_eq!(
        pump.open("proxy", "binding").len(),
        2,
        "Timer F has not fired"
    );
    pump.run(92_000);
    assert_eq!(
        pump.open("proxy", "binding"),
        ["sip:1001@sim.test → 192.168.8.129:57446"]
    );
    logs_assert(|lines| {
        one(
            lines,
            &["WARN", "health check not answered", "sip:1002@sim.test"],
        )
    });
}

#[test]
fn an_ack_that_cannot_be_forwarded_is_never_answered() {
    let mut pump = call_to_a_dead_phone(|_| {});
    let before = pump.trace.len();
    pump.inject(
        ALICE,
        PROXY,
        &request("ACK", "sip:1002@192.168.8.120:41303"),
    );
    pump.inject(ALICE, PROXY, &request("ACK", "sip:nobody@sim.test"));
    pump.inject(
        ALICE,
        PROXY,
        b"ACK sip:x SIP/2.0\r\nVia: SIP/2.0/UDP 192.168.8.129:57446\r\n\r\n",
    );
    pump.run(13_000);
    let answers: Vec<_> = pump.trace[before..]
        .iter()
        .filter(|line| line.contains("proxy →"))
        .collect();
    assert_eq!(answers, Vec::<&String>::new());
    assert_eq!(pump.seen(&["proxy ✗", "ACK"]).len(), 1);
}

#[test]
fn refusals_name_their_reason() {
    let mut pump = Pump::report_a(|_| {});
    let cases = [
        (request("MESSAGE", "sip:1009@sim.test"), "404 MESSAGE"),
        (request("INFO", "sip:1002@elsewhere.test"), "404 INFO"),
        (request("UPDATE", "sip:1002@sim.test"), "480 UPDATE"),
        (request("NOTIFY", "tel:+49"), "416 NOTIFY"),
        (
            with("PUBLISH", "Max-Forwards: 70", "Max-Forwards: 0"),
            "483 PUBLISH",
        ),
        (
            with("SUBSCRIBE", "Max-Forwards: 70", "Proxy-Require: x"),
            "420 SUBSCRIBE",
        ),
        (with("REFER", "CSeq: 1 REFER", "CSeq: 1 BYE"), "400 "),
        (register("brief", BOB, "30"), "423 REGISTER"),
        (with("CANCEL", "", ""), "481 CANCEL"),
        (request("OPTIONS", "sip:sim.test"), "200 OPTIONS"),
    ];
    for (bytes, expected) in cases {
        pump.inject(ALICE, PROXY, &bytes);
        pump.run(pump.now.as_micros() / 1000 + 10);
        assert_eq!(
            pump.seen(&["proxy → alice", expected]).len(),
            1,
            "{expected}: {:#?}",
            pump.trace
        );
    }
}

fn one(lines: &[&str], words: &[&str]) -> Result<(), String> {
    let found = lines
        .iter()
        .filter(|line| words.iter().all(|word| line.contains(word)))
        .count();
    if found == 1 {
        Ok(())
    } else {
        Err(format!("{found} lines with {words:?} in {lines:#?}"))
    }
}

fn request(method: &str, uri: &str) -> Vec<u8> {
    format!(
        "{method} {uri} SIP/2.0\r\nVia: SIP/2.0/UDP {ALICE};branch=z9hG4bK{method}{}\r\nFrom: <sip:1001@sim.test>;tag=1\r\n\
         To: <sip:1002@sim.test>\r\nCall-ID: {method}@x\r\nCSeq: 1 {method}\r\nMax-Forwards: 70\r\n\
         Contact: <sip:1001@{ALICE}>\r\nContent-Length: 0\r\n\r\n",
        uri.len()
    )
    .into_bytes()
}

fn with(method: &str, old: &str, new: &str) -> Vec<u8> {
    let text = String::from_utf8(request(method, "sip:1002@sim.test")).unwrap();
    text.replacen(old, new, 1).into_bytes()
}

fn register(id: &str, contact: &str, expires: &str) -> Vec<u8> {
    format!(
        "REGISTER sip:sim.test SIP/2.0\r\nVia: SIP/2.0/UDP {ALICE};branch=z9hG4bK{id}\r\nFrom: <sip:1002@sim.test>;tag=1\r\n\
         To: <sip:1002@sim.test>\r\nCall-ID: {id}@x\r\nCSeq: 1 REGISTER\r\nMax-Forwards: 70\r\n\
         Contact: <sip:1002@{contact}>\r\nExpires: {expires}\r\nContent-Length: 0\r\n\r\n"
    )
    .into_bytes()
}
