//! What is said of the session: RFC 3261 §13.2.1, §13.3.1.3 and §14, RFC 3264.

use super::*;
use crate::sip::sdp::{Codec, Party};

fn with(change: impl FnOnce(&mut Config)) -> Bench {
    let mut bench = Bench::new();
    change(&mut bench.agent.config);
    bench
}

fn codecs(names: &[&str]) -> Vec<Codec> {
    names.iter().filter_map(|name| Codec::find(name)).collect()
}

/// What the peer says who has those.
fn description(names: &[&str]) -> Vec<u8> {
    let party = Party {
        address: address("192.0.2.2:5060").ip(),
        session: 1,
        version: 1,
        codecs: &codecs(names),
    };
    party.offer()
}

fn rejection() -> Vec<u8> {
    let text = String::from_utf8_lossy(&description(&["PCMU"])).replace("audio 4000", "audio 0");
    text.into_bytes()
}

fn offering(mut request: Message, names: &[&str]) -> Message {
    request.set_body("application/sdp", description(names));
    request
}

fn body(message: &Message) -> String {
    String::from_utf8_lossy(message.body()).into_owned()
}

#[test]
fn an_offer_without_a_common_codec_is_refused_at_once_and_told_what_there_is() {
    for (not_acceptable, expected) in [(488, "488 INVITE"), (606, "606 INVITE")] {
        let mut bench = with(|config| {
            config.media.not_acceptable = Status::new(not_acceptable).expect("a status");
        });
        let invite = offering(request("INVITE", "1", ""), &["G729"]);
        // No 180: it need not ring for what cannot be taken.
        assert_eq!(bench.receive(invite), [expected]);
        let refusal = bench.last(expected);
        assert_eq!(
            refusal.header("Warning"),
            Some("305 192.0.2.1:5060 \"Incompatible media format\"")
        );
        assert!(body(&refusal).contains("m=audio 0 RTP/AVP 0\r\n"));
        assert!(bench.agent.calls.is_empty());
    }
}

#[test]
fn an_offer_that_cannot_be_read_is_400_and_named() {
    let mut bench = Bench::new();
    let mut invite = request("INVITE", "1", "");
    invite.set_body("application/sdp", "v=0\r\nbroken\r\n");
    assert_eq!(bench.receive(invite), ["400 INVITE"]);
    let reason = bench.last("400 INVITE").reason().map(|it| it.into_owned());
    let expected = "Malformed session description: Line 2 is not a letter, \"=\" and a value";
    assert_eq!(reason.as_deref(), Some(expected));
}

#[test]
fn an_offer_is_answered_in_the_2xx() {
    let mut bench = with(|config| config.media.codecs = codecs(&["PCMU", "PCMA"]));
    bench.receive(offering(request("INVITE", "1", ""), &["PCMA", "G729"]));
    bench.wait(Duration::from_secs(1));
    assert!(body(&bench.last("200 INVITE")).contains("m=audio 4000 RTP/AVP 8\r\n"));
}

#[test]
fn without_an_offer_the_2xx_makes_one_and_the_ack_must_answer_it() {
    // What the ACK says, and what comes of it.
    let table: [(Option<Vec<u8>>, &[&str]); 5] = [
        (Some(description(&["PCMU"])), &[]),
        (Some(description(&["G729"])), &["BYE"]),
        // Whoever rejects everything ends the call, too.
        (Some(rejection()), &[]),
        (Some(b"v=0\r\n".to_vec()), &["BYE"]),
        (None, &["BYE"]),
    ];
    for (answer, expected) in table {
        let mut bench = Bench::new();
        bench.receive(request("INVITE", "1", ""));
        bench.wait(Duration::from_secs(1));
        let ok = bench.last("200 INVITE");
        assert!(body(&ok).contains("m=audio 4000 RTP/AVP 0\r\n"));
        let mut ack = in_dialog("ACK", "ack", 1, &ok);
        ack.set_body("application/sdp", answer.unwrap_or_default());
        assert_eq!(bench.receive(ack), expected);
    }
}

