//! TCP connections as their ends saw them: each direction's bytes in order, and when each left and arrived.
//!
//! Owns putting segments in order: what is sent again, overtaken, doubled or damaged shows only in the moments. Refuses to
//! know what the bytes mean.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::ops::Range;

use bytes::{Bytes, BytesMut};
use linefault_network::{
    self as network, Alteration, ConnectionState, Flags, HostId, Instant, Packet, Payload,
    RecordId, Segment, SocketCall, SocketId,
};

use crate::trace::{Event, Record};

/// One connection, or the attempt at one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Connection {
    /// The first SYN.
    pub opened: Seen,
    /// When the answer to it reached who had asked: from then on that side may write.
    pub established: Option<Seen>,
    /// Who connected.
    pub client: HostId,
    /// Who has the address that was connected to, if anybody.
    pub server: Option<HostId>,
    /// The client's address, as the client knows it.
    pub client_address: SocketAddr,
    /// The address that was connected to.
    pub server_address: SocketAddr,
    /// From the client to the server.
    pub up: Stream,
    /// From the server to the client.
    pub down: Stream,
}

/// One direction of a connection.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Stream {
    /// Its end of file.
    pub fin: Option<Closing>,
    /// A reset that came from its sender, or in its name.
    pub reset: Option<Closing>,
    /// When its sender's kernel was done with the connection, for whatever reason.
    pub closed: Option<Seen>,
    /// When its sender's program closed its socket, whether or not anything of that reached the wire.
    pub let_go: Option<Seen>,
    initial: u32,
    /// What its sender sent, as it was cut; of each piece the mark is in `sent`.
    pieces: Vec<Bytes>,
    sent: Vec<Mark>,
    arrived: Vec<Mark>,
    read: Vec<Mark>,
    /// When its receiver's program was told that there is no more.
    over: Option<Seen>,
    /// What arrived beyond a gap.
    ahead: Vec<(usize, usize)>,
}

/// A record, and its moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Seen {
    /// Which record shows it.
    pub record: RecordId,
    /// When.
    pub at: Instant,
}

/// A segment that ends a direction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Closing {
    /// When it was sent first.
    pub sent: Seen,
    /// Whether somebody on the way sent it in its sender's name.
    pub forged: bool,
    /// When it reached the other side, for an end of file with all that came before it.
    pub arrived: Option<Seen>,
}

/// Which direction of a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Side {
    /// From who connected.
    Up,
    /// From who was connected to.
    Down,
}

/// All bytes before `end` were there at that moment, and not before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Mark {
    end: usize,
    seen: Seen,
}

impl Connection {
    /// One of its directions.
    #[must_use]
    pub const fn stream(&self, side: Side) -> &Stream {
        match side {
            Side::Up => &self.up,
            Side::Down => &self.down,
        }
    }

    /// Who sends in that direction, if it is known.
    #[must_use]
    pub const fn sender(&self, side: Side) -> Option<HostId> {
        match side {
            Side::Up => Some(self.client),
            Side::Down => self.server,
        }
    }

    /// Who receives in that direction, if it is known.
    #[must_use]
    pub const fn receiver(&self, side: Side) -> Option<HostId> {
        self.sender(side.other())
    }

    const fn stream_mut(&mut self, side: Side) -> &mut Stream {
        match side {
            Side::Up => &mut self.up,
            Side::Down => &mut self.down,
        }
    }
}

impl Stream {
    /// How many bytes its sender sent.
    #[must_use]
    pub fn length(&self) -> usize {
        self.sent.last().map_or(0, |mark| mark.end)
    }

