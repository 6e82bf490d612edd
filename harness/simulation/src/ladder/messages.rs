//! Datagrams and SIP messages over TCP as rows, repeats folded into the first.

use std::collections::BTreeMap;

use linefault_network::{Alteration, LossReason};
use linefault_protocol::sip::Transport;

use super::{End, Fold, Message, Origin, Reading, Row, Sending, What};
use crate::evidence::{Fate, Transmission};

pub(super) fn rows(reading: &Reading<'_>) -> Vec<Row> {
    let mut series: BTreeMap<_, Vec<usize>> = BTreeMap::new();
    let sent = &reading.evidence.transmissions;
    for (place, sent) in sent.iter().enumerate() {
        let key = (sent.from, sent.destination, sent.transport, &sent.datagram);
        series.entry(key).or_default().push(place);
    }
    // Messages that left in one segment have one record.
    let mut series: Vec<_> = series.into_values().collect();
    series.sort();
    let rows = series.iter().filter_map(|places| reading.message(places));
    rows.collect()
}

impl Reading<'_> {
    fn message(&self, places: &[usize]) -> Option<Row> {
        let sent = |place: &usize| Some((*place, self.evidence.transmissions.get(*place)?));
        let series: Vec<_> = places.iter().filter_map(sent).collect();
        let (_, first) = series.first()?;
        let altered = series
            .iter()
            .filter(|(_, sent)| !sent.alterations.is_empty());
        let message = Message {
            from: End::Host(first.from),
            to: first.to.map_or(End::Address(first.destination), End::Host),
            label: label(first),
            status: first.message.as_deref().and_then(|message| message.status),
            over_tcp: first.transport == Transport::Tcp,
            fold: Fold::Repeats,
            origin: Origin::Transmissions,
            sendings: series.iter().map(|sent| sending(*sent)).collect(),
            trouble: series.iter().find_map(|(_, sent)| self.reason(sent.fate)),
            alterations: altered.map(|(_, sent)| alterations(sent)).collect(),
        };
        Some(Row {
            record: first.record,
            at: first.at,
            what: What::Message(message),
        })
    }

    /// Why something did not arrive.
    fn reason(&self, fate: Fate) -> Option<String> {
        match fate {
            Fate::Underway | Fate::Arrived { .. } => None,
            Fate::Lost { reason } => Some(self.loss(reason)),
            Fate::Unsent(error) => {
                let kind = error.kind.description().to_lowercase();
                Some(format!("{kind} (errno {})", error.errno))
            }
        }
    }

    fn loss(&self, reason: LossReason) -> String {
        let why = reason.description();
        match reason {
            LossReason::Fault(fault) => format!("lost: {}", self.fault(fault)),
            LossReason::QueueFull(fault) => format!("lost: {why} ({})", self.fault(fault)),
            _ => format!("lost: {why}"),
        }
    }
}

fn sending((place, sent): (usize, &Transmission)) -> Sending {
    Sending {
        record: sent.record,
        at: sent.at,
        arrived: sent.arrived.first().copied(),
        arrives: matches!(sent.fate, Fate::Arrived { .. } | Fate::Underway),
        place,
    }
}

fn label(sent: &Transmission) -> String {
    match sent.message.as_deref() {
        None => format!("{} bytes", sent.datagram.len()),
        Some(message) => match message.message.request_uri() {
            Some(uri) => format!("{} {uri}", message.method),
            None => message.summary(),
        },
    }
}

/// What faults did to a message, and when it arrived in the end.
fn alterations(sent: &Transmission) -> String {
    let mut words: Vec<_> = sent.alterations.iter().map(|how| word(*how)).collect();
    words.dedup();
    let arrived: Vec<_> = sent.arrived.iter().map(ToString::to_string).collect();
    let arrived = if arrived.is_empty() {
        "never".to_owned()
    } else {
        arrived.join(" ")
    };
    format!("{}, arrived {arrived}", words.join(", "))
}

/// What an alteration is called.
pub(super) const fn word(how: Alteration) -> &'static str {
    match how {
        Alteration::Delayed { .. } => "delayed",
        Alteration::Reordered => "held back",
        Alteration::Duplicated { .. } => "duplicated",
        Alteration::Corrupted => "corrupted",
        Alteration::Truncated => "truncated",
    }
}
