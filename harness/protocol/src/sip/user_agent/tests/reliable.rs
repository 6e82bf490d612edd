//! Reliable provisional responses, RFC 3262, from both sides.

use super::super::Reliable;
use super::*;

const RELIABLE: Extensions = Extensions {
    reliable: Reliable::Supported,
    timer: None,
    transfers: super::super::Transfers {
        accepted: true,
        hang_up: true,
    },
};

fn ringing() -> (Bench, Message) {
    let mut bench = Bench::with(RELIABLE);
    bench.receive(request("INVITE", "1", "Supported: 100rel\r\n"));
    let ringing = bench.last("180 INVITE");
    (bench, ringing)
}

fn prack(branch: &str, cseq: u32, ringing: &Message) -> Message {
    let mut prack = in_dialog("PRACK", branch, cseq, ringing);
    let number = ringing.rseq().unwrap().unwrap();
    prack.append("RAck", &format!("{number} 1 INVITE"));
    prack
}

/// What an outgoing call of the bench is answered, reliably.
fn reliably(invite: &Message, code: u16, tag: &str, number: u32) -> Message {
    let mut response = answer(invite, code, tag);
    response.append("Require", "100rel");
    response.append("RSeq", &number.to_string());
    response
}

#[test]
fn a_ringing_is_repeated_from_t1_on_twice_as_far_apart_until_it_is_acknowledged() {
    let (mut bench, ringing) = ringing();
    assert_eq!(ringing.require(), ["100rel"]);
    // Picked up after 1 s, but not answered: RFC 3262 §3 lets the callee wait for the PRACK.
    let times =
        [499, 1, 999, 1, 1999, 1].map(|millis| bench.wait(Duration::from_millis(millis)).len());
    assert_eq!(times, [0, 1, 0, 1, 0, 1]);
    let sent = bench.receive(prack("p", 2, &ringing));
    assert_eq!(sent, ["200 PRACK", "200 INVITE"]);
    let ok = bench.last("200 INVITE");
    bench.receive(in_dialog("ACK", "ack", 1, &ok));
    assert_eq!(bench.wait(Duration::from_secs(60)), Vec::<String>::new());
    // RFC 3262 §3: acknowledged already; and in the answered call there is nothing to acknowledge.
    assert_eq!(bench.receive(prack("q", 3, &ringing)), ["481 PRACK"]);
}

#[test]
fn one_that_is_never_acknowledged_ends_the_invite_with_a_5xx_after_64_t1() {
    let (mut bench, ringing) = ringing();
    let mut waited = bench.wait(Duration::from_micros(31_999_999));
    // 0.5, 1.5, 3.5, 7.5, 15.5 and 31.5 s.
    assert_eq!(waited.len(), 6);
    waited = bench.wait(Duration::from_micros(1));
    assert_eq!(waited, ["504 INVITE"]);
    assert_eq!(bench.noted.last(), Some(&Event::CallClosed(1)));
    // Its time is over, so that a PRACK means nothing any more.
    assert_eq!(bench.receive(prack("p", 2, &ringing)), ["481 PRACK"]);
}

#[test]
fn a_prack_that_crosses_the_refusal_is_answered_200_once() {
    let (mut bench, ringing) = ringing();
    let cancelled = bench.receive(request("CANCEL", "1", ""));
    assert_eq!(cancelled, ["200 CANCEL", "487 INVITE"]);
    assert_eq!(bench.receive(prack("p", 2, &ringing)), ["200 PRACK"]);
    assert_eq!(bench.receive(prack("q", 3, &ringing)), ["481 PRACK"]);
}

#[test]
fn a_prack_for_anything_else_changes_nothing() {
    let (mut bench, ringing) = ringing();
    let number = ringing.rseq().unwrap().unwrap();
    let racks = [
        (format!("{} 1 INVITE", number + 1), "481 PRACK"),
        (format!("{number} 2 INVITE"), "481 PRACK"),
        (format!("{number} 1 UPDATE"), "481 PRACK"),
        ("nonsense".to_owned(), "400 PRACK"),
    ];
    for (place, (rack, expected)) in (2..).zip(racks) {
        let mut wrong = in_dialog("PRACK", &format!("p{place}"), place, &ringing);
        wrong.append("RAck", &rack);
        assert_eq!(bench.receive(wrong), [expected], "{rack}");
    }
    assert_eq!(bench.wait(Duration::from_millis(500)), ["180 INVITE"]);
}

