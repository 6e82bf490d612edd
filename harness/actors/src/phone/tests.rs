mod habits;

use crate::pump::{ALICE, BOB, PROXY, Pump};

/// Both registered at 0, the call set up from 1 s on.
fn call_under_way() -> Pump {
    let mut pump = Pump::report_a(|_| {});
    pump.tell("alice", "register", None);
    pump.tell("bob", "register", None);
    pump.run(1000);
    pump.tell("alice", "call", Some("bob"));
    pump
}

#[test]
fn a_call_from_register_to_bye_is_this_and_nothing_else() {
    let mut pump = call_under_way();
    pump.run(12_000);
    pump.tell("alice", "hang-up", None);
    pump.run(12_100);
    // The whole exchange, so that one message more or less, or one at another time, shows.
    assert_eq!(
        pump.trace.join("\n"),
        "\
0.000 alice → proxy REGISTER sip:sim.test
0.000 bob → proxy REGISTER sip:sim.test
0.005 proxy → alice 200 REGISTER
0.005 proxy → bob 200 REGISTER
1.000 alice → proxy INVITE sip:1002@sim.test
1.005 proxy → alice 100 INVITE
1.005 proxy → bob INVITE sip:1002@192.168.8.120:41303
1.110 bob → proxy 180 INVITE
1.115 proxy → alice 180 INVITE
2.110 bob → proxy 200 INVITE
2.115 proxy → alice 200 INVITE
2.120 alice → proxy ACK sip:1002@192.168.8.120:41303
2.125 proxy → bob ACK sip:1002@192.168.8.120:41303
12.000 alice → proxy BYE sip:1002@192.168.8.120:41303
12.005 proxy → bob BYE sip:1002@192.168.8.120:41303
12.010 bob → proxy 200 BYE
12.015 proxy → alice 200 BYE"
    );
    // Timers I to M are over 64·T1 later; then whatever is still open would stay open.
    pump.run(50_000);
    for name in ["alice", "bob", "proxy"] {
        assert_eq!(pump.left_over(name), Vec::<String>::new(), "{name}");
    }
}

#[test]
fn the_callee_can_end_the_call_too() {
    let mut pump = call_under_way();
    pump.run(5000);
    pump.tell("bob", "hang-up", None);
    pump.run(50_000);
    // Through the proxy to alice's contact, which the dialog's route set and remote target alone can tell.
    assert_eq!(
        pump.seen(&["BYE"]),
        [
            "5.000 bob → proxy BYE sip:1001@192.168.8.129:57446",
            "5.005 proxy → alice BYE sip:1001@192.168.8.129:57446",
            "5.010 alice → proxy 200 BYE",
            "5.015 proxy → bob 200 BYE",
        ]
    );
    assert_eq!(pump.left_over("bob"), Vec::<String>::new());
}

#[test]
fn a_reinvite_goes_through_the_proxy_and_keeps_the_call() {
    let mut pump = call_under_way();
    pump.run(5000);
    pump.tell("alice", "re-invite", None);
    pump.run(6000);
    assert_eq!(pump.seen(&["5.010 bob → proxy 200 INVITE"]).len(), 1);
    assert_eq!(
        pump.seen(&["5.020 alice → proxy ACK sip:1002@192.168.8.120:41303"])
            .len(),
        1
    );
    pump.tell("bob", "hang-up", None);
    pump.run(50_000);
    for name in ["alice", "bob", "proxy"] {
        assert_eq!(pump.left_over(name), Vec::<String>::new(), "{name}");
    }
}

#[test]
fn a_lost_200_to_bye_brings_the_bye_again_after_t1() {
    let mut pump = call_under_way();
    pump.run(12_000);
    pump.lose("bob", "200 BYE", 1);
    pump.tell("alice", "hang-up", None);
    pump.run(60_000);
    // Both client transactions repeat it: alice's own Timer E and the proxy's, 5 ms later; bob answers each one that
    // arrives, and the proxy's server transaction answers alice with what it has by then.
    assert_eq!(pump.seen(&["alice → proxy BYE"]).len(), 2);
    assert_eq!(
        pump.seen(&["proxy → bob BYE"]),
        [
            "12.005 proxy → bob BYE sip:1002@192.168.8.120:41303",
            "12.505 proxy → bob BYE sip:1002@192.168.8.120:41303",
        ]
    );
    assert_eq!(pump.seen(&["12.515 proxy → alice 200 BYE"]).len(), 1);
    assert_eq!(pump.left_over("alice"), Vec::<String>::new());
}

