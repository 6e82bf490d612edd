use std::time::Duration;

use super::{Bindings, Change, Limits, Refusal};
use crate::Instant;
use crate::sip::{Message, Method};

const AOR: &str = "sip:1002@sim.test";
const A: &str = "<sip:1002@192.0.2.1>";
const B: &str = "<sip:1002@192.0.2.2>";

fn register(call_id: &str, cseq: u32, contacts: &[&str], expires: Option<u32>) -> Message {
    let mut request = Message::request(Method::Register, "sip:sim.test");
    request.append("Call-ID", call_id);
    request.append("CSeq", &format!("{cseq} REGISTER"));
    for contact in contacts {
        request.append("Contact", contact);
    }
    if let Some(expires) = expires {
        request.append("Expires", &expires.to_string());
    }
    request
}

fn seconds(count: u64) -> Instant {
    Instant::START + Duration::from_secs(count)
}

fn bindings() -> Bindings {
    Bindings::new(Limits::default())
}

fn contacts(bindings: &Bindings) -> Vec<&str> {
    bindings
        .of(AOR)
        .iter()
        .map(|binding| binding.contact.as_str())
        .collect()
}

#[test]
fn the_contact_decides_its_lifetime_before_the_header_before_the_registrar() {
    let mut bindings = bindings();
    let own = format!("{A};expires=100");
    let request = register("x", 1, &[&own, B], Some(200));
    bindings.register(Instant::START, AOR, &request).unwrap();
    let ends: Vec<_> = bindings
        .of(AOR)
        .iter()
        .map(|binding| binding.expires)
        .collect();
    assert_eq!(ends, [seconds(100), seconds(200)]);
    bindings
        .register(Instant::START, AOR, &register("y", 1, &[A], None))
        .unwrap();
    assert_eq!(bindings.of(AOR)[0].expires, seconds(3600));
}

#[test]
fn a_brief_lifetime_is_refused_and_a_long_one_shortened() {
    let mut bindings = bindings();
    let brief = bindings.register(Instant::START, AOR, &register("x", 1, &[A], Some(59)));
    assert_eq!(brief, Err(Refusal::TooBrief(Duration::from_secs(60))));
    bindings
        .register(Instant::START, AOR, &register("x", 2, &[A], Some(u32::MAX)))
        .unwrap();
    assert_eq!(bindings.of(AOR)[0].expires, seconds(3600));
}

#[test]
fn a_registrar_may_not_refuse_an_hour_however_long_its_minimum() {
    // RFC 3261 §10.3 step 7: 423 only for less than one hour.
    let limits = Limits {
        min: Duration::from_secs(7200),
        max: Duration::from_secs(86_400),
        ..Limits::default()
    };
    let mut bindings = Bindings::new(limits);
    assert!(
        bindings
            .register(Instant::START, AOR, &register("x", 1, &[A], Some(3600)))
            .is_ok()
    );
    assert!(
        bindings
            .register(Instant::START, AOR, &register("x", 2, &[A], Some(3599)))
            .is_err()
    );
}

#[test]
fn within_a_call_id_only_a_higher_cseq_changes_a_binding() {
    let mut bindings = bindings();
    bindings
        .register(Instant::START, AOR, &register("x", 5, &[A], Some(600)))
        .unwrap();
    for old in [4, 5] {
        let outcome = bindings.register(Instant::START, AOR, &register("x", old, &[A], Some(0)));
        assert_eq!(outcome, Err(Refusal::OutOfOrder), "{old}");
    }
    // Another Call-ID is another client, or the same after a restart: it counts from anew.
    let changes = bindings
        .register(Instant::START, AOR, &register("y", 1, &[A], Some(0)))
        .unwrap();
    assert!(matches!(changes[..], [Change::Removed(_)]));
    assert_eq!(contacts(&bindings), Vec::<&str>::new());
}

