//! The one reading of a trace's packets as messages.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::rc::Rc;

use bytes::Bytes;
use linefault_network::{
    self as network, Alteration, HostId, Instant, LossReason, Packet, RecordId,
};
use linefault_protocol::sip::Transport;

use super::index::Index;
use super::signalling::{Part, Streams};
use super::{Arrival, Fate, SipMessage, Transmission};
use crate::trace::{Event, Record, Trace};

#[derive(Default)]
pub(super) struct Reader<'a> {
    trace: Option<&'a Trace>,
    pub(super) transmissions: Vec<Transmission>,
    pub(super) arrivals: Vec<Arrival>,
    pub(super) index: Index,
    /// Who was seen to send from an address that is none of the hosts': from behind a NAT.
    pub(super) outside: BTreeMap<SocketAddr, HostId>,
    /// Arrivals by the id of their packet, until they are read.
    unread: BTreeMap<u64, usize>,
    /// Transmissions by the id of their packet, and copies by theirs.
    by_packet: BTreeMap<u64, usize>,
    repeats: BTreeMap<(HostId, SocketAddr, Bytes), Repeated>,
    streams: Streams,
    /// When each part of a flow was first sent, by flow and first byte, and by which packet.
    starts: BTreeMap<(usize, u64), (RecordId, Instant, Packet)>,
    /// Parts of flows that got lost.
    lost_parts: Vec<(Part, LossReason)>,
}

struct Repeated {
    count: u32,
    message: Option<Rc<SipMessage>>,
}

impl<'a> Reader<'a> {
    pub(super) fn of(trace: &'a Trace) -> Self {
        Self {
            trace: Some(trace),
            ..Self::default()
        }
    }

    /// What can be said only once all is there.
    pub(super) fn finish(&mut self) {
        self.take_unfinished();
        self.put_in_order();
    }

    /// Takes the next record.
    pub(super) fn take(&mut self, id: RecordId, record: &Record) {
        let at = record.at;
        match &record.event {
            Event::Network(network::Event::Sent { packet }) => {
                let raw = self.is_raw(record.cause);
                match packet.segment() {
                    Some(segment) => self.segment_sent(id, at, packet, segment),
                    None => self.sent(id, at, packet, raw),
                }
            }
            Event::Network(network::Event::Read {
                local,
                remote,
                length,
                ..
            }) => self.read_from(*remote, *local, *length, (id, at)),
            Event::Network(network::Event::Received { packet, .. }) => {
                self.opened(*packet, (id, at));
            }
            Event::Network(network::Event::Delivered { packet }) => self.delivered(id, at, packet),
            Event::Network(network::Event::Lost { packet, reason }) => self.lost(packet, *reason),
            Event::Network(network::Event::Altered { packet, how, .. }) => {
                self.altered(packet, *how);
            }
            Event::Unsent(unsent) => {
                let Some(from) = record.host else { return };
                let transmission = self.transmission(
                    (id, at),
                    from,
                    (unsent.from, unsent.to),
                    unsent.datagram.clone(),
                    Fate::Unsent(unsent.error),
                );
                let to = self.trace.and_then(|trace| trace.host_at(unsent.to));
                let raw = self.is_raw(record.cause);
                self.push(Transmission {
                    to,
                    raw,
                    ..transmission
                });
            }
            _ => {}
        }
    }

    /// Whether the record's cause is a step that sends bytes in a host's name.
    fn is_raw(&self, cause: Option<RecordId>) -> bool {
        let cause = cause.and_then(|cause| self.trace?.get(cause));
        matches!(cause.map(|record| &record.event), Some(Event::Step(step)) if step.raw)
    }

    fn push(&mut self, sent: Transmission) {
        self.transmissions.push(sent);
    }

    fn opened(&mut self, packet: u64, (read, at): (RecordId, Instant)) {
        let arrival = self.unread.remove(&packet);
        let arrival = arrival.and_then(|place| self.arrivals.get_mut(place));
        if let Some(arrival) = arrival {
            arrival.read_at = Some(at);
            arrival.read = Some(read);
        }
    }

    fn sent(&mut self, id: RecordId, at: Instant, packet: &Packet, raw: bool) {
        let (Some(from), Some(datagram)) = (packet.sender, packet.datagram()) else {
            return;
        };
        let addresses = (packet.from, packet.to);
        let sent = self.transmission((id, at), from, addresses, datagram.clone(), Fate::Underway);
        self.by_packet.insert(packet.id, self.transmissions.len());
        self.push(Transmission {
            to: packet.receiver,
            raw,
            ..sent
        });
    }

