//! What report C demands of whoever serves AudioSocket calls.
//!
//! Owns the reading of connections as legs of calls. The serving side is the one that was connected to.

pub(super) mod after_hang_up;
pub(super) mod api;
pub(super) mod close;
pub(super) mod next_call;
pub(super) mod reset_level;

use std::collections::BTreeMap;

use linefault_actors::Report;
use linefault_network::{self as network, HostId, Instant, RecordId};
use linefault_protocol::audiosocket::{Frame, Uuid};

use crate::evidence::Evidence;
use crate::evidence::stream::{Connection, Seen, Side};
use crate::trace::Event;

/// One AudioSocket connection.
pub(super) struct Leg<'a> {
    pub(super) connection: &'a Connection,
    /// Its place among all connections.
    pub(super) place: usize,
    /// Who serves it.
    pub(super) server: HostId,
    /// The call that its first frame names, once it has arrived.
    pub(super) call: Option<(Uuid, Seen)>,
    /// When the serving side hung up.
    pub(super) hang_up: Option<Seen>,
}

impl Leg<'_> {
    /// When the serving side's end was over: it closed or reset, or heard a reset, or its kernel gave up.
    pub(super) fn over(&self) -> Option<Instant> {
        let Connection { up, down, .. } = self.connection;
        let closed = down.fin.map(|fin| fin.sent.at);
        let reset = down.reset.map(|reset| reset.sent.at);
        let heard = up.reset.and_then(|reset| reset.arrived);
        let heard = heard.map(|heard| heard.at);
        let given_up = down.closed.map(|closed| closed.at);
        [closed, reset, heard, given_up].into_iter().flatten().min()
    }

    /// When the serving program had closed it or was told of its end: later than that of its kernel where it was kept from
    /// reading.
    pub(super) fn known_over(&self) -> Option<Instant> {
        let Connection { up, down, .. } = self.connection;
        let closed = down.fin.map(|fin| fin.sent.at);
        let reset = down.reset.filter(|reset| !reset.forged);
        let reset = reset.map(|reset| reset.sent.at);
        let heard = up.heard_end().map(|heard| heard.at);
        [closed, reset, heard].into_iter().flatten().min()
    }
}

/// Every connection on which a frame was said.
pub(super) fn legs<'a>(evidence: &'a Evidence<'_>) -> Vec<Leg<'a>> {
    let mut legs: Vec<Option<Leg<'a>>> = Vec::new();
    legs.resize_with(evidence.connections.len(), || None);
    for said in &evidence.utterances {
        let Some(frame) = said.frame() else { continue };
        let Some(connection) = evidence.connections.get(said.connection) else {
            continue;
        };
        let Some(server) = connection.server else {
            continue;
        };
        let leg = legs[said.connection].get_or_insert(Leg {
            connection,
            place: said.connection,
            server,
            call: None,
            hang_up: None,
        });
        match (said.side, frame) {
            (Side::Up, Frame::Uuid(call)) if said.begin == 0 => {
                leg.call = said.arrived.map(|seen| (*call, seen));
            }
            (Side::Down, Frame::HangUp) => {
                leg.hang_up.get_or_insert(said.sent);
            }
            _ => {}
        }
    }
    legs.into_iter().flatten().collect()
}

/// A session as its host reported it.
pub(super) struct Session {
    pub(super) host: HostId,
    /// `uuid/leg`.
    pub(super) label: String,
    pub(super) opened: Seen,
    pub(super) closed: Option<Seen>,
}

impl Session {
    /// Whether it is open at some moment from one to the other, both included.
    pub(super) fn is_open_within(&self, from: Instant, until: Instant) -> bool {
        self.opened.at <= until && self.closed.is_none_or(|closed| closed.at >= from)
    }

    /// Whether it is open at every moment from before one to after the other.
    pub(super) fn is_open_throughout(&self, from: Instant, until: Instant) -> bool {
        self.opened.at < from && self.closed.is_none_or(|closed| closed.at > until)
    }
}

/// Every session that any host reported. A process takes its sessions with it when it ends.
pub(super) fn sessions(evidence: &Evidence<'_>) -> Vec<Session> {
    let mut sessions: Vec<Session> = Vec::new();
    let mut open: BTreeMap<(HostId, u64), usize> = BTreeMap::new();
    for (id, record) in evidence.off_the_wire() {
        let Some(host) = record.host else { continue };
        let seen = seen(id, record.at);
        match &record.event {
            Event::Report(Report::Opened {
                kind: "session",
                id,
                label,
                ..
            }) => {
                open.insert((host, *id), sessions.len());
                sessions.push(Session {
                    host,
                    label: label.clone(),
                    opened: seen,
                    closed: None,
                });
            }
            Event::Report(Report::Closed {
                kind: "session",
                id,
            }) => {
                let place = open.remove(&(host, *id));
                let session = place.and_then(|place| sessions.get_mut(place));
                session.into_iter().for_each(|it| it.closed = Some(seen));
            }
            Event::Network(network::Event::HostStopped { .. }) => {
                open.retain(|(owner, _), place| {
                    let ends = *owner == host;
                    if let Some(session) = sessions.get_mut(*place).filter(|_| ends) {
                        session.closed = Some(seen);
                    }
                    !ends
                });
            }
            _ => {}
        }
    }
    sessions
}

fn seen(record: RecordId, at: Instant) -> Seen {
    Seen { record, at }
}
