//! Transfer, RFC 3515, from both sides.

use super::*;

const CAROL: &str = "sip:1003@sim.test";

/// A call that is up, whose peer was referred to carol; returns the REFER and the 200 of the call.
fn transferring() -> (Bench, Message, Message) {
    let mut bench = Bench::new();
    let ok = bench.answered_call();
    let carol = Uri::parse(CAROL).unwrap();
    let sent = bench.act(|agent, turn| agent.transfer(turn, &carol));
    assert_eq!(sent, ["REFER"]);
    let refer = bench.last("REFER");
    assert_eq!(refer.header("Refer-To"), Some("<sip:1003@sim.test>"));
    (bench, refer, ok)
}

fn notify(ok: &Message, number: u32, state: &str, line: &str) -> Message {
    let mut notify = in_dialog("NOTIFY", &format!("n{number}"), number, ok);
    notify.append("Event", "refer");
    notify.append("Subscription-State", state);
    notify.set_body("message/sipfrag;version=2.0", format!("{line}\r\n"));
    notify
}

/// A call that is up, whose peer refers us to carol; returns what went out.
fn referred() -> (Bench, Vec<String>, Message) {
    let mut bench = Bench::new();
    let ok = bench.answered_call();
    let mut refer = in_dialog("REFER", "r", 2, &ok);
    refer.append("Refer-To", &format!("<{CAROL}>"));
    let sent = bench.receive(refer);
    (bench, sent, ok)
}

fn said(bench: &Bench) -> (String, String) {
    let notify = bench.last("NOTIFY");
    let state = notify.header("Subscription-State").unwrap().to_owned();
    let body = String::from_utf8(notify.body().to_vec()).unwrap();
    (state, body)
}

#[test]
fn a_transfer_that_is_told_to_have_come_about_ends_the_call() {
    let (mut bench, refer, ok) = transferring();
    bench.receive(answer(&refer, 202, "x"));
    let trying = notify(&ok, 2, "active;expires=60", "SIP/2.0 100 Trying");
    assert_eq!(bench.receive(trying), ["200 NOTIFY"]);
    let done = notify(&ok, 3, "terminated;reason=noresource", "SIP/2.0 200 OK");
    assert_eq!(bench.receive(done), ["200 NOTIFY", "BYE"]);
    assert!(
        bench
            .noted
            .contains(&Event::Transferred(1, CAROL.to_owned()))
    );
    assert!(bench.noted.contains(&Event::SubscriptionClosed(1)));
}

#[test]
fn a_transfer_that_fails_leaves_the_call_up() {
    let (mut bench, refer, ok) = transferring();
    bench.receive(answer(&refer, 202, "x"));
    let busy = notify(
        &ok,
        2,
        "terminated;reason=noresource",
        "SIP/2.0 486 Busy Here",
    );
    assert_eq!(bench.receive(busy), ["200 NOTIFY"]);
    let failure = super::super::Failure::Refused(Status::BUSY_HERE, "Busy Here".to_owned());
    let expected = Event::NotTransferred(1, CAROL.to_owned(), failure);
    assert!(bench.noted.contains(&expected));
    // RFC 6665 §4.1.3: the subscription is over.
    let late = notify(&ok, 3, "active", "SIP/2.0 200 OK");
    assert_eq!(bench.receive(late), ["481 NOTIFY"]);
    assert_eq!(bench.receive(in_dialog("BYE", "bye", 4, &ok)), ["200 BYE"]);
}

