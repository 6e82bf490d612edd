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
    closed: Option<Instant>,
}

/// How an attempt ended.
#[derive(Clone, Copy)]
pub(super) enum End {
    /// After which nothing may follow.
    Final(&'static str, Instant),
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
        let closings = [&line.up.fin, &line.up.reset];
        let own = closings
            .into_iter()
            .flatten()
            .map(|closing| closing.sent.at);
        let own = own.min();
        let reset = line.down.reset.and_then(|closing| closing.arrived);
        let fin = line.down.fin.and_then(|closing| closing.arrived);
        let lost = [reset, fin].into_iter().flatten().map(|seen| seen.at).min();
        let events = exchange.map_or(&[][..], |exchange| &exchange.events);
        let heard = events.iter().filter_map(|told| Some(told.arrived?.at));
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
            retry: events
                .iter()
                .filter(|told| told.arrived.is_some())
                .filter_map(|told| told.retry)
                .next_back(),
            heard_last: heard.max().unwrap_or(line.opened.at),
            end,
            established: line.established.is_some(),
            closed: own.into_iter().chain(reset.map(|seen| seen.at)).min(),
        }
    }
}

/// How the service's own words ended it.
fn said(exchange: &Exchange) -> Option<End> {
    let head = exchange.head.as_ref()?;
    let at = head.arrived?.at;
    match exchange.status()? {
        200 if exchange.streams() => exchange.events.iter().find_map(ending),
        200 => Some(End::Final("a complete answer", at)),
        204 => Some(End::Final("204", at)),
        _ => Some(End::Final("a refusal", at)),
    }
}

fn ending(told: &Told) -> Option<End> {
    let at = told.arrived?.at;
    match told.event.name.as_str() {
        "done" => Some(End::Final("`done`", at)),
        "error" => match Failure::read(&told.event.data) {
            Ok(failure) if failure.severity == Severity::Warning => None,
            Ok(failure) if failure.recoverable => Some(End::Lost(at)),
            _ => Some(End::Final("an error that is not recoverable", at)),
        },
        _ => None,
    }
}

fn got_on(exchange: &Exchange) -> bool {
    let mut events = exchange.events.iter().filter(|told| told.arrived.is_some());
    let started = events.any(|told| told.event.name == "init");
    started && events.any(|told| told.is_token() && told.event.last_id != exchange.last_id)
}

/// The attempts of each client, in order. Requests for metrics are none.
pub(super) fn attempts(
    evidence: &Evidence<'_>,
    exchanges: &[Exchange],
) -> BTreeMap<HostId, Vec<Attempt>> {
    let mut found: BTreeMap<HostId, Vec<Attempt>> = BTreeMap::new();
    for host in clients(evidence) {
        let steps = Steps::of(evidence, host);
        let lines = evidence.connections.iter().enumerate();
        let lines = lines.filter(|(_, line)| line.client == host);
        let mut attempts: Vec<_> = lines
            .filter(|(_, line)| !steps.contains("scrape", line.opened.at))
            .map(|(place, line)| {
                let exchange = exchanges.iter().find(|it| it.connection == place);
                Attempt::of(evidence, line, exchange)
            })
            .collect();
        add_failures(evidence, host, &mut attempts);
        let starts: Vec<_> = attempts.iter().map(|it| it.start.at).collect();
        for (place, attempt) in attempts.iter_mut().enumerate() {
            let next = starts.get(place + 1).copied().unwrap_or(evidence.ended_at);
            attempt.asked_anew = steps.contains("ask", attempt.start.at);
            attempt.by_hand = steps.contains("retry", attempt.start.at);
            attempt.stopped = steps.between("stop", attempt.start.at, next);
        }
        found.insert(host, attempts);
    }
    found
}

/// Adds the connects that failed: those with a SYN ended then, the others were nothing else.
fn add_failures(evidence: &Evidence<'_>, host: HostId, attempts: &mut Vec<Attempt>) {
    for (record, entry) in evidence.trace.iter() {
        let Event::Network(network::Event::CallFailed {
            call: SocketCall::Connect,
            ..
        }) = &entry.event
        else {
            continue;
        };
        if entry.host != Some(host) {
            continue;
        }
        let before = attempts.partition_point(|it| it.start.at <= entry.at);
        let pending = attempts[..before].last_mut();
        let pending = pending.filter(|it| !it.established && !matches!(it.end, End::Final(..)));
        let fresh = pending
            .as_ref()
            .is_none_or(|it| matches!(it.end, End::Lost(at) if at < entry.at));
        match pending {
            Some(attempt) if !fresh => attempt.end = End::Lost(entry.at),
            _ => attempts.insert(
                before,
                failed(
                    evidence,
                    host,
                    Seen {
                        record,
                        at: entry.at,
                    },
                ),
            ),
        }
    }
}

fn failed(evidence: &Evidence<'_>, host: HostId, start: Seen) -> Attempt {
    Attempt {
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
        closed: Some(start.at),
    }
}

/// Who reports the steps of a token client.
fn clients(evidence: &Evidence<'_>) -> std::collections::BTreeSet<HostId> {
    let reports = evidence.trace.records().iter().filter(|record| {
        let report = &record.event;
        matches!(
            report,
            Event::Report(Report::State {
                machine: "token client",
                ..
            })
        )
    });
    reports.filter_map(|record| record.host).collect()
}

/// What a client was told, and when.
struct Steps<'a>(Vec<(Instant, &'a str)>);

impl<'a> Steps<'a> {
    fn of(evidence: &Evidence<'a>, host: HostId) -> Self {
        let own = evidence.trace.records().iter();
        let own = own.filter(|record| record.host == Some(host));
        Self(
            own.filter_map(|record| match &record.event {
                Event::Step(step) if step.refused.is_none() => {
                    Some((record.at, step.text.split(' ').next()?))
                }
                _ => None,
            })
            .collect(),
        )
    }

    fn contains(&self, command: &str, at: Instant) -> bool {
        self.0.contains(&(at, command))
    }

    fn between(&self, command: &str, from: Instant, to: Instant) -> bool {
        let mut steps = self.0.iter();
        steps.any(|(at, name)| *name == command && from <= *at && *at <= to)
    }
}
