//! Whether something that a scenario speaks of was seen: a message of a kind, a log line at a level.

use linefault_network::{self as network, HostId, Instant, RecordId};
use linefault_protocol::sip::Message;
use tracing::Level;

use crate::evidence::stream::Seen;
use crate::evidence::talk::{Heard, Talk, Utterance, What};
use crate::evidence::{Evidence, SipMessage, messages_in};
use crate::scenario::{Direction, Subject, Trigger};
use crate::trace::{Event, LogLine, Record, Trace};

/// One moment at which it was seen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Sighting {
    /// The record that shows it.
    pub(crate) record: RecordId,
    /// When.
    pub(crate) at: Instant,
}

/// Every time that `host` did what `subject` says, in order.
#[must_use]
pub(crate) fn sightings(evidence: &Evidence<'_>, host: HostId, subject: &Subject) -> Vec<Sighting> {
    match subject {
        Subject::Log { level, message } => logged(evidence.trace, host, *level, message.as_deref()),
        Subject::Message {
            direction, pattern, ..
        } if pattern.stream().is_some() => utterances(evidence, host, *direction)
            .filter(|(_, said)| fits_stream(subject, &said.what))
            .map(|(seen, _)| seen)
            .collect(),
        Subject::Message { direction, .. } => messages(evidence, host, *direction)
            .filter(|(_, message)| fits(subject, &message.message))
            .map(|(seen, _)| seen)
            .collect(),
    }
}

/// Every message that left `host`, or reached it, in order.
pub(crate) fn messages<'a>(
    evidence: &'a Evidence<'_>,
    host: HostId,
    direction: Direction,
) -> Box<dyn Iterator<Item = (Sighting, &'a SipMessage)> + 'a> {
    match direction {
        Direction::Sends => {
            let sent = evidence.transmissions.iter();
            Box::new(
                sent.filter(move |sent| sent.from == host && sent.left())
                    .filter_map(|sent| {
                        let (record, at) = (sent.record, sent.at);
                        Some((Sighting { record, at }, sent.message.as_deref()?))
                    }),
            )
        }
        Direction::Receives => {
            let arrived = evidence.arrivals.iter();
            Box::new(
                arrived
                    .filter(move |arrival| arrival.host == host)
                    .filter_map(|arrival| {
                        let (record, at) = (arrival.record, arrival.at);
                        Some((Sighting { record, at }, arrival.message.as_deref()?))
                    }),
            )
        }
    }
}

/// Everything that `host` said on a connection, or that reached it there whole, in order.
pub(crate) fn utterances<'a>(
    evidence: &'a Evidence<'_>,
    host: HostId,
    direction: Direction,
) -> impl Iterator<Item = (Sighting, &'a Utterance)> {
    evidence.utterances.iter().filter_map(move |said| {
        let (who, seen) = match direction {
            Direction::Sends => (said.from(&evidence.connections), Some(said.sent)),
            Direction::Receives => (said.to(&evidence.connections), said.arrived),
        };
        let Seen { record, at } = seen.filter(|_| who == Some(host))?;
        Some((Sighting { record, at }, said))
    })
}

fn logged(trace: &Trace, host: HostId, level: Level, text: Option<&str>) -> Vec<Sighting> {
    let matching = trace
        .iter()
        .filter(|(_, record)| is_line(record, host, level, text));
    matching
        .map(|(id, record)| Sighting {
            record: id,
            at: record.at,
        })
        .collect()
}

fn is_line(record: &Record, host: HostId, level: Level, text: Option<&str>) -> bool {
    let Event::Log(LogLine {
        level: logged,
        message,
        ..
    }) = &record.event
    else {
        return false;
    };
    record.host == Some(host) && *logged == level && text.is_none_or(|text| message.contains(text))
}

fn fits(subject: &Subject, message: &Message) -> bool {
    let Subject::Message {
        pattern,
        headers,
        body,
        ..
    } = subject
    else {
        return false;
    };
    let has = |(name, value): &(String, String)| {
        message.fields_of(name).any(|field| field.value() == value)
    };
    let in_body = |text: &String| String::from_utf8_lossy(message.body()).contains(text.as_str());
    pattern.matches(message) && headers.iter().all(has) && body.as_ref().is_none_or(in_body)
}