#[test]
fn hanging_up_before_the_answer_cancels() {
    let mut pump = call_under_way();
    pump.run(1500);
    pump.tell("alice", "hang-up", None);
    pump.run(59_000);
    // CANCEL is hop by hop: the proxy answers it and makes its own; 487 answers the INVITE, never the CANCEL.
    assert_eq!(
        pump.seen(&["1.5"]),
        [
            "1.500 alice → proxy CANCEL sip:1002@sim.test",
            "1.505 proxy → alice 200 CANCEL",
            "1.505 proxy → bob CANCEL sip:1002@192.168.8.120:41303",
            "1.510 bob → proxy 200 CANCEL",
            "1.510 bob → proxy 487 INVITE",
            "1.515 proxy → bob ACK sip:1002@192.168.8.120:41303",
            "1.515 proxy → alice 487 INVITE",
            "1.520 alice → proxy ACK sip:1002@sim.test",
        ]
    );
    for name in ["alice", "bob", "proxy"] {
        assert_eq!(pump.left_over(name), Vec::<String>::new(), "{name}");
    }
}

#[test]
fn a_cancel_waits_for_the_first_provisional_response() {
    let mut pump = call_under_way();
    // The proxy's 100 is under way until 1.010: nothing has been heard yet.
    pump.tell("alice", "hang-up", None);
    pump.run(1009);
    assert_eq!(pump.seen(&["CANCEL"]), Vec::<&str>::new());
    pump.run(1010);
    assert_eq!(
        pump.seen(&["CANCEL"]),
        ["1.010 alice → proxy CANCEL sip:1002@sim.test"]
    );
    pump.run(60_000);
    assert_eq!(pump.seen(&["proxy → alice 487 INVITE"]).len(), 1);
}

#[test]
fn a_repeated_invite_makes_no_second_call() {
    let mut pump = Pump::report_a(|_| {});
    pump.tell("bob", "register", None);
    pump.run(1000);
    pump.lose("proxy", "100 INVITE", 1);
    pump.lose("proxy", "180 INVITE", 1);
    pump.tell("alice", "call", Some("bob"));
    pump.run(5000);
    // Timer A repeats the INVITE at 1.5; the proxy's server transaction answers it with its last response.
    assert_eq!(pump.seen(&["alice → proxy INVITE"]).len(), 2);
    assert_eq!(pump.seen(&["proxy → bob INVITE"]).len(), 1);
    assert_eq!(pump.seen(&["1.505 proxy → alice 180 INVITE"]).len(), 1);
    assert_eq!(pump.open("bob", "call").len(), 1);
}

#[test]
fn a_2xx_is_repeated_from_t1_to_t2_until_it_is_acknowledged_and_ends_in_a_bye() {
    let mut pump = call_under_way();
    pump.lose("alice", "ACK", 1000);
    pump.run(60_000);
    // RFC 3261 §13.3.1.4: T1, doubling to T2, for 64·T1; then the dialog is ended with a BYE.
    let sent: Vec<_> = pump
        .seen(&["bob → proxy 200 INVITE"])
        .iter()
        .map(|line| line.split(' ').next())
        .map(Option::unwrap)
        .map(str::to_owned)
        .collect();
    assert_eq!(
        sent,
        [
            "2.110", "2.610", "3.610", "5.610", "9.610", "13.610", "17.610", "21.610", "25.610",
            "29.610", "33.610"
        ]
    );
    // §13.2.2.4: every one that arrives is acknowledged again.
    assert_eq!(pump.seen(&["alice ⇢ proxy ACK"]).len(), 11);
    assert_eq!(
        pump.seen(&["bob → proxy BYE"]),
        ["34.110 bob → proxy BYE sip:1001@192.168.8.129:57446"]
    );
    for name in ["alice", "bob"] {
        assert_eq!(pump.open(name, "call"), Vec::<&str>::new(), "{name}");
    }
}