#[test]
fn a_request_that_fails_in_part_changes_nothing() {
    let mut bindings = bindings();
    bindings
        .register(Instant::START, AOR, &register("x", 5, &[A], Some(600)))
        .unwrap();
    let outcome = bindings.register(Instant::START, AOR, &register("x", 5, &[B, A], Some(600)));
    assert_eq!(outcome, Err(Refusal::OutOfOrder));
    assert_eq!(
        contacts(&bindings),
        ["sip:1002@192.0.2.1"],
        "B came before A in the same request"
    );
}

#[test]
fn a_star_removes_all_and_needs_expires_0() {
    let mut bindings = bindings();
    bindings
        .register(Instant::START, AOR, &register("x", 1, &[A, B], Some(600)))
        .unwrap();
    let refused = bindings.register(Instant::START, AOR, &register("x", 2, &["*"], Some(60)));
    assert_eq!(refused, Err(Refusal::Star));
    let beside = bindings.register(Instant::START, AOR, &register("x", 3, &["*", A], Some(0)));
    assert_eq!(
        beside,
        Err(Refusal::Malformed("Malformed Contact header field"))
    );
    assert_eq!(bindings.of(AOR).len(), 2);
    let changes = bindings
        .register(Instant::START, AOR, &register("x", 4, &["*"], Some(0)))
        .unwrap();
    assert_eq!(
        (changes.len(), bindings.of(AOR).len(), bindings.deadline()),
        (2, 0, None)
    );
}

#[test]
fn contacts_are_the_same_by_uri_equality_not_by_text() {
    let mut bindings = bindings();
    bindings
        .register(
            Instant::START,
            AOR,
            &register("x", 1, &["<sip:1002@PHONE.test;Transport=UDP>"], Some(600)),
        )
        .unwrap();
    let changes = bindings.register(
        Instant::START,
        AOR,
        &register("x", 2, &["<sip:1002@phone.TEST;transport=udp>"], Some(600)),
    );
    assert!(
        matches!(changes.as_deref(), Ok([Change::Refreshed(_)])),
        "{changes:?}"
    );
}

#[test]
fn a_query_lists_what_is_left_and_changes_nothing() {
    let mut bindings = bindings();
    bindings
        .register(Instant::START, AOR, &register("x", 1, &[A], Some(600)))
        .unwrap();
    assert_eq!(
        bindings.register(seconds(100), AOR, &register("x", 2, &[], None)),
        Ok(vec![])
    );
    let mut response = Message::request(Method::Register, "sip:sim.test");
    bindings.list(seconds(100), AOR, &mut response);
    assert_eq!(
        response.header("Contact"),
        Some("<sip:1002@192.0.2.1>;expires=500")
    );
}

#[test]
fn the_most_recent_registration_is_the_first_target() {
    let mut bindings = bindings();
    bindings
        .register(Instant::START, AOR, &register("x", 1, &[A], Some(600)))
        .unwrap();
    bindings
        .register(Instant::START, AOR, &register("y", 1, &[B], Some(600)))
        .unwrap();
    let first = |bindings: &Bindings| bindings.targets(AOR)[0].contact.to_string();
    assert_eq!(first(&bindings), "sip:1002@192.0.2.2");
    // A refresh is a registration too.
    bindings
        .register(Instant::START, AOR, &register("x", 2, &[A], Some(600)))
        .unwrap();
    assert_eq!(first(&bindings), "sip:1002@192.0.2.1");
}

#[test]
fn a_flood_of_contacts_is_refused_as_a_whole() {
    let mut bindings = bindings();
    let many: Vec<_> = (0..11)
        .map(|last| format!("<sip:1002@192.0.2.{last}>"))
        .collect();
    let many: Vec<_> = many.iter().map(String::as_str).collect();
    let outcome = bindings.register(Instant::START, AOR, &register("x", 1, &many, Some(600)));
    assert_eq!(outcome, Err(Refusal::TooManyContacts));
    assert_eq!(bindings.iter().count(), 0);
}

