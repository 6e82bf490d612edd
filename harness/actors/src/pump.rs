//! A network in memory for tests: no loss but what a test asks for, 5 ms each way, one queue ordered by time.
//!
//! Owns just enough to let machines talk. Refuses everything that the real simulation has besides.

pub(crate) mod damage;
mod nobody;

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::net::SocketAddr;
use std::time::Duration;

use bytes::Bytes;
use linefault_protocol::Instant;
use linefault_protocol::sip::{DropReason, Limits, Message, Transport, Verdict, parse};

use crate::catalogue::{self, Command, Directory, Listing, Settings, Value};
use crate::checkpoint;
use crate::{
    Behaviour, Context, Host, Input, Machine, Output, Report, SocketError, SocketErrorKind,
};
use nobody::Nobody;

const LATENCY: Duration = Duration::from_millis(5);

/// Some actors and the wire between them.
pub(crate) struct Pump {
    pub(crate) now: Instant,
    nodes: BTreeMap<&'static str, Node>,
    wire: BTreeMap<(Instant, u64), (SocketAddr, SocketAddr, Transport, Bytes)>,
    sequence: u64,
    pub(crate) trace: Vec<String>,
    /// Sender and words of messages that the wire swallows, each with how often.
    swallow: Vec<(&'static str, String, usize)>,
    /// Addresses to which every send fails at once, and how.
    pub(crate) failing: BTreeMap<SocketAddr, SocketError>,
    /// Actors whose own way to the network is gone, both ways.
    pub(crate) cut_off: BTreeSet<&'static str>,
    /// Further addresses of actors.
    pub(crate) aliases: BTreeMap<SocketAddr, &'static str>,
    /// Addresses behind a NAT, each with what the others see instead.
    pub(crate) nat: BTreeMap<SocketAddr, SocketAddr>,
    /// Every datagram that was put on the wire, with its ends as its sender knows them.
    pub(crate) captured: Vec<(SocketAddr, SocketAddr, Bytes)>,
    directory: Directory,
}

struct Node {
    address: SocketAddr,
    machine: Box<dyn Machine>,
    draws: BTreeMap<&'static str, u64>,
    open: BTreeMap<(&'static str, u64), String>,
}

pub(crate) const PROXY: &str = "192.168.8.2:5060";
pub(crate) const ALICE: &str = "192.168.8.129:57446";
pub(crate) const BOB: &str = "192.168.8.120:41303";

/// "No route to host" as macOS numbers it.
pub(crate) const NO_ROUTE: SocketError = SocketError {
    kind: SocketErrorKind::HostUnreachable,
    errno: 65,
};

/// "Network is unreachable" as Linux numbers it: the route of this host is gone.
pub(crate) const NO_NETWORK: SocketError = SocketError {
    kind: SocketErrorKind::NetworkUnreachable,
    errno: 101,
};

/// "Operation not permitted": a local firewall.
pub(crate) const NOT_PERMITTED: SocketError = SocketError {
    kind: SocketErrorKind::NotPermitted,
    errno: 1,
};

impl Pump {
    /// A proxy, alice (1001) and bob (1002, who rings after 100 ms and is picked up a second later).
    pub(crate) fn report_a(change: impl FnOnce(&mut crate::proxy::Config)) -> Self {
        let directory = Directory::new(BTreeMap::from([
            (
                "proxy".to_owned(),
                listing(PROXY, &[("domain", "sim.test")]),
            ),
            (
                "alice".to_owned(),
                listing(ALICE, &[("user", "1001"), ("registrar", "proxy")]),
            ),
            (
                "bob".to_owned(),
                listing(BOB, &[("user", "1002"), ("registrar", "proxy")]),
            ),
        ]));
        let mut pump = Self {
            now: Instant::START,
            nodes: BTreeMap::new(),
            wire: BTreeMap::new(),
            sequence: 0,
            trace: Vec::new(),
            swallow: Vec::new(),
            failing: BTreeMap::new(),
            cut_off: BTreeSet::new(),
            aliases: BTreeMap::new(),
            nat: BTreeMap::new(),
            captured: Vec::new(),
            directory: directory.clone(),
        };
        for (name, listing) in directory.iter() {
            let kind = if name == "proxy" { "proxy" } else { "phone" };
            let entry = catalogue::find(kind).expect("listed");
            let mut actor = (entry.build)(&listing.settings, &directory);
            let any: &mut dyn std::any::Any = actor.as_mut();
            if let Some(phone) = any.downcast_mut::<crate::phone::Phone>() {
                phone.config.answer.ring = Duration::from_millis(100);
            }
            let name = ["alice", "bob", "proxy"]
                .into_iter()
                .find(|known| *known == name)
                .expect("known");
            pump.start(name, listing.address, actor.as_ref());
        }
        let mut config =
            crate::proxy::Config::incident("sim.test", ["1001", "1002"].map(str::to_owned).into());
        change(&mut config);
        pump.start("proxy", address(PROXY), &crate::proxy::Proxy { config });
        pump
    }

