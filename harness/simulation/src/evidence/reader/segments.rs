//! What the segments of TCP connections say.

use std::net::SocketAddr;

use bytes::Bytes;
use linefault_network::{Instant, Packet, RecordId, Segment};
use linefault_protocol::sip::Transport;

use super::Reader;
use crate::evidence::{Arrival, Fate, Transmission};

impl Reader<'_> {
    pub(super) fn segment_sent(
        &mut self,
        id: RecordId,
        at: Instant,
        packet: &Packet,
        segment: &Segment,
    ) {
        let Some(leaving) = self.streams.send(packet, segment) else {
            return;
        };
        let flow = leaving.flow;
        if let Some(begin) = leaving.new_from {
            self.starts.insert((flow, begin), (id, at, packet.clone()));
        }
        for place in leaving.first_piece..self.streams.flows[flow].pieces.len() {
            let piece = self.streams.flows[flow].pieces[place].clone();
            let transmission = self.begun(flow, piece.begin, piece.bytes);
            self.streams.flows[flow].pieces[place].transmission = transmission;
        }
    }

    pub(super) fn segment_delivered(&mut self, id: RecordId, at: Instant, packet: &Packet) {
        let (Some(host), Some(flow)) = (packet.receiver, self.streams.deliver(packet)) else {
            return;
        };
        while let Some(piece) = self.streams.flows[flow].next_arrived() {
            let transmission = piece.transmission;
            piece.arrival = Some(self.arrivals.len());
            let sent = transmission.and_then(|place| self.transmissions.get_mut(place));
            let message = sent.and_then(|sent| {
                if packet.from != sent.source {
                    self.outside.insert(packet.from, sent.from);
                }
                sent.to.get_or_insert(host);
                sent.arrived.push(at);
                sent.fate = Fate::Arrived { at };
                sent.message.clone()
            });
            self.arrivals.push(Arrival {
                record: id,
                at,
                read_at: None,
                read: None,
                host,
                source: packet.from,
                transmission,
                message,
            });
        }
    }

    pub(super) fn read_from(
        &mut self,
        remote: SocketAddr,
        local: SocketAddr,
        length: usize,
        (read, at): (RecordId, Instant),
    ) {
        let Some(flow) = self.streams.read(remote, local, length) else {
            return;
        };
        while let Some(piece) = self.streams.flows[flow].next_read() {
            let arrival = piece.arrival.and_then(|place| self.arrivals.get_mut(place));
            if let Some(arrival) = arrival {
                arrival.read_at = Some(at);
                arrival.read = Some(read);
            }
        }
    }

    /// What was begun and never came to its end: its connection ended before.
    pub(super) fn take_unfinished(&mut self) {
        for flow in 0..self.streams.flows.len() {
            let Some((begin, bytes)) = self.streams.flows[flow].unfinished() else {
                continue;
            };
            self.begun(flow, begin, bytes);
        }
    }

    /// The transmissions of which a packet carries a part.
    pub(super) fn transmissions_of(&self, packet: u64) -> Vec<usize> {
        let Some(part) = self.streams.part(packet) else {
            return Vec::new();
        };
        let pieces = self.streams.flows[part.flow].pieces_of(part);
        pieces.filter_map(|piece| piece.transmission).collect()
    }

    /// A message of which the byte at `begin` is the first; its place.
    fn begun(&mut self, flow: usize, begin: u64, bytes: Bytes) -> Option<usize> {
        let (_, (id, at, packet)) = self.starts.range((flow, 0)..=(flow, begin)).next_back()?;
        let (record, from) = ((*id, *at), packet.sender?);
        let (addresses, to) = ((packet.from, packet.to), packet.receiver);
        let sent = self.transmission(record, from, addresses, bytes, Fate::Underway);
        self.transmissions.push(Transmission {
            transport: Transport::Tcp,
            to,
            ..sent
        });
        let place = self.transmissions.len() - 1;
        let mut lost = self.lost_parts.iter();
        let lost = lost.find(|(part, _)| part.flow == flow && part.end > begin);
        if let Some((_, reason)) = lost.copied() {
            self.lose(place, reason);
        }
        Some(place)
    }
}
