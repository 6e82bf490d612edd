//! Requests that go out again: with credentials, to another target, to another server.

use super::*;
use crate::sip::digest::{Asker, credentials_for};

const CHALLENGE: &str = "Digest realm=\"sim.test\", nonce=\"n1\", algorithm=SHA-256, qop=\"auth\"";

fn challenge(request: &Message, code: u16, nonce: &str) -> Message {
    let asker = if code == 401 {
        Asker::Server
    } else {
        Asker::Proxy
    };
    let mut response = answer(request, code, "p");
    response.append(asker.challenge_field(), &CHALLENGE.replace("n1", nonce));
    response
}

fn count_of(request: &Message) -> Option<u32> {
    Some(
        credentials_for(request, Asker::Proxy)
            .next()?
            .protection?
            .count,
    )
}

fn target(request: &Message) -> &str {
    request.request_uri().unwrap_or_default()
}

fn redirection(
    request: &Message,
    code: u16,
    contacts: &str,
    extra: Option<(&str, &str)>,
) -> Message {
    let mut response = answer(request, code, "r");
    response.set("Contact", contacts);
    if let Some((name, value)) = extra {
        response.append(name, value);
    }
    response
}

// RFC 3261 §22.2: same Call-ID, From and To, CSeq one higher; §13.2.2.4 for the ACK.
#[test]
fn a_challenged_invite_goes_out_again_and_its_ack_has_its_credentials() {
    let mut bench = Bench::new();
    let first = call(&mut bench);
    assert_eq!(
        bench.receive(challenge(&first, 407, "n1")),
        ["ACK", "INVITE"]
    );
    let second = bench.last("INVITE");
    for same in ["Call-ID", "From", "To"] {
        assert_eq!(first.header(same), second.header(same));
    }
    assert_eq!(second.cseq().map(|cseq| cseq.number), Ok(2));
    assert_ne!(first.header("Via"), second.header("Via"));
    assert_eq!(bench.receive(answer(&second, 200, "one")), ["ACK"]);
    assert_eq!(
        bench.last("ACK").header("Proxy-Authorization"),
        second.header("Proxy-Authorization")
    );
    // The nonce is used on, unasked, under the next count and the dialog's next number.
    assert_eq!(bench.act(|agent, turn| agent.hang_up(turn)), ["BYE"]);
    let bye = bench.last("BYE");
    assert_eq!((count_of(&second), count_of(&bye)), (Some(1), Some(2)));
    assert_eq!(bye.cseq().map(|cseq| cseq.number), Ok(3));
}

#[test]
fn a_second_challenge_is_the_end_of_a_call() {
    let mut bench = Bench::new();
    let first = call(&mut bench);
    bench.receive(challenge(&first, 407, "n1"));
    let second = bench.last("INVITE");
    assert_eq!(bench.receive(challenge(&second, 407, "n2")), ["ACK"]);
    assert_eq!(bench.noted.last(), Some(&Event::CallClosed(1)));
}

#[test]
fn a_registration_that_is_refused_for_good_is_not_tried_again() {
    for code in [401, 403] {
        let mut bench = Bench::new();
        bench.act(|agent, turn| agent.register(turn));
        bench.receive(challenge(&bench.last("REGISTER"), 401, "n1"));
        bench.receive(challenge(&bench.last("REGISTER"), code, "n2"));
        assert_eq!(bench.agent.background_deadline(), None, "{code}");
    }
}

#[test]
fn a_bye_that_is_challenged_takes_the_next_number_of_its_dialog() {
    let mut bench = Bench::new();
    bench.answered_call();
    bench.act(|agent, turn| agent.hang_up(turn));
    let bye = bench.last("BYE");
    assert_eq!(bench.receive(challenge(&bye, 407, "n1")), ["BYE"]);
    let again = bench.last("BYE");
    let number = |message: &Message| message.cseq().map(|cseq| cseq.number);
    assert_eq!(number(&again), number(&bye).map(|number| number + 1));
    bench.receive(answer(&again, 200, "one"));
    assert_eq!(bench.noted.last(), Some(&Event::CallClosed(1)));
}