#[test]
fn expiry_takes_what_is_due_and_nothing_else() {
    let mut bindings = bindings();
    bindings
        .register(Instant::START, AOR, &register("x", 1, &[A], Some(60)))
        .unwrap();
    bindings
        .register(Instant::START, AOR, &register("y", 1, &[B], Some(90)))
        .unwrap();
    assert_eq!(bindings.deadline(), Some(seconds(60)));
    assert_eq!(bindings.expire(seconds(59)), []);
    let expired = bindings.expire(seconds(60));
    assert_eq!(expired.len(), 1);
    assert_eq!(contacts(&bindings), ["sip:1002@192.0.2.2"]);
}

#[test]
fn a_contact_finds_its_binding_for_as_long_as_there_is_one() {
    let mut bindings = bindings();
    let find = |bindings: &Bindings, text: &str| {
        let uri = crate::sip::Uri::parse(text).unwrap();
        bindings.of_contact(&uri).map(|(_, binding)| binding.id)
    };
    let contact = "<sip:1002@192.0.2.1:5070;transport=UDP>";
    let request = register("x", 1, &[contact, B], Some(60));
    bindings.register(Instant::START, AOR, &request).unwrap();
    // Found by the equality of URIs, not by their text; and not by a part of it.
    assert_eq!(
        find(&bindings, "sip:1002@192.0.2.1:5070;Transport=udp"),
        Some(1)
    );
    assert_eq!(find(&bindings, "sip:1002@192.0.2.1:5070"), None);
    assert_eq!(find(&bindings, "sip:1002@192.0.2.2"), Some(2));
    assert_eq!(bindings.find(2).map(|(aor, _)| aor), Some(AOR));
    bindings.remove(AOR, 2);
    assert_eq!(find(&bindings, "sip:1002@192.0.2.2"), None);
    bindings.expire(seconds(60));
    assert_eq!(
        find(&bindings, "sip:1002@192.0.2.1:5070;transport=udp"),
        None
    );
    assert_eq!(bindings.deadline(), None);
}

#[test]
fn a_refresh_moves_the_end_and_nothing_of_the_old_one_stays() {
    let mut bindings = bindings();
    for (cseq, now) in [(1, 0), (2, 50)] {
        let request = register("x", cseq, &[A], Some(60));
        bindings.register(seconds(now), AOR, &request).unwrap();
    }
    assert_eq!(bindings.deadline(), Some(seconds(110)));
    assert_eq!(bindings.expire(seconds(109)), []);
    assert_eq!(bindings.expire(seconds(110)).len(), 1);
}

/// Where a contact is reached when its REGISTER came from `seen`, by what the request says of its sender.
#[test]
fn only_a_contact_that_is_its_sender_is_moved_to_where_that_was_seen() {
    let outside = "198.51.100.1:40000";
    let table = [
        // Its own address, translated on the way.
        (
            "10.0.0.7:5060;rport",
            "sip:1002@10.0.0.7:5060",
            Some(outside),
        ),
        ("10.0.0.7;rport", "sip:1002@10.0.0.7", Some(outside)),
        // Somebody else's address is what it says.
        ("10.0.0.7:5060;rport", "sip:1002@10.0.0.8:5060", None),
        // Without rport nobody may be answered there (RFC 3581 §4), much less be called.
        ("10.0.0.7:5060", "sip:1002@10.0.0.7:5060", None),
        // No NAT.
        (
            "198.51.100.1:40000;rport",
            "sip:1002@198.51.100.1:40000",
            None,
        ),
    ];
    for (via, contact, expected) in table {
        let mut request = register("x", 1, &[&format!("<{contact}>")], Some(60));
        request.append("Via", &format!("SIP/2.0/UDP {via};branch=z9hG4bKx"));
        request.complete_via(outside.parse().unwrap());
        let mut bindings = bindings();
        bindings.register(Instant::START, AOR, &request).unwrap();
        let seen_at = bindings.of(AOR)[0].seen_at;
        assert_eq!(
            seen_at,
            expected.map(|at| at.parse().unwrap()),
            "{via} {contact}"
        );
    }
}