    /// Those of its bytes; fewer where fewer were sent. What was sent in one piece is not copied.
    #[must_use]
    pub fn bytes(&self, range: Range<usize>) -> Bytes {
        let first = self.sent.partition_point(|mark| mark.end <= range.start);
        let marks = self.sent[first..].iter().zip(&self.pieces[first..]);
        let mut parts = marks.map_while(|(mark, piece)| {
            let begin = mark.end - piece.len();
            let end = range.end.min(mark.end);
            let within = range.start.max(begin)..end;
            (begin < range.end).then(|| piece.slice(within.start - begin..within.end - begin))
        });
        let only = parts.next().unwrap_or_default();
        match parts.next() {
            None => only,
            Some(second) => {
                let mut all = BytesMut::from(&only[..]);
                all.extend([second].into_iter().chain(parts));
                all.freeze()
            }
        }
    }

    /// Its pieces from that one on.
    pub(super) fn pieces_from(&self, first: usize) -> &[Bytes] {
        self.pieces.get(first..).unwrap_or_default()
    }

    /// When the last of the first `count` bytes was sent for the first time; nothing for none or more than there are.
    #[must_use]
    pub fn sent_at(&self, count: usize) -> Option<Seen> {
        moment(&self.sent, count)
    }

    /// When the first `count` bytes had all arrived; nothing if they never did.
    #[must_use]
    pub fn arrived_at(&self, count: usize) -> Option<Seen> {
        moment(&self.arrived, count)
    }

    /// When the receiver's program had read the first `count` bytes; nothing if it never did.
    #[must_use]
    pub fn read_at(&self, count: usize) -> Option<Seen> {
        moment(&self.read, count)
    }

    /// How many bytes the receiver's program has read.
    #[must_use]
    pub fn read(&self) -> usize {
        self.read.last().map_or(0, |mark| mark.end)
    }

    /// When the receiver's program was told that no more comes: by an end of file or by an error.
    #[must_use]
    pub const fn heard_end(&self) -> Option<Seen> {
        self.over
    }

    /// How many bytes have arrived without a gap.
    #[must_use]
    pub fn arrived(&self) -> usize {
        self.arrived.last().map_or(0, |mark| mark.end)
    }

    /// The place in the stream of a sequence number, the first byte being at 0.
    fn place(&self, sequence: u32) -> usize {
        sequence.wrapping_sub(self.initial).wrapping_sub(1) as usize
    }

    fn send(&mut self, place: usize, data: &Bytes, seen: Seen) {
        let known = self.length();
        // A probe of a closed window or a silent peer lies before all that is known.
        if place > known || place + data.len() <= known {
            return;
        }
        self.pieces.push(data.slice(known - place..));
        let end = place + data.len();
        self.sent.push(Mark { end, seen });
    }

    fn arrive(&mut self, place: usize, length: usize, seen: Seen) {
        if length == 0 || place > self.length() {
            return;
        }
        let before = self.arrived();
        self.ahead.push((place, place + length));
        let mut end = before;
        while let Some(next) = self.ahead.iter().position(|(from, _)| *from <= end) {
            end = end.max(self.ahead.swap_remove(next).1);
        }
        if end > before {
            self.arrived.push(Mark { end, seen });
        }
    }

    fn hand_over(&mut self, length: usize, seen: Seen) {
        if length == 0 {
            self.over.get_or_insert(seen);
        } else {
            let end = self.read() + length;
            self.read.push(Mark { end, seen });
        }
    }

    fn finish(&mut self, end: usize, seen: Seen) {
        if end == self.length() {
            self.fin.get_or_insert(Closing {
                sent: seen,
                forged: false,
                arrived: None,
            });
        }
    }

    /// Notes that the end of file is there, once everything before it is.
    fn end_arrived(&mut self, fin: bool, seen: Seen) {
        let complete = self.arrived() == self.length();
        if let Some(closing) = self.fin.as_mut().filter(|_| fin && complete) {
            closing.arrived.get_or_insert(seen);
        }
    }
}

fn moment(marks: &[Mark], count: usize) -> Option<Seen> {
    let place = marks.partition_point(|mark| mark.end < count);
    let mark = marks.get(place).filter(|_| count > 0)?;
    Some(mark.seen)
}

