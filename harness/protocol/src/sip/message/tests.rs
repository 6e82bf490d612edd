use super::*;
use crate::sip::{Contacts, FieldError, Limits, Verdict, parse};

const INVITE: &str = "INVITE sip:bob@sim.test SIP/2.0\r\n\
    v : SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bKa,\r\n SIP/2.0/TCP proxy.test;branch=z9hG4bKb\r\n\
    via: SIP/2.0/UDP 192.0.2.9;branch=z9hG4bKc\r\n\
    Timestamp: 54\r\n\
    f: Alice  <sip:alice@sim.test>;tag=a\r\n\
    To : Bob <sip:bob@sim.test> ; x=1\r\n\
    i: 1@192.0.2.1\r\n\
    CSeq: 7 INVITE\r\n\
    Route: <sip:p1.test;lr>, <sip:p2.test;lr>\r\n\
    Contact: \"a, b\" <sip:a@b>;q=0.5, <sip:c@d>;expires=60\r\n\
    WWW-Authenticate: Digest realm=\"a\", nonce=\"b\"\r\n\
    l: 3\r\n\
    \r\nSDP";

fn invite() -> Message {
    match parse(INVITE.as_bytes(), &Limits::default()) {
        Verdict::Accept(message) => message,
        other => panic!("{other:?}"),
    }
}

fn text(message: &Message) -> String {
    String::from_utf8(message.to_bytes().to_vec()).expect("UTF-8")
}

/// The tests below edit this message, so first: unedited, it is the bytes that came.
#[test]
fn what_is_not_edited_stays_as_it_came() {
    assert_eq!(text(&invite()), INVITE);
}

#[test]
fn lists_are_split_only_where_the_grammar_makes_them_lists() {
    let message = invite();
    let values = |name| message.values(name).collect::<Vec<_>>();
    assert_eq!(values("Via").len(), 3, "over lines and commas");
    assert_eq!(
        values("m"),
        ["\"a, b\" <sip:a@b>;q=0.5", "<sip:c@d>;expires=60"]
    );
    assert_eq!(
        values("WWW-Authenticate"),
        ["Digest realm=\"a\", nonce=\"b\""]
    );
}

#[test]
fn one_edit_rewrites_one_line() {
    let mut message = invite();
    assert_eq!(
        message.remove_first_value("Route").as_deref(),
        Some("<sip:p1.test;lr>")
    );
    assert_eq!(text(&message), INVITE.replace("<sip:p1.test;lr>, ", ""));
    assert_eq!(
        message.remove_first_value("Route").as_deref(),
        Some("<sip:p2.test;lr>")
    );
    assert_eq!(message.remove_first_value("Route"), None);
    assert!(!text(&message).contains("Route"), "an emptied field goes");

    let mut message = invite();
    message.set_request_uri("sip:carol@sim.test");
    assert_eq!(
        text(&message),
        INVITE.replace(
            "INVITE sip:bob@sim.test SIP",
            "INVITE sip:carol@sim.test SIP"
        )
    );
}

#[test]
fn new_fields_stand_where_the_name_says() {
    let mut message = Message::request(Method::Bye, "sip:a@b");
    message.append("Via", "2");
    message.append("To", "t");
    message.prepend("v", "1");
    message.append("Via", "3");
    message.prepend("Max-Forwards", "70");
    message.set("TO", "u");
    assert_eq!(
        text(&message),
        "BYE sip:a@b SIP/2.0\r\nMax-Forwards: 70\r\nv: 1\r\nVia: 2\r\nVia: 3\r\nTO: u\r\nContent-Length: 0\r\n\r\n"
    );
    assert_eq!(message.remove("Via"), 3);
}

#[test]
fn the_body_keeps_its_length_true() {
    let mut message = invite();
    message.set_body("application/sdp", "v=0\r\n");
    assert_eq!(message.content_length(), Ok(Some(5)));
    assert_eq!(message.content_type().as_deref(), Some("application/sdp"));
    message.set_body("", "");
    assert_eq!(
        (message.content_length(), message.content_type()),
        (Ok(Some(0)), None)
    );
    assert_eq!(
        message.fields_of("Content-Length").count(),
        1,
        "the compact one was rewritten"
    );
}

/// RFC 3261 §8.2.6: Via in order, From, To, Call-ID, CSeq; the Timestamp in a 100 only.
#[test]
fn a_response_takes_over_what_the_rfc_says() {
    let ringing = Message::response_to(&invite(), Status::RINGING, None);
    let head = "v : SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bKa,\r\n SIP/2.0/TCP proxy.test;branch=z9hG4bKb\r\n\
         via: SIP/2.0/UDP 192.0.2.9;branch=z9hG4bKc\r\n\
         f: Alice  <sip:alice@sim.test>;tag=a\r\n\
         To : Bob <sip:bob@sim.test> ; x=1\r\n\
         i: 1@192.0.2.1\r\n\
         CSeq: 7 INVITE\r\n";
    assert_eq!(
        text(&ringing),
        format!("SIP/2.0 180 Ringing\r\n{head}Content-Length: 0\r\n\r\n")
    );
    assert_eq!(ringing.method(), Method::Invite);
    let trying = Message::response_to(&invite(), Status::TRYING, Some("Hold on"));
    assert_eq!(trying.header("Timestamp"), Some("54"));
    assert_eq!(trying.reason().as_deref(), Some("Hold on"));
}

#[test]
fn to_tags_are_added_once_and_replaced_on_demand() {
    let mut response = Message::response_to(&invite(), Status::OK, None);
    response.add_to_tag("b");
    response.add_to_tag("c");
    assert_eq!(
        response.header("To"),
        Some("Bob <sip:bob@sim.test> ; x=1;tag=b")
    );
    response.set_to_tag("d");
    assert_eq!(
        response.header("To"),
        Some("Bob <sip:bob@sim.test>;x=1;tag=d")
    );
    assert_eq!(response.to().map(|to| to.display()), Ok("Bob".to_owned()));
}

#[test]
fn absent_and_malformed_fields_are_told_apart() {
    let mut message = Message::request(Method::Register, "sip:sim.test");
    assert_eq!(message.from().map(|_| ()), Err(FieldError::Missing("From")));
    assert_eq!(
        (message.expires(), message.max_forwards()),
        (Ok(None), Ok(None))
    );
    assert_eq!(message.contacts(), Ok(Contacts::List(Vec::new())));
    message.set("Expires", "soon");
    assert_eq!(message.expires(), Err(FieldError::Malformed("Expires")));
    message.set("Contact", "*");
    assert_eq!(message.contacts(), Ok(Contacts::Star));
    message.append("Contact", "<sip:a@b>");
    assert_eq!(
        message.contacts(),
        Err(FieldError::Malformed("Contact")),
        "a star stands alone"
    );
    message.set("Retry-After", "120 (in a meeting);duration=3600");
    assert_eq!(message.retry_after(), Ok(Some(120)));
}