#[test]
fn a_transfer_of_which_nothing_is_heard_is_given_up() {
    let (mut bench, refer, ok) = transferring();
    bench.receive(answer(&refer, 202, "x"));
    // RFC 6665 §4.1.2.4: Timer N.
    bench.wait(Duration::from_micros(31_999_999));
    assert!(!bench.noted.contains(&Event::SubscriptionClosed(1)));
    bench.wait(Duration::from_micros(1));
    assert!(bench.noted.contains(&Event::SubscriptionClosed(1)));
    // And after a first word, when the subscription's time is over.
    let (mut bench, ..) = (bench, refer);
    let carol = Uri::parse(CAROL).unwrap();
    bench.act(|agent, turn| agent.transfer(turn, &carol));
    let mut told = notify(&ok, 2, "active;expires=10", "SIP/2.0 180 Ringing");
    let second = bench.last("REFER").cseq().unwrap().number;
    told.set("Event", &format!("refer;id={second}"));
    assert_eq!(bench.receive(told), ["200 NOTIFY"]);
    bench.wait(Duration::from_secs(10));
    assert!(bench.noted.contains(&Event::SubscriptionClosed(2)));
}

#[test]
fn a_refused_refer_and_a_peer_that_lost_the_dialog() {
    for (code, expected) in [(603, vec![]), (481, vec!["BYE"])] {
        let (mut bench, refer, _) = transferring();
        assert_eq!(bench.receive(answer(&refer, code, "x")), expected);
        assert!(bench.noted.contains(&Event::SubscriptionClosed(1)));
    }
}

#[test]
fn a_notify_that_nobody_asked_for_is_refused() {
    let mut bench = Bench::new();
    let ok = bench.answered_call();
    let stray = notify(&ok, 2, "active", "SIP/2.0 200 OK");
    assert_eq!(bench.receive(stray), ["481 NOTIFY"]);
    let mut other = notify(&ok, 3, "active", "SIP/2.0 200 OK");
    other.set("Event", "presence");
    assert_eq!(bench.receive(other), ["489 NOTIFY"]);
    let allowed = bench.last("489 NOTIFY");
    assert_eq!(allowed.header("Allow-Events"), Some("refer"));
    let mut outside = request("NOTIFY", "outside", "Event: presence\r\n");
    assert_eq!(bench.receive(outside.clone()), ["489 NOTIFY"]);
    outside = request(
        "NOTIFY",
        "outside2",
        "Event: refer\r\nSubscription-State: active\r\n",
    );
    outside.set("Call-ID", "another");
    assert_eq!(bench.receive(outside), ["481 NOTIFY"]);
    let (mut bench, _, ok) = transferring();
    let mut nameless = notify(&ok, 2, "active", "SIP/2.0 200 OK");
    nameless.remove("Subscription-State");
    assert_eq!(bench.receive(nameless), ["400 NOTIFY"]);
    // Of an earlier REFER.
    let mut earlier = notify(&ok, 3, "active", "SIP/2.0 200 OK");
    earlier.set("Event", "refer;id=77");
    assert_eq!(bench.receive(earlier), ["481 NOTIFY"]);
}

#[test]
fn who_is_referred_says_so_calls_and_tells_how_it_went() {
    let (mut bench, sent, _) = referred();
    assert_eq!(sent, ["202 REFER", "NOTIFY", "INVITE"]);
    let (state, body) = said(&bench);
    assert_eq!(
        (state.as_str(), body.as_str()),
        ("active;expires=60", "SIP/2.0 100 Trying\r\n")
    );
    let (first, invite) = (bench.last("NOTIFY"), bench.last("INVITE"));
    assert_eq!(invite.request_uri(), Some(CAROL));
    // One NOTIFY at a time: RFC 3515 §2.4.4 lets states be left out, but not be told in the wrong order.
    let ringing = bench.receive(answer(&invite, 180, "c"));
    assert_eq!(ringing, Vec::<String>::new());
    assert_eq!(bench.receive(answer(&first, 200, "x")), ["NOTIFY"]);
    assert_eq!(said(&bench).1, "SIP/2.0 180 Ringing\r\n");
    bench.receive(answer(&bench.last("NOTIFY"), 200, "x"));
    assert_eq!(bench.receive(answer(&invite, 200, "c")), ["ACK", "NOTIFY"]);
    let (state, body) = said(&bench);
    assert_eq!(state, "terminated;reason=noresource");
    assert_eq!(body, "SIP/2.0 200 OK\r\n");
    bench.receive(answer(&bench.last("NOTIFY"), 200, "x"));
    assert!(bench.noted.contains(&Event::SubscriptionClosed(1)));
}

