mod fork;
mod gate;
mod properties;
mod way;

use std::net::SocketAddr;
use std::time::Duration;

use super::{Event, Failure, Identity, Proxy, Statuses};
use crate::Instant;
use crate::sip::registrar::{Bindings, Limits};
use crate::sip::transaction::{Layer, Output, Timers, TransactionId};
use crate::sip::turn::Turn;
use crate::sip::{Limits as Sizes, Message, Verdict, parse};

const ALICE: &str = "192.0.2.1:5060";
const BOB: &str = "192.0.2.2:5060";

/// A proxy core over its transaction layer, at one moment.
struct Bench {
    now: Instant,
    layer: Layer,
    proxy: Proxy,
    bindings: Bindings,
    draws: u64,
    /// What went out last.
    sent: Vec<(SocketAddr, Message)>,
    noted: Vec<Event>,
}

impl Bench {
    fn new(statuses: Statuses) -> Self {
        let identity = Identity {
            address: address("192.0.2.9:5060"),
            domain: "sim.test".to_owned(),
            users: ["1001", "1002"].map(str::to_owned).into(),
        };
        let mut bench = Self {
            now: Instant::START,
            layer: Layer::new(Timers::default()),
            proxy: Proxy::new(identity, statuses),
            bindings: Bindings::new(Limits::default()),
            draws: 0,
            sent: Vec::new(),
            noted: Vec::new(),
        };
        bench.register("sip:1002@sim.test", "<sip:1002@192.0.2.2>");
        bench
    }

    /// Adds a contact of a user.
    fn register(&mut self, aor: &str, contact: &str) {
        let extra = format!("Contact: {contact}\r\n");
        let mut request = message("REGISTER sip:sim.test", "REGISTER", &extra);
        request.set("Call-ID", &contact.replace(['<', '>'], ""));
        self.bindings
            .register(Instant::START, aor, &request)
            .unwrap();
    }

    /// A message arrives; returns what went out, in words.
    fn receive(&mut self, source: &str, message: Message) -> Vec<String> {
        let mut below = Vec::new();
        self.layer
            .receive(self.now, address(source), message, &mut below);
        self.settle(below, |_, _| {})
    }

    /// Time passes, step by step.
    fn wait(&mut self, length: Duration) -> Vec<String> {
        let until = self.now + length;
        let mut all = Vec::new();
        loop {
            let next = self
                .layer
                .deadline()
                .into_iter()
                .chain(self.proxy.deadline())
                .chain(self.proxy.lingering_deadline())
                .min();
            let Some(at) = next.filter(|at| *at <= until) else {
                break;
            };
            self.now = at;
            let mut below = Vec::new();
            self.layer.expire(at, &mut below);
            all.extend(self.settle(below, |_, _| {}));
            all.extend(self.settle(Vec::new(), |proxy, turn| proxy.expire(turn)));
        }
        self.now = until;
        all
    }

    fn fail(&mut self, client: TransactionId, failure: Failure) -> Vec<String> {
        self.settle(Vec::new(), |proxy, turn| {
            proxy.send_failed(turn, client, failure);
        })
    }

