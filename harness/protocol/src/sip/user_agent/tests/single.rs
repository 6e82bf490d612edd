//! MESSAGE, OPTIONS, INFO and UPDATE, and who wants no calls.

use super::super::Failure;
use super::*;

fn uri() -> Uri {
    Uri::parse("sip:1002@sim.test").expect("a URI")
}

#[test]
fn what_is_asked_outside_of_a_dialog_is_told_by_its_answer() {
    let mut bench = Bench::new();
    bench.act(|agent, turn| agent.message(turn, &uri(), "hello"));
    let message = bench.last("MESSAGE");
    assert_eq!(message.body().as_ref(), b"hello");
    // RFC 3428 §4: a MESSAGE makes no dialog, and has no Contact.
    assert_eq!(message.header("Contact"), None);
    bench.receive(answer(&message, 480, "x"));
    let refused = Failure::Refused(
        Status::TEMPORARILY_UNAVAILABLE,
        "Temporarily Unavailable".to_owned(),
    );
    let peer = uri().to_string();
    assert_eq!(
        bench.noted.pop(),
        Some(Event::NotDone(Method::Message, peer.clone(), refused))
    );
    bench.act(|agent, turn| agent.ask(turn, &uri()));
    let options = bench.last("OPTIONS");
    bench.receive(answer(&options, 200, "x"));
    assert_eq!(
        bench.noted.pop(),
        Some(Event::Done(Method::Options, peer.clone(), Status::OK))
    );
    bench.act(|agent, turn| agent.message(turn, &uri(), "hello"));
    bench.wait(Duration::from_secs(32));
    assert_eq!(
        bench.noted.pop(),
        Some(Event::NotDone(Method::Message, peer, Failure::TimedOut))
    );
}

#[test]
fn without_a_call_there_is_nothing_to_say_in_it() {
    let mut bench = Bench::new();
    assert_eq!(
        bench.act(|agent, turn| agent.info(turn)),
        Vec::<String>::new()
    );
    bench.receive(request("INVITE", "1", ""));
    assert_eq!(
        bench.act(|agent, turn| agent.update(turn)),
        Vec::<String>::new(),
        "it only rings"
    );
}

#[test]
fn only_an_answer_that_says_that_the_dialog_is_lost_ends_it() {
    for (code, expected) in [
        (200, vec![]),
        (480, vec![]),
        (488, vec![]),
        (481, vec!["BYE"]),
        (408, vec!["BYE"]),
    ] {
        let mut bench = Bench::new();
        bench.answered_call();
        assert_eq!(bench.act(|agent, turn| agent.info(turn)), ["INFO"]);
        let info = bench.last("INFO");
        assert_eq!(bench.receive(answer(&info, code, "x")), expected, "{code}");
    }
    let mut bench = Bench::new();
    bench.answered_call();
    bench.act(|agent, turn| agent.info(turn));
    let sent = bench.wait(Duration::from_secs(32));
    assert!(sent.contains(&"BYE".to_owned()), "Timer F: {sent:?}");
}

#[test]
fn an_update_moves_the_target_of_both_sides() {
    let mut bench = Bench::new();
    let ok = bench.answered_call();
    bench.act(|agent, turn| agent.update(turn));
    let update = bench.last("UPDATE");
    assert!(update.header("Contact").is_some() && update.body().is_empty());
    let mut moved = answer(&update, 200, "x");
    moved.set("Contact", "<sip:1002@192.0.2.77>");
    bench.receive(moved);
    bench.act(|agent, turn| agent.info(turn));
    assert_eq!(
        bench.last("INFO").request_uri(),
        Some("sip:1002@192.0.2.77")
    );
    let mut theirs = in_dialog("UPDATE", "u", 2, &ok);
    theirs.set("Contact", "<sip:1002@192.0.2.88>");
    assert_eq!(bench.receive(theirs), ["200 UPDATE"]);
    bench.act(|agent, turn| agent.info(turn));
    assert_eq!(
        bench.last("INFO").request_uri(),
        Some("sip:1002@192.0.2.88")
    );
}

#[test]
fn an_offer_in_an_update_is_answered_unless_it_crosses_ours() {
    let mut bench = Bench::new();
    let ok = bench.answered_call();
    let offer = |branch: &str, cseq: u32| {
        let mut update = in_dialog("UPDATE", branch, cseq, &ok);
        update.set_body("application/sdp", ANSWER);
        update
    };
    assert_eq!(bench.receive(offer("1", 2)), ["200 UPDATE"]);
    assert_eq!(
        bench.last("200 UPDATE").content_type().as_deref(),
        Some("application/sdp")
    );
    bench.act(|agent, turn| agent.reinvite(turn, None));
    // RFC 3311 §5.2
    assert_eq!(bench.receive(offer("2", 3)), ["491 UPDATE"]);
}

#[test]
fn every_method_has_its_answer_inside_and_outside_of_a_dialog() {
    // RFC 3261 §11, §12.2.2 and §8.2.1; RFC 3428 §7; RFC 6086 §4.2.2; RFC 3311 §5.2.
    let table = [
        ("MESSAGE", "200", "200"),
        ("OPTIONS", "486", "486"),
        ("INFO", "481", "200"),
        ("UPDATE", "481", "200"),
        ("BYE", "481", "200"),
        ("SUBSCRIBE", "405", "405"),
        ("BREW", "501", "501"),
    ];
    for (method, outside, inside) in table {
        let mut bench = Bench::new();
        let ok = bench.answered_call();
        let mut stranger = request(method, "out", "");
        stranger.set("Call-ID", "stranger@x");
        assert_eq!(bench.receive(stranger), [format!("{outside} {method}")]);
        let known = in_dialog(method, "in", 2, &ok);
        assert_eq!(bench.receive(known), [format!("{inside} {method}")]);
    }
}

#[test]
fn a_text_is_taken_if_it_is_one() {
    let mut bench = Bench::new();
    let mut text = request("MESSAGE", "1", "");
    text.set_body("text/plain;charset=UTF-8", "hello");
    assert_eq!(bench.receive(text), ["200 MESSAGE"]);
    assert_eq!(
        bench.noted,
        [Event::Text("sip:1002@sim.test".to_owned(), 5)]
    );
    let mut picture = request("MESSAGE", "2", "");
    picture.set("CSeq", "2 MESSAGE");
    picture.set_body("image/png", "x");
    assert_eq!(bench.receive(picture), ["415 MESSAGE"]);
    assert_eq!(
        bench.last("415 MESSAGE").header("Accept"),
        Some("text/plain")
    );
}

#[test]
fn who_is_not_to_be_disturbed_refuses_at_once_and_says_so_when_asked() {
    let mut bench = Bench::new();
    bench.agent.set_do_not_disturb(true);
    assert_eq!(bench.receive(request("INVITE", "1", "")), ["480 INVITE"]);
    assert_eq!(bench.receive(request("OPTIONS", "2", "")), ["480 OPTIONS"]);
    // A text is not a ring.
    assert_eq!(bench.receive(request("MESSAGE", "3", "")), ["200 MESSAGE"]);
    bench.agent.set_do_not_disturb(false);
    let mut next = request("INVITE", "4", "");
    next.set("CSeq", "2 INVITE");
    assert_eq!(bench.receive(next), ["180 INVITE"]);
}
