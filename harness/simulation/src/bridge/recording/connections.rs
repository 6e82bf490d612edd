//! TCP connections as segments: one for each write, in order and never sent again, as turmoil carries them.

use std::collections::{BTreeMap, VecDeque};
use std::net::SocketAddr;
use std::sync::Arc;

use bytes::Bytes;
use linefault_network::{Event as N, Flags, Packet, Payload, Segment, SocketId};

use super::{Recorded, Recording};
use crate::trace::Event;

/// Every direction of every connection, by its sender's address and its receiver's. A later connection between the same
/// addresses takes them over.
#[derive(Default)]
pub(super) struct Connections(BTreeMap<(SocketAddr, SocketAddr), Direction>);

#[derive(Default)]
struct Direction {
    /// The sequence number of the next byte.
    next: u32,
    /// SYN and its answer, until they count as delivered.
    opening: Option<Arc<Packet>>,
    unread: VecDeque<Unread>,
    finished: bool,
}

struct Unread {
    packet: Arc<Packet>,
    /// How many of its bytes were not read.
    left: usize,
    delivered: bool,
}

impl Recording {
    /// A listener has got a connection: the client's SYN is there, and its answer under way.
    pub(in crate::bridge) fn accepted(&self, client: SocketAddr, server: SocketAddr) {
        self.0.borrow_mut().open(client, server);
    }

    /// The client has got its connection.
    pub(in crate::bridge) fn connected(&self, client: SocketAddr, server: SocketAddr) {
        let mut recorded = self.0.borrow_mut();
        let answer = recorded.take_opening(server, client).or_else(|| {
            // The server is none of the recorded hosts.
            recorded.open(client, server);
            recorded.take_opening(server, client)
        });
        if let Some(answer) = answer {
            recorded.deliver(answer);
        }
    }

    pub(in crate::bridge) fn wrote(&self, from: SocketAddr, to: SocketAddr, data: &[u8]) {
        let data = Bytes::copy_from_slice(data);
        let mut recorded = self.0.borrow_mut();
        recorded.segment(from, to, Flags::ACK | Flags::PSH, data);
    }

    /// No more comes from `from`.
    pub(in crate::bridge) fn finished(&self, from: SocketAddr, to: SocketAddr) {
        let mut recorded = self.0.borrow_mut();
        let direction = recorded.connections.0.get_mut(&(from, to));
        let finished = direction.map(|direction| std::mem::replace(&mut direction.finished, true));
        if finished == Some(false) {
            recorded.segment(from, to, Flags::ACK | Flags::FIN, Bytes::new());
        }
    }

    /// The program at `local` has read so many bytes; 0 is the end.
    pub(in crate::bridge) fn read(&self, local: SocketAddr, remote: SocketAddr, length: usize) {
        let mut recorded = self.0.borrow_mut();
        let mut left = length;
        while let Some(packet) = recorded.take_read(remote, local, &mut left, length == 0) {
            recorded.deliver(packet);
        }
        let read = N::Read {
            socket: SocketId(0),
            local,
            remote,
            length,
        };
        recorded.push_of(local, Event::Network(read));
    }
}

impl Recorded {
    fn open(&mut self, client: SocketAddr, server: SocketAddr) {
        for ends in [(client, server), (server, client)] {
            self.connections.0.insert(ends, Direction::default());
        }
        self.segment(client, server, Flags::SYN, Bytes::new());
        if let Some(syn) = self.take_opening(client, server) {
            self.deliver(syn);
        }
        self.segment(server, client, Flags::SYN | Flags::ACK, Bytes::new());
    }

    fn take_opening(&mut self, from: SocketAddr, to: SocketAddr) -> Option<Arc<Packet>> {
        self.connections.0.get_mut(&(from, to))?.opening.take()
    }

    /// Sends a segment, if the connection is known.
    fn segment(&mut self, from: SocketAddr, to: SocketAddr, flags: Flags, data: Bytes) {
        let next = |way: &Connections, ends| way.0.get(&ends).map(|direction| direction.next);
        let Some(sequence) = next(&self.connections, (from, to)) else {
            return;
        };
        let left = data.len();
        let segment = Segment {
            sequence,
            acknowledgement: next(&self.connections, (to, from)).unwrap_or(0),
            flags,
            window: u16::MAX,
            mss: None,
            data,
            intact: true,
        };
        let packet = self.send(from, to, Payload::Tcp(segment));
        let Some(direction) = self.connections.0.get_mut(&(from, to)) else {
            return;
        };
        // SYN and FIN take a number each (RFC 9293 §3.4).
        let numbers = u32::try_from(left).unwrap_or(u32::MAX).max(1);
        direction.next = sequence.wrapping_add(numbers);
        if flags.contains(Flags::SYN) {
            direction.opening = Some(packet);
        } else {
            direction.unread.push_back(Unread {
                packet,
                left,
                delivered: false,
            });
        }
    }

    /// The next segment that counts as delivered since `left` more bytes were read, or the end.
    fn take_read(
        &mut self,
        from: SocketAddr,
        to: SocketAddr,
        left: &mut usize,
        end: bool,
    ) -> Option<Arc<Packet>> {
        let unread = &mut self.connections.0.get_mut(&(from, to))?.unread;
        loop {
            let first = unread.front_mut()?;
            if *left == 0 && !(end && first.left == 0) {
                return None;
            }
            let taken = first.left.min(*left);
            (first.left, *left) = (first.left - taken, *left - taken);
            let new = !std::mem::replace(&mut first.delivered, true);
            let packet = Arc::clone(&first.packet);
            if first.left == 0 {
                unread.pop_front();
            }
            if new {
                return Some(packet);
            }
        }
    }
}