impl Side {
    /// The other direction.
    #[must_use]
    pub const fn other(self) -> Self {
        match self {
            Self::Up => Self::Down,
            Self::Down => Self::Up,
        }
    }
}

/// Reads connections from records, one by one.
#[derive(Debug, Default)]
pub(crate) struct Connections {
    pub(crate) all: Vec<Connection>,
    /// By the addresses as the sender of that direction knows them; a later connection takes them over.
    directions: BTreeMap<(SocketAddr, SocketAddr), (usize, Side)>,
    /// By the socket of the sender of that direction.
    sockets: BTreeMap<SocketId, (usize, Side)>,
    /// By the number of a packet that carries more than an acknowledgement.
    packets: Vec<Option<(usize, Side)>>,
}

impl Connections {
    /// Takes the next record. Returns the direction whose bytes, sent or arrived, are more or over by it.
    pub(crate) fn take(&mut self, id: RecordId, record: &Record) -> Option<(usize, Side)> {
        let Event::Network(event) = &record.event else {
            return None;
        };
        let seen = Seen {
            record: id,
            at: record.at,
        };
        match event {
            network::Event::Sent { packet } => self.sent(packet, seen),
            network::Event::Delivered { packet } => self.delivered(packet, seen),
            network::Event::ConnectionState {
                socket,
                local,
                remote,
                state,
            } => {
                self.state(*socket, (*local, *remote), *state, seen);
                None
            }
            network::Event::SocketClosed { socket } => {
                if let Some((place, side)) = self.sockets.get(socket).copied() {
                    let stream = self.all[place].stream_mut(side);
                    stream.let_go.get_or_insert(seen);
                }
                None
            }
            network::Event::Read { socket, length, .. } => {
                self.heard(*socket, *length, seen);
                None
            }
            network::Event::CallFailed {
                socket: Some(socket),
                call: SocketCall::Send | SocketCall::Receive,
                ..
            } => {
                self.heard(*socket, 0, seen);
                None
            }
            network::Event::Altered {
                packet,
                how: Alteration::Duplicated { of },
                ..
            } => {
                let original = self.packet(*of)?;
                self.remember(packet.id, original);
                None
            }
            _ => None,
        }
    }

    fn state(
        &mut self,
        socket: SocketId,
        ends: (SocketAddr, SocketAddr),
        state: ConnectionState,
        seen: Seen,
    ) {
        // A connect sends its SYN, which is what names the ends, only after its first state.
        let known = self.sockets.get(&socket);
        let Some(own) = known.or_else(|| self.directions.get(&ends)).copied() else {
            return;
        };
        if state != ConnectionState::SynSent {
            self.sockets.insert(socket, own);
        }
        if state == ConnectionState::Closed {
            let stream = self.all[own.0].stream_mut(own.1);
            stream.closed.get_or_insert(seen);
        }
    }

    /// What comes in at a socket is the direction opposite to its own; a length of 0 is the end.
    fn heard(&mut self, socket: SocketId, length: usize, seen: Seen) {
        if let Some((place, side)) = self.sockets.get(&socket).copied() {
            let stream = self.all[place].stream_mut(side.other());
            stream.hand_over(length, seen);
        }
    }

    /// Takes a packet as it is sent, without a record: for who must know at once what it carries. Returns the direction
    /// and the range of bytes in it.
    pub(crate) fn pass(&mut self, packet: &Packet) -> Option<((usize, Side), Range<usize>)> {
        let Payload::Tcp(segment) = &packet.payload else {
            return None;
        };
        let unrecorded = Seen {
            record: RecordId(0),
            at: Instant::START,
        };
        let found @ (place, side) = self.sent(packet, unrecorded)?;
        let begin = self.all[place].stream(side).place(segment.sequence);
        Some((found, begin..begin.saturating_add(segment.data.len())))
    }

