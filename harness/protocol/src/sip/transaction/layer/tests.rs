use super::*;
use crate::sip::transaction::Timer;
use crate::sip::{Limits, Transport, Verdict, parse};

const ALICE: &str = "192.0.2.1:5060";
const PROXY: &str = "192.0.2.9:5060";

fn address(text: &str) -> SocketAddr {
    text.parse().expect("an address")
}

fn at(millis: u64) -> Instant {
    Instant::from_micros(millis * 1000)
}

/// A request as Alice sends it.
fn request(method: &str, branch: &str) -> Message {
    let text = format!(
        "{method} sip:bob@sim.test SIP/2.0\r\nVia: SIP/2.0/UDP {ALICE};branch={branch}\r\nMax-Forwards: 70\r\n\
         Route: <sip:p1.test;lr>\r\nFrom: <sip:alice@sim.test>;tag=a\r\nTo: <sip:bob@sim.test>\r\nCall-ID: 1\r\n\
         CSeq: 1 {method}\r\nAuthorization: Digest username=\"a\"\r\nContent-Length: 0\r\n\r\n"
    );
    match parse(text.as_bytes(), &Limits::default()) {
        Verdict::Accept(message) => message,
        other => panic!("{other:?}"),
    }
}

fn answer(request: &Message, code: u16) -> Message {
    let mut response = Message::response_to(request, Status::new(code).expect("a code"), None);
    response.add_to_tag("b");
    response
}

/// What the driver and the transaction user see, a word each.
fn seen(out: &mut Vec<Output>) -> Vec<String> {
    let word = |output| match output {
        Output::Send {
            message,
            destination,
            ..
        } => Some(format!(
            "send {} to {destination}",
            message
                .status()
                .map_or(message.method().to_string(), |s| s.to_string())
        )),
        Output::Request { message, .. } => Some(format!("request {}", message.method())),
        Output::Ack { transaction, .. } => Some(format!("ack {}", transaction.is_some())),
        Output::Response { message, .. } => {
            Some(format!("response {}", message.status().expect("a status")))
        }
        Output::Stray { .. } => Some("stray".to_owned()),
        Output::Refused { error, .. } => Some(format!("refused: {error}")),
        Output::Timeout { timer, .. } => Some(format!("timeout {timer}")),
        Output::TransportError { .. } => Some("transport error".to_owned()),
        Output::Report(Report::Overloaded { method, .. }) => Some(format!("overloaded {method}")),
        Output::Report(_) => None,
    };
    out.drain(..).filter_map(word).collect()
}

/// Runs every timer until the layer has nothing left to wait for.
fn drain(layer: &mut Layer, out: &mut Vec<Output>) {
    while let Some(next) = layer.deadline() {
        layer.expire(next, out);
    }
}

#[test]
fn a_repeated_request_is_one_request_and_gets_the_same_answer() {
    let (mut layer, mut out) = (Layer::new(Timers::default()), Vec::new());
    let bye = request("BYE", "z9hG4bK1");
    layer.receive(at(0), address(ALICE), bye.clone(), &mut out);
    assert_eq!(seen(&mut out), ["request BYE"]);
    layer.receive(at(10), address(ALICE), bye.clone(), &mut out);
    assert!(seen(&mut out).is_empty(), "nothing was answered yet");
    let id = TransactionId(1);
    layer
        .respond(at(20), id, answer(&bye, 200), &mut out)
        .expect("a first answer");
    layer
        .respond(at(25), id, answer(&bye, 500), &mut out)
        .expect("absorbed, §17.2.2");
    layer.receive(at(30), address(ALICE), bye, &mut out);
    assert_eq!(
        seen(&mut out),
        ["send 200 to 192.0.2.1:5060", "send 200 to 192.0.2.1:5060"]
    );
    drain(&mut layer, &mut out);
    assert!(layer.is_empty());
}

