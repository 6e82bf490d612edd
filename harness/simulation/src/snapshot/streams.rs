//! What happens on TCP connections, for the ladder: connects, what is said, ends of file and resets.
//!
//! Owns the folding of sound, which comes fifty times a second. Leaves acknowledgements and what is sent again out.

use std::time::Duration;

use linefault_network::{self as network, HostId, Instant, RecordId, SocketCall};
use linefault_protocol::audiosocket::Frame;

use super::ladder::{Line, Page};
use crate::evidence::stream::{Closing, Connection, Seen, Side};
use crate::evidence::talk::{Utterance, What};
use crate::trace::Event;

pub(super) fn lines(page: &Page<'_>) -> Vec<(RecordId, Line)> {
    let mut lines: Vec<_> = page
        .evidence
        .connections
        .iter()
        .fold(Vec::new(), |mut all, it| {
            all.extend(connection(page, it));
            all
        });
    lines.extend(said(page));
    lines.extend(unsaid(page));
    lines
}

/// What was begun on a connection and never became whole. Text may be of a protocol that is read elsewhere.
fn unsaid(page: &Page<'_>) -> Vec<(RecordId, Line)> {
    let evidence = page.evidence;
    let mut said = std::collections::BTreeMap::new();
    for utterance in &evidence.utterances {
        said.insert((utterance.connection, utterance.side), utterance.end);
    }
    let mut lines = Vec::new();
    for (place, connection) in evidence.connections.iter().enumerate() {
        for side in [Side::Up, Side::Down] {
            let stream = connection.stream(side);
            let known = said.get(&(place, side)).copied();
            let is_text = stream.bytes.first().is_some_and(u8::is_ascii_uppercase);
            let from = known.unwrap_or(0);
            let Some(begun) = stream.sent_at(from + 1) else {
                continue;
            };
            if known.is_some() || !is_text {
                let text = format!("{} bytes that are nothing whole", stream.bytes.len() - from);
                let ends = ends(page, connection, side);
                let arrives = stream.arrived() > from;
                let line = page.between(begun.at, (&ends.0, &ends.1), arrives, &text);
                lines.push((begun.record, line));
            }
        }
    }
    lines
}

fn connection(page: &Page<'_>, connection: &Connection) -> Vec<(RecordId, Line)> {
    let mut lines = vec![connect(page, connection)];
    for side in [Side::Up, Side::Down] {
        let stream = connection.stream(side);
        let closed = stream
            .fin
            .map(|fin| ending(page, connection, side, fin, "end of file"));
        let reset = stream
            .reset
            .map(|it| ending(page, connection, side, it, "reset"));
        // A reset that answers a SYN is the connect's own line.
        let reset = reset.filter(|_| connection.established.is_some());
        lines.extend(closed.into_iter().chain(reset));
    }
    lines
}

fn connect(page: &Page<'_>, connection: &Connection) -> (RecordId, Line) {
    let ends = ends(page, connection, Side::Up);
    let port = connection.server_address.port();
    let Seen { record, at } = connection.opened;
    let mut text = format!("connect to port {port}");
    let failure = failure(page, connection);
    if let (None, Some((error, at))) = (connection.established, failure) {
        text = format!("{text}   {error} at {at}");
    }
    let arrives = connection.established.is_some();
    (record, page.between(at, (&ends.0, &ends.1), arrives, &text))
}

/// What the client was told instead of a connection.
fn failure(page: &Page<'_>, connection: &Connection) -> Option<(String, Instant)> {
    let records = page.evidence.trace.records().iter();
    let mut failed = records.filter(|record| {
        record.host == Some(connection.client) && record.at >= connection.opened.at
    });
    failed.find_map(|record| match &record.event {
        Event::Network(network::Event::CallFailed {
            call: SocketCall::Connect,
            address,
            error,
            ..
        }) if *address == Some(connection.server_address) => {
            let error = crate::backend::translate(*error);
            let words = error.kind.description().to_lowercase();
            Some((format!("{words} (errno {})", error.errno), record.at))
        }
        _ => None,
    })
}

fn ending(
    page: &Page<'_>,
    connection: &Connection,
    side: Side,
    closing: Closing,
    text: &str,
) -> (RecordId, Line) {
    let ends = ends(page, connection, side);
    let Seen { record, at } = closing.sent;
    let arrives = closing.arrived.is_some();
    (record, page.between(at, (&ends.0, &ends.1), arrives, text))
}

/// The hosts' names in that direction, or the address of nobody's.
fn ends(page: &Page<'_>, connection: &Connection, side: Side) -> (String, String) {
    let name = |host: Option<HostId>, address: std::net::SocketAddr| {
        host.map_or(address.to_string(), |host| page.name(host).to_owned())
    };
    let client = name(Some(connection.client), connection.client_address);
    let server = name(connection.server, connection.server_address);
    match side {
        Side::Up => (client, server),
        Side::Down => (server, client),
    }
}

fn said(page: &Page<'_>) -> Vec<(RecordId, Line)> {
    let evidence = page.evidence;
    let mut runs: Vec<Vec<&Utterance>> = Vec::new();
    let mut latest = std::collections::BTreeMap::new();
    for said in &evidence.utterances {
        // The last chunk of a stream says nothing that its connection's end does not.
        if matches!(&said.what, What::Events(chunk) if chunk.data.is_empty()) {
            continue;
        }
        let direction = (said.connection, said.side);
        let run = latest.get(&direction).copied();
        let goes_on =
            run.is_some_and(|run: usize| runs[run].last().is_some_and(|last| folds(last, said)));
        match run.filter(|_| goes_on) {
            Some(run) => runs[run].push(said),
            None => {
                latest.insert(direction, runs.len());
                runs.push(vec![said]);
            }
        }
    }
    let lines = runs
        .iter()
        .filter_map(|run| Some((run.first()?.sent.record, line(page, run)?)));
    lines.collect()
}

/// A caller who hears nothing for so long notices it.
const PAUSE: Duration = Duration::from_secs(1);

/// Whether `next` is no news after `last`.
fn folds(last: &Utterance, next: &Utterance) -> bool {
    match (&last.what, &next.what) {
        (What::Frame(Frame::Audio { rate, .. }), What::Frame(Frame::Audio { rate: same, .. })) => {
            rate == same && next.sent.at.since(last.sent.at) < PAUSE
        }
        (What::Events(last), What::Events(next)) => last.is_plain() && next.is_plain(),
        (What::Chunk(_), What::Chunk(_)) | (What::Bytes, What::Bytes) => true,
        _ => false,
    }
}

fn line(page: &Page<'_>, run: &[&Utterance]) -> Option<Line> {
    let (first, last) = (run.first()?, run.last()?);
    let connection = page.evidence.connections.get(first.connection)?;
    let ends = ends(page, connection, first.side);
    let arrived = run.iter().filter(|said| said.arrived.is_some()).count();
    let mut text = first.what.to_string();
    if run.len() > 1 {
        text = format!("{text}   ×{}: to {}", run.len(), last.sent.at);
    }
    if 0 < arrived && arrived < run.len() {
        text = format!("{text}   {} never arrived", run.len() - arrived);
    }
    let at = first.sent.at;
    Some(page.between(at, (&ends.0, &ends.1), arrived > 0, &text))
}
