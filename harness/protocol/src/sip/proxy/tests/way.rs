//! Which way a request goes: RFC 3261 §16.3 to §16.6.

use super::*;

/// The copy that the proxy sent last, as it comes back to it by way of another element.
fn returned(bench: &Bench, uri: &str) -> Message {
    let mut copy = bench.last().clone();
    copy.prepend("Via", "SIP/2.0/UDP 192.0.2.2:5060;branch=z9hG4bKback");
    copy.set_request_uri(uri);
    copy
}

#[test]
fn a_request_that_comes_back_unchanged_is_a_loop() {
    let mut bench = Bench::new(Statuses::INCIDENT);
    bench.receive(ALICE, invite(""));
    let looped = returned(&bench, "sip:1002@sim.test");
    assert_eq!(bench.receive(BOB, looped), ["482 INVITE to 192.0.2.2:5060"]);
    assert!(matches!(bench.noted[..], [Event::Refused { .. }]));
}

#[test]
fn a_loop_is_looked_for_after_the_hops_and_before_extensions() {
    // RFC 3261 §16.3: the order of the checks decides which fault is named.
    let table = [("Max-Forwards", "0", "483"), ("Proxy-Require", "x", "482")];
    for (name, value, expected) in table {
        let mut bench = Bench::new(Statuses::INCIDENT);
        let mut request = invite("");
        if name == "Proxy-Require" {
            // It decides the way, and would make the request another one if it came in on the second round.
            request.set(name, value);
            let mark = super::super::forward::mark(&request);
            let via = super::super::forward::via(address("192.0.2.9:5060"), "x", mark);
            request.append("Via", &via);
        } else {
            bench.receive(ALICE, request);
            request = returned(&bench, "sip:1002@sim.test");
            request.set(name, value);
        }
        let sent = bench.receive(BOB, request);
        let answer = sent.last().map(|word| word[..3].to_owned());
        assert_eq!(answer.as_deref(), Some(expected), "{name}");
    }
}

#[test]
fn a_request_that_comes_back_for_somebody_else_is_a_spiral_and_goes_on() {
    let mut bench = Bench::new(Statuses::INCIDENT);
    bench.register("sip:1001@sim.test", "<sip:1001@192.0.2.1>");
    bench.receive(ALICE, invite(""));
    let spiral = returned(&bench, "sip:1001@sim.test");
    assert_eq!(
        bench.receive(BOB, spiral),
        ["100 INVITE to 192.0.2.2:5060", "INVITE to 192.0.2.1:5060"]
    );
}

#[test]
fn an_ack_that_comes_back_goes_nowhere() {
    let mut bench = Bench::new(Statuses::INCIDENT);
    bench.receive(ALICE, message("ACK sip:1002@192.0.2.2", "ACK", ""));
    let looped = returned(&bench, "sip:1002@192.0.2.2");
    assert_eq!(bench.receive(BOB, looped), Vec::<String>::new());
}

#[test]
fn the_mark_of_a_branch_depends_on_all_that_decides_the_way_and_on_nothing_else() {
    let mark = |request: &Message| super::super::forward::mark(request);
    let plain = invite("");
    for (name, value) in [
        ("Via", "SIP/2.0/UDP 192.0.2.2;branch=z9hG4bKother"),
        ("Subject", "x"),
        ("Max-Forwards", "3"),
    ] {
        let mut changed = plain.clone();
        changed.set(name, value);
        assert_eq!(mark(&changed), mark(&plain), "{name}");
    }
    for (name, value) in [
        ("To", "<sip:1002@sim.test>;tag=x"),
        ("From", "<sip:1001@sim.test>;tag=other"),
        ("Call-ID", "other@x"),
        ("CSeq", "2 INVITE"),
        ("Route", "<sip:192.0.2.33;lr>"),
        ("Proxy-Require", "x"),
    ] {
        let mut changed = plain.clone();
        changed.set(name, value);
        assert_ne!(mark(&changed), mark(&plain), "{name}");
    }
    let mut changed = plain.clone();
    changed.set_request_uri("sip:1001@sim.test");
    assert_ne!(mark(&changed), mark(&plain));
}

#[test]
fn a_route_to_the_domain_is_as_good_as_one_to_the_address() {
    let mut bench = Bench::new(Statuses::INCIDENT);
    for route in [
        "<sip:sim.test;lr>",
        "<sip:192.0.2.9:5060;lr>",
        "<sip:SIM.test>",
    ] {
        let mut request = invite(&format!("Route: {route}\r\n"));
        request.set("Call-ID", route.trim_matches(['<', '>']));
        request.set(
            "Via",
            &format!("SIP/2.0/UDP {ALICE};branch=z9hG4bK{}", route.len()),
        );
        let sent = bench.receive(ALICE, request);
        assert_eq!(sent[1], "INVITE to 192.0.2.2:5060", "{route}");
        assert_eq!(bench.last().header("Route"), None, "{route}");
    }
}

