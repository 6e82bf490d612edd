//! The attempts of a token client, and how each ended as it could see.

use std::collections::BTreeMap;

use linefault_actors::Report;
use linefault_network::{self as network, HostId, Instant, SocketCall};
use linefault_protocol::sse::{Failure, Severity};

use crate::evidence::Evidence;
use crate::evidence::stream::{Connection, Seen};
use crate::evidence::tokens::{Exchange, Told};
use crate::trace::Event;

/// One connection, or one that did not come about.
pub(super) struct Attempt {
    pub(super) start: Seen,
    /// Which life of the client.
    pub(super) life: usize,
    /// It begins another answer.
    pub(super) asked_anew: bool,
    /// Somebody told it to try again at that moment.
    pub(super) by_hand: bool,
    /// Somebody told it to stop, then or before the next.
    pub(super) stopped: bool,
    /// A new token came after an `init`.
    pub(super) got_on: bool,
    /// The last `retry:` that came.
    pub(super) retry: Option<u64>,
    /// When the last event came, or else when it began.
    pub(super) heard_last: Instant,
    pub(super) end: End,
    established: bool,
    /// It asked for tokens.
    asked: bool,
    closed: Option<Instant>,
}

/// How an attempt ended.
#[derive(Clone, Copy)]
pub(super) enum End {
    /// After which nothing may follow.
    Final(&'static str),
    /// After which it must try again, if it may.
    Lost(Instant),
    /// The client closed it for a reason of its own, which the wire does not show.
    Own(Instant),
    /// It did not.
    None,
}

impl Attempt {
    /// Whether its connection is open at that moment, as far as the client can tell.
    pub(super) fn open_at(&self, at: Instant) -> bool {
        let open = self.established && self.start.at <= at;
        open && self.closed.is_none_or(|closed| at < closed)
    }

    fn of(evidence: &Evidence<'_>, line: &Connection, exchange: Option<&Exchange>) -> Self {
        let closings = [line.up.fin, line.up.reset];
        let own = closings.into_iter().flatten();
        let own = own.filter(|closing| !closing.forged);
        let own = own.map(|closing| closing.sent.at);
        let own = own.chain(line.up.let_go.map(|seen| seen.at)).min();
        let reset = line.down.reset.and_then(|closing| closing.arrived);
        let lost = line.down.heard_end().map(|seen| seen.at);
        let events = exchange.map_or(&[][..], |exchange| &exchange.events);
        let heard = events.iter().filter_map(|told| Some(told.read?.at));
        let said = exchange.and_then(said);
        let end = match (said, lost, own) {
            (Some(end), _, _) => end,
            (None, Some(at), own) if own.is_none_or(|own| at <= own) => End::Lost(at),
            (None, _, Some(at)) => End::Own(at),
            _ => End::None,
        };
        Self {
            start: line.opened,
            life: evidence.life(line.client, line.opened.at),
            asked_anew: false,
            by_hand: false,
            stopped: false,
            got_on: exchange.is_some_and(got_on),
            retry: retry(line),
            heard_last: heard.max().unwrap_or(line.opened.at),
            end,
            established: line.established.is_some(),
            asked: exchange.is_some(),
            closed: own.into_iter().chain(reset.map(|seen| seen.at)).min(),
        }
    }

