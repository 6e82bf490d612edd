use proptest::prelude::*;
use rsip::prelude::HasHeaders as _;

use super::*;
use crate::sip::parse::generate::{Style, message};
use crate::sip::{Limits, Message, Verdict, parse};

const PLAIN: &str = "OPTIONS sip:bob@sim.test SIP/2.0\r\n\
    Via: SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bK1\r\n\
    From: <sip:alice@sim.test>;tag=a\r\n\
    To: <sip:bob@sim.test>;tag=b\r\n\
    Call-ID: 1@192.0.2.1\r\n\
    CSeq: 1 OPTIONS\r\n\
    Content-Length: 4\r\n\
    \r\nv=0\n";

fn read(bytes: &[u8]) -> Message {
    match parse(bytes, &Limits::default()) {
        Verdict::Accept(message) => message,
        other => panic!("{other:?}"),
    }
}

/// The error for the plain message with something else in one place.
fn with(from: &str, to: &str) -> Inexpressible {
    let text = PLAIN.replace(from, to);
    assert_ne!(text, PLAIN);
    let converted = rsip::SipMessage::try_from(&read(text.as_bytes()));
    converted.expect_err("rsip cannot express it")
}

/// What both sides must agree on: start line, fields by name, body.
fn meaning(message: &Message) -> (String, Vec<(String, String)>, Vec<u8>) {
    let start = match message.request_uri() {
        Some(uri) => format!("{} {uri}", message.method()),
        None => format!("{:?} {:?}", message.status(), message.reason()),
    };
    let fields = message.fields();
    let fields = fields.map(|field| (field.name().to_owned(), field.value().to_owned()));
    (start, fields.collect(), message.body().to_vec())
}

#[test]
fn a_plain_message_comes_back_as_it_was() {
    let message = read(PLAIN.as_bytes());
    let theirs = rsip::SipMessage::try_from(&message).expect("rsip can express it");
    let back = Message::try_from(&theirs).expect("it is a SIP message");
    assert_eq!(meaning(&back), meaning(&message));
}

// rsip calls it `NotFound`, so that its users can match on it; the phrase is there again on the way back.
#[test]
fn a_registered_reason_phrase_survives() {
    let text = PLAIN.replace("OPTIONS sip:bob@sim.test SIP/2.0", "SIP/2.0 404 Not Found");
    let message = read(text.as_bytes());
    let theirs = rsip::SipMessage::try_from(&message).expect("rsip can express it");
    let rsip::SipMessage::Response(response) = &theirs else {
        panic!("it is a response");
    };
    assert_eq!(response.status_code, rsip::StatusCode::NotFound);
    let back = Message::try_from(&theirs).expect("it is a SIP message");
    assert_eq!(back.reason().as_deref(), Some("Not Found"));
}

// The rows of `parse::second_reader`, each under the name that a caller can match on.
#[test]
fn what_rsip_cannot_express_has_its_name() {
    let text = str::to_owned;
    let request = "sip:bob@sim.test SIP";
    for (from, to, expected) in [
        (
            request,
            "sip:bob@[2001:db8::1] SIP",
            Inexpressible::Ipv6 {
                place: text("Request-URI"),
            },
        ),
        (
            "192.0.2.1:5060",
            "[2001:db8::1]:5060",
            Inexpressible::Ipv6 { place: text("Via") },
        ),
        (
            "alice@sim.test",
            "alice@[2001:db8::1]",
            Inexpressible::Ipv6 {
                place: text("From"),
            },
        ),
        (
            request,
            "sip:john.doe@sim.test SIP",
            Inexpressible::Uri {
                uri: text("sip:john.doe@sim.test"),
            },
        ),
        (
            request,
            "tel:+4930123 SIP",
            Inexpressible::Uri {
                uri: text("tel:+4930123"),
            },
        ),
        (
            request,
            "sip:bob@sim.test?Subject=x SIP",
            Inexpressible::Uri {
                uri: text("sip:bob@sim.test?Subject=x"),
            },
        ),
        (
            "OPTIONS",
            "PING",
            Inexpressible::Method {
                method: text("PING"),
            },
        ),
        (
            "OPTIONS",
            "options",
            Inexpressible::Method {
                method: text("options"),
            },
        ),
        (
            "SIP/2.0/UDP",
            "SIP/2.0/DCCP",
            Inexpressible::Transport {
                transport: text("DCCP"),
            },
        ),
        ("Via:", "v:", Inexpressible::Compact { name: text("v") }),
        (
            "<sip:bob@sim.test>;",
            "<sip:bob@sim.test>\r\n ;",
            Inexpressible::Folded { name: text("To") },
        ),
        (
            "z9hG4bK1",
            "z9hG4bK1, SIP/2.0/UDP 192.0.2.9;branch=z9hG4bK0",
            Inexpressible::ViaList { values: 2 },
        ),
        (
            "Length: 4",
            "Length: 2",
            Inexpressible::Around {
                before: 0,
                after: 2,
            },
        ),
        (
            "OPTIONS sip:bob@sim.test SIP/2.0",
            "SIP/2.0 488 No codec",
            Inexpressible::Reason {
                status: 488,
                reason: text("No codec"),
            },
        ),
        (
            "OPTIONS sip:bob@sim.test SIP/2.0",
            "SIP/2.0 200 ",
            Inexpressible::Reason {
                status: 200,
                reason: text(""),
            },
        ),
    ] {
        assert_eq!(with(from, to), expected, "{to}");
    }
    let quoted = with("<sip:alice", "\"A, <B>; \\\"C\\\"\" <sip:alice");
    assert!(
        matches!(quoted, Inexpressible::Field { ref name, .. } if name == "From"),
        "{quoted}"
    );
}

