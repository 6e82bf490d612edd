//! SIP messages in the segments of TCP connections.
//!
//! Owns which bytes of a connection are which message, and how much of it has arrived and was read. Refuses connections
//! that carry something else.

use std::collections::BTreeMap;
use std::net::SocketAddr;

use bytes::Bytes;
use linefault_network::{Flags, Packet, Segment};
use linefault_protocol::sip::Limits;
use linefault_protocol::sip::framing::{Fault, Frame, Framer};

use super::SipMessage;

/// Both directions of every connection of a run.
#[derive(Debug, Default)]
pub(super) struct Streams {
    pub(super) flows: Vec<Flow>,
    /// The latest flow between two addresses, as its sender knows them and as its receiver does.
    sent: BTreeMap<(SocketAddr, SocketAddr), usize>,
    delivered: BTreeMap<(SocketAddr, SocketAddr), usize>,
    packets: BTreeMap<u64, Part>,
}

/// What a packet carries of a flow.
#[derive(Clone, Copy, Debug)]
pub(super) struct Part {
    pub(super) flow: usize,
    pub(super) begin: u64,
    pub(super) end: u64,
}

/// What a segment adds to a flow as it leaves.
#[derive(Clone, Copy, Debug)]
pub(super) struct Leaving {
    pub(super) flow: usize,
    /// Its first byte that was not sent before, if there is one: what is repeated left earlier.
    pub(super) new_from: Option<u64>,
    /// The place of the first piece that it completes.
    pub(super) first_piece: usize,
}

/// One direction of one connection.
#[derive(Debug)]
pub(super) struct Flow {
    initial: u32,
    /// Bytes sent so far, and handed out as pieces.
    sent: u64,
    framed: u64,
    framer: Framer,
    /// Whether it carries something else than SIP.
    foreign: bool,
    pub(super) pieces: Vec<Piece>,
    /// What has arrived beyond what is complete, by where it begins.
    islands: BTreeMap<u64, u64>,
    complete: u64,
    read: u64,
    /// How many pieces have arrived, and how many were read.
    arrived: usize,
    opened: usize,
}

/// One message of a flow, or a line break between two.
#[derive(Clone, Debug)]
pub(super) struct Piece {
    pub(super) begin: u64,
    pub(super) end: u64,
    pub(super) bytes: Bytes,
    /// Its place among [`super::Evidence::transmissions`].
    pub(super) transmission: Option<usize>,
    /// Its place among [`super::Evidence::arrivals`].
    pub(super) arrival: Option<usize>,
}

impl Streams {
    /// A segment leaves its sender.
    pub(super) fn send(&mut self, packet: &Packet, segment: &Segment) -> Option<Leaving> {
        let key = (packet.from, packet.to);
        if segment.has(Flags::SYN) {
            // Who answers a SYN was connected to.
            let framer = if segment.has(Flags::ACK) {
                Framer::of_answers(Limits::default())
            } else {
                Framer::default()
            };
            self.begin(key, segment.sequence, framer);
        }
        if segment.data.is_empty() {
            return None;
        }
        let index = *self.sent.get(&key)?;
        let flow = self.flows.get_mut(index)?;
        if flow.carries_nothing() {
            return None;
        }
        let first = flow.initial.wrapping_add(1);
        let begin = u64::from(segment.sequence.wrapping_sub(first));
        let end = begin + segment.data.len() as u64;
        let part = Part {
            flow: index,
            begin,
            end,
        };
        let leaving = Leaving {
            flow: index,
            new_from: (flow.sent < end).then_some(flow.sent.max(begin)),
            first_piece: flow.pieces.len(),
        };
        flow.extend(begin, &segment.data);
        if flow.carries_nothing() {
            return None;
        }
        self.packets.insert(packet.id, part);
        Some(leaving)
    }

    /// A copy of a packet is under way.
    pub(super) fn copy(&mut self, of: u64, copy: u64) {
        if let Some(part) = self.packets.get(&of).copied() {
            self.packets.insert(copy, part);
        }
    }

    pub(super) fn part(&self, packet: u64) -> Option<Part> {
        self.packets.get(&packet).copied()
    }

    /// A segment arrives. What of its flow is complete by now is in the flow.
    pub(super) fn deliver(&mut self, packet: &Packet) -> Option<usize> {
        let part = self.part(packet.id)?;
        self.delivered.insert((packet.from, packet.to), part.flow);
        let flow = self.flows.get_mut(part.flow)?;
        flow.arrive(part.begin, part.end);
        Some(part.flow)
    }

    /// The receiver reads.
    pub(super) fn read(
        &mut self,
        remote: SocketAddr,
        local: SocketAddr,
        length: usize,
    ) -> Option<usize> {
        let index = *self.delivered.get(&(remote, local))?;
        self.flows.get_mut(index)?.read += length as u64;
        Some(index)
    }

