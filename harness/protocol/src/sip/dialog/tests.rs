use super::{Dialog, DialogError};
use crate::sip::{Message, Method, Status};

fn invite(record_routes: &[&str]) -> Message {
    let mut invite = Message::request(Method::Invite, "sip:bob@sim.test");
    invite.append("From", "Alice <sip:alice@sim.test>;tag=a");
    invite.append("To", "<sip:bob@sim.test>");
    invite.append("Call-ID", "c@x");
    invite.append("CSeq", "7 INVITE");
    invite.append("Contact", "<sip:alice@192.0.2.1>");
    for route in record_routes {
        invite.append("Record-Route", route);
    }
    invite
}

fn ok(invite: &Message, record_routes: &[&str]) -> Message {
    let mut ok = Message::response_to(invite, Status::OK, None);
    ok.set_to_tag("b");
    ok.append("Contact", "<sip:bob@192.0.2.2:5070>");
    for route in record_routes {
        ok.append("Record-Route", route);
    }
    ok
}

const ROUTES: [&str; 2] = ["<sip:192.0.2.20;lr>", "<sip:192.0.2.10;lr>"];

fn routes(request: &Message) -> Vec<&str> {
    request.values("Route").collect()
}

#[test]
fn the_route_set_is_reversed_at_the_caller_and_not_at_the_callee() {
    // RFC 3261 §12.1.1 and §12.1.2: the first element that each of them meets stands first.
    let (request, response) = (invite(&ROUTES), ok(&invite(&[]), &ROUTES));
    let bye = Dialog::caller(&request, &response)
        .unwrap()
        .request(&Method::Bye);
    assert_eq!(routes(&bye), ["<sip:192.0.2.10;lr>", "<sip:192.0.2.20;lr>"]);
    let bye = Dialog::callee(&request, &response)
        .unwrap()
        .request(&Method::Bye);
    assert_eq!(routes(&bye), ROUTES);
}

#[test]
fn requests_swap_the_parties_by_side_and_count_their_own_cseq() {
    let (request, response) = (invite(&[]), ok(&invite(&[]), &[]));
    let mut caller = Dialog::caller(&request, &response).unwrap();
    let bye = caller.request(&Method::Bye);
    assert_eq!(bye.request_uri(), Some("sip:bob@192.0.2.2:5070"));
    assert_eq!(bye.header("From"), Some("Alice <sip:alice@sim.test>;tag=a"));
    assert_eq!(bye.header("To"), Some("<sip:bob@sim.test>;tag=b"));
    assert_eq!(bye.header("CSeq"), Some("8 BYE"));
    assert_eq!(
        caller.ack(7).header("CSeq"),
        Some("7 ACK"),
        "an ACK has its INVITE's number"
    );
    let mut callee = Dialog::callee(&request, &response).unwrap();
    let bye = callee.request(&Method::Bye);
    assert_eq!(bye.header("From"), Some("<sip:bob@sim.test>;tag=b"));
    assert_eq!(bye.header("CSeq"), Some("1 BYE"));
    assert!(caller.has_request(&bye) && !callee.has_request(&bye));
}

#[test]
fn a_strict_router_takes_the_place_of_the_request_uri() {
    // RFC 3261 §12.2.1.1, its own example.
    let response = ok(&invite(&[]), &["<sip:192.0.2.30;lr>", "<sip:192.0.2.20>"]);
    let bye = Dialog::caller(&invite(&[]), &response)
        .unwrap()
        .request(&Method::Bye);
    assert_eq!(bye.request_uri(), Some("sip:192.0.2.20"));
    assert_eq!(
        routes(&bye),
        ["<sip:192.0.2.30;lr>", "<sip:bob@192.0.2.2:5070>"]
    );
}

#[test]
fn an_older_request_is_refused_and_an_ack_counts_for_nothing() {
    let (request, response) = (invite(&[]), ok(&invite(&[]), &[]));
    let mut callee = Dialog::callee(&request, &response).unwrap();
    let numbered = |method: Method, number: u32| {
        let mut request = Message::request(method.clone(), "sip:x");
        request.append("CSeq", &format!("{number} {method}"));
        request
    };
    assert_eq!(callee.take(&numbered(Method::Info, 20)), Ok(()));
    assert_eq!(callee.take(&numbered(Method::Ack, 7)), Ok(()));
    assert_eq!(
        callee.take(&numbered(Method::Bye, 19)),
        Err(DialogError::OutOfOrder)
    );
    assert_eq!(
        callee.take(&numbered(Method::Bye, 100)),
        Ok(()),
        "a gap is no fault"
    );
}

#[test]
fn a_target_refresh_moves_the_requests_and_an_unreadable_one_does_not() {
    let mut dialog = Dialog::caller(&invite(&[]), &ok(&invite(&[]), &[])).unwrap();
    let mut moved = invite(&[]);
    dialog.refresh_target(&moved);
    assert_eq!(dialog.target().as_str(), "sip:alice@192.0.2.1");
    moved.append("Contact", "<sip:second@192.0.2.9>");
    dialog.refresh_target(&moved);
    assert_eq!(
        dialog.target().as_str(),
        "sip:alice@192.0.2.1",
        "two contacts are none"
    );
}

#[test]
fn a_response_of_another_fork_is_another_dialog() {
    let dialog = Dialog::caller(&invite(&[]), &ok(&invite(&[]), &[])).unwrap();
    let mut other = ok(&invite(&[]), &[]);
    assert!(dialog.has_response(&other));
    other.set_to_tag("c");
    assert!(!dialog.has_response(&other));
}

#[test]
fn without_exactly_one_contact_there_is_no_dialog() {
    let mut response = ok(&invite(&[]), &[]);
    response.remove("Contact");
    assert_eq!(
        Dialog::caller(&invite(&[]), &response).err(),
        Some(DialogError::Contact)
    );
    response.append("Contact", "*");
    assert_eq!(
        Dialog::caller(&invite(&[]), &response).err(),
        Some(DialogError::Contact)
    );
}