#[test]
fn who_does_not_know_them_gets_none_and_who_insists_is_refused() {
    let mut bench = Bench::with(RELIABLE);
    bench.receive(request("INVITE", "1", ""));
    assert_eq!(bench.last("180 INVITE").rseq(), Ok(None));
    let mut bench = Bench::new();
    bench.receive(request("INVITE", "1", "Require: 100rel\r\n"));
    let refused = bench.last("420 INVITE");
    assert_eq!(refused.header("Unsupported"), Some("100rel"));
    let required = Extensions {
        reliable: Reliable::Required,
        ..RELIABLE
    };
    let mut bench = Bench::with(required);
    bench.receive(request("INVITE", "1", ""));
    assert_eq!(bench.last("421 INVITE").require(), ["100rel"]);
    let invite = call(&mut bench);
    assert_eq!(invite.require(), ["100rel"]);
}

#[test]
fn the_caller_acknowledges_each_once_and_in_order() {
    let mut bench = Bench::with(RELIABLE);
    let invite = call(&mut bench);
    assert_eq!(bench.receive(reliably(&invite, 183, "a", 7)), ["PRACK"]);
    let rack = bench.last("PRACK").rack().unwrap();
    assert_eq!((rack.response, rack.cseq), (7, 1));
    // RFC 3262 §4: a repeat, and one that has overtaken another, are thrown away.
    for number in [7, 9, 6] {
        let sent = bench.receive(reliably(&invite, 180, "a", number));
        assert_eq!(sent, Vec::<String>::new(), "{number}");
    }
    assert!(
        !bench
            .noted
            .iter()
            .any(|it| matches!(it, Event::RingingThere(..)))
    );
    assert_eq!(bench.receive(reliably(&invite, 180, "a", 8)), ["PRACK"]);
    assert!(
        bench
            .noted
            .iter()
            .any(|it| matches!(it, Event::RingingThere(..)))
    );
    // Each branch of a fork counts for itself.
    assert_eq!(bench.receive(reliably(&invite, 180, "b", 1)), ["PRACK"]);
}

#[test]
fn the_numbers_of_a_dialog_rise_from_its_pracks_on() {
    let mut bench = Bench::with(RELIABLE);
    let invite = call(&mut bench);
    bench.receive(reliably(&invite, 180, "a", 1));
    bench.receive(reliably(&invite, 180, "b", 1));
    let last = bench.last("PRACK");
    assert_eq!(last.cseq().map(|cseq| cseq.number), Ok(2));
    assert_eq!(bench.receive(answer(&invite, 200, "a")), ["ACK"]);
    // RFC 3261 §12.2.1.1: in both dialogs the BYE comes after the PRACK, whichever was confirmed.
    assert_eq!(bench.receive(answer(&invite, 200, "b")), ["ACK", "BYE"]);
    assert_eq!(bench.last("BYE").cseq().map(|cseq| cseq.number), Ok(3));
    bench.act(|agent, turn| agent.hang_up(turn));
    assert_eq!(bench.last("BYE").cseq().map(|cseq| cseq.number), Ok(3));
    bench.wait(Duration::from_secs(70));
    assert!(bench.agent.calls.is_empty() && bench.layer.is_empty());
}

#[test]
fn early_media_comes_before_the_ringing_and_each_waits_for_its_prack() {
    let mut bench = Bench::with(RELIABLE);
    bench.agent.config.answer.early_media = Some(Duration::from_millis(200));
    let sent = bench.receive(request("INVITE", "1", "Supported: 100rel\r\n"));
    assert_eq!(sent, ["183 INVITE"]);
    let heard = bench.last("183 INVITE");
    assert!(!heard.body().is_empty());
    bench.wait(Duration::from_millis(300));
    let sent = bench.receive(prack("p", 2, &heard));
    assert_eq!(sent, ["200 PRACK", "180 INVITE"]);
    let first = heard.rseq().unwrap().unwrap();
    assert_eq!(bench.last("180 INVITE").rseq(), Ok(Some(first + 1)));
}