#[test]
fn a_registration_is_refreshed_64_t1_before_it_ends() {
    let mut pump = Pump::report_a(|_| {});
    pump.tell("alice", "register", None);
    pump.run(3_700_000);
    // 3600 s less 32 s after the 200: a lost refresh still has its whole Timer F.
    assert_eq!(
        pump.seen(&["REGISTER sip:sim.test"]),
        [
            "0.000 alice → proxy REGISTER sip:sim.test",
            "3568.010 alice → proxy REGISTER sip:sim.test"
        ]
    );
    assert_eq!(
        pump.open("proxy", "binding"),
        ["sip:1001@sim.test → 192.168.8.129:57446"]
    );
}

#[test]
fn a_registration_that_fails_is_tried_again_later_and_later() {
    let mut pump = Pump::report_a(|_| {});
    pump.lose("alice", "REGISTER", 22);
    pump.tell("alice", "register", None);
    pump.run(200_000);
    // Eleven transmissions per attempt (Timers E and F); RFC 5626 §4.5 waits 15 to 30 s, then 30 to 60 s.
    let first_of = |attempt: usize| {
        let line = pump.seen(&["alice", "REGISTER sip"])[attempt * 11].to_owned();
        line.split('.')
            .next()
            .and_then(|seconds| seconds.parse::<u64>().ok())
            .unwrap()
    };
    let (second, third) = (first_of(1), first_of(2));
    assert!((47..=62).contains(&second), "{second}");
    assert!((second + 62..=second + 92).contains(&third), "{third}");
    assert_eq!(pump.open("proxy", "binding").len(), 1);
}

#[test]
fn a_second_call_finds_the_line_busy() {
    let mut pump = call_under_way();
    pump.run(3000);
    pump.inject(ALICE, PROXY, &invite("busy-1", "sip:1002@sim.test"));
    pump.run(3100);
    assert_eq!(pump.seen(&["bob → proxy 486 INVITE"]).len(), 1);
    assert_eq!(pump.open("bob", "call").len(), 1);
}

#[test]
fn what_belongs_to_no_dialog_gets_481_and_what_is_not_done_405_or_501() {
    let mut pump = Pump::report_a(|_| {});
    let request = |method: &str, tag: &str| {
        format!(
            "{method} sip:1002@192.168.8.120:41303 SIP/2.0\r\nVia: SIP/2.0/UDP {PROXY};branch=z9hG4bK{method}\r\n\
             From: <sip:x@y>;tag=1\r\nTo: <sip:1002@sim.test>{tag}\r\nCall-ID: {method}@x\r\nCSeq: 1 {method}\r\n\
             Max-Forwards: 70\r\nContent-Length: 0\r\n\r\n"
        )
    };
    for (method, tag, expected) in [
        ("BYE", ";tag=2", "481 BYE"),
        ("INVITE", ";tag=2", "481 INVITE"),
        ("CANCEL", "", "481 CANCEL"),
        ("SUBSCRIBE", "", "405 SUBSCRIBE"),
        ("BREW", "", "501 BREW"),
        ("OPTIONS", "", "200 OPTIONS"),
    ] {
        pump.inject(PROXY, BOB, request(method, tag).as_bytes());
        pump.run(pump.now.as_micros() / 1000 + 10);
        assert_eq!(pump.seen(&["bob → proxy", expected]).len(), 1, "{method}");
    }
}

#[test]
fn no_bytes_make_a_phone_panic_or_forget_its_call() {
    let mut pump = call_under_way();
    pump.run(3000);
    let valid = invite("mutated", "sip:1002@192.168.8.120:41303");
    for mutated in crate::pump::damage::mutations(&valid) {
        pump.inject(PROXY, BOB, &mutated);
    }
    pump.run(100_000);
    // Somebody else's garbage has not touched the call under way.
    assert_eq!(pump.open("bob", "dialog").len(), 1);
}

fn invite(id: &str, uri: &str) -> Vec<u8> {
    format!(
        "INVITE {uri} SIP/2.0\r\nVia: SIP/2.0/UDP {ALICE};branch=z9hG4bK{id}\r\nFrom: <sip:1001@sim.test>;tag={id}\r\n\
         To: <{uri}>\r\nCall-ID: {id}@x\r\nCSeq: 1 INVITE\r\nMax-Forwards: 70\r\nContact: <sip:1001@{ALICE}>\r\n\
         Content-Length: 0\r\n\r\n"
    )
    .into_bytes()
}