#[test]
fn a_maddr_that_led_here_is_taken_out_and_another_one_is_followed() {
    let table = [
        (
            "sip:1002@sim.test;maddr=192.0.2.9",
            "sip:1002@192.0.2.2",
            "192.0.2.2:5060",
        ),
        (
            "sip:bob@192.0.2.44:5060;maddr=192.0.2.9;transport=udp;x=1",
            "sip:bob@192.0.2.44;x=1",
            "192.0.2.44:5060",
        ),
        (
            "sip:bob@elsewhere.test:5070;maddr=192.0.2.44",
            "sip:bob@elsewhere.test:5070;maddr=192.0.2.44",
            "192.0.2.44:5070",
        ),
    ];
    for (uri, expected, destination) in table {
        let mut bench = Bench::new(Statuses::INCIDENT);
        let sent = bench.receive(ALICE, message(&format!("MESSAGE {uri}"), "MESSAGE", ""));
        assert_eq!(sent, [format!("MESSAGE to {destination}")], "{uri}");
        assert_eq!(bench.last().request_uri(), Some(expected));
    }
}

#[test]
fn refusals_come_with_what_they_must() {
    let register = |extra: &str| message("REGISTER sip:sim.test", "REGISTER", extra);
    let table = [
        (invite("Max-Forwards: 0\r\n"), "483", None),
        (invite("Proxy-Require: a, b\r\n"), "420", Some("a, b")),
        // A Require is the UAS's business, and this proxy is one for a REGISTER alone.
        (register("Require: path\r\n"), "420", Some("path")),
        (message("INVITE tel:+1", "INVITE", ""), "416", None),
        (
            message("INVITE sips:1002@sim.test", "INVITE", ""),
            "416",
            None,
        ),
        (
            message("INVITE sip:1009@sim.test", "INVITE", ""),
            "404",
            None,
        ),
        (
            message("INVITE sip:1001@sim.test", "INVITE", ""),
            "480",
            None,
        ),
        (
            message("INVITE sip:1002@elsewhere.test", "INVITE", ""),
            "404",
            None,
        ),
    ];
    for (request, expected, unsupported) in table {
        let mut bench = Bench::new(Statuses::INCIDENT);
        let method = request.method();
        let sent = bench.receive(ALICE, request);
        let last = format!("{expected} {method} to 192.0.2.1:5060");
        assert_eq!(sent.last(), Some(&last));
        assert_eq!(
            bench.last().header("Unsupported"),
            unsupported,
            "{expected}"
        );
        assert_eq!(bench.proxy.contexts(), 0);
    }
}

#[test]
fn a_phone_behind_a_nat_is_reached_where_it_was_seen() {
    let mut bench = Bench::new(Statuses::INCIDENT);
    // It believes to be 10.0.0.7; the proxy sees 198.51.100.1:40000.
    let mut register = message(
        "REGISTER sip:sim.test",
        "REGISTER",
        "Contact: <sip:1001@10.0.0.7:5060>\r\n",
    );
    register.set("Via", "SIP/2.0/UDP 10.0.0.7:5060;rport;branch=z9hG4bKnat");
    register.complete_via(address("198.51.100.1:40000"));
    bench
        .bindings
        .register(Instant::START, "sip:1001@sim.test", &register)
        .unwrap();
    let outside = "INVITE to 198.51.100.1:40000";
    let sent = bench.receive(BOB, message("INVITE sip:1001@sim.test", "INVITE", ""));
    assert_eq!(sent[1], outside);
    assert_eq!(
        bench.last().request_uri(),
        Some("sip:1001@10.0.0.7:5060"),
        "what it knows itself by"
    );
    // In a dialog, too, where the Request-URI is all there is.
    let bye = message("BYE sip:1001@10.0.0.7:5060", "BYE", "");
    assert_eq!(bench.receive(BOB, bye), ["BYE to 198.51.100.1:40000"]);
    let mut ack = message("ACK sip:1001@10.0.0.7:5060", "ACK", "");
    ack.set("Via", &format!("SIP/2.0/UDP {BOB};branch=z9hG4bKack"));
    assert_eq!(bench.receive(BOB, ack), ["ACK to 198.51.100.1:40000"]);
}

// RFC 5658 §5: each end gets the route set of its own transport, since the topmost value is the receiver's side; and a
// request that follows both values ends at the other end, not here again.
#[test]
fn a_proxy_between_two_transports_is_on_the_path_once_for_each() {
    let mut bench = Bench::new(Statuses::INCIDENT);
    bench.register("sip:1001@sim.test", "<sip:1001@192.0.2.1;transport=tcp>");
    let mut call = invite("");
    call.set_request_uri("sip:1001@sim.test");
    bench.receive(BOB, call);
    let copy = bench.last().clone();
    assert_eq!(copy.transport(), crate::sip::Transport::Tcp);
    let routes: Vec<_> = copy.values("Record-Route").collect();
    assert_eq!(
        routes,
        [
            "<sip:192.0.2.9:5060;transport=tcp;lr>",
            "<sip:192.0.2.9:5060;lr>"
        ]
    );
    let mut bye = message("BYE sip:1002@192.0.2.2", "BYE", "");
    bye.append("Route", routes[0]);
    bye.append("Route", routes[1]);
    assert_eq!(bench.receive(ALICE, bye), ["BYE to 192.0.2.2:5060"]);
}