    fn begin(&mut self, key: (SocketAddr, SocketAddr), initial: u32, framer: Framer) {
        let known = self.sent.get(&key).and_then(|index| self.flows.get(*index));
        // A SYN that is sent again.
        if known.is_some_and(|flow| flow.initial == initial && flow.sent == 0) {
            return;
        }
        self.sent.insert(key, self.flows.len());
        self.delivered.remove(&key);
        self.flows.push(Flow {
            initial,
            sent: 0,
            framed: 0,
            framer,
            foreign: false,
            pieces: Vec::new(),
            islands: BTreeMap::new(),
            complete: 0,
            read: 0,
            arrived: 0,
            opened: 0,
        });
    }
}

impl Flow {
    /// The message that has begun and is not complete, if it reads like one.
    pub(super) fn unfinished(&self) -> Option<(u64, Bytes)> {
        let bytes = self.framer.unfinished();
        (!self.foreign && begins_like_sip(bytes) && bytes.len() > 1)
            .then(|| (self.framed, Bytes::copy_from_slice(bytes)))
    }

    /// The pieces of which these bytes are a part.
    pub(super) fn pieces_of(&self, part: Part) -> impl Iterator<Item = &Piece> {
        self.pieces
            .iter()
            .filter(move |piece| piece.begin < part.end && part.begin < piece.end)
    }

    /// The next piece that is complete at the receiver and was not given before.
    pub(super) fn next_arrived(&mut self) -> Option<&mut Piece> {
        let piece = self.pieces.get_mut(self.arrived)?;
        let complete = piece.end <= self.complete;
        self.arrived += usize::from(complete);
        complete.then_some(piece)
    }

    /// The next piece that the receiver's program has read to its end.
    pub(super) fn next_read(&mut self) -> Option<&Piece> {
        let piece = self.pieces.get(self.opened)?;
        let read = piece.end <= self.read;
        self.opened += usize::from(read);
        read.then_some(piece)
    }

    /// Whether no message is on it, nor will be.
    fn carries_nothing(&self) -> bool {
        self.foreign && self.pieces.is_empty()
    }

    fn extend(&mut self, begin: u64, data: &[u8]) {
        let known = usize::try_from(self.sent.saturating_sub(begin)).unwrap_or(usize::MAX);
        let Some(new) = data.get(known..).filter(|new| !new.is_empty()) else {
            return;
        };
        self.sent += new.len() as u64;
        if self.foreign {
            return;
        }
        self.framer.feed(new);
        while let Some(frame) = self.framer.next_frame() {
            match frame {
                Frame::Last(_, Fault::NotSip) => self.foreign = true,
                Frame::Message(bytes) | Frame::Last(bytes, _) => self.take(bytes),
                Frame::LineBreak => self.take(Bytes::from_static(b"\r\n")),
                Frame::Ping => self.ping(),
            }
        }
        self.foreign |= !begins_like_sip(self.framer.unfinished());
    }

    fn take(&mut self, bytes: Bytes) {
        let begin = self.framed;
        self.framed += bytes.len() as u64;
        self.pieces.push(Piece {
            begin,
            end: self.framed,
            bytes,
            transmission: None,
            arrival: None,
        });
    }

    /// Two line breaks that left together are one thing.
    fn ping(&mut self) {
        let half = self.pieces.pop_if(|half| half.transmission.is_none());
        self.framed -= half.as_ref().map_or(0, |half| half.end - half.begin);
        self.take(Bytes::from_static(match half {
            Some(_) => b"\r\n\r\n",
            None => b"\r\n",
        }));
    }

    fn arrive(&mut self, begin: u64, end: u64) {
        let island = self.islands.entry(begin).or_insert(end);
        *island = end.max(*island);
        while let Some(entry) = self.islands.first_entry()
            && *entry.key() <= self.complete
        {
            self.complete = self.complete.max(entry.remove());
        }
    }
}

/// Nothing yet, a line break, or what may be a method or `SIP/2.0`.
fn begins_like_sip(bytes: &[u8]) -> bool {
    let word: Vec<_> = bytes
        .iter()
        .take_while(|byte| **byte != b' ')
        .take(16)
        .collect();
    word.iter()
        .all(|byte| byte.is_ascii_alphanumeric() || b"-.!%*_+`'~/\r\n".contains(byte))
}

/// The messages that a packet carries or begins to carry, for whoever sees packets one by one: the datagram, or what of
/// a segment reads as SIP from its beginning on.
pub(crate) fn messages_in(packet: &Packet) -> Vec<Bytes> {
    let Some(segment) = packet.segment() else {
        return packet.datagram().cloned().into_iter().collect();
    };
    let mut framer = Framer::default();
    framer.feed(&segment.data);
    let mut messages = Vec::new();
    while let Some(frame) = framer.next_frame() {
        if let Frame::Message(bytes) = frame {
            messages.push(bytes);
        }
    }
    let begun = framer.unfinished();
    if SipMessage::read(begun).is_some() {
        messages.push(Bytes::copy_from_slice(begun));
    }
    messages
}