#[test]
fn a_delayed_offer_is_answered_in_the_ack_even_if_nothing_of_it_can_be_taken() {
    // RFC 3261 §13.2.2.4: a valid answer, and a BYE at once.
    let table: [(&[&str], &[&str], &str); 2] = [
        (&["G729", "PCMU"], &["ACK"], "m=audio 4000 RTP/AVP 0\r\n"),
        (&["G729"], &["ACK", "BYE"], "m=audio 0 RTP/AVP 18\r\n"),
    ];
    for (theirs, expected, answered) in table {
        let mut bench = with(|config| config.media.delayed_offer = true);
        let invite = call(&mut bench);
        assert_eq!(body(&invite), "");
        let ok = offering(answer(&invite, 200, "x"), theirs);
        assert_eq!(bench.receive(ok.clone()), expected);
        let ack = bench.last("ACK");
        assert!(body(&ack).contains(answered), "{}", body(&ack));
        // The repeated 2xx gets the same ACK, with its answer.
        bench.receive(ok);
        assert_eq!(body(&bench.last("ACK")), body(&ack));
    }
}

#[test]
fn an_answer_that_takes_nothing_ends_the_call() {
    let mut bench = Bench::new();
    let invite = call(&mut bench);
    let ok = offering(answer(&invite, 200, "x"), &["G729"]);
    assert_eq!(bench.receive(ok), ["ACK", "BYE"]);
    let ended = |event: &Event| matches!(event, Event::CallEnded(_, _, Ending::NoSession));
    assert!(bench.noted.iter().any(ended), "{:?}", bench.noted);
}

#[test]
fn a_reinvite_that_is_refused_leaves_call_and_codecs_as_they_were() {
    let mut bench = Bench::new();
    bench.answered_call();
    let wanted = Some(codecs(&["G729"]));
    bench.act(|agent, turn| agent.reinvite(turn, wanted));
    let ours = bench.last("INVITE");
    assert!(body(&ours).contains("RTP/AVP 18\r\n"));
    assert_eq!(bench.receive(answer(&ours, 488, "x")), ["ACK"]);
    bench.act(|agent, turn| agent.reinvite(turn, None));
    assert!(body(&bench.last("INVITE")).contains("RTP/AVP 0\r\n"));
}

#[test]
fn a_reinvite_that_cannot_be_taken_is_488_and_moves_nothing() {
    let mut bench = Bench::new();
    let ok = bench.answered_call();
    let mut theirs = offering(in_dialog("INVITE", "2", 2, &ok), &["G729"]);
    theirs.set("Contact", "<sip:1002@192.0.2.77>");
    assert_eq!(bench.receive(theirs), ["488 INVITE"]);
    bench.act(|agent, turn| agent.info(turn));
    // RFC 3261 §14.2: the dialog stays, and its remote target too (§12.2.2).
    let info = bench.last("INFO");
    assert_eq!(info.request_uri(), Some("sip:1002@192.0.2.2"));
}

#[test]
fn what_was_proposed_goes_out_again_after_a_491_and_is_no_answer_to_the_peers_own() {
    let mut bench = Bench::new();
    let ok = bench.answered_call();
    let wanted = Some(codecs(&["G729"]));
    bench.act(|agent, turn| agent.reinvite(turn, wanted));
    let ours = bench.last("INVITE");
    bench.receive(answer(&ours, 491, "x"));
    let theirs = offering(in_dialog("INVITE", "2", 2, &ok), &["PCMU", "G729"]);
    bench.receive(theirs);
    assert!(body(&bench.last("200 INVITE")).contains("RTP/AVP 0\r\n"));
    bench.receive(in_dialog("ACK", "ack2", 2, &ok));
    bench.wait(Duration::from_secs(2));
    assert!(body(&bench.last("INVITE")).contains("RTP/AVP 18\r\n"));
}

