//! Which call or connection something belongs to: by its Call-ID, its connection, or what led to it.

use std::collections::BTreeMap;

use linefault_network::RecordId;

use crate::evidence::Evidence;
use crate::ladder::{Aliases, Message, Origin};

/// How many causes are followed: from a log line to the message that it is about there are few.
const MOST_CAUSES: usize = 16;

/// The calls and connections of one run.
pub(super) struct Threads {
    /// What to call each.
    pub(super) labels: Vec<String>,
    by_record: BTreeMap<RecordId, usize>,
    by_transmission: Vec<Option<usize>>,
    by_connection: Vec<usize>,
    by_utterance: Vec<usize>,
}

impl Threads {
    pub(super) fn of(evidence: &Evidence<'_>) -> Self {
        let mut threads = Self {
            labels: Vec::new(),
            by_record: BTreeMap::new(),
            by_transmission: Vec::new(),
            by_connection: Vec::new(),
            by_utterance: Vec::new(),
        };
        threads.read_calls(evidence);
        threads.read_connections(evidence);
        threads
    }

    fn read_calls(&mut self, evidence: &Evidence<'_>) {
        let aliases = Aliases::of(evidence);
        let mut calls: BTreeMap<&str, usize> = BTreeMap::new();
        for sent in &evidence.transmissions {
            let message = sent.message.as_deref();
            let message = message.filter(|message| !message.call_id.is_empty());
            let thread = message.map(|message| {
                *calls.entry(&message.call_id).or_insert_with(|| {
                    let name = aliases.apply(&message.call_id);
                    let to = sent.to.map_or("?", |to| evidence.name(to));
                    let from = evidence.name(sent.from);
                    let what = message.summary();
                    self.labels.push(format!("{name}: {what} {from} → {to}"));
                    self.labels.len() - 1
                })
            });
            self.by_transmission.push(thread);
            let known = thread.map(|thread| (sent.record, thread));
            self.by_record.extend(known);
        }
        for arrival in &evidence.arrivals {
            let message = arrival.message.as_deref();
            let thread = message.and_then(|message| calls.get(message.call_id.as_str()));
            let known = thread.map(|thread| (arrival.record, *thread));
            self.by_record.extend(known);
        }
    }

    fn read_connections(&mut self, evidence: &Evidence<'_>) {
        for (place, connection) in evidence.connections.iter().enumerate() {
            let address = connection.server_address;
            let to = connection.server.map_or(address.ip().to_string(), |host| {
                evidence.name(host).to_owned()
            });
            let from = evidence.name(connection.client);
            let port = address.port();
            let label = format!("connection-{}: {from} → {to} port {port}", place + 1);
            self.by_connection.push(self.labels.len());
            self.labels.push(label);
        }
        for said in &evidence.utterances {
            let thread = self.by_connection.get(said.connection);
            let thread = thread.copied().unwrap_or_default();
            self.by_utterance.push(thread);
            self.by_record.insert(said.sent.record, thread);
            let arrived = said.arrived.map(|seen| (seen.record, thread));
            self.by_record.extend(arrived);
        }
    }

    /// The thread of a message.
    pub(super) fn of_message(&self, message: &Message) -> Option<usize> {
        let place = message.sendings.first()?.place;
        match message.origin {
            Origin::Transmissions => *self.by_transmission.get(place)?,
            Origin::Utterances => self.by_utterance.get(place).copied(),
            Origin::Connection => self.by_connection.get(place).copied(),
        }
    }

    /// The thread of what led to a record.
    pub(super) fn of_record(&self, evidence: &Evidence<'_>, record: RecordId) -> Option<usize> {
        let cause = |id: &RecordId| evidence.trace.get(*id).and_then(|record| record.cause);
        let mut causes = std::iter::successors(Some(record), cause).take(MOST_CAUSES);
        causes.find_map(|id| self.by_record.get(&id).copied())
    }
}