    fn transmission(
        &mut self,
        (record, at): (RecordId, Instant),
        from: HostId,
        (source, destination): (SocketAddr, SocketAddr),
        datagram: Bytes,
        fate: Fate,
    ) -> Transmission {
        let key = (from, destination, datagram.clone());
        let seen = self.repeats.entry(key);
        let seen = seen
            .and_modify(|seen| seen.count += 1)
            .or_insert_with(|| Repeated {
                count: 0,
                message: SipMessage::read(&datagram).map(Rc::new),
            });
        let (repeat, message) = (seen.count, seen.message.clone());
        Transmission {
            transport: Transport::Udp,
            record,
            at,
            from,
            to: None,
            source,
            destination,
            datagram,
            message,
            repeat,
            fate,
            alterations: Vec::new(),
            arrived: Vec::new(),
            raw: false,
        }
    }

    fn altered(&mut self, packet: &Packet, how: Alteration) {
        if let Alteration::Duplicated { of } = how {
            self.streams.copy(of, packet.id);
        }
        for transmission in self.transmissions_of(packet.id) {
            self.transmissions[transmission].alterations.push(how);
        }
        if let Alteration::Duplicated { of } = how
            && let Some(original) = self.by_packet.get(&of).copied()
        {
            self.by_packet.insert(packet.id, original);
        }
        let sent = self
            .by_packet
            .get(&packet.id)
            .and_then(|index| self.transmissions.get_mut(*index));
        sent.into_iter().for_each(|sent| sent.alterations.push(how));
    }

    fn delivered(&mut self, id: RecordId, at: Instant, packet: &Packet) {
        if packet.segment().is_some() {
            return self.segment_delivered(id, at, packet);
        }
        let (Some(host), Some(datagram)) = (packet.receiver, packet.datagram()) else {
            return;
        };
        let transmission = self.by_packet.get(&packet.id).copied();
        let original = transmission.and_then(|index| self.transmissions.get_mut(index));
        let message = match original {
            Some(sent) => {
                if packet.from != sent.source {
                    self.outside.insert(packet.from, sent.from);
                }
                sent.to.get_or_insert(host);
                sent.arrived.push(at);
                if !matches!(sent.fate, Fate::Arrived { .. }) {
                    sent.fate = Fate::Arrived { at };
                }
                let unchanged = sent.datagram == *datagram;
                unchanged.then(|| sent.message.clone())
            }
            None => None,
        };
        let message = message.unwrap_or_else(|| SipMessage::read(datagram).map(Rc::new));
        let source = packet.from;
        self.unread.insert(packet.id, self.arrivals.len());
        self.arrivals.push(Arrival {
            record: id,
            at,
            read_at: None,
            read: None,
            host,
            source,
            transmission,
            message,
        });
    }

    fn lost(&mut self, packet: &Packet, reason: LossReason) {
        self.lost_parts
            .extend(self.streams.part(packet.id).map(|part| (part, reason)));
        for transmission in self.transmissions_of(packet.id) {
            self.lose(transmission, reason);
        }
        if let Some(transmission) = self.by_packet.get(&packet.id).copied() {
            self.lose(transmission, reason);
        }
    }

    fn lose(&mut self, transmission: usize, reason: LossReason) {
        let sent = self.transmissions.get_mut(transmission);
        if let Some(sent) = sent.filter(|sent| sent.fate == Fate::Underway) {
            sent.fate = Fate::Lost { reason };
        }
    }

    /// What is counted by place, once all is there: a message in several segments begins before it is complete, and is
    /// known only then.
    fn put_in_order(&mut self) {
        let mut order: Vec<usize> = (0..self.transmissions.len()).collect();
        order.sort_by_key(|place| self.transmissions[*place].record);
        let mut places = vec![0; order.len()];
        for (new, old) in order.iter().enumerate() {
            places[*old] = new;
        }
        self.transmissions.sort_by_key(|sent| sent.record);
        for arrival in &mut self.arrivals {
            arrival.transmission = arrival.transmission.map(|old| places[old]);
        }
        for (place, sent) in self.transmissions.iter().enumerate() {
            if let Some(message) = &sent.message {
                self.index.sent(message, place);
            }
        }
        for (place, arrival) in self.arrivals.iter().enumerate() {
            if let Some(message) = &arrival.message {
                self.index.arrived(message, place);
            }
        }
    }
}

mod segments;