    /// Adds a phone that takes calls like bob's.
    pub(crate) fn add_phone(
        &mut self,
        name: &'static str,
        at: &str,
        user: &str,
        change: impl FnOnce(&mut crate::phone::Config),
    ) {
        let mut config = crate::phone::Config {
            user: user.to_owned(),
            password: None,
            domain: "sim.test".to_owned(),
            proxy: address(PROXY),
            expires: Duration::from_secs(3600),
            answer: crate::phone::Answer {
                ring: Duration::from_millis(100),
                ..crate::phone::Answer::default()
            },
            media: crate::phone::Media::default(),
            glare: crate::phone::Glare::default(),
            required: Vec::new(),
            other_servers: Vec::new(),
            audio: None,
            keep_alive: None,
            extensions: crate::phone::Extensions::default(),
            transport: Transport::Udp,
            tcp: false,
        };
        change(&mut config);
        let phone = crate::phone::Phone::new(config, self.directory.clone());
        self.start(name, address(at), &phone);
    }

    /// Lets an actor's receiving fail once.
    pub(crate) fn fail_receive(&mut self, name: &'static str, error: SocketError) {
        self.give(name, Input::ReceiveFailed { error });
    }

    /// Starts an actor's life, in place of an earlier one.
    pub(crate) fn start(
        &mut self,
        name: &'static str,
        address: SocketAddr,
        actor: &dyn catalogue::Actor,
    ) {
        let Behaviour::Machine(machine) = actor.start(&Host::new(std::rc::Rc::new(Nobody))) else {
            panic!("{name} is no machine");
        };
        let node = Node {
            address,
            machine,
            draws: BTreeMap::new(),
            open: BTreeMap::new(),
        };
        self.nodes.insert(name, node);
        self.give(name, Input::Start { local: address });
    }

    /// Takes an actor off the wire, without a word.
    pub(crate) fn power_off(&mut self, name: &str) {
        self.nodes.remove(name);
    }

    /// The next `times` messages of `sender` that say so are lost: "200 BYE", "BYE".
    pub(crate) fn lose(&mut self, sender: &'static str, words: &str, times: usize) {
        self.swallow.push((sender, words.to_owned(), times));
    }

    /// Tells an actor to do something now.
    pub(crate) fn tell(&mut self, name: &'static str, command: &'static str, to: Option<&str>) {
        let mut arguments = Settings::default();
        if let Some(to) = to {
            arguments.insert("to", Value::Text(to.to_owned()));
        }
        arguments.insert("on", Value::Switch(true));
        self.give(
            name,
            Input::Command(Command {
                name: command,
                arguments,
            }),
        );
    }