    fn sent(&mut self, packet: &Packet, seen: Seen) -> Option<(usize, Side)> {
        let Payload::Tcp(segment) = &packet.payload else {
            return None;
        };
        if segment.has(Flags::SYN) {
            self.open(packet, segment, seen);
        } else if segment.span() == 0 && !segment.has(Flags::RST) {
            return None;
        }
        let found = self.direction(packet)?;
        self.remember(packet.id, found);
        let stream = self.all[found.0].stream_mut(found.1);
        if segment.has(Flags::RST) {
            stream.reset.get_or_insert(Closing {
                sent: seen,
                forged: packet.sender.is_none(),
                arrived: None,
            });
            return Some(found);
        }
        if segment.has(Flags::SYN) {
            return None;
        }
        let place = stream.place(segment.sequence);
        stream.send(place, &segment.data, seen);
        if segment.has(Flags::FIN) {
            stream.finish(place.wrapping_add(segment.data.len()), seen);
        }
        Some(found)
    }

    /// A SYN begins a connection, and the answer to it the other direction.
    fn open(&mut self, packet: &Packet, segment: &Segment, seen: Seen) {
        if segment.has(Flags::ACK) {
            if let Some((place, Side::Down)) = self.direction(packet) {
                let connection = &mut self.all[place];
                connection.down.initial = segment.sequence;
                connection.server = packet.sender;
            }
            return;
        }
        let Some(client) = packet.sender else { return };
        let ends = (packet.from, packet.to);
        let known = self.directions.get(&ends).copied();
        if known.is_some_and(|(place, _)| self.all[place].up.initial == segment.sequence) {
            return;
        }
        let place = self.all.len();
        self.directions.insert(ends, (place, Side::Up));
        // Without a NAT the server knows the ends by the same addresses.
        self.directions
            .insert((packet.to, packet.from), (place, Side::Down));
        self.all.push(Connection {
            opened: seen,
            established: None,
            client,
            server: packet.receiver,
            client_address: packet.from,
            server_address: packet.to,
            up: Stream {
                initial: segment.sequence,
                ..Stream::default()
            },
            down: Stream::default(),
        });
    }

    fn delivered(&mut self, packet: &Packet, seen: Seen) -> Option<(usize, Side)> {
        let Payload::Tcp(segment) = &packet.payload else {
            return None;
        };
        let found @ (place, side) = self.packet(packet.id)?;
        let connection = &mut self.all[place];
        if segment.has(Flags::SYN) && segment.intact {
            match side {
                Side::Up => {
                    let ends = (packet.to, packet.from);
                    self.directions.insert(ends, (place, Side::Down));
                }
                Side::Down => {
                    connection.established.get_or_insert(seen);
                }
            }
            return None;
        }
        if !segment.intact {
            return None;
        }
        let stream = connection.stream_mut(side);
        if segment.has(Flags::RST) {
            if let Some(reset) = &mut stream.reset {
                reset.arrived.get_or_insert(seen);
            }
            return Some(found);
        }
        let from = stream.place(segment.sequence);
        stream.arrive(from, segment.data.len(), seen);
        stream.end_arrived(segment.has(Flags::FIN), seen);
        Some(found)
    }

    /// The direction that a packet belongs to as it is sent: by its sender's view, or, of one that is forged on the way, by
    /// its receiver's.
    fn direction(&self, packet: &Packet) -> Option<(usize, Side)> {
        if packet.sender.is_some() {
            return self.directions.get(&(packet.from, packet.to)).copied();
        }
        let opposite = self.directions.get(&(packet.to, packet.from))?;
        Some((opposite.0, opposite.1.other()))
    }

    fn packet(&self, id: u64) -> Option<(usize, Side)> {
        *self.packets.get(usize::try_from(id).ok()?)?
    }

    fn remember(&mut self, id: u64, what: (usize, Side)) {
        let Ok(id) = usize::try_from(id) else { return };
        if self.packets.len() <= id {
            self.packets.resize(id + 1, None);
        }
        self.packets[id] = Some(what);
    }
}

#[cfg(test)]
mod tests;
