//! What no well-behaved phone does, and what only the bytes can show. Calls between phones are tested with the actor.

use std::net::SocketAddr;
use std::time::Duration;

use super::{B2bua, B2buaTurn, Config, Event, Target};
use crate::Instant;
use crate::sip::transaction::{Layer, Output, Timers};
use crate::sip::turn::Turn;
use crate::sip::{Limits, Message, Status, Uri, Verdict, parse};

const HERE: &str = "192.0.2.9:5060";
const CALLER: &str = "192.0.2.1:5060";
const CALLEE: &str = "192.0.2.2:5060";

/// A B2BUA over its transaction layer, with both peers' ends of the wire in the test's hands.
struct Bench {
    now: Instant,
    layer: Layer,
    core: B2bua,
    draws: u64,
    sent: Vec<(SocketAddr, Message)>,
    open: i32,
}

impl Bench {
    fn new() -> Self {
        Self {
            now: Instant::START,
            layer: Layer::new(Timers::default()),
            core: B2bua::new(Config::new(address(HERE))),
            draws: 0,
            sent: Vec::new(),
            open: 0,
        }
    }

    /// With a call whose INVITE, with that body, has reached the callee.
    fn calling(body: &str) -> Self {
        let mut bench = Self::new();
        assert_eq!(
            bench.receive(CALLER, &invite(body)),
            ["100 INVITE to caller", "INVITE to callee"]
        );
        bench
    }

    fn receive(&mut self, from: &str, bytes: &str) -> Vec<String> {
        let Verdict::Accept(message) = parse(bytes.as_bytes(), &Limits::default()) else {
            panic!("no message: {bytes}");
        };
        let first = self.sent.len();
        let mut below = Vec::new();
        self.layer
            .receive(self.now, address(from), message, &mut below);
        self.settle(below);
        self.words(first)
    }

    /// The callee's answer to the INVITE that it has, with that To tag and body.
    fn answer(&mut self, status: &str, tag: &str, body: &str) -> Vec<String> {
        let invite = self.last("INVITE to callee");
        let field = |name| invite.header(name).unwrap_or_default();
        let text = format!(
            "SIP/2.0 {status}\r\nVia: {}\r\nFrom: {}\r\nTo: {};tag={tag}\r\nCall-ID: {}\r\nCSeq: {}\r\n\
             Contact: <sip:1008@{CALLEE}>\r\n{}",
            field("Via"),
            field("From"),
            field("To"),
            field("Call-ID"),
            field("CSeq"),
            content(body)
        );
        self.receive(CALLEE, &text)
    }

    /// A request of the caller's in the dialog of its leg.
    fn in_dialog(&mut self, method: &str, cseq: u32, body: &str) -> Vec<String> {
        let ok = self.last("200 INVITE to caller");
        let text = format!(
            "{method} sip:1008@{HERE} SIP/2.0\r\nVia: SIP/2.0/UDP {CALLER};branch=z9hG4bK-{method}-{cseq}\r\nFrom: {}\r\n\
             To: {}\r\nCall-ID: call@caller\r\nCSeq: {cseq} {method}\r\nMax-Forwards: 70\r\n{}",
            ok.header("From").unwrap_or_default(),
            ok.header("To").unwrap_or_default(),
            content(body)
        );
        self.receive(CALLER, &text)
    }

    fn wait(&mut self, millis: u64) -> Vec<String> {
        let (first, until) = (self.sent.len(), self.now + Duration::from_millis(millis));
        loop {
            let core = [self.core.deadline(), self.core.lingering_deadline()];
            let next = self
                .layer
                .deadline()
                .into_iter()
                .chain(core.into_iter().flatten());
            let Some(at) = next.min().filter(|at| *at <= until) else {
                break;
            };
            self.now = self.now.max(at);
            let mut below = Vec::new();
            self.layer.expire(self.now, &mut below);
            self.settle(below);
            let below = self.step(|core, turn| core.expire(turn));
            self.settle(below);
        }
        self.now = until;
        self.words(first)
    }