    /// Puts bytes on the wire.
    pub(crate) fn inject(&mut self, from: &str, to: &str, bytes: &[u8]) {
        let bytes = Bytes::copy_from_slice(bytes);
        self.transmit(address(from), address(to), Transport::Udp, bytes);
    }

    /// Runs until that many milliseconds after the start.
    pub(crate) fn run(&mut self, until_ms: u64) {
        let until = Instant::from_micros(until_ms * 1000);
        while let Some(at) = self.next().filter(|at| *at <= until) {
            self.now = self.now.max(at);
            self.turn();
        }
        self.now = until;
    }

    /// The lines of the trace that hold all these words.
    pub(crate) fn seen(&self, words: &[&str]) -> Vec<&str> {
        let holds = |line: &&str| words.iter().all(|word| line.contains(word));
        self.trace
            .iter()
            .map(String::as_str)
            .filter(holds)
            .collect()
    }

    /// What an actor has opened and not closed, bindings aside.
    pub(crate) fn left_over(&self, name: &str) -> Vec<String> {
        let node = &self.nodes[name];
        let left = node.open.iter().filter(|((kind, _), _)| *kind != "binding");
        left.map(|((kind, _), label)| format!("{kind} {label}"))
            .collect()
    }

    /// The open things of one kind.
    pub(crate) fn open(&self, name: &str, wanted: &str) -> Vec<&str> {
        let node = &self.nodes[name];
        node.open
            .iter()
            .filter(|((kind, _), _)| *kind == wanted)
            .map(|(_, label)| label.as_str())
            .collect()
    }

    fn next(&self) -> Option<Instant> {
        let wire = self.wire.keys().next().map(|(at, _)| *at);
        self.nodes
            .values()
            .filter_map(Node::deadline)
            .chain(wire)
            .min()
    }

    fn turn(&mut self) {
        if let Some(((at, _), _)) = self.wire.first_key_value()
            && *at <= self.now
            && let Some((_, (from, to, transport, bytes))) = self.wire.pop_first()
        {
            let name = self.name_of(self.inside(to));
            let input = Input::Datagram {
                from,
                transport,
                bytes,
            };
            return self.give(name, input);
        }
        let due = self
            .nodes
            .iter()
            .find(|(_, node)| node.deadline().is_some_and(|at| at <= self.now));
        let name = *due.expect("something is due").0;
        self.give(name, Input::Wake);
        let after = self.nodes[name].deadline();
        assert!(
            after.is_none_or(|at| at > self.now),
            "{name} asks to be woken for ever at {}",
            self.now
        );
    }

    fn give(&mut self, name: &'static str, input: Input) {
        let mut outputs = VecDeque::new();
        self.handle(name, input, &mut outputs);
        while let Some(output) = outputs.pop_front() {
            match output {
                Output::Report(report) => self.note(name, report),
                Output::Close { .. } => {}
                Output::Send {
                    to,
                    transport,
                    bytes,
                    ticket,
                } => {
                    let from = self.nodes[name].address;
                    let cut_off = self.cut_off.contains(name).then_some(NO_NETWORK);
                    if let Some(error) = cut_off.or(self.failing.get(&to).copied()) {
                        let words = words(&bytes);
                        self.trace.push(format!(
                            "{} {name} ✗ {} {words}",
                            self.now,
                            self.name_of(to)
                        ));
                        let input = Input::SendFailed { ticket, to, error };
                        self.handle(name, input, &mut outputs);
                    } else {
                        self.transmit(from, to, transport, bytes);
                    }
                }
            }
        }
    }

    fn handle(&mut self, name: &'static str, input: Input, outputs: &mut VecDeque<Output>) {
        let now = self.now;
        let Some(node) = self.nodes.get_mut(name) else {
            return;
        };
        let draws = &mut node.draws;
        let salt = u64::from(node.address.port());
        let mut draw = |purpose: &'static str| {
            let count = draws.entry(purpose).or_default();
            *count += 1;
            salt << 32 | *count
        };
        node.machine
            .handle(input, &mut Context::new(now, &mut draw, outputs));
    }