fn fits_stream(subject: &Subject, what: &What) -> bool {
    let Subject::Message {
        pattern,
        headers,
        body,
        ..
    } = subject
    else {
        return false;
    };
    let http = match what {
        What::Http(message) => Some(message),
        _ => None,
    };
    let has = |(name, value): &(String, String)| {
        let found = http.and_then(|message| message.header(&name.to_ascii_lowercase()));
        found == Some(value)
    };
    let in_body = |text: &String| {
        http.is_some_and(|it| String::from_utf8_lossy(&it.body).contains(text.as_str()))
    };
    pattern
        .stream()
        .is_some_and(|pattern| pattern.matches(what))
        && headers.iter().all(has)
        && body.as_ref().is_none_or(in_body)
}

/// What a run under way says on its connections, for what waits to see something there.
#[derive(Default)]
pub(crate) struct Listener {
    talk: Talk,
    /// What became whole with the latest records: by which record, and whether it arrived then.
    heard: Vec<(RecordId, Heard)>,
}

impl Listener {
    /// Takes the records of `trace` from index `from` on; what came before is forgotten.
    pub(crate) fn listen(&mut self, trace: &Trace, from: usize) {
        self.heard.clear();
        for (id, record) in trace.iter().skip(from) {
            let heard = &mut self.heard;
            self.talk.take(id, record, |what| heard.push((id, what)));
        }
    }

    fn first(&self, host: HostId, subject: &Subject) -> Option<RecordId> {
        let Subject::Message { direction, .. } = subject else {
            return None;
        };
        let connections = &self.talk.connections.all;
        let shown = self.heard.iter().find(|(_, heard)| {
            let (place, way) = match heard {
                Heard::Sent(place) => (*place, Direction::Sends),
                Heard::Arrived(place) => (*place, Direction::Receives),
            };
            let said = &self.talk.utterances[place];
            let who = match way {
                Direction::Sends => said.from(connections),
                Direction::Receives => said.to(connections),
            };
            way == *direction && who == Some(host) && fits_stream(subject, &said.what)
        });
        shown.map(|(record, _)| *record)
    }
}

/// The latest records of a run under way, for what waits to see something.
pub(crate) struct Sightings<'a> {
    trace: &'a Trace,
    from: usize,
    listener: &'a Listener,
}

impl<'a> Sightings<'a> {
    /// The records of `trace` from index `from` on, which the listener has taken too.
    #[must_use]
    pub(crate) fn new(trace: &'a Trace, from: usize, listener: &'a Listener) -> Self {
        Self {
            trace,
            from,
            listener,
        }
    }

    /// The first record that shows what the trigger waits for.
    #[must_use]
    pub(crate) fn first(&self, trigger: &Trigger) -> Option<RecordId> {
        let host = self.trace.hosts().get(trigger.host.0)?.id;
        if trigger.is_stream() {
            return self.listener.first(host, &trigger.subject);
        }
        let recent = self.trace.iter().skip(self.from);
        let mut shown = recent.filter(|(_, record)| shows(record, host, &trigger.subject));
        shown.next().map(|(id, _)| id)
    }
}

fn shows(record: &Record, host: HostId, subject: &Subject) -> bool {
    let packet = match (subject, &record.event) {
        (Subject::Log { level, message }, Event::Log(_)) => {
            return is_line(record, host, *level, message.as_deref());
        }
        (
            Subject::Message {
                direction: Direction::Sends,
                ..
            },
            Event::Network(network::Event::Sent { packet }),
        ) if packet.sender == Some(host) => packet,
        (
            Subject::Message {
                direction: Direction::Receives,
                ..
            },
            Event::Network(network::Event::Delivered { packet }),
        ) if packet.receiver == Some(host) => packet,
        _ => return false,
    };
    messages_in(packet)
        .iter()
        .filter_map(|bytes| SipMessage::read(bytes))
        .any(|message| fits(subject, &message.message))
}