#[test]
fn the_version_goes_up_by_one_with_each_description_that_differs() {
    // RFC 3264 §8
    let mut bench = Bench::new();
    bench.answered_call();
    let mut origins = Vec::new();
    for wanted in [None, Some(codecs(&["PCMA"])), None] {
        bench.act(|agent, turn| agent.reinvite(turn, wanted));
        let ours = bench.last("INVITE");
        bench.receive(answer(&ours, 200, "x"));
        let origin = body(&ours).lines().nth(1).map(str::to_owned);
        origins.push(origin.unwrap_or_default());
    }
    let expected = ["o=- 1 0", "o=- 1 1", "o=- 1 1"].map(|it| format!("{it} IN IP4 192.0.2.1"));
    assert_eq!(origins, expected);
}

#[test]
fn bodies_and_their_encodings_are_understood_or_named() {
    let sdp = String::from_utf8(description(&["PCMU"])).expect("text");
    // Header fields, the body's type, the answer, and what comes with it (RFC 3261 §8.2.3, §20.11, §21.4.7).
    let table = [
        (
            "Content-Encoding: gzip\r\n",
            "application/sdp",
            "415",
            Some(("Accept-Encoding", "identity")),
        ),
        (
            "",
            "application/xml",
            "415",
            Some(("Accept", "application/sdp")),
        ),
        (
            "Content-Disposition: render;handling=optional\r\n",
            "image/png",
            "180",
            None,
        ),
        ("Accept: text/plain\r\n", "application/sdp", "406", None),
        ("Accept: \r\n", "application/sdp", "406", None),
        (
            "Accept: application/sdp;q=0, */*\r\n",
            "application/sdp",
            "406",
            None,
        ),
        (
            "Accept: text/plain, application/*;q=0.1\r\n",
            "application/sdp",
            "180",
            None,
        ),
    ];
    for (extra, media_type, expected, with) in table {
        let mut bench = Bench::new();
        let mut invite = request("INVITE", "1", extra);
        invite.set_body(media_type, sdp.clone());
        let expected = format!("{expected} INVITE");
        assert_eq!(bench.receive(invite), [expected.as_str()], "{extra}");
        if let Some((name, value)) = with {
            assert_eq!(bench.last(&expected).header(name), Some(value));
        }
    }
}

#[test]
fn a_scheme_that_is_not_sip_is_416() {
    let mut bench = Bench::new();
    let mut odd = request("OPTIONS", "1", "");
    odd.set_request_uri("tel:+15551234");
    assert_eq!(bench.receive(odd), ["416 OPTIONS"]);
}

#[test]
fn a_refusal_that_nobody_thinks_about_does_not_ring() {
    let mut bench = with(|config| {
        config.answer.status = Status::new(484);
        config.answer.pick_up = Duration::ZERO;
    });
    assert_eq!(bench.receive(request("INVITE", "1", "")), ["484 INVITE"]);
}

#[test]
fn a_refusal_brings_along_what_it_is_told_to() {
    let mut bench = with(|config| {
        config.answer.status = Status::new(485);
        config.answer.refusal.retry_after = Some(Duration::from_secs(90));
        config.answer.refusal.contacts =
            vec!["sip:a@sim.test".to_owned(), "sip:b@sim.test".to_owned()];
        config.answer.refusal.body = Some(super::super::Body {
            media_type: "text/plain".to_owned(),
            text: "which one?".to_owned(),
        });
    });
    bench.receive(request("INVITE", "1", ""));
    bench.wait(Duration::from_secs(1));
    let refusal = bench.last("485 INVITE");
    let contacts: Vec<_> = refusal.values("Contact").collect();
    assert_eq!(contacts, ["<sip:a@sim.test>", "<sip:b@sim.test>"]);
    assert_eq!(refusal.retry_after(), Ok(Some(90)));
    assert_eq!(refusal.content_type().as_deref(), Some("text/plain"));
    assert_eq!(body(&refusal), "which one?");
}