/// RFC 3261 §17.1.1.3 names each field of this ACK, §22.1 the credentials.
#[test]
fn a_failure_is_acknowledged_by_the_client_transaction() {
    let (mut layer, mut out) = (Layer::new(Timers::default()), Vec::new());
    let invite = request("INVITE", "z9hG4bK1");
    layer.request(at(0), address(PROXY), invite.clone(), &mut out);
    out.clear();
    layer.receive(at(50), address(PROXY), answer(&invite, 486), &mut out);
    let ack = out.iter().find_map(|output| match output {
        Output::Send { message, .. } => {
            Some(String::from_utf8(message.to_bytes().to_vec()).expect("UTF-8"))
        }
        _ => None,
    });
    assert_eq!(
        ack.as_deref(),
        Some(
            "ACK sip:bob@sim.test SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bK1\r\nMax-Forwards: 70\r\n\
             Route: <sip:p1.test;lr>\r\nFrom: <sip:alice@sim.test>;tag=a\r\nTo: <sip:bob@sim.test>;tag=b\r\nCall-ID: 1\r\n\
             CSeq: 1 ACK\r\nAuthorization: Digest username=\"a\"\r\nContent-Length: 0\r\n\r\n"
        )
    );
    assert_eq!(
        seen(&mut out),
        ["send ACK to 192.0.2.9:5060", "response 486"]
    );
    layer.receive(at(550), address(PROXY), answer(&invite, 486), &mut out);
    assert_eq!(
        seen(&mut out),
        ["send ACK to 192.0.2.9:5060"],
        "the repeat goes no further"
    );
}

/// RFC 6026: the 2xx and its repeats go up, the transaction acknowledges none, and lasts 64·T1.
#[test]
fn every_2xx_goes_up_until_timer_m() {
    let (mut layer, mut out) = (Layer::new(Timers::default()), Vec::new());
    let invite = request("INVITE", "z9hG4bK1");
    layer.request(at(0), address(PROXY), invite.clone(), &mut out);
    layer.receive(at(50), address(PROXY), answer(&invite, 200), &mut out);
    layer.receive(at(550), address(PROXY), answer(&invite, 200), &mut out);
    assert_eq!(
        seen(&mut out),
        [
            "send INVITE to 192.0.2.9:5060",
            "response 200",
            "response 200"
        ]
    );
    assert_eq!(layer.deadline(), Some(at(32_050)));
    drain(&mut layer, &mut out);
    layer.receive(at(40_000), address(PROXY), answer(&invite, 200), &mut out);
    assert_eq!(
        seen(&mut out),
        ["stray"],
        "later ones are the transaction user's to judge"
    );
}

/// The ACK for a failure belongs to the INVITE's transaction, that for a 2xx to the transaction user.
#[test]
fn acks_find_their_way() {
    let (mut layer, mut out) = (Layer::new(Timers::default()), Vec::new());
    for (branch, code) in [("z9hG4bK1", 486), ("z9hG4bK2", 200)] {
        let invite = request("INVITE", branch);
        layer.receive(at(0), address(ALICE), invite.clone(), &mut out);
        layer
            .respond(
                at(1),
                TransactionId(layer.last),
                answer(&invite, code),
                &mut out,
            )
            .expect("a first answer");
    }
    out.clear();
    layer.receive(at(2), address(ALICE), request("ACK", "z9hG4bK1"), &mut out);
    assert_eq!(seen(&mut out), [""; 0], "absorbed");
    assert_eq!(
        layer.state(TransactionId(1)),
        Some((Kind::InviteServer, State::Confirmed))
    );
    layer.receive(at(2), address(ALICE), request("ACK", "z9hG4bK3"), &mut out);
    assert_eq!(
        seen(&mut out),
        ["ack false"],
        "a 2xx is acknowledged with a branch of its own"
    );
    layer.receive(at(2), address(ALICE), request("ACK", "z9hG4bK2"), &mut out);
    assert_eq!(
        seen(&mut out),
        ["ack true"],
        "the branch of a careless client"
    );
    layer.receive(
        at(3),
        address(ALICE),
        request("INVITE", "z9hG4bK2"),
        &mut out,
    );
    assert_eq!(
        seen(&mut out),
        [""; 0],
        "a repeated INVITE is absorbed in Accepted"
    );
}

/// RFC 3261 §17.2.3: with the cookie, branch, sent-by and method decide; nothing else does.
#[test]
fn sent_by_and_method_belong_to_the_match() {
    let (mut layer, mut out) = (Layer::new(Timers::default()), Vec::new());
    let invite = request("INVITE", "z9hG4bK1");
    let mut other_host = invite.clone();
    other_host.set("Via", "SIP/2.0/UDP 192.0.2.2;branch=z9hG4bK1");
    let mut same = invite.clone();
    same.set("Via", "SIP/2.0/UDP 192.0.2.1;branch=z9hG4bK1");
    for message in [invite, other_host, request("CANCEL", "z9hG4bK1"), same] {
        layer.receive(at(0), address(ALICE), message, &mut out);
    }
    assert_eq!(
        seen(&mut out),
        ["request INVITE", "request INVITE", "request CANCEL"]
    );
    let cancel = layer.request_of(TransactionId(3)).expect("alive").clone();
    assert_eq!(layer.matching_invite(&cancel), Some(TransactionId(1)));
}

