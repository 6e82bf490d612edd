//! What happens on TCP connections, as rows: connects, what is said, ends of file and resets.
//!
//! Owns the folding of sound, which comes fifty times a second. Leaves acknowledgements and what is sent again out.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::time::Duration;

use linefault_network::{self as network, HostId, Instant, SocketCall};
use linefault_protocol::audiosocket::Frame;

use super::{End, Fold, Message, Origin, Reading, Row, Sending, What};
use crate::evidence::stream::{Closing, Connection, Seen, Side};
use crate::evidence::talk::{self, Utterance};
use crate::trace::Event;

pub(super) fn rows(reading: &Reading<'_>) -> Vec<Row> {
    let connections = reading.evidence.connections.iter().enumerate();
    let mut rows: Vec<_> = connections
        .flat_map(|(place, it)| connection(reading, place, it))
        .collect();
    rows.extend(said(reading));
    rows.extend(unsaid(reading));
    rows
}

/// What one end of a connection does towards the other, once.
fn row(
    (place, connection): (usize, &Connection),
    side: Side,
    seen: Seen,
    arrived: Option<Instant>,
    label: String,
) -> Row {
    let (from, to) = ends(connection, side);
    let sending = Sending {
        record: seen.record,
        at: seen.at,
        arrived,
        arrives: arrived.is_some(),
        place,
    };
    Row {
        record: seen.record,
        at: seen.at,
        what: What::Message(Message {
            from,
            to,
            label,
            status: None,
            over_tcp: false,
            fold: Fold::Run,
            origin: Origin::Connection,
            sendings: vec![sending],
            trouble: None,
            alterations: Vec::new(),
        }),
    }
}

/// What was begun on a connection and never became whole. Text may be of a protocol that is read elsewhere.
fn unsaid(reading: &Reading<'_>) -> Vec<Row> {
    let evidence = reading.evidence;
    let mut said = BTreeMap::new();
    for utterance in &evidence.utterances {
        said.insert((utterance.connection, utterance.side), utterance.end);
    }
    let mut rows = Vec::new();
    for (place, connection) in evidence.connections.iter().enumerate() {
        for side in [Side::Up, Side::Down] {
            let stream = connection.stream(side);
            let known = said.get(&(place, side)).copied();
            let is_text = stream
                .bytes(0..1)
                .first()
                .is_some_and(u8::is_ascii_uppercase);
            let from = known.unwrap_or(0);
            let Some(begun) = stream.sent_at(from + 1) else {
                continue;
            };
            if known.is_some() || !is_text {
                let label = format!("{} bytes that are nothing whole", stream.length() - from);
                let arrived = stream.arrived_at(from + 1).map(|seen| seen.at);
                rows.push(row((place, connection), side, begun, arrived, label));
            }
        }
    }
    rows
}

fn connection(reading: &Reading<'_>, place: usize, connection: &Connection) -> Vec<Row> {
    let mut rows = vec![connect(reading, place, connection)];
    for side in [Side::Up, Side::Down] {
        let stream = connection.stream(side);
        let ending = |closing: Closing, label: &str| {
            let arrived = closing.arrived.map(|seen| seen.at);
            let label = label.to_owned();
            row((place, connection), side, closing.sent, arrived, label)
        };
        let closed = stream.fin.map(|fin| ending(fin, "end of file"));
        let reset = stream.reset.map(|reset| ending(reset, "reset"));
        // A reset that answers a SYN is the connect's own row.
        let reset = reset.filter(|_| connection.established.is_some());
        rows.extend(closed.into_iter().chain(reset));
    }
    rows
}

fn connect(reading: &Reading<'_>, place: usize, connection: &Connection) -> Row {
    let label = format!("connect to port {}", connection.server_address.port());
    let established = connection.established.map(|seen| seen.at);
    let ends = (place, connection);
    let mut row = row(ends, Side::Up, connection.opened, established, label);
    if established.is_some() {
        return row;
    }
    if let (What::Message(message), Some((error, at))) =
        (&mut row.what, failure(reading, connection))
    {
        message.trouble = Some(format!("{error} at {at}"));
    }
    row
}

/// What the client was told instead of a connection.
fn failure(reading: &Reading<'_>, connection: &Connection) -> Option<(String, Instant)> {
    let records = reading.evidence.trace.records().iter();
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

/// Who sends and who receives in that direction.
fn ends(connection: &Connection, side: Side) -> (End, End) {
    let end =
        |host: Option<HostId>, address: SocketAddr| host.map_or(End::Address(address), End::Host);
    let client = end(Some(connection.client), connection.client_address);
    let server = end(connection.server, connection.server_address);
    match side {
        Side::Up => (client, server),
        Side::Down => (server, client),
    }
}

fn said(reading: &Reading<'_>) -> Vec<Row> {
    let evidence = reading.evidence;
    let mut runs: Vec<Vec<usize>> = Vec::new();
    let mut latest = BTreeMap::new();
    for (place, said) in evidence.utterances.iter().enumerate() {
        // The last chunk of a stream says nothing that its connection's end does not.
        if matches!(&said.what, talk::What::Events(chunk) if chunk.data.is_empty()) {
            continue;
        }
        let direction = (said.connection, said.side);
        let run = latest.get(&direction).copied();
        let last = run.and_then(|run: usize| evidence.utterances.get(*runs[run].last()?));
        match run.filter(|_| last.is_some_and(|last| folds(last, said))) {
            Some(run) => runs[run].push(place),
            None => {
                latest.insert(direction, runs.len());
                runs.push(vec![place]);
            }
        }
    }
    runs.iter().filter_map(|run| folded(reading, run)).collect()
}

/// A caller who hears nothing for so long notices it.
const PAUSE: Duration = Duration::from_secs(1);

/// Whether `next` is no news after `last`.
fn folds(last: &Utterance, next: &Utterance) -> bool {
    match (&last.what, &next.what) {
        (
            talk::What::Frame(Frame::Audio { rate, .. }),
            talk::What::Frame(Frame::Audio { rate: same, .. }),
        ) => rate == same && next.sent.at.since(last.sent.at) < PAUSE,
        (talk::What::Events(last), talk::What::Events(next)) => last.is_plain() && next.is_plain(),
        (talk::What::Chunk(_), talk::What::Chunk(_)) | (talk::What::Bytes, talk::What::Bytes) => {
            true
        }
        _ => false,
    }
}

fn folded(reading: &Reading<'_>, run: &[usize]) -> Option<Row> {
    let evidence = reading.evidence;
    let said = |place: &usize| Some((*place, evidence.utterances.get(*place)?));
    let first = evidence.utterances.get(*run.first()?)?;
    let (from, to) = ends(evidence.connections.get(first.connection)?, first.side);
    let sending = |(place, said): (usize, &Utterance)| Sending {
        record: said.sent.record,
        at: said.sent.at,
        arrived: said.arrived.map(|seen| seen.at),
        arrives: said.arrived.is_some(),
        place,
    };
    Some(Row {
        record: first.sent.record,
        at: first.sent.at,
        what: What::Message(Message {
            from,
            to,
            label: first.what.to_string(),
            status: first.http().and_then(talk::HttpMessage::status),
            over_tcp: false,
            fold: Fold::Run,
            origin: Origin::Utterances,
            sendings: run.iter().filter_map(said).map(sending).collect(),
            trouble: None,
            alterations: Vec::new(),
        }),
    })
}
