//! The registrar: RFC 3261 §10.3 as its clients see it.

use super::*;

#[traced_test]
#[test]
fn a_binding_that_is_not_refreshed_is_removed_on_time() {
    let mut pump = Pump::report_a(|config| config.health_check = None);
    pump.inject(BOB, PROXY, &register("once", BOB, "60"));
    pump.run(60_004);
    assert_eq!(pump.open("proxy", "binding").len(), 1);
    pump.run(60_005);
    assert_eq!(pump.open("proxy", "binding").len(), 0);
    logs_assert(|lines| one(lines, &["INFO", "binding expired", "sip:1002@sim.test"]));
}

#[test]
fn a_storm_of_registrations_is_answered_and_ends_on_time() {
    let users: Vec<String> = (0..1000).map(|number| format!("u{number}")).collect();
    let known = users.iter().cloned().collect();
    let mut pump = Pump::report_a(|config| {
        config.users = known;
        config.health_check = None;
    });
    for (number, user) in users.iter().enumerate() {
        let contact = format!("10.0.{}.{}:5060", number / 250, number % 250 + 1);
        let text = String::from_utf8(register(user, &contact, "60")).unwrap();
        pump.inject(
            ALICE,
            PROXY,
            text.replace("sip:1002@", &format!("sip:{user}@"))
                .as_bytes(),
        );
    }
    pump.run(10);
    assert_eq!(pump.seen(&["0.005 proxy → alice 200 REGISTER"]).len(), 1000);
    assert_eq!(pump.open("proxy", "binding").len(), 1000);
    pump.run(60_004);
    assert_eq!(pump.open("proxy", "binding").len(), 1000);
    pump.run(60_005);
    assert_eq!(pump.open("proxy", "binding").len(), 0);
    assert_eq!(pump.left_over("proxy"), Vec::<String>::new());
}

#[traced_test]
#[test]
fn a_client_that_is_refused_learns_what_would_be_granted() {
    let mut pump = Pump::report_a(|_| {});
    pump.add_phone("desk", "192.168.8.121:5060", "1002", |config| {
        config.expires = std::time::Duration::from_secs(30);
    });
    pump.tell("desk", "register", None);
    pump.run(30_000);
    assert_eq!(
        pump.seen(&["REGISTER"]),
        [
            "0.000 desk → proxy REGISTER sip:sim.test",
            "0.005 proxy → desk 423 REGISTER",
            "0.010 desk → proxy REGISTER sip:sim.test",
            "0.015 proxy → desk 200 REGISTER",
        ]
    );
    // 60 s were granted, and are refreshed in time: half of them later, since 64·T1 would be more.
    pump.run(120_000);
    assert_eq!(pump.open("proxy", "binding").len(), 1);
    logs_assert(|lines| one(lines, &["INFO", "registration refused", "status=423"]));
}

#[traced_test]
#[test]
fn a_phone_that_leaves_is_known_and_not_there() {
    let mut pump = Pump::report_a(|_| {});
    pump.tell("bob", "register", None);
    pump.run(1000);
    pump.tell("alice", "call", Some("bob"));
    pump.run(5000);
    pump.tell("bob", "exit", None);
    pump.run(6000);
    assert_eq!(pump.seen(&["proxy → alice BYE"]).len(), 1);
    assert_eq!(pump.open("proxy", "binding"), Vec::<&str>::new());
    pump.tell("alice", "call", Some("bob"));
    pump.run(7000);
    assert_eq!(pump.seen(&["6.005 proxy → alice 480 INVITE"]).len(), 1);
    // Nothing is refreshed any more.
    pump.run(4_000_000);
    assert_eq!(pump.seen(&["bob → proxy REGISTER"]).len(), 2);
    logs_assert(|lines| one(lines, &["proxy", "unregistered", "sip:1002@sim.test"]));
}

#[traced_test]
#[test]
fn line_breaks_are_no_message_and_no_news() {
    let mut pump = Pump::report_a(|_| {});
    for bytes in [&b"\r\n\r\n"[..], b"\r\n", b"\0"] {
        pump.inject(ALICE, PROXY, bytes);
    }
    pump.run(1000);
    assert_eq!(pump.seen(&["proxy →"]), Vec::<&str>::new());
    for level in ["INFO", "WARN", "ERROR"] {
        assert!(!logs_contain(level), "{level}");
    }
}

/// The parts of a REGISTER that decide, in order, and what each gets.
#[test]
fn every_step_of_the_registrar_has_its_answer() {
    let steps: [(&str, u32, &str, &str, usize); 11] = [
        // Contact lines, CSeq, what else is in it; the answer, and the bindings after it.
        ("<sip:1002@192.0.2.1>", 1, "Expires: 7200", "200", 1),
        (
            "<sip:1002@192.0.2.2>;expires=59",
            2,
            "Expires: 7200",
            "423",
            1,
        ),
        (
            "<sip:1002@192.0.2.2>;expires=1000",
            3,
            "Expires: 7200",
            "200",
            2,
        ),
        // RFC 3261 §10.3 step 7: not older than what is there, and all or nothing.
        (
            "<sip:1002@192.0.2.3>, <sip:1002@192.0.2.1>",
            1,
            "Expires: 600",
            "500",
            2,
        ),
        // Step 6
        ("*", 4, "Expires: 1", "400", 2),
        ("*", 5, "Subject: none", "400", 2),
        ("*, <sip:1002@192.0.2.1>", 6, "Expires: 0", "400", 2),
        // Step 2
        ("<sip:1002@192.0.2.9>", 7, "Require: path", "420", 2),
        ("<sip:1002@192.0.2.1>", 8, "Expires: 0", "200", 1),
        ("not an address <", 9, "Expires: 600", "400", 1),
        ("*", 10, "Expires: 0", "200", 0),
    ];
    let mut pump = Pump::report_a(|config| config.health_check = None);
    for (contact, cseq, extra, expected, bindings) in steps {
        let text = format!(
            "REGISTER sip:sim.test SIP/2.0\r\nVia: SIP/2.0/UDP {ALICE};branch=z9hG4bK{cseq}{}\r\n\
             From: <sip:1002@sim.test>;tag=1\r\nTo: <sip:1002@sim.test>\r\nCall-ID: one\r\nCSeq: {cseq} REGISTER\r\n\
             Max-Forwards: 70\r\nContact: {contact}\r\n{extra}\r\nContent-Length: 0\r\n\r\n",
            contact.len()
        );
        // Later than Timer J of the one before, so that its number and not its transaction decides.
        let at = pump.now.as_micros() / 1000 + 33_000;
        pump.run(at);
        let before = pump.trace.len();
        pump.inject(ALICE, PROXY, text.as_bytes());
        pump.run(at + 5);
        let answers: Vec<_> = pump.trace[before..]
            .iter()
            .filter(|line| line.contains("proxy →"))
            .collect();
        assert_eq!(answers.len(), 1, "{contact} {extra}");
        assert!(
            answers[0].ends_with(&format!("alice {expected} REGISTER")),
            "{contact} {extra}: {answers:?}"
        );
        assert_eq!(
            pump.open("proxy", "binding").len(),
            bindings,
            "{contact} {extra}"
        );
    }
}