/// RFC 3261 §17.2.3, second part: a client of RFC 2543 has no unique branch.
#[test]
fn requests_without_the_cookie_are_matched_by_their_fields() {
    let (mut layer, mut out) = (Layer::new(Timers::default()), Vec::new());
    let invite = request("INVITE", "1");
    layer.receive(at(0), address(ALICE), invite.clone(), &mut out);
    layer.receive(at(1), address(ALICE), invite.clone(), &mut out);
    let mut another = invite.clone();
    another.set("Call-ID", "2");
    layer.receive(at(2), address(ALICE), another, &mut out);
    assert_eq!(seen(&mut out), ["request INVITE", "request INVITE"]);
    layer
        .respond(at(3), TransactionId(1), answer(&invite, 486), &mut out)
        .expect("a first answer");
    out.clear();
    let mut ack = request("ACK", "1");
    ack.set_to_tag("somebody-else");
    layer.receive(at(4), address(ALICE), ack.clone(), &mut out);
    assert_eq!(
        seen(&mut out),
        ["ack false"],
        "the To tag is not that of the response"
    );
    ack.set_to_tag("b");
    layer.receive(at(5), address(ALICE), ack, &mut out);
    assert_eq!(
        layer.state(TransactionId(1)),
        Some((Kind::InviteServer, State::Confirmed))
    );
    assert_eq!(
        layer.matching_invite(&request("CANCEL", "1")),
        Some(TransactionId(1))
    );
}

/// RFC 3261 §18.2.2, RFC 3581 §4: back to where the request came from, although sent-by says otherwise.
#[test]
fn responses_follow_received_and_rport() {
    let (mut layer, mut out) = (Layer::new(Timers::default()), Vec::new());
    let mut bye = request("BYE", "z9hG4bK1");
    bye.set("Via", "SIP/2.0/UDP 10.0.0.1:5060;rport;branch=z9hG4bK1");
    layer.receive(at(0), address("198.51.100.7:6000"), bye, &mut out);
    let completed = layer.request_of(TransactionId(1)).expect("alive").clone();
    assert_eq!(
        completed.header("Via"),
        Some("SIP/2.0/UDP 10.0.0.1:5060;rport=6000;branch=z9hG4bK1;received=198.51.100.7")
    );
    layer
        .respond(at(1), TransactionId(1), answer(&completed, 200), &mut out)
        .expect("a first answer");
    assert_eq!(
        seen(&mut out),
        ["request BYE", "send 200 to 198.51.100.7:6000"]
    );
}

/// RFC 6026 §8.8 and RFC 3261 §17.1.4: a client is over, an INVITE server lives on.
#[test]
fn transport_errors_reach_the_transaction_user() {
    let (mut layer, mut out) = (Layer::new(Timers::default()), Vec::new());
    let client = layer.request(at(0), address(PROXY), request("BYE", "z9hG4bK1"), &mut out);
    let invite = request("INVITE", "z9hG4bK2");
    layer.receive(at(0), address(ALICE), invite.clone(), &mut out);
    layer
        .respond(at(1), TransactionId(2), answer(&invite, 486), &mut out)
        .expect("a first answer");
    out.clear();
    layer.transport_failed(at(2), client, &mut out);
    layer.transport_failed(at(2), client, &mut out);
    layer.transport_failed(at(2), TransactionId(2), &mut out);
    assert_eq!(
        seen(&mut out),
        ["transport error", "transport error"],
        "the client's comes once"
    );
    assert_eq!((layer.state(client), layer.len()), (None, 1));
}

