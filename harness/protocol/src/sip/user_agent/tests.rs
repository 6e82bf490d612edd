mod again;
mod endings;
mod offer;
mod reliable;
mod session_timer;
mod single;
mod transfer;

use std::net::SocketAddr;
use std::time::Duration;

use super::{Answer, Config, Ending, Event, Extensions, Glare, Media, UserAgent, UserAgentTurn};
use crate::Instant;
use crate::sip::transaction::{Layer, Output, Timers};
use crate::sip::turn::Turn;
use crate::sip::{Limits, Message, Method, Status, Uri, Verdict, parse};

const PROXY: &str = "192.0.2.9:5060";
const ANSWER: &str = "v=0\r\no=- 1 1 IN IP4 192.0.2.2\r\ns=-\r\nc=IN IP4 192.0.2.2\r\nt=0 0\r\nm=audio 9 RTP/AVP 0\r\n";

/// A user agent over its transaction layer, with the proxy's side of the wire in the test's hands.
struct Bench {
    now: Instant,
    layer: Layer,
    agent: UserAgent,
    draws: u64,
    sent: Vec<Message>,
    noted: Vec<Event>,
}

impl Bench {
    fn new() -> Self {
        Self::with(Extensions::default())
    }

    fn with(extensions: Extensions) -> Self {
        let config = Config {
            user: "1001".to_owned(),
            password: Some("secret".to_owned()),
            domain: "sim.test".to_owned(),
            address: address("192.0.2.1:5060"),
            proxy: address(PROXY),
            expires: Duration::from_secs(30),
            answer: Answer::default(),
            extensions,
            transport: crate::sip::Transport::Udp,
            media: Media::default(),
            glare: Glare::default(),
            other_servers: Vec::new(),
            required: Vec::new(),
        };
        Self {
            now: Instant::START,
            layer: Layer::new(Timers::default()),
            agent: UserAgent::new(config),
            draws: 0,
            sent: Vec::new(),
            noted: Vec::new(),
        }
    }

