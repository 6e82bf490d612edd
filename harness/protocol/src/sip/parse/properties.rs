//! No bytes make the parser panic, and none are lost.

use proptest::collection::vec;
use proptest::prelude::*;

use super::generate::{Sample, Style, message};
use super::*;
use crate::sip::{NameAddr, Params, Uri};

/// What went wrong on the way: bytes replaced, removed, doubled or inserted.
#[derive(Clone, Debug)]
struct Damage(prop::sample::Index, usize, Vec<u8>);

fn damage() -> impl Strategy<Value = Damage> {
    let bytes = prop_oneof![
        vec(any::<u8>(), 0..4),
        prop::sample::select(vec![
            "\r\n",
            "\r\n\r\n",
            " ",
            ",",
            ";",
            "\"",
            "<",
            ">",
            ":",
            "\n",
            "\\",
            "%",
            "@",
            "[",
            "Via: x\r\n"
        ])
        .prop_map(|text| text.as_bytes().to_vec()),
    ];
    (any::<prop::sample::Index>(), 0..6usize, bytes)
        .prop_map(|(at, length, bytes)| Damage(at, length, bytes))
}

fn broken(sample: &Sample, damages: Vec<Damage>) -> Vec<u8> {
    let mut bytes = sample.bytes.clone();
    for Damage(at, length, new) in damages {
        let start = at.index(bytes.len() + 1);
        let end = (start + length).min(bytes.len());
        bytes.splice(start..end, new);
    }
    bytes
}

/// Reads everything that can be read, edits, and answers: none of it may panic. An accepted message must give its bytes
/// back before, and be acceptable after.
fn exercise(bytes: &[u8]) {
    let mut message = match parse(bytes, &Limits::default()) {
        Verdict::Accept(message) => {
            assert_eq!(message.to_bytes(), bytes);
            message
        }
        Verdict::Reject(rejection) => {
            let answer = Message::response_to(
                &rejection.message,
                rejection.status,
                Some(&rejection.reason),
            );
            assert!(answer.status().is_some());
            rejection.message
        }
        Verdict::Drop(_) => return,
    };
    for field in message.fields() {
        let _uri =
            Uri::parse(field.value()).map(|uri| (uri.address_of_record(), uri.equivalent(&uri)));
        let _address = NameAddr::parse(field.value())
            .map(|address| (address.display(), address.q(), address.expires()));
        let _via = Via::parse(field.value()).map(|via| (via.rport(), via.received()));
        let _params = Params::read(field.value()).map(|params| params.text("tag"));
    }
    let _read = (
        message.vias().is_ok(),
        message.contacts().is_ok(),
        message.routes().is_ok(),
        message.expires(),
    );
    let _more = (
        message.retry_after(),
        message.content_type(),
        message.allow(),
        message.reason().map(|r| r.len()),
    );
    let was_accepted = matches!(
        parse(&message.to_bytes(), &Limits::default()),
        Verdict::Accept(_)
    );
    let source = std::net::SocketAddr::from(([192, 0, 2, 7], 1));
    message.complete_via(source);
    let _destination = message.response_destination(source);
    message.set_to_tag("new");
    message.set_body("text/plain", "edited");
    if was_accepted {
        let again = parse(&message.to_bytes(), &Limits::default());
        assert!(
            matches!(&again, Verdict::Accept(again) if again.body() == "edited"),
            "{again:?}"
        );
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_bytes_are_survived(bytes in vec(any::<u8>(), 0..400)) {
        exercise(&bytes);
    }

    #[test]
    fn damaged_messages_are_survived(sample in message(Style::Free), damages in vec(damage(), 1..5)) {
        exercise(&broken(&sample, damages));
    }

    /// Any spelling of a well-formed message is accepted, and read as it was meant.
    #[test]
    fn well_formed_messages_are_read_as_meant(sample in message(Style::Free)) {
        let verdict = parse(&sample.bytes, &Limits::default());
        let Verdict::Accept(message) = verdict else { panic!("{verdict:?}") };
        prop_assert_eq!(&message.to_bytes()[..], &sample.bytes[..]);
        prop_assert_eq!(message.method(), Method::from(sample.method.as_str()));
        prop_assert_eq!(message.request_uri().unwrap_or_default(), &sample.uri);
        prop_assert_eq!(message.call_id(), Ok(sample.call_id.as_str()));
        prop_assert_eq!(message.cseq().map(|cseq| cseq.number), Ok(sample.number));
        prop_assert_eq!(message.from().map(|from| from.tag()), Ok(Some(sample.from_tag.as_str())));
        prop_assert_eq!(message.to().map(|to| to.tag()), Ok(sample.to_tag.as_deref()));
        prop_assert_eq!(message.top_via().map(|via| via.branch()), Ok(Some(sample.branch.as_str())));
        prop_assert_eq!(&message.body()[..], &sample.body[..]);
        exercise(&sample.bytes);
    }

    /// A datagram that lost its end is never taken for a whole message, since Content-Length is there.
    #[test]
    fn truncated_messages_are_not_accepted(sample in message(Style::Free), end in any::<prop::sample::Index>()) {
        let end = end.index(sample.bytes.len());
        let verdict = parse(&sample.bytes[..end], &Limits::default());
        prop_assert!(!matches!(verdict, Verdict::Accept(_)), "{verdict:?}");
    }
}