#[test]
fn a_target_that_refuses_or_is_silent_is_told_as_a_failure() {
    let (mut bench, ..) = referred();
    bench.receive(answer(&bench.last("NOTIFY"), 200, "x"));
    let invite = bench.last("INVITE");
    assert_eq!(bench.receive(answer(&invite, 486, "c")), ["ACK", "NOTIFY"]);
    assert_eq!(said(&bench).1, "SIP/2.0 486 Busy Here\r\n");
    let (mut bench, ..) = referred();
    bench.receive(answer(&bench.last("NOTIFY"), 200, "x"));
    bench.wait(Duration::from_secs(32));
    let (state, body) = said(&bench);
    assert_eq!(state, "terminated;reason=noresource");
    assert_eq!(body, "SIP/2.0 408 Request Timeout\r\n");
}

#[test]
fn a_target_that_rings_for_too_long_ends_the_subscription_and_not_the_call() {
    let (mut bench, ..) = referred();
    bench.receive(answer(&bench.last("NOTIFY"), 200, "x"));
    let invite = bench.last("INVITE");
    bench.receive(answer(&invite, 180, "c"));
    bench.receive(answer(&bench.last("NOTIFY"), 200, "x"));
    assert_eq!(bench.wait(Duration::from_secs(60)), ["NOTIFY"]);
    assert_eq!(said(&bench).0, "terminated;reason=timeout");
    bench.receive(answer(&bench.last("NOTIFY"), 200, "x"));
    assert!(bench.noted.contains(&Event::SubscriptionClosed(1)));
    assert_eq!(bench.receive(answer(&invite, 200, "c")), ["ACK"]);
}

#[test]
fn a_notify_that_is_refused_or_lost_ends_the_subscription() {
    let (mut bench, ..) = referred();
    bench.receive(answer(&bench.last("NOTIFY"), 481, "x"));
    assert!(bench.noted.contains(&Event::SubscriptionClosed(1)));
    let (mut bench, ..) = referred();
    bench.wait(Duration::from_secs(32));
    assert!(bench.noted.contains(&Event::SubscriptionClosed(1)));
}

#[test]
fn what_a_refer_must_have_and_who_declines_it() {
    let mut bench = Bench::new();
    let ok = bench.answered_call();
    assert_eq!(
        bench.receive(in_dialog("REFER", "r", 2, &ok)),
        ["400 REFER"]
    );
    for (place, target) in (3..).zip(["<tel:+15551234>", "<sip:c@d?Replaces=x>"]) {
        let mut refer = in_dialog("REFER", &format!("r{place}"), place, &ok);
        refer.append("Refer-To", target);
        assert_eq!(bench.receive(refer), ["603 REFER"], "{target}");
    }
    bench.agent.config.extensions.transfers.accepted = false;
    let mut refer = in_dialog("REFER", "declined", 9, &ok);
    refer.append("Refer-To", "<sip:c@d>");
    assert_eq!(bench.receive(refer), ["603 REFER"]);
}

#[test]
fn an_end_of_the_call_ends_what_belongs_to_it() {
    let (mut bench, _, ok) = transferring();
    assert_eq!(bench.receive(in_dialog("BYE", "bye", 2, &ok)), ["200 BYE"]);
    assert!(bench.noted.contains(&Event::SubscriptionClosed(1)));
    let (mut bench, _, ok) = referred();
    bench.receive(in_dialog("BYE", "bye", 3, &ok));
    assert!(bench.noted.contains(&Event::SubscriptionClosed(1)));
    // The call to the target goes on for itself.
    let invite = bench.last("INVITE");
    assert_eq!(bench.receive(answer(&invite, 200, "c")), ["ACK"]);
}