    /// One that did not come about.
    fn failed(evidence: &Evidence<'_>, host: HostId, start: Seen) -> Self {
        Self {
            start,
            life: evidence.life(host, start.at),
            asked_anew: false,
            by_hand: false,
            stopped: false,
            got_on: false,
            retry: None,
            heard_last: start.at,
            end: End::Lost(start.at),
            established: false,
            asked: false,
            closed: Some(start.at),
        }
    }
}

/// How the service's own words ended it.
fn said(exchange: &Exchange) -> Option<End> {
    let head = exchange.head.as_ref()?;
    head.read?;
    match exchange.status()? {
        200 if exchange.streams() => exchange.events.iter().find_map(ending),
        200 => Some(End::Final("a complete answer")),
        204 => Some(End::Final("204")),
        _ => Some(End::Final("a refusal")),
    }
}

fn ending(told: &Told) -> Option<End> {
    let at = told.read?.at;
    match told.event.name.as_str() {
        "done" => Some(End::Final("`done`")),
        "error" => match Failure::read(&told.event.data) {
            Ok(failure) if failure.severity == Severity::Warning => None,
            Ok(failure) if failure.recoverable => Some(End::Lost(at)),
            _ => Some(End::Final("an error that is not recoverable")),
        },
        _ => None,
    }
}

/// The last `retry:` that came. It counts as soon as its line is there, whether or not its event ever is
/// (WHATWG HTML §9.2.6).
fn retry(line: &Connection) -> Option<u64> {
    let came = line.down.bytes(0..line.down.read());
    let lines = came.split_inclusive(|byte| *byte == b'\n');
    let mut values = lines.filter_map(|line| {
        let value = line.strip_prefix(b"retry:")?.strip_suffix(b"\n")?;
        std::str::from_utf8(value).ok()?.trim().parse().ok()
    });
    values.next_back()
}

fn got_on(exchange: &Exchange) -> bool {
    let mut events = exchange.events.iter().filter(|told| told.read.is_some());
    let started = events.any(|told| told.event.name == "init");
    started && events.any(|told| told.is_token() && told.event.last_id != exchange.last_id)
}

/// The attempts of each client, in order.
pub(super) fn attempts(
    evidence: &Evidence<'_>,
    exchanges: &[Exchange],
) -> BTreeMap<HostId, Vec<Attempt>> {
    let by_line: BTreeMap<_, _> = exchanges.iter().map(|it| (it.connection, it)).collect();
    let mut doings = doings(evidence);
    let unclear = evidence.several_answers();
    doings.retain(|host, doings| doings.is_client && !unclear.contains(host));
    let mut attempts: BTreeMap<HostId, Vec<Attempt>> = BTreeMap::new();
    for (place, line) in evidence.connections.iter().enumerate() {
        if doings.contains_key(&line.client) {
            let exchange = by_line.get(&place).copied();
            let attempt = Attempt::of(evidence, line, exchange);
            attempts.entry(line.client).or_default().push(attempt);
        }
    }
    for (host, doings) in &doings {
        let attempts = attempts.entry(*host).or_default();
        for seen in &doings.refusals {
            refuse(evidence, *host, *seen, attempts);
        }
        doings.mark(attempts, evidence.ended_at);
    }
    attempts
}

/// A connect failed: one whose SYN went out ended then, another was nothing else.
fn refuse(evidence: &Evidence<'_>, host: HostId, seen: Seen, attempts: &mut Vec<Attempt>) {
    let before = attempts.partition_point(|it| it.start.record <= seen.record);
    let pending = attempts[..before].last_mut();
    let pending = pending.filter(|it| {
        let over = matches!(it.end, End::Lost(at) if at < seen.at);
        // The kernel may have connected, and lost the connection again, before the process was told of either: a frozen one is
        // told of the failure as it goes on, and closes its socket then, without having asked for anything.
        let untold = match it.end {
            End::None => true,
            End::Own(at) if at == seen.at && !it.asked => true,
            _ => !it.established,
        };
        untold && !over && !matches!(it.end, End::Final(_))
    });
    match pending {
        Some(attempt) => (attempt.end, attempt.closed) = (End::Lost(seen.at), Some(seen.at)),
        None => attempts.insert(before, Attempt::failed(evidence, host, seen)),
    }
}

/// What a host was told, and which of its connects failed.
#[derive(Default)]
struct Doings<'a> {
    /// It reports the states of a token client.
    is_client: bool,
    steps: Vec<(Instant, &'a str)>,
    refusals: Vec<Seen>,
}

fn doings<'a>(evidence: &Evidence<'a>) -> BTreeMap<HostId, Doings<'a>> {
    let mut all: BTreeMap<HostId, Doings<'a>> = BTreeMap::new();
    for (record, entry) in evidence.off_the_wire() {
        let Some(host) = entry.host else { continue };
        match &entry.event {
            Event::Report(Report::State {
                machine: "token client",
                on,
                ..
            }) => {
                let doings = all.entry(host).or_default();
                doings.is_client = true;
                // Who asks or stops of its own accord is told nothing.
                if matches!(*on, "ask" | "stop") {
                    doings.steps.push((entry.at, on));
                }
            }
            Event::Step(step) if step.refused.is_none() => {
                let command = step.text.split(' ').next().unwrap_or_default();
                // Who is told to ask while an answer is under way does not: its machine says when it asks.
                if command != "ask" {
                    all.entry(host).or_default().steps.push((entry.at, command));
                }
            }
            Event::Network(network::Event::CallFailed {
                call: SocketCall::Connect,
                ..
            }) => {
                let at = entry.at;
                all.entry(host)
                    .or_default()
                    .refusals
                    .push(Seen { record, at });
            }
            _ => {}
        }
    }
    all
}

impl Doings<'_> {
    /// Notes at each attempt what its client was told.
    fn mark(&self, attempts: &mut [Attempt], ended_at: Instant) {
        let starts: Vec<_> = attempts.iter().map(|it| it.start.at).collect();
        for (place, attempt) in attempts.iter_mut().enumerate() {
            let (from, to) = (attempt.start.at, starts.get(place + 1).copied());
            let to = to.unwrap_or(ended_at);
            attempt.asked_anew = self.steps.contains(&(from, "ask"));
            attempt.by_hand = self.steps.contains(&(from, "retry"));
            let mut stops = self.steps.iter().filter(|(_, command)| *command == "stop");
            attempt.stopped = stops.any(|(at, _)| from <= *at && *at <= to);
        }
    }
}