#[test]
fn what_starts_no_transaction_comes_back_with_the_reason() {
    let (mut layer, mut out) = (Layer::with_capacity(Timers::default(), 1), Vec::new());
    layer.request(at(0), address(PROXY), request("BYE", "z9hG4bK1"), &mut out);
    out.clear();
    let mut without = request("BYE", "z9hG4bK9");
    without.remove("Via");
    let ok = answer(&request("BYE", "z9hG4bK9"), 200);
    for message in [
        request("BYE", "z9hG4bK1"),
        request("BYE", "z9hG4bK2"),
        request("BYE", "old"),
        request("ACK", "z9hG4bK3"),
        without,
        ok,
    ] {
        layer.request(at(0), address(PROXY), message, &mut out);
    }
    assert_eq!(
        seen(&mut out),
        [
            "refused: branch z9hG4bK1 is in use",
            "refused: 1 transactions are all that this layer may hold",
            "refused: the top Via has no branch that begins with z9hG4bK",
            "refused: ACK starts no client transaction",
            "refused: Missing Via header field",
            "refused: BYE starts no client transaction",
        ]
    );
    layer.receive(
        at(0),
        address(ALICE),
        request("INVITE", "z9hG4bK5"),
        &mut out,
    );
    assert_eq!(
        seen(&mut out),
        ["overloaded INVITE"],
        "memory stays bounded"
    );
    assert_eq!(layer.len(), 1);
}

#[test]
fn answers_that_cannot_be_given_are_named() {
    let (mut layer, mut out) = (Layer::new(Timers::default()), Vec::new());
    let client = layer.request(at(0), address(PROXY), request("BYE", "z9hG4bK1"), &mut out);
    let invite = request("INVITE", "z9hG4bK2");
    layer.receive(at(0), address(ALICE), invite.clone(), &mut out);
    let server = TransactionId(2);
    let mut respond = |id, message| layer.respond(at(1), id, message, &mut out);
    assert_eq!(
        respond(client, answer(&invite, 200)),
        Err(RespondError::NotServer(client))
    );
    assert_eq!(
        respond(TransactionId(9), answer(&invite, 200)),
        Err(RespondError::Unknown(TransactionId(9)))
    );
    assert_eq!(
        respond(server, invite.clone()),
        Err(RespondError::NotResponse)
    );
    assert_eq!(respond(server, answer(&invite, 486)), Ok(()));
    let illegal = Illegal {
        kind: Kind::InviteServer,
        state: State::Completed,
        event: Event::Success,
    };
    assert_eq!(
        respond(server, answer(&invite, 200)),
        Err(RespondError::Illegal(illegal))
    );
    out.clear();
    layer.receive(at(2), address(ALICE), invite, &mut out);
    assert_eq!(
        seen(&mut out),
        ["send 486 to 192.0.2.1:5060"],
        "the refused answer replaced nothing"
    );
}

/// Whoever waits for a run to become quiet must not wait for transactions that only catch repeats.
#[test]
fn an_answered_transaction_moves_from_work_to_lingering() {
    let (mut layer, mut out) = (Layer::new(Timers::default()), Vec::new());
    let bye = request("BYE", "z9hG4bK1");
    layer.request(at(0), address(PROXY), bye.clone(), &mut out);
    assert_eq!(
        (layer.working_deadline(), layer.lingering_deadline()),
        (Some(at(500)), None)
    );
    layer.receive(at(50), address(PROXY), answer(&bye, 200), &mut out);
    assert_eq!(
        (layer.working_deadline(), layer.lingering_deadline()),
        (None, Some(at(5_050)))
    );
    assert_eq!(layer.deadline(), Some(at(5_050)));
}

/// The life of one transaction as a trace records it.
#[test]
fn reports_tell_a_transaction_from_opening_to_closing() {
    let (mut layer, mut out) = (Layer::new(Timers::default()), Vec::new());
    let bye = request("BYE", "z9hG4bK1");
    let id = layer.request(at(0), address(PROXY), bye.clone(), &mut out);
    layer.receive(at(50), address(PROXY), answer(&bye, 200), &mut out);
    drain(&mut layer, &mut out);
    let reports: Vec<_> = out
        .into_iter()
        .filter_map(|output| {
            if let Output::Report(report) = output {
                Some(report)
            } else {
                None
            }
        })
        .collect();
    let (transaction, machine) = (id, Kind::NonInviteClient);
    let state = |from, to, on| Report::State {
        transaction,
        machine,
        from,
        to,
        on,
    };
    assert_eq!(
        reports,
        [
            Report::Opened {
                transaction,
                kind: machine,
                branch: "z9hG4bK1".to_owned(),
                method: Method::Bye
            },
            state(State::Initial, State::Trying, Event::Begin),
            Report::TimerSet {
                transaction,
                timer: Timer::F,
                at: at(32_000)
            },
            Report::TimerSet {
                transaction,
                timer: Timer::E,
                at: at(500)
            },
            state(State::Trying, State::Completed, Event::Success),
            Report::TimerCancelled {
                transaction,
                timer: Timer::E
            },
            Report::TimerCancelled {
                transaction,
                timer: Timer::F
            },
            Report::TimerSet {
                transaction,
                timer: Timer::K,
                at: at(5_050)
            },
            Report::TimerFired {
                transaction,
                timer: Timer::K
            },
            state(State::Completed, State::Terminated, Event::Fired(Timer::K)),
            Report::Closed { transaction },
        ]
    );
}