    fn settle(
        &mut self,
        mut below: Vec<Output>,
        first: impl FnOnce(&mut Proxy, &mut Turn<'_, Event>),
    ) -> Vec<String> {
        let mut words = Vec::new();
        let mut above = Vec::new();
        self.sent.clear();
        let mut first = Some(first);
        loop {
            let queue = std::mem::take(&mut below);
            if queue.is_empty() && first.is_none() {
                break;
            }
            let draws = &mut self.draws;
            let mut turn = Turn {
                now: self.now,
                draw: &mut |_| {
                    *draws += 1;
                    *draws
                },
                layer: &mut self.layer,
                below: &mut below,
                above: &mut above,
            };
            if let Some(first) = first.take() {
                first(&mut self.proxy, &mut turn);
            }
            for output in queue {
                match output {
                    Output::Request {
                        transaction,
                        message,
                        ..
                    } => {
                        self.proxy
                            .request(&mut turn, &self.bindings, transaction, message);
                    }
                    Output::Ack { message, .. } => {
                        self.proxy.ack(&mut turn, &self.bindings, &message);
                    }
                    Output::Response {
                        transaction,
                        message,
                    } => {
                        self.proxy.response(&mut turn, transaction, message);
                    }
                    Output::Timeout { transaction, timer } => {
                        self.proxy.timeout(&mut turn, transaction, timer);
                    }
                    Output::Send {
                        destination,
                        message,
                        ..
                    } => {
                        words.push(format!("{} to {destination}", name(&message)));
                        self.sent.push((destination, message));
                    }
                    _ => {}
                }
            }
        }
        for event in above {
            match event {
                Event::Send {
                    destination,
                    message,
                } => {
                    words.push(format!("{} to {destination}", name(&message)));
                    self.sent.push((destination, message));
                }
                other => self.noted.push(other),
            }
        }
        words
    }

    fn last(&self) -> &Message {
        &self.sent.last().expect("something was sent").1
    }
}

fn name(message: &Message) -> String {
    match message.status() {
        Some(status) => format!("{status} {}", message.method()),
        None => message.method().to_string(),
    }
}

fn address(text: &str) -> SocketAddr {
    text.parse().expect("an address")
}

/// A message of alice's with these extra header lines.
fn message(start: &str, method: &str, extra: &str) -> Message {
    let text = format!(
        "{start} SIP/2.0\r\nVia: SIP/2.0/UDP {ALICE};branch=z9hG4bKalice\r\nFrom: <sip:1001@sim.test>;tag=a\r\n\
         To: <sip:1002@sim.test>\r\nCall-ID: c@x\r\nCSeq: 1 {method}\r\n{extra}Content-Length: 0\r\n\r\n"
    );
    match parse(text.as_bytes(), &Sizes::default()) {
        Verdict::Accept(message) => message,
        other => panic!("{other:?}"),
    }
}

fn invite(extra: &str) -> Message {
    message("INVITE sip:1002@sim.test", "INVITE", extra)
}

fn answer(request: &Message, code: u16) -> Message {
    let mut response = Message::response_to(request, crate::sip::Status::new(code).unwrap(), None);
    response.add_to_tag("b");
    response
}

#[test]
fn a_forwarded_invite_is_changed_only_where_a_proxy_must() {
    let mut bench = Bench::new(Statuses::INCIDENT);
    let request = invite("Max-Forwards: 5\r\nX-Odd:  kept \t as it is\r\n");
    assert_eq!(
        bench.receive(ALICE, request.clone()),
        ["100 INVITE to 192.0.2.1:5060", "INVITE to 192.0.2.2:5060"]
    );
    let copy = bench.last();
    assert_eq!(copy.request_uri(), Some("sip:1002@192.0.2.2"));
    assert_eq!(copy.header("Max-Forwards"), Some("4"));
    assert_eq!(copy.header("Record-Route"), Some("<sip:192.0.2.9:5060;lr>"));
    assert_eq!(copy.values("Via").count(), 2);
    let raw = |message: &Message| {
        message
            .fields_of("X-Odd")
            .next()
            .map(|field| field.raw().to_vec())
    };
    assert_eq!(raw(copy), raw(&request));
}

#[test]
fn responses_go_up_less_our_via_and_never_a_100() {
    let mut bench = Bench::new(Statuses::INCIDENT);
    bench.receive(ALICE, invite(""));
    let copy = bench.last().clone();
    assert_eq!(bench.receive(BOB, answer(&copy, 100)), Vec::<String>::new());
    assert_eq!(
        bench.receive(BOB, answer(&copy, 180)),
        ["180 INVITE to 192.0.2.1:5060"]
    );
    assert_eq!(bench.last().values("Via").count(), 1);
    assert_eq!(
        bench.receive(BOB, answer(&copy, 200)),
        ["200 INVITE to 192.0.2.1:5060"]
    );
    // A repeated 2xx is the UAS core's, end to end: it goes up each time.
    assert_eq!(
        bench.receive(BOB, answer(&copy, 200)),
        ["200 INVITE to 192.0.2.1:5060"]
    );
    bench.wait(Duration::from_secs(40));
    assert_eq!((bench.proxy.contexts(), bench.layer.len()), (0, 0));
}

#[test]
fn a_lone_503_goes_up_as_500() {
    let mut bench = Bench::new(Statuses::INCIDENT);
    bench.receive(ALICE, invite(""));
    let copy = bench.last().clone();
    let sent = bench.receive(BOB, answer(&copy, 503));
    assert_eq!(
        sent,
        ["ACK to 192.0.2.2:5060", "500 INVITE to 192.0.2.1:5060"]
    );
}

#[test]
fn a_final_response_that_lost_our_upstream_is_a_bad_gateway() {
    let mut bench = Bench::new(Statuses::INCIDENT);
    bench.receive(ALICE, message("MESSAGE sip:1002@sim.test", "MESSAGE", ""));
    let mut response = answer(bench.last(), 200);
    let own = response.remove_first_value("Via").unwrap();
    response.set("Via", &own);
    assert_eq!(
        bench.receive(BOB, response),
        ["502 MESSAGE to 192.0.2.1:5060"]
    );
    assert_eq!(bench.proxy.contexts(), 0);
}

#[test]
fn timer_c_cancels_what_rings_and_gives_it_up_when_even_that_brings_no_end() {
    let mut bench = Bench::new(Statuses::INCIDENT);
    bench.receive(ALICE, invite(""));
    let copy = bench.last().clone();
    bench.receive(BOB, answer(&copy, 180));
    assert_eq!(
        bench.wait(Duration::from_micros(180_999_999)),
        Vec::<String>::new()
    );
    assert_eq!(
        bench.wait(Duration::from_micros(1)),
        ["CANCEL to 192.0.2.2:5060"]
    );
    // The peer answers the CANCEL and nothing else: 64·T1 later the INVITE counts as 408.
    let cancel = bench.last().clone();
    bench.receive(BOB, answer(&cancel, 200));
    let rest = bench.wait(Duration::from_secs(32));
    assert_eq!(rest, ["408 INVITE to 192.0.2.1:5060"]);
    assert_eq!(bench.proxy.contexts(), 0);
}

#[test]
fn a_cancel_goes_on_only_once_the_next_hop_has_been_heard() {
    // RFC 3261 §9.1: before a provisional response it might overtake the INVITE.
    let mut bench = Bench::new(Statuses::INCIDENT);
    bench.receive(ALICE, invite(""));
    let copy = bench.last().clone();
    let mut cancel = message("CANCEL sip:1002@sim.test", "CANCEL", "");
    cancel.set("CSeq", "1 CANCEL");
    assert_eq!(
        bench.receive(ALICE, cancel),
        ["200 CANCEL to 192.0.2.1:5060"]
    );
    assert_eq!(
        bench.receive(BOB, answer(&copy, 100)),
        ["CANCEL to 192.0.2.2:5060"]
    );
    assert_eq!(
        bench.last().values("Via").next(),
        copy.values("Via").next(),
        "the branch of its INVITE"
    );
}

#[test]
fn a_new_provisional_response_starts_timer_c_again() {
    let mut bench = Bench::new(Statuses::INCIDENT);
    bench.receive(ALICE, invite(""));
    let copy = bench.last().clone();
    bench.receive(BOB, answer(&copy, 180));
    bench.wait(Duration::from_secs(100));
    bench.receive(BOB, answer(&copy, 183));
    assert_eq!(bench.wait(Duration::from_secs(180)), Vec::<String>::new());
    assert_eq!(
        bench.wait(Duration::from_secs(1)),
        ["CANCEL to 192.0.2.2:5060"]
    );
}

#[test]
fn failures_get_the_status_of_their_kind() {
    let dialog = "<sip:1002@sim.test>;tag=b";
    let cases = [
        ("INVITE", None, Failure::Unreachable, "480", "500"),
        ("MESSAGE", None, Failure::Unreachable, "480", "500"),
        ("UPDATE", Some(dialog), Failure::Unreachable, "480", "500"),
        ("BYE", Some(dialog), Failure::Unreachable, "408", "500"),
        ("BYE", Some(dialog), Failure::Network, "503", "500"),
        ("INVITE", None, Failure::Program, "502", "500"),
    ];
    for (method, to, failure, incident, rfc3261) in cases {
        for (statuses, expected) in [(Statuses::INCIDENT, incident), (Statuses::RFC3261, rfc3261)] {
            let mut bench = Bench::new(statuses);
            let mut request = message(&format!("{method} sip:1002@sim.test"), method, "");
            if let Some(to) = to {
                request.set("To", to);
            }
            bench.receive(ALICE, request);
            let client = *bench.proxy.upstream.keys().next().expect("one branch");
            let sent = bench.fail(client, failure);
            assert_eq!(
                sent,
                [format!("{expected} {method} to 192.0.2.1:5060")],
                "{method} {failure:?}"
            );
            assert_eq!(bench.proxy.contexts(), 0);
        }
    }
}

#[test]
fn our_own_route_is_taken_out_and_the_next_one_decides() {
    let mut bench = Bench::new(Statuses::INCIDENT);
    let request = message(
        "BYE sip:bob@192.0.2.77",
        "BYE",
        "Route: <sip:192.0.2.9;lr>, <sip:192.0.2.33:5070;lr>\r\n",
    );
    assert_eq!(bench.receive(ALICE, request), ["BYE to 192.0.2.33:5070"]);
    assert_eq!(
        bench.last().header("Route"),
        Some("<sip:192.0.2.33:5070;lr>")
    );
    assert_eq!(bench.last().request_uri(), Some("sip:bob@192.0.2.77"));
}

#[test]
fn strict_routers_on_either_side_are_understood() {
    // RFC 3261 §16.4 and §16.6 step 6; the shape of §16.12.1.2's example.
    let mut bench = Bench::new(Statuses::INCIDENT);
    let request = message(
        "BYE sip:192.0.2.9:5060;lr",
        "BYE",
        "Route: <sip:192.0.2.33>\r\nRoute: <sip:bob@192.0.2.77>\r\n",
    );
    assert_eq!(bench.receive(ALICE, request), ["BYE to 192.0.2.33:5060"]);
    assert_eq!(bench.last().request_uri(), Some("sip:192.0.2.33"));
    assert_eq!(
        bench.last().values("Route").collect::<Vec<_>>(),
        ["<sip:bob@192.0.2.77>"]
    );
}

#[test]
fn an_ack_goes_on_without_a_transaction_and_repeats_with_the_same_branch() {
    let mut bench = Bench::new(Statuses::INCIDENT);
    let ack = message("ACK sip:1002@192.0.2.2", "ACK", "");
    let branch = |bench: &Bench| bench.last().top_via().unwrap().branch().unwrap().to_owned();
    assert_eq!(bench.receive(ALICE, ack.clone()), ["ACK to 192.0.2.2:5060"]);
    let first = branch(&bench);
    bench.receive(ALICE, ack);
    assert_eq!(branch(&bench), first);
    assert!(bench.layer.is_empty());
}

#[test]
fn a_target_without_an_address_is_a_network_failure() {
    let mut bench = Bench::new(Statuses::INCIDENT);
    bench.register("sip:1001@sim.test", "<sip:1001@phone.example>");
    let sent = bench.receive(ALICE, message("INVITE sip:1001@sim.test", "INVITE", ""));
    assert_eq!(
        sent,
        [
            "100 INVITE to 192.0.2.1:5060",
            "503 INVITE to 192.0.2.1:5060"
        ]
    );
    assert!(matches!(bench.noted[..], [Event::NoAddress { .. }]));
}
