use std::net::SocketAddr;

use super::*;

fn address(text: &str) -> SocketAddr {
    text.parse().expect("an address")
}

#[test]
fn odd_spacing_is_read() {
    let via =
        Via::parse("SIP  / 2.0  / TCP     spindle.example.com :  5070 ; branch  =   z9hG4bK9ikj8 ")
            .expect("well formed");
    assert_eq!(
        (via.transport(), via.sent_by().host, via.sent_by().port),
        ("TCP", "spindle.example.com", Some(5070))
    );
    assert!(via.has_cookie() && via.is_reliable());
}

#[test]
fn malformed_values_are_refused() {
    for text in [
        "",
        "SIP/2.0/UDP",
        "SIP/2.0/UDP ",
        "SIP/3.0/UDP a",
        "SIP/2.0/UDP a;;b",
        "HTTP/2.0/UDP a",
        "SIP/2.0/UDP a b",
        "SIP/2.0/UDP a:x",
    ] {
        assert_eq!(Via::parse(text), None, "{text}");
    }
    assert!(
        Via::parse_usable("SIP/2.0/UDP 192.0.2.15;;").is_some(),
        "one can still be answered"
    );
}

#[test]
fn received_is_added_only_where_it_tells_something() {
    let source = address("192.0.2.1:5099");
    let completed = |text| Via::parse(text).and_then(|via| via.completed(source));
    assert_eq!(
        completed("SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bKa"),
        None
    );
    assert_eq!(
        completed("SIP/2.0/UDP phone.test;branch=z9hG4bKa").as_deref(),
        Some("SIP/2.0/UDP phone.test;branch=z9hG4bKa;received=192.0.2.1")
    );
    assert_eq!(
        completed("SIP/2.0/UDP 192.0.2.1:5060;rport;branch=z9hG4bKa").as_deref(),
        Some("SIP/2.0/UDP 192.0.2.1:5060;rport=5099;branch=z9hG4bKa;received=192.0.2.1")
    );
}

/// A forged `received` must not send the answer elsewhere: the receiver's own replaces it.
#[test]
fn a_forged_received_is_replaced() {
    let via = Via::parse("SIP/2.0/UDP phone.test;received=198.51.100.7").expect("well formed");
    let completed = via
        .completed(address("192.0.2.1:5060"))
        .expect("a name needs received");
    assert_eq!(completed, "SIP/2.0/UDP phone.test;received=192.0.2.1");
    let via = Via::parse("SIP/2.0/UDP 192.0.2.1;received=198.51.100.7").expect("well formed");
    let completed = via
        .completed(address("192.0.2.1:5060"))
        .expect("the claim is wrong");
    assert_eq!(completed, "SIP/2.0/UDP 192.0.2.1;received=192.0.2.1");
}

#[test]
fn responses_go_where_the_rfc_sends_them() {
    let source = address("192.0.2.1:5099");
    for (text, expected) in [
        ("SIP/2.0/UDP 192.0.2.1:5070", "192.0.2.1:5070"),
        (
            "SIP/2.0/UDP 10.0.0.1:5070;received=192.0.2.1",
            "192.0.2.1:5070",
        ),
        (
            "SIP/2.0/UDP 10.0.0.1:5070;rport=5099;received=192.0.2.1",
            "192.0.2.1:5099",
        ),
        (
            "SIP/2.0/UDP phone.test;maddr=224.2.0.1;received=192.0.2.1",
            "224.2.0.1:5060",
        ),
        ("SIP/2.0/UDP phone.test", "192.0.2.1:5060"),
        (
            "SIP/2.0/UDP [2001:db8::9]:5070;received=[2001:db8::1]",
            "[2001:db8::1]:5070",
        ),
    ] {
        let via = Via::parse(text).expect("well formed");
        assert_eq!(
            via.response_destination(source),
            address(expected),
            "{text}"
        );
    }
}

#[test]
fn sent_by_is_compared_without_case_and_with_the_default_port() {
    let sent_by = |text| SentBy::parse(text).expect("well formed");
    assert_eq!(sent_by("Phone.test"), sent_by("phone.TEST:5060"));
    assert_ne!(sent_by("phone.test:5061"), sent_by("phone.test"));
    assert_eq!(sent_by("[2001:db8::1]"), sent_by("[2001:DB8:0::1]:5060"));
}

#[test]
fn a_cookie_alone_is_no_branch() {
    assert!(has_cookie("z9hG4bK1") && has_cookie("Z9HG4BK1"));
    assert!(!has_cookie("z9hG4bK") && !has_cookie("1") && !has_cookie("zähG4bK-x"));
}