/// What goes out, with its transport and where to.
fn carried(out: &mut Vec<Output>) -> Vec<String> {
    let sent = out.drain(..).filter_map(|output| match output {
        Output::Send {
            message,
            destination,
            ..
        } => Some(format!(
            "{} {} to {destination}",
            message.method(),
            message.transport()
        )),
        _ => None,
    });
    sent.collect()
}

// RFC 3261 §9.1: a CANCEL goes where and how its INVITE went. Its maker wrote UDP, as it did in the INVITE.
#[test]
fn a_cancel_follows_its_invite_onto_tcp() {
    let (mut layer, mut out) = (Layer::new(Timers::default()), Vec::new());
    layer.set_usual_transport(Transport::Tcp);
    let mut invite = request("INVITE", "z9hG4bK1");
    invite.remove("Route");
    layer.request(at(0), address(PROXY), invite.clone(), &mut out);
    let mut cancel = request("CANCEL", "z9hG4bK1");
    cancel.set_request_uri("sip:bob@192.0.2.9");
    layer.request(at(5), address(PROXY), cancel, &mut out);
    assert_eq!(
        carried(&mut out),
        [
            format!("INVITE TCP to {PROXY}"),
            format!("CANCEL TCP to {PROXY}")
        ]
    );
    // Timer A does not run over TCP: at 31.9 s nothing but the 64·T1 of Timer B is left.
    layer.expire(at(31_999), &mut out);
    assert_eq!(carried(&mut out), [""; 0]);
    layer.expire(at(32_000), &mut out);
    assert!(seen(&mut out).contains(&"timeout B".to_owned()));
}

// RFC 3261 §18.1.1: too large for UDP, so TCP; refused, so UDP after all, repeated from then on as over UDP.
#[test]
fn a_large_request_goes_over_tcp_and_falls_back() {
    let (mut layer, mut out) = (Layer::new(Timers::default()), Vec::new());
    let mut large = request("MESSAGE", "z9hG4bK1");
    large.set_body("text/plain", vec![b'x'; 1300]);
    let id = layer.request(at(0), address(PROXY), large, &mut out);
    assert_eq!(carried(&mut out), [format!("MESSAGE TCP to {PROXY}")]);
    assert!(layer.uses_connection(address(PROXY)));
    assert!(layer.fall_back(at(10), id, &mut out));
    layer.expire(at(510), &mut out);
    assert_eq!(
        carried(&mut out),
        [
            format!("MESSAGE UDP to {PROXY}"),
            format!("MESSAGE UDP to {PROXY}")
        ]
    );
    assert!(!layer.fall_back(at(520), id, &mut out), "once is enough");
    assert!(!layer.uses_connection(address(PROXY)));
}

// RFC 3261 §18.2.2: over TCP a response goes back on the connection, whatever port the client listens on.
#[test]
fn a_response_over_tcp_goes_back_to_the_source() {
    let (mut layer, mut out) = (Layer::new(Timers::default()), Vec::new());
    let mut bye = request("BYE", "z9hG4bK1");
    bye.set_transport(Transport::Tcp);
    layer.receive(at(0), address("192.0.2.1:49152"), bye.clone(), &mut out);
    layer
        .respond(at(1), TransactionId(1), answer(&bye, 200), &mut out)
        .expect("it waits for an answer");
    assert_eq!(carried(&mut out), ["BYE TCP to 192.0.2.1:49152"]);
    // Timer J is zero over TCP (RFC 3261 §17.2.2): the transaction is gone at once.
    assert!(layer.is_empty());
}