    /// The user does something; returns what went out, in words.
    fn act(&mut self, act: impl FnOnce(&mut UserAgent, &mut UserAgentTurn<'_>)) -> Vec<String> {
        let from = self.sent.len();
        let mut below = Vec::new();
        self.turn(&mut below, act);
        self.settle(below);
        self.words(from)
    }

    fn receive(&mut self, message: Message) -> Vec<String> {
        let from = self.sent.len();
        let mut below = Vec::new();
        self.layer
            .receive(self.now, address(PROXY), message, &mut below);
        self.settle(below);
        self.words(from)
    }

    fn wait(&mut self, length: Duration) -> Vec<String> {
        let (from, until) = (self.sent.len(), self.now + length);
        loop {
            let agent = self
                .agent
                .deadline()
                .into_iter()
                .chain(self.agent.background_deadline());
            let next = self.layer.deadline().into_iter().chain(agent).min();
            let Some(at) = next.filter(|at| *at <= until) else {
                break;
            };
            self.now = self.now.max(at);
            let mut below = Vec::new();
            self.layer.expire(at, &mut below);
            self.settle(below);
            self.act(|agent, turn| agent.expire(turn));
        }
        self.now = until;
        self.words(from)
    }

    fn settle(&mut self, mut below: Vec<Output>) {
        while !below.is_empty() {
            for output in std::mem::take(&mut below) {
                match output {
                    Output::Send { message, .. } => self.sent.push(message),
                    Output::Request {
                        transaction,
                        message,
                        ..
                    } => {
                        self.turn(&mut below, |agent, turn| {
                            agent.request(turn, transaction, &message);
                        });
                    }
                    Output::Ack { message, .. } => {
                        self.turn(&mut below, |agent, turn| agent.ack(turn, &message));
                    }
                    Output::Response {
                        transaction,
                        message,
                    } => {
                        self.turn(&mut below, |agent, turn| {
                            agent.response(turn, transaction, &message);
                        });
                    }
                    Output::Timeout { transaction, timer } => {
                        self.turn(&mut below, |agent, turn| {
                            agent.timeout(turn, transaction, timer);
                        });
                    }
                    _ => {}
                }
            }
        }
    }

    fn turn(
        &mut self,
        below: &mut Vec<Output>,
        act: impl FnOnce(&mut UserAgent, &mut UserAgentTurn<'_>),
    ) {
        let (draws, mut above) = (&mut self.draws, Vec::new());
        act(
            &mut self.agent,
            &mut Turn {
                now: self.now,
                draw: &mut |_| {
                    *draws += 1;
                    *draws
                },
                layer: &mut self.layer,
                below,
                above: &mut above,
            },
        );
        for event in above {
            match event {
                Event::Send { message, .. } => self.sent.push(message),
                other => self.noted.push(other),
            }
        }
    }

    fn words(&self, from: usize) -> Vec<String> {
        self.sent[from..].iter().map(name).collect()
    }

    /// The last message of that name.
    fn last(&self, wanted: &str) -> Message {
        let found = self
            .sent
            .iter()
            .rev()
            .find(|message| name(message) == wanted);
        found.cloned().unwrap_or_else(|| panic!("no {wanted}"))
    }

    /// An incoming call that was answered and acknowledged; returns its 200.
    fn answered_call(&mut self) -> Message {
        self.receive(request("INVITE", "1", ""));
        self.wait(Duration::from_secs(1));
        let ok = self.last("200 INVITE");
        self.receive(in_dialog("ACK", "ack", 1, &ok));
        ok
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

fn request(method: &str, branch: &str, extra: &str) -> Message {
    let text = format!(
        "{method} sip:1001@192.0.2.1 SIP/2.0\r\nVia: SIP/2.0/UDP {PROXY};branch=z9hG4bK{branch}\r\n\
         From: <sip:1002@sim.test>;tag=x\r\nTo: <sip:1001@sim.test>\r\nCall-ID: c@x\r\nCSeq: 1 {method}\r\n\
         Contact: <sip:1002@192.0.2.2>\r\n{extra}Content-Length: 0\r\n\r\n"
    );
    match parse(text.as_bytes(), &Limits::default()) {
        Verdict::Accept(message) => message,
        other => panic!("{other:?}"),
    }
}

fn in_dialog(method: &str, branch: &str, cseq: u32, response: &Message) -> Message {
    let mut message = request(method, branch, "");
    message.set("To", response.header("To").expect("a To"));
    message.set("CSeq", &format!("{cseq} {method}"));
    // Every INVITE of these tests leaves the offer to its 2xx, so that the ACK answers it (RFC 3261 §13.2.1).
    if method == "ACK" {
        message.set_body("application/sdp", ANSWER);
    }
    message
}

fn answer(request: &Message, code: u16, tag: &str) -> Message {
    let mut response = Message::response_to(request, Status::new(code).expect("a status"), None);
    response.add_to_tag(tag);
    response.append("Contact", "<sip:1002@192.0.2.2>");
    response
}

fn call(bench: &mut Bench) -> Message {
    let uri = Uri::parse("sip:1002@sim.test").expect("a URI");
    assert_eq!(bench.act(|agent, turn| agent.call(turn, &uri)), ["INVITE"]);
    bench.last("INVITE")
}

#[test]
fn a_second_fork_that_answers_is_acknowledged_and_ended() {
    let mut bench = Bench::new();
    let invite = call(&mut bench);
    assert_eq!(bench.receive(answer(&invite, 200, "one")), ["ACK"]);
    assert_eq!(bench.receive(answer(&invite, 200, "two")), ["ACK", "BYE"]);
    assert!(
        bench
            .last("BYE")
            .to()
            .is_ok_and(|to| to.tag() == Some("two")),
        "the first call stays"
    );
    // RFC 3261 §13.2.2.4: each repeated 2xx gets its own ACK again, and no second BYE.
    assert_eq!(bench.receive(answer(&invite, 200, "two")), ["ACK"]);
    let bye = bench.last("BYE");
    assert!(bench.receive(answer(&bye, 200, "two")).is_empty());
    assert_eq!(
        bench.receive(answer(&invite, 200, "two")),
        ["ACK"],
        "also once its BYE is answered and its dialog gone"
    );
    assert_eq!(bench.receive(answer(&invite, 200, "one")), ["ACK"]);
    assert!(
        bench
            .last("ACK")
            .to()
            .is_ok_and(|to| to.tag() == Some("one"))
    );
}

#[test]
fn a_2xx_that_crosses_the_cancel_is_acknowledged_and_ended() {
    let mut bench = Bench::new();
    let invite = call(&mut bench);
    bench.receive(answer(&invite, 180, "one"));
    assert_eq!(bench.act(|agent, turn| agent.hang_up(turn)), ["CANCEL"]);
    let bye = bench.receive(answer(&invite, 200, "one"));
    assert_eq!(bye, ["ACK", "BYE"]);
    let bye = bench.last("BYE");
    bench.receive(answer(&bye, 200, "one"));
    assert_eq!(bench.noted.last(), Some(&Event::CallClosed(1)));
}

#[test]
fn a_cancelled_invite_that_nobody_ends_is_given_up_after_64_t1() {
    let mut bench = Bench::new();
    let invite = call(&mut bench);
    bench.receive(answer(&invite, 180, "one"));
    bench.act(|agent, turn| agent.hang_up(turn));
    let cancel = bench.last("CANCEL");
    bench.receive(answer(&cancel, 200, "one"));
    bench.wait(Duration::from_micros(31_999_999));
    assert!(!bench.noted.contains(&Event::CallClosed(1)));
    bench.wait(Duration::from_micros(1));
    assert!(bench.noted.contains(&Event::CallClosed(1)));
    assert!(bench.layer.is_empty());
}

#[test]
fn the_same_invite_over_another_path_is_482_and_another_one_486() {
    let mut bench = Bench::new();
    assert_eq!(bench.receive(request("INVITE", "1", "")), ["180 INVITE"]);
    assert_eq!(bench.receive(request("INVITE", "2", "")), ["482 INVITE"]);
    let mut other = request("INVITE", "3", "");
    other.set("Call-ID", "other@x");
    assert_eq!(bench.receive(other), ["486 INVITE"]);
}

#[test]
fn a_bye_or_cancel_before_the_answer_ends_the_invite_with_487() {
    for ending in ["BYE", "CANCEL"] {
        let mut bench = Bench::new();
        bench.receive(request("INVITE", "1", ""));
        let ringing = bench.last("180 INVITE");
        let end = match ending {
            "BYE" => in_dialog("BYE", "bye", 2, &ringing),
            _ => request("CANCEL", "1", ""),
        };
        assert_eq!(
            bench.receive(end),
            [format!("200 {ending}"), "487 INVITE".to_owned()]
        );
        // RFC 3261 §9.2: the CANCEL's 200 has the To tag of the INVITE's responses.
        if ending == "CANCEL" {
            assert_eq!(bench.last("200 CANCEL").header("To"), ringing.header("To"));
        }
        assert_eq!(bench.noted.last(), Some(&Event::CallClosed(1)));
    }
}

#[test]
fn a_reinvite_is_answered_and_the_one_before_its_ack_is_not() {
    let mut bench = Bench::new();
    let ok = bench.answered_call();
    assert_eq!(
        bench.receive(in_dialog("INVITE", "2", 2, &ok)),
        ["200 INVITE"]
    );
    // RFC 3261 §14.2: still pending until its ACK is there.
    assert_eq!(
        bench.receive(in_dialog("INVITE", "3", 3, &ok)),
        ["500 INVITE"]
    );
    let wait = bench.last("500 INVITE").retry_after().unwrap();
    assert!(wait.is_some_and(|seconds| seconds <= 10), "{wait:?}");
    assert_eq!(
        bench.receive(in_dialog("BYE", "4", 1, &ok)),
        ["500 BYE"],
        "older than what was seen"
    );
}

#[test]
fn the_callee_hangs_up_only_once_its_answer_is_acknowledged() {
    let mut bench = Bench::new();
    bench.receive(request("INVITE", "1", ""));
    bench.wait(Duration::from_secs(1));
    let ok = bench.last("200 INVITE");
    assert_eq!(
        bench.act(|agent, turn| agent.hang_up(turn)),
        Vec::<String>::new()
    );
    assert_eq!(bench.receive(in_dialog("ACK", "ack", 1, &ok)), ["BYE"]);
    assert!(bench.noted.contains(&Event::CallEnded(
        1,
        "sip:1002@sim.test".to_owned(),
        Ending::Here
    )));
}

#[test]
fn what_cannot_be_understood_is_named() {
    let mut bench = Bench::new();
    let another = |id: &str| {
        let mut invite = request("INVITE", id, "");
        invite.set("Call-ID", id);
        invite
    };
    bench.receive(request("INVITE", "1", "Require: 100rel, x\r\n"));
    assert_eq!(
        bench.last("420 INVITE").header("Unsupported"),
        Some("100rel, x")
    );
    let mut odd = another("2");
    odd.set_body("text/plain", "hello");
    bench.receive(odd);
    assert_eq!(
        bench.last("415 INVITE").header("Accept"),
        Some("application/sdp")
    );
    bench.receive(request("SUBSCRIBE", "3", ""));
    assert!(bench.last("405 SUBSCRIBE").allow().contains(&Method::Bye));
    let mut stranger = another("4");
    stranger.set_request_uri("sip:somebody@192.0.2.1");
    assert_eq!(bench.receive(stranger), ["404 INVITE"]);
    let mut nowhere = another("5");
    nowhere.remove("Contact");
    bench.receive(nowhere);
    assert_eq!(
        bench.last("400 INVITE").reason().as_deref(),
        Some("Missing Contact header field")
    );
}

#[test]
fn a_registration_that_is_too_brief_is_asked_for_once_more_with_min_expires() {
    let mut bench = Bench::new();
    assert_eq!(bench.act(|agent, turn| agent.register(turn)), ["REGISTER"]);
    let first = bench.last("REGISTER");
    assert_eq!(first.expires(), Ok(Some(30)));
    let mut brief = answer(&first, 423, "r");
    brief.append("Min-Expires", "60");
    assert_eq!(bench.receive(brief), ["REGISTER"]);
    let second = bench.last("REGISTER");
    assert_eq!(second.expires(), Ok(Some(60)));
    // RFC 3261 §10.2: one Call-ID, a CSeq that rises.
    assert_eq!(second.call_id(), first.call_id());
    assert_eq!(second.cseq().map(|cseq| cseq.number), Ok(2));
    // A registrar that keeps saying so is not asked without end.
    let mut again = answer(&second, 423, "r");
    again.append("Min-Expires", "60");
    assert_eq!(bench.receive(again), Vec::<String>::new());
}

#[test]
fn who_changes_his_mind_waits_for_the_answer_that_is_due() {
    let mut bench = Bench::new();
    bench.act(|agent, turn| agent.register(turn));
    // RFC 3261 §10.2: no new registration before the final response to the one before.
    assert_eq!(
        bench.act(|agent, turn| agent.unregister(turn)),
        Vec::<String>::new()
    );
    let register = bench.last("REGISTER");
    assert_eq!(bench.receive(answer(&register, 200, "r")), ["REGISTER"]);
    let remove = bench.last("REGISTER");
    assert_eq!(remove.expires(), Ok(Some(0)));
    bench.receive(answer(&remove, 200, "r"));
    assert_eq!(bench.noted.last(), Some(&Event::Unregistered));
    assert_eq!(
        bench.agent.background_deadline(),
        None,
        "nothing is refreshed any more"
    );
}

#[test]
fn a_retry_after_is_waited_for() {
    let mut bench = Bench::new();
    bench.act(|agent, turn| agent.register(turn));
    let mut busy = answer(&bench.last("REGISTER"), 503, "r");
    busy.append("Retry-After", "300");
    bench.receive(busy);
    assert_eq!(
        bench.wait(Duration::from_micros(299_999_999)),
        Vec::<String>::new()
    );
    assert_eq!(bench.wait(Duration::from_micros(1)), ["REGISTER"]);
}

#[test]
fn a_refused_reinvite_leaves_the_dialog_unless_the_peer_has_lost_it() {
    for (code, expected) in [
        (488, vec!["ACK"]),
        (480, vec!["ACK"]),
        (481, vec!["ACK", "BYE"]),
        (408, vec!["ACK", "BYE"]),
    ] {
        let mut bench = Bench::new();
        bench.answered_call();
        assert_eq!(
            bench.act(|agent, turn| agent.reinvite(turn, None)),
            ["INVITE"]
        );
        let refused = answer(&bench.last("INVITE"), code, "x");
        assert_eq!(bench.receive(refused), expected, "{code}");
    }
}

#[test]
fn crossing_reinvites_are_491_and_tried_again() {
    let mut bench = Bench::new();
    let ok = bench.answered_call();
    bench.act(|agent, turn| agent.reinvite(turn, None));
    let ours = bench.last("INVITE");
    assert_eq!(
        bench.receive(in_dialog("INVITE", "2", 2, &ok)),
        ["491 INVITE"]
    );
    assert_eq!(bench.receive(answer(&ours, 491, "x")), ["ACK"]);
    let sent = bench.wait(Duration::from_secs(2));
    assert!(sent.contains(&"INVITE".to_owned()), "{sent:?}");
    // The second one is taken, and the repeated 2xx acknowledged again.
    let again = bench.last("INVITE");
    assert_eq!(bench.receive(answer(&again, 200, "x")), ["ACK"]);
    assert_eq!(bench.receive(answer(&again, 200, "x")), ["ACK"]);
    assert!(
        bench
            .noted
            .contains(&Event::Changed(1, "sip:1002@sim.test".to_owned()))
    );
}

#[test]
fn the_wait_after_a_491_is_drawn_from_the_window_of_each_side_in_steps_of_10_ms() {
    // RFC 3261 §14.1: 2.1 to 4 s for the owner of the Call-ID, up to 2 s for the other.
    let table = [
        (true, 0, 2100),
        (true, 1, 2110),
        (true, 190, 4000),
        (false, 0, 0),
        (false, 1, 10),
        (false, 200, 2000),
    ];
    for (owner, drawn, expected) in table {
        let mut bench = Bench::new();
        if owner {
            let invite = call(&mut bench);
            bench.receive(answer(&invite, 200, "x"));
        } else {
            bench.answered_call();
        }
        bench.act(|agent, turn| agent.reinvite(turn, None));
        let ours = bench.last("INVITE");
        // A multiple of both windows' numbers of steps before what is drawn next.
        bench.draws = 191 * 201 + drawn - 1;
        bench.receive(answer(&ours, 491, "x"));
        let at = bench.agent.deadline().expect("a second try");
        assert_eq!(
            at.since(bench.now),
            Duration::from_millis(expected),
            "{owner} {drawn}"
        );
    }
}

#[test]
fn a_second_try_waits_for_the_ack_of_the_peers_own_reinvite() {
    let mut bench = Bench::new();
    let ok = bench.answered_call();
    bench.act(|agent, turn| agent.reinvite(turn, None));
    let ours = bench.last("INVITE");
    bench.receive(answer(&ours, 491, "x"));
    bench.receive(in_dialog("INVITE", "theirs", 2, &ok));
    // RFC 3261 §14.1: no new INVITE while another is in progress in either direction.
    let waited = bench.wait(Duration::from_secs(2));
    assert!(!waited.contains(&"INVITE".to_owned()), "{waited:?}");
    bench.receive(in_dialog("ACK", "theirs-ack", 2, &ok));
    assert_eq!(bench.wait(Duration::ZERO), ["INVITE"]);
}