    fn settle(&mut self, mut below: Vec<Output>) {
        while !below.is_empty() {
            let outputs = std::mem::take(&mut below);
            for output in outputs {
                below.extend(match output {
                    Output::Send {
                        destination,
                        message,
                        ..
                    } => {
                        self.sent.push((destination, message));
                        Vec::new()
                    }
                    Output::Request {
                        transaction,
                        message,
                        ..
                    } => self.step(|core, turn| core.request(turn, transaction, &message)),
                    Output::Ack { message, .. } => self.step(|core, turn| core.ack(turn, &message)),
                    Output::Response {
                        transaction,
                        message,
                    } => self.step(|core, turn| core.response(turn, transaction, &message)),
                    Output::Timeout { transaction, timer } => {
                        self.step(|core, turn| core.timeout(turn, transaction, timer))
                    }
                    _ => Vec::new(),
                });
            }
        }
    }

    fn step(&mut self, step: impl FnOnce(&mut B2bua, &mut B2buaTurn<'_>)) -> Vec<Output> {
        let (mut below, mut above) = (Vec::new(), Vec::new());
        let draws = &mut self.draws;
        step(
            &mut self.core,
            &mut Turn {
                now: self.now,
                draw: &mut |_| {
                    *draws += 1;
                    *draws
                },
                layer: &mut self.layer,
                below: &mut below,
                above: &mut above,
            },
        );
        self.carry_out(&mut below, above);
        below
    }

    fn carry_out(&mut self, below: &mut Vec<Output>, above: Vec<Event>) {
        for event in above {
            match event {
                Event::Send {
                    destination,
                    message,
                } => self.sent.push((destination, message)),
                Event::Locate { call, .. } => {
                    let target = Target {
                        uri: Uri::parse(&format!("sip:1008@{CALLEE}")).unwrap(),
                        destination: address(CALLEE),
                    };
                    // Of one type, however deep: a closure's own type would nest in itself without end.
                    below.extend(self.step(|core, turn| core.located(turn, call, Ok(target))));
                }
                Event::CallOpened { .. } | Event::LegUp(..) => self.open += 1,
                Event::CallClosed(_) | Event::LegDown(..) => self.open -= 1,
                _ => {}
            }
        }
    }

    fn words(&self, first: usize) -> Vec<String> {
        self.sent[first..].iter().map(words).collect()
    }

    fn last(&self, wanted: &str) -> Message {
        let found = self.sent.iter().rfind(|sent| words(sent) == wanted);
        found.unwrap_or_else(|| panic!("no {wanted}")).1.clone()
    }
}

fn words((destination, message): &(SocketAddr, Message)) -> String {
    let to = if *destination == address(CALLER) {
        "caller"
    } else {
        "callee"
    };
    match message.status() {
        Some(status) => format!("{status} {} to {to}", message.method()),
        None => format!("{} to {to}", message.method()),
    }
}

fn address(text: &str) -> SocketAddr {
    text.parse().unwrap()
}

fn content(body: &str) -> String {
    let kind = if body.is_empty() {
        ""
    } else {
        "Content-Type: application/sdp\r\n"
    };
    format!("{kind}Content-Length: {}\r\n\r\n{body}", body.len())
}

fn request(method: &str, more: &str, body: &str) -> String {
    format!(
        "{method} sip:1008@sim.test SIP/2.0\r\nVia: SIP/2.0/UDP {CALLER};branch=z9hG4bK-first\r\n\
         From: \"Ann\" <sip:1004@sim.test>;tag=ann\r\nTo: <sip:1008@sim.test>\r\nCall-ID: call@caller\r\n\
         CSeq: 1 {method}\r\nContact: <sip:1004@{CALLER}>\r\n{more}{}",
        content(body)
    )
}

fn invite(body: &str) -> String {
    request("INVITE", "Max-Forwards: 70\r\n", body)
}

const OFFER: &str = "v=0\r\nm=audio 4000 RTP/AVP 0\r\n";

#[test]
fn a_leg_shares_nothing_with_the_other_but_the_body() {
    let bench = Bench::calling(OFFER);
    let out = bench.last("INVITE to callee");
    assert_eq!(out.body().as_ref(), OFFER.as_bytes());
    assert_eq!(out.values("Via").count(), 1);
    assert_ne!(out.call_id().unwrap(), "call@caller");
    let from = out.from().unwrap();
    assert_eq!(
        (from.display().as_str(), from.uri_str()),
        ("Ann", "sip:1004@sim.test")
    );
    assert_ne!(from.tag(), Some("ann"));
    assert_eq!(out.header("Contact"), Some("<sip:1004@192.0.2.9:5060>"));
    // RFC 7332: one less.
    assert_eq!(out.max_forwards(), Ok(Some(69)));
}

#[test]
fn an_offer_in_the_answer_is_answered_by_the_callers_ack() {
    let mut bench = Bench::calling("");
    assert_eq!(
        bench.answer("200 OK", "bob", OFFER),
        ["200 INVITE to caller"]
    );
    assert_eq!(
        bench.last("200 INVITE to caller").body().as_ref(),
        OFFER.as_bytes()
    );
    // Nothing may acknowledge it before: the answer to the offer is not known.
    assert_eq!(bench.answer("200 OK", "bob", OFFER), Vec::<String>::new());
    assert_eq!(
        bench.in_dialog("ACK", 1, "v=0\r\nm=audio 9 RTP/AVP 0\r\n"),
        ["ACK to callee"]
    );
    assert_eq!(
        bench.last("ACK to callee").body().as_ref(),
        b"v=0\r\nm=audio 9 RTP/AVP 0\r\n"
    );
}

#[test]
fn a_bye_before_the_ack_takes_nothing_of_what_was_offered() {
    let mut bench = Bench::calling("");
    bench.answer("200 OK", "bob", OFFER);
    // RFC 3261 §15: the caller may; §13.2.2.4: the 200 has its ACK first, with an answer.
    assert_eq!(
        bench.in_dialog("BYE", 2, ""),
        ["ACK to callee", "200 BYE to caller", "BYE to callee"]
    );
    assert_eq!(
        bench.last("ACK to callee").body().as_ref(),
        b"v=0\r\nm=audio 0 RTP/AVP 0\r\n"
    );
}

#[test]
fn a_callees_bye_waits_for_the_callers_ack() {
    let mut bench = Bench::calling(OFFER);
    bench.answer("200 OK", "bob", OFFER);
    let out = bench.last("INVITE to callee");
    let bye = format!(
        "BYE sip:1004@{HERE} SIP/2.0\r\nVia: SIP/2.0/UDP {CALLEE};branch=z9hG4bK-bye\r\nFrom: {};tag=bob\r\nTo: {}\r\n\
         Call-ID: {}\r\nCSeq: 1 BYE\r\nMax-Forwards: 70\r\nContent-Length: 0\r\n\r\n",
        out.header("To").unwrap(),
        out.header("From").unwrap(),
        out.call_id().unwrap()
    );
    assert_eq!(
        bench.receive(CALLEE, &bye),
        ["ACK to callee", "200 BYE to callee"]
    );
    assert_eq!(bench.in_dialog("ACK", 1, ""), ["BYE to caller"]);
}

#[test]
fn every_branch_of_a_fork_but_the_first_is_acknowledged_and_ended() {
    let mut bench = Bench::calling(OFFER);
    bench.answer("200 OK", "bob", OFFER);
    assert_eq!(
        bench.answer("200 OK", "tablet", OFFER),
        ["ACK to callee", "BYE to callee"]
    );
    // A repeat of it wants its ACK and nothing else.
    assert_eq!(bench.answer("200 OK", "tablet", OFFER), ["ACK to callee"]);
    bench.in_dialog("ACK", 1, "");
    assert_eq!(bench.answer("200 OK", "bob", OFFER), ["ACK to callee"]);
}

#[test]
fn an_answer_that_crosses_the_cancel_is_acknowledged_and_ended() {
    let mut bench = Bench::calling(OFFER);
    bench.answer("180 Ringing", "bob", "");
    let cancel = request("CANCEL", "Max-Forwards: 70\r\n", "");
    assert_eq!(
        bench.receive(CALLER, &cancel),
        [
            "200 CANCEL to caller",
            "CANCEL to callee",
            "487 INVITE to caller"
        ]
    );
    assert_eq!(
        bench.answer("200 OK", "bob", OFFER),
        ["ACK to callee", "BYE to callee"]
    );
    // A repeated CANCEL still finds its INVITE.
    assert_eq!(bench.receive(CALLER, &cancel), ["200 CANCEL to caller"]);
    bench.wait(100_000);
    assert_eq!((bench.open, bench.core.calls()), (0, 0));
}

#[test]
fn a_cancelled_callee_that_never_says_another_word_is_given_up() {
    let mut bench = Bench::calling(OFFER);
    bench.answer("180 Ringing", "bob", "");
    bench.receive(CALLER, &request("CANCEL", "Max-Forwards: 70\r\n", ""));
    bench.wait(31_999);
    assert_eq!(bench.core.calls(), 1);
    // RFC 3261 §9.1: 64·T1 after the CANCEL.
    bench.wait(1);
    assert_eq!((bench.open, bench.core.calls()), (0, 0));
}

#[test]
fn a_second_invite_before_the_ack_is_for_later() {
    let mut bench = Bench::calling(OFFER);
    bench.answer("200 OK", "bob", OFFER);
    // RFC 3261 §14.2
    assert_eq!(
        bench.in_dialog("INVITE", 2, OFFER),
        ["500 INVITE to caller"]
    );
    let later = bench
        .last("500 INVITE to caller")
        .retry_after()
        .unwrap()
        .unwrap();
    assert!(later <= 10, "{later}");
}

#[test]
fn what_is_not_understood_is_refused_with_what_is() {
    for (method, more, status, with) in [
        ("SUBSCRIBE", "Max-Forwards: 70\r\n", 405, "Allow"),
        ("BREW", "Max-Forwards: 70\r\n", 501, "Allow"),
        (
            "INVITE",
            "Max-Forwards: 70\r\nRequire: 100rel\r\n",
            420,
            "Unsupported",
        ),
        ("INVITE", "Max-Forwards: 0\r\n", 483, "To"),
        ("BYE", "Max-Forwards: 70\r\n", 481, "To"),
        ("CANCEL", "Max-Forwards: 70\r\n", 481, "To"),
    ] {
        let mut bench = Bench::new();
        let answer = format!("{status} {method} to caller");
        assert_eq!(
            bench.receive(CALLER, &request(method, more, "")),
            [answer.as_str()]
        );
        assert!(bench.last(&answer).header(with).is_some(), "{method}");
        assert_eq!(bench.open, 0);
    }
}

#[test]
fn a_caller_is_told_what_else_came_with_a_refusal() {
    let mut bench = Bench::calling(OFFER);
    let invite = bench.last("INVITE to callee");
    let refusal = Message::response_to(&invite, Status::new(488).unwrap(), Some("No way"));
    let mut refusal = refusal;
    refusal.add_to_tag("bob");
    refusal.append("Warning", "304 192.0.2.2 \"Media type not available\"");
    refusal.set_body("application/sdp", "v=0\r\n");
    let text = String::from_utf8(refusal.to_bytes().to_vec()).unwrap();
    assert_eq!(
        bench.receive(CALLEE, &text),
        ["ACK to callee", "488 INVITE to caller"]
    );
    let relayed = bench.last("488 INVITE to caller");
    assert_eq!(relayed.reason().as_deref(), Some("No way"));
    assert_eq!(relayed.header("Warning"), refusal.header("Warning"));
    assert_eq!(relayed.body(), refusal.body());
    assert_ne!(relayed.to().unwrap().tag(), Some("bob"));
}

// RFC 3261 §13.2.2.4: every 2xx has its ACK, and what the call has no use for its BYE; without a Contact both can only go
// to where the INVITE went. A repeated 2xx gets the same ACK and no second BYE.
#[test]
fn an_answer_without_a_contact_is_a_bad_gateway_and_is_ended() {
    let mut bench = Bench::calling(OFFER);
    let invite = bench.last("INVITE to callee");
    let mut ok = Message::response_to(&invite, Status::OK, None);
    ok.add_to_tag("bob");
    let text = String::from_utf8(ok.to_bytes().to_vec()).unwrap();
    let sent = bench.receive(CALLEE, &text);
    assert_eq!(
        sent,
        ["ACK to callee", "BYE to callee", "502 INVITE to caller"]
    );
    assert_eq!(
        bench.last("ACK to callee").request_uri(),
        invite.request_uri()
    );
    assert_eq!(bench.receive(CALLEE, &text), ["ACK to callee"]);
}

// The word about the transport is in the Contact of each leg or nowhere: each is carried by what its own peer uses.
#[test]
fn a_contact_names_what_carries_its_leg() {
    let over_tcp = invite(OFFER).replace("SIP/2.0/UDP", "SIP/2.0/TCP");
    for (bytes, way) in [(invite(OFFER), ""), (over_tcp, ";transport=tcp")] {
        let mut bench = Bench::new();
        bench.receive(CALLER, &bytes);
        let to_callee = bench.last("INVITE to callee");
        assert_eq!(
            to_callee.header("Contact"),
            Some(format!("<sip:1004@{HERE}>").as_str())
        );
        bench.answer("200 OK", "bob", OFFER);
        let to_caller = bench.last("200 INVITE to caller");
        assert_eq!(
            to_caller.header("Contact"),
            Some(format!("<sip:1008@{HERE}{way}>").as_str())
        );
    }
}