// RFC 3261 §8.1.3.4: by preference, nowhere twice, and no further after a 6xx.
#[test]
fn contacts_are_tried_in_order_and_once() {
    let mut bench = Bench::new();
    let first = call(&mut bench);
    let contacts =
        "<sip:b@192.0.2.4>;q=0.2, <sip:a@192.0.2.3>, <sip:1002@sim.test>, <sips:c@192.0.2.5>";
    bench.receive(redirection(&first, 300, contacts, None));
    let second = bench.last("INVITE");
    assert_eq!(target(&second), "sip:a@192.0.2.3");
    bench.receive(answer(&second, 486, "a"));
    let third = bench.last("INVITE");
    assert_eq!(target(&third), "sip:b@192.0.2.4");
    assert_eq!(bench.receive(answer(&third, 603, "b")), ["ACK"]);
    assert_eq!(bench.noted.last(), Some(&Event::CallClosed(1)));
}

// RFC 3261 §21.3.3: without Expires the move holds for this call alone; with it, as long as that says.
#[test]
fn a_302_is_remembered_only_as_long_as_it_says() {
    for (expires, next) in [
        (None, "sip:1002@sim.test"),
        (Some(("Expires", "60")), "sip:a@192.0.2.3"),
    ] {
        let mut bench = Bench::new();
        let first = call(&mut bench);
        bench.receive(redirection(&first, 302, "<sip:a@192.0.2.3>", expires));
        bench.receive(answer(&bench.last("INVITE"), 486, "a"));
        let again = call(&mut bench);
        assert_eq!(target(&again), next);
        assert_eq!(
            again.to().map(|to| to.uri_str().to_owned()).as_deref(),
            Ok("sip:1002@sim.test")
        );
        bench.receive(answer(&again, 486, "a"));
        // What was remembered failed: the original, once.
        if expires.is_some() {
            assert_eq!(target(&bench.last("INVITE")), "sip:1002@sim.test");
            bench.receive(redirection(
                &bench.last("INVITE"),
                302,
                "<sip:a@192.0.2.3>",
                None,
            ));
        }
        bench.wait(Duration::from_secs(61));
        assert_eq!(target(&call(&mut bench)), "sip:1002@sim.test");
    }
}

#[test]
fn a_305_adds_a_route_for_this_one_request() {
    let mut bench = Bench::new();
    let first = call(&mut bench);
    bench.receive(redirection(&first, 305, "<sip:192.0.2.7>", None));
    let second = bench.last("INVITE");
    assert_eq!(
        (target(&second), second.header("Route")),
        ("sip:1002@sim.test", Some("<sip:192.0.2.7;lr>"))
    );
    assert_eq!(
        bench.receive(redirection(&second, 305, "<sip:192.0.2.8>", None)),
        ["ACK"]
    );
}

#[test]
fn a_cancelled_call_is_not_looked_for_elsewhere() {
    let mut bench = Bench::new();
    let invite = call(&mut bench);
    bench.receive(answer(&invite, 180, "one"));
    bench.act(|agent, turn| agent.hang_up(turn));
    assert_eq!(
        bench.receive(redirection(&invite, 302, "<sip:a@192.0.2.3>", None)),
        ["ACK"]
    );
}

// RFC 3261 §21.5.4: with nowhere else to go, nothing goes out until the time is over.
#[test]
fn a_server_that_says_when_to_come_back_is_not_asked_before() {
    let mut bench = Bench::new();
    let invite = call(&mut bench);
    let mut busy = answer(&invite, 503, "p");
    busy.append("Retry-After", "10");
    assert_eq!(bench.receive(busy), ["ACK"]);
    let uri = Uri::parse("sip:1002@sim.test").expect("a URI");
    assert!(
        bench
            .act(|agent, turn| agent.message(turn, &uri, "x"))
            .is_empty()
    );
    bench.wait(Duration::from_secs(10));
    assert_eq!(
        bench.act(|agent, turn| agent.message(turn, &uri, "x")),
        ["MESSAGE"]
    );
}

// RFC 3261 §13.2.1 and §13.3.1: either end gives up by itself when the invitation is over.
#[test]
fn an_invitation_ends_when_it_says() {
    let mut bench = Bench::new();
    let uri = Uri::parse("sip:1002@sim.test").expect("a URI");
    let ten = Duration::from_secs(10);
    bench.act(|agent, turn| agent.call_within(turn, &uri, Some(ten)));
    let invite = bench.last("INVITE");
    assert_eq!(invite.expires(), Ok(Some(10)));
    bench.receive(answer(&invite, 180, "one"));
    assert!(bench.wait(Duration::from_micros(9_999_999)).is_empty());
    assert_eq!(bench.wait(Duration::from_micros(1)), ["CANCEL"]);

    let mut callee = Bench::new();
    callee.agent.config.answer.pick_up = Duration::from_secs(60);
    callee.receive(request("INVITE", "1", "Expires: 10\r\n"));
    assert_eq!(callee.wait(ten), ["487 INVITE"]);
}