#[test]
fn a_binary_body_is_refused_at_its_first_such_byte() {
    let bytes = [&PLAIN.as_bytes()[..PLAIN.len() - 4], b"a\xff\xfe\x01"].concat();
    let error = rsip::SipMessage::try_from(&read(&bytes)).expect_err("it would be damaged");
    assert_eq!(error, Inexpressible::Body { at: 1 });
}

fn theirs() -> rsip::Request {
    let message = rsip::SipMessage::try_from(PLAIN).expect("rsip reads it");
    rsip::Request::try_from(message).expect("it is a request")
}

// A value with a line break would be a header of its own on the wire: somebody else's words in our name.
#[test]
fn an_rsip_message_that_is_no_sip_message_is_refused() {
    let refusal = |change: &dyn Fn(&mut rsip::Request)| {
        let mut request = theirs();
        change(&mut request);
        Message::try_from(&rsip::SipMessage::from(request)).expect_err("no element would accept it")
    };
    let injected = rsip::Header::Other("X".into(), "1\r\nY: 2".into());
    assert_eq!(
        refusal(&|request| request.headers.push(injected.clone())),
        Unreadable::LineBreak {
            place: "header field"
        }
    );
    assert_eq!(
        refusal(&|request| request.version = rsip::Version::V1),
        Unreadable::Version
    );
    assert_eq!(
        refusal(&|request| request.body.extend(b"more")),
        Unreadable::Body { length: 8, read: 4 }
    );
    let bare = refusal(&|request| {
        let headers = request
            .headers
            .iter()
            .filter(|it| !matches!(it, rsip::Header::Via(_)));
        request.headers = headers.cloned().collect::<Vec<_>>().into();
    });
    assert!(matches!(bare, Unreadable::Refused { .. }), "{bare}");
    let mut response = rsip::Response {
        headers: theirs().headers,
        body: theirs().body,
        ..rsip::Response::default()
    };
    response.status_code = rsip::StatusCode::Other(99, "Odd".into());
    let error = Message::try_from(&rsip::SipMessage::from(response)).expect_err("no status");
    assert_eq!(error, Unreadable::Status { code: 99 });
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, failure_persistence: None, ..ProptestConfig::default() })]

    // Whatever we accept is either the same message there and back, or an error: never a panic, never something else.
    #[test]
    fn there_and_back_is_the_same_or_an_error(sample in prop_oneof![message(Style::Plain), message(Style::Free)]) {
        let Verdict::Accept(message) = parse(&sample.bytes, &Limits::default()) else {
            return Ok(());
        };
        if let Ok(theirs) = rsip::SipMessage::try_from(&message) {
            prop_assert_eq!(theirs.headers().iter().count(), message.fields().count());
            let back = Message::try_from(&theirs);
            prop_assert_eq!(back.as_ref().map(meaning), Ok(meaning(&message)));
        }
    }

    // Damaged text reaches the conversion as far as our own reader lets it.
    #[test]
    fn no_damage_makes_it_panic(at in 0..PLAIN.len(), with in any::<[u8; 3]>()) {
        let mut bytes = PLAIN.as_bytes().to_vec();
        let end = bytes.len().min(at + 3);
        bytes[at..end].copy_from_slice(&with[..end - at]);
        if let Verdict::Accept(message) = parse(&bytes, &Limits::default())
            && let Ok(theirs) = rsip::SipMessage::try_from(&message)
        {
            let back = Message::try_from(&theirs);
            prop_assert_eq!(back.as_ref().map(meaning), Ok(meaning(&message)));
        }
    }

    // What rsip reads of any text goes to us or is refused.
    #[test]
    fn no_text_of_rsip_makes_it_panic(text in "(OPTIONS sip:[ -~]{0,12} SIP/2.0|SIP/2.0 [0-9]{3} [ -~]{0,9})\r\n([A-Z][a-z]{0,5}: [ -~]{0,20}\r\n){0,6}\r\n[ -~]{0,9}") {
        if let Ok(theirs) = rsip::SipMessage::try_from(text.as_str()) {
            let _ = Message::try_from(&theirs);
        }
    }
}
