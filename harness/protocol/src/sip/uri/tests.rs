use super::*;

fn uri(text: &str) -> Uri {
    Uri::parse(text).unwrap_or_else(|error| panic!("{text}: {error}"))
}

#[test]
fn every_part_is_found() {
    let read = uri(
        "sip:alice;day=tue:pa%73s@[2001:db8::1]:5070;transport=udp;lr?Subject=a&Priority=urgent",
    );
    assert_eq!(read.user(), Some("alice;day=tue"));
    assert_eq!(read.password(), Some("pa%73s"));
    assert_eq!(read.host(), "[2001:db8::1]");
    assert_eq!(read.port(), Some(5070));
    assert_eq!(read.params().get("transport"), Some("udp"));
    assert!(read.params().has("lr"));
    assert_eq!(read.headers(), "Subject=a&Priority=urgent");
    assert_eq!(
        read.socket_address().map(|a| a.to_string()).as_deref(),
        Some("[2001:db8::1]:5070")
    );
}

#[test]
fn a_dotted_user_is_no_host() {
    let read = uri("sip:john.doe@example.com");
    assert_eq!(
        (read.user(), read.host()),
        (Some("john.doe"), "example.com")
    );
}

/// RFC 4475 §3.1.1.1 uses every unreserved character of the user part.
#[test]
fn the_torture_user_is_read_whole() {
    let user = "1_unusual.URI~(to-be!sure)&isn't+it$/crazy?,/;;*";
    let read = uri(&format!(
        "sip:{user}:&it+has=1,weird!*pas$wo~d_too.(doesn't-it)@example.com"
    ));
    assert_eq!(read.user(), Some(user));
    assert_eq!(read.host(), "example.com");
}

#[test]
fn other_schemes_stay_text() {
    let read = uri("tel:+1-201-555-0123;phone-context=example.com");
    assert_eq!(
        (read.scheme(), read.is_sip(), read.host()),
        ("tel", false, "")
    );
    assert!(read.equivalent(&uri("TEL:+1-201-555-0123;phone-context=example.com")));
}

#[test]
fn what_is_malformed_is_named() {
    for (text, error) in [
        ("sip:", UriError::Scheme),
        ("example.com", UriError::Scheme),
        ("1sip:a", UriError::Scheme),
        ("sip:@a", UriError::User),
        ("sip:a@", UriError::Host),
        ("sip:a@b@c", UriError::Host),
        ("sip:[::1", UriError::Host),
        ("sip:[nonsense]", UriError::Host),
        ("sip:a@b:99999", UriError::Port),
        ("sip:a@b:+1", UriError::Port),
        ("sip:a@b:", UriError::Port),
        ("sip:a@b;;lr", UriError::Parameter),
        ("sip:a b@c", UriError::Character(' ')),
        ("<sip:a@b>", UriError::Character('<')),
    ] {
        assert_eq!(Uri::parse(text), Err(error), "{text}");
    }
}

/// The examples of RFC 3261 §19.1.4, both ways round: the relation must be symmetric.
#[test]
fn equivalence_follows_the_examples_of_the_rfc() {
    for (one, other) in [
        (
            "sip:%61lice@atlanta.com;transport=TCP",
            "sip:alice@AtLanTa.CoM;Transport=tcp",
        ),
        ("sip:carol@chicago.com", "sip:carol@chicago.com;newparam=5"),
        ("sip:carol@chicago.com", "sip:carol@chicago.com;security=on"),
        (
            "sip:carol@chicago.com;newparam=5",
            "sip:carol@chicago.com;security=on",
        ),
        (
            "sip:biloxi.com;transport=tcp;method=REGISTER?to=sip:bob%40biloxi.com",
            "sip:biloxi.com;method=REGISTER;transport=tcp?to=sip:bob%40biloxi.com",
        ),
        (
            "sip:alice@atlanta.com?subject=project%20x&priority=urgent",
            "sip:alice@atlanta.com?priority=urgent&subject=project%20x",
        ),
        ("sip:a@[2001:db8::1]", "sip:a@[2001:DB8:0::1]"),
    ] {
        assert!(uri(one).equivalent(&uri(other)), "{one} {other}");
        assert!(uri(other).equivalent(&uri(one)), "{other} {one}");
    }
    for (one, other) in [
        (
            "SIP:ALICE@AtLanTa.CoM;Transport=udp",
            "sip:alice@AtLanTa.CoM;Transport=UDP",
        ),
        ("sip:bob@biloxi.com", "sip:bob@biloxi.com:5060"),
        ("sip:bob@biloxi.com", "sip:bob@biloxi.com;transport=udp"),
        (
            "sip:bob@biloxi.com",
            "sip:bob@biloxi.com:6000;transport=tcp",
        ),
        (
            "sip:carol@chicago.com",
            "sip:carol@chicago.com?Subject=next%20meeting",
        ),
        (
            "sip:carol@chicago.com;security=off",
            "sip:carol@chicago.com;security=on",
        ),
        ("sip:bob@phone21.boxesbybob.com", "sip:bob@192.0.2.4"),
        ("sip:a%3ab@c", "sip:a:b@c"),
        ("sip:a@b", "sips:a@b"),
    ] {
        assert!(!uri(one).equivalent(&uri(other)), "{one} {other}");
        assert!(!uri(other).equivalent(&uri(one)), "{other} {one}");
    }
}

#[test]
fn the_address_of_record_forgets_port_parameters_and_case_of_the_host() {
    assert_eq!(
        uri("sip:%31001@SIM.test:5070;transport=udp").address_of_record(),
        "sip:1001@sim.test"
    );
}