    fn note(&mut self, name: &'static str, report: Report) {
        let node = self.nodes.get_mut(name).expect("alive");
        match report {
            Report::Opened {
                kind, id, label, ..
            } => {
                let before = node.open.insert((kind, id), label);
                assert_eq!(before, None, "{name} opens {kind} {id} twice");
            }
            Report::Closed { kind, id } => {
                let before = node.open.remove(&(kind, id));
                assert!(
                    before.is_some(),
                    "{name} closes {kind} {id}, which is not open"
                );
            }
            Report::Checkpoint { place, holds } => {
                assert!(
                    holds,
                    "{name}: {:?} does not hold",
                    checkpoint::all().nth(place.into())
                );
            }
            Report::State { .. } | Report::Timer { .. } => {}
        }
    }

    /// Over TCP as over UDP: a message arrives whole or not at all, and from the address that its sender listens on.
    fn transmit(&mut self, from: SocketAddr, to: SocketAddr, transport: Transport, bytes: Bytes) {
        self.captured.push((from, to, bytes.clone()));
        let (sender, receiver, words) = (
            self.name_of(from),
            self.name_of(self.inside(to)),
            words(&bytes),
        );
        if self.cut_off.contains(receiver) || self.nat.contains_key(&to) {
            return self
                .trace
                .push(format!("{} {sender} ⇢ {receiver} {words}", self.now));
        }
        let from = self.nat.get(&from).copied().unwrap_or(from);
        let lost = self.swallow.iter_mut().find(|(name, wanted, left)| {
            *name == sender && words.starts_with(wanted.as_str()) && *left > 0
        });
        let arrow = if lost.is_some() { "⇢" } else { "→" };
        self.trace
            .push(format!("{} {sender} {arrow} {receiver} {words}", self.now));
        if let Some((_, _, left)) = lost {
            *left -= 1;
            return;
        }
        self.sequence += 1;
        self.wire.insert(
            (self.now + LATENCY, self.sequence),
            (from, to, transport, bytes),
        );
    }

    fn name_of(&self, wanted: SocketAddr) -> &'static str {
        let known = self.nodes.iter().find(|(_, node)| node.address == wanted);
        let alias = self.aliases.get(&wanted).copied();
        known.map_or(alias.unwrap_or("nobody"), |(name, _)| *name)
    }

    /// What an address from outside of a NAT leads to.
    fn inside(&self, outside: SocketAddr) -> SocketAddr {
        let mapped = self.nat.iter().find(|(_, seen)| **seen == outside);
        mapped.map_or(outside, |(inside, _)| *inside)
    }
}

impl Node {
    fn deadline(&self) -> Option<Instant> {
        let deadlines = self.machine.deadlines();
        deadlines
            .foreground
            .into_iter()
            .chain(deadlines.background)
            .min()
    }
}

pub(crate) fn address(text: &str) -> SocketAddr {
    text.parse().expect("an address")
}

fn listing(at: &str, settings: &[(&'static str, &str)]) -> Listing {
    let mut all = Settings::default();
    for (name, value) in settings {
        all.insert(name, Value::Text((*value).to_owned()));
    }
    Listing {
        address: address(at),
        settings: all,
    }
}

/// A message as a reader names it: `INVITE sip:1002@sim.test`, `200 INVITE`.
fn words(bytes: &[u8]) -> String {
    match parse(bytes, &Limits::default()) {
        Verdict::Accept(message) => message_words(&message),
        Verdict::Drop(DropReason::KeepAlive) => "keep-alive".to_owned(),
        _ => "what is no message".to_owned(),
    }
}

fn message_words(message: &Message) -> String {
    match message.status() {
        Some(status) => format!("{status} {}", message.method()),
        None => format!(
            "{} {}",
            message.method(),
            message.request_uri().unwrap_or_default()
        ),
    }
}
