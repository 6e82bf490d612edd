//! Nobody generates for nobody.

use std::collections::BTreeMap;

use linefault_actors::Report;
use linefault_network::{HostId, Instant, RecordId};

use super::timers::later;
use super::{Finding, Holds, Oracle};
use crate::evidence::Evidence;
use crate::evidence::stream::Connection;
use crate::trace::Event;

/// How long a service may take to notice, in microseconds.
const SLACK: u64 = 1_000_000;

pub(super) const ORACLE: Oracle = Oracle {
    name: "generation-stops",
    doc: "A token service ends a stream within a second of the client's FIN or RST reaching it.",
    source: "report D: releases everything on every way out, also when the client just goes",
    holds: Holds::Always,
    judge,
};

fn judge(evidence: &Evidence<'_>) -> Vec<Finding> {
    let streams = streams(evidence);
    let mut lines: BTreeMap<_, Vec<_>> = BTreeMap::new();
    for line in &evidence.connections {
        lines
            .entry((line.server, line.client_address))
            .or_default()
            .push(line);
    }
    let late = streams.iter().filter_map(|stream| {
        let gone = gone_at(lines.get(&(Some(stream.host), stream.peer))?, stream)?;
        let limit = later(gone.max(stream.began), SLACK);
        let lived = evidence.lived_through(stream.host, stream.began, limit);
        let late = stream.ended.unwrap_or(evidence.ended_at) > limit;
        (late && lived).then(|| Finding {
            host: Some(stream.host),
            record: Some(stream.record),
            at: limit,
            text: format!("generates on although its client has been gone since {gone}"),
        })
    });
    late.collect()
}

/// A stream as its service reports it.
struct Stream {
    host: HostId,
    record: RecordId,
    peer: std::net::SocketAddr,
    began: Instant,
    ended: Option<Instant>,
}

fn streams(evidence: &Evidence<'_>) -> Vec<Stream> {
    let mut streams: Vec<Stream> = Vec::new();
    let mut open: BTreeMap<(HostId, u64), usize> = BTreeMap::new();
    for (record, entry) in evidence.off_the_wire() {
        let Some(host) = entry.host else { continue };
        match &entry.event {
            Event::Report(Report::Opened {
                kind: "stream",
                id,
                target: Some(peer),
                ..
            }) => {
                open.insert((host, *id), streams.len());
                streams.push(Stream {
                    host,
                    record,
                    peer: *peer,
                    began: entry.at,
                    ended: None,
                });
            }
            Event::Report(Report::Closed { kind: "stream", id }) => {
                if let Some(place) = open.get(&(host, *id)) {
                    streams[*place].ended = Some(entry.at);
                }
            }
            _ => {}
        }
    }
    streams
}

/// When the end of the client's side reached the service: its program, which may be kept from reading for a while, or at
/// least its kernel.
fn gone_at(lines: &[&Connection], stream: &Stream) -> Option<Instant> {
    let mut lines = lines.iter().rev();
    let connection = lines.find(|line| line.opened.at <= stream.began)?;
    if let Some(heard) = connection.up.heard_end() {
        return Some(heard.at);
    }
    let closings = [&connection.up.fin, &connection.up.reset];
    let arrived = closings
        .into_iter()
        .flatten()
        .filter_map(|closing| closing.arrived);
    arrived.map(|seen| seen.at).min()
}
