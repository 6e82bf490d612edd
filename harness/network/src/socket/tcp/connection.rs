//! One connection: its state, what the program asks of it, and the segments that follow from that.

use std::net::SocketAddr;
use std::task::Waker;
use std::time::Duration;

use bytes::Bytes;

use super::receiver::Receiver;
use super::sender::{Piece, Sender};
use super::{ConnectionState, Failure, Keepalive, Offset};
use crate::Instant;
use crate::event::{RecordId, SocketId};
use crate::platform::SocketErrorKind;
use crate::queue::Ticket;
use crate::segment::{Flags, Segment};

use ConnectionState as Is;
use SocketErrorKind as Kind;

/// How long an orphan waits in FIN-WAIT-2 (`tcp_fin_timeout`), and TIME-WAIT lasts (`TCP_TIMEWAIT_LEN`).
pub(super) const LINGER: Duration = Duration::from_secs(60);

/// Who answers for a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Owner {
    /// It came to the listener in this slot, and no program has it yet.
    Listener(usize),
    Program,
    /// Closed by its program; the kernel sees it to its end.
    Kernel,
}

/// A connection's addresses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Ends {
    pub(crate) local: SocketAddr,
    pub(crate) remote: SocketAddr,
    /// Its program sees IPv4 addresses as `::ffff:a.b.c.d`.
    pub(crate) mapped: bool,
}

/// A connection as the kernel keeps it.
pub(crate) struct Connection {
    pub(super) id: SocketId,
    pub(super) ends: Ends,
    pub(super) state: ConnectionState,
    pub(super) owner: Owner,
    pub(super) send: Sender,
    pub(super) receive: Option<Receiver>,
    pub(super) error: Option<Failure>,
    /// What a router or a neighbour has said: tells more than a time-out could.
    pub(super) soft: Option<Failure>,
    pub(super) unacknowledged: u8,
    pub(super) ack_due: Option<Instant>,
    pub(super) linger_due: Option<Instant>,
    pub(super) keepalive: Option<Keepalive>,
    pub(super) keepalive_due: Option<Instant>,
    pub(super) keepalive_probes: u32,
    pub(super) last_heard: Instant,
    pub(super) user_timeout: Option<Duration>,
    pub(super) linger: Option<Duration>,
    pub(super) readers: Vec<Waker>,
    pub(super) writers: Vec<Waker>,
    /// What its program last reacted to when it used the connection: what a retransmission is due to.
    pub(super) cause: Option<RecordId>,
    pub(super) armed: Option<(Instant, Ticket)>,
    /// The state last recorded.
    pub(super) told: Option<ConnectionState>,
    pub(super) foreground: bool,
    pub(super) wake: bool,
}

impl Connection {
    /// A connection that has not sent its SYN.
    pub(super) fn new(id: SocketId, ends: Ends, initial: u32, state: ConnectionState) -> Self {
        Self {
            id,
            ends,
            state,
            owner: Owner::Program,
            send: Sender::new(initial, mss(ends.remote)),
            receive: None,
            error: None,
            soft: None,
            unacknowledged: 0,
            ack_due: None,
            linger_due: None,
            keepalive: None,
            keepalive_due: None,
            keepalive_probes: 0,
            last_heard: Instant::START,
            user_timeout: None,
            linger: None,
            readers: Vec::new(),
            writers: Vec::new(),
            cause: None,
            armed: None,
            told: None,
            foreground: false,
            wake: false,
        }
    }

    /// An address as the program sees it.
    pub(super) fn shown(&self, address: SocketAddr) -> SocketAddr {
        match address {
            SocketAddr::V4(v4) if self.ends.mapped => {
                SocketAddr::new(v4.ip().to_ipv6_mapped().into(), v4.port())
            }
            other => other,
        }
    }

    /// Sends SYN, or SYN and ACK.
    pub(super) fn open(&mut self, now: Instant, out: &mut Vec<Segment>) {
        let flags = match self.state {
            Is::SynReceived => Flags::SYN | Flags::ACK,
            _ => Flags::SYN,
        };
        let mut segment = self.segment(0, flags, Bytes::new());
        segment.mss = u16::try_from(mss(self.ends.remote)).ok();
        out.push(segment);
        self.send.sent_syn(now);
    }

    /// Reads what is there; `None` while nothing is.
    pub(super) fn read(
        &mut self,
        buffer: &mut [u8],
        peek: bool,
    ) -> Option<Result<(usize, Option<RecordId>), Failure>> {
        if let Some(receive) = self.receive.as_mut().filter(|receive| !receive.is_empty()) {
            let read = if peek {
                receive.peek(buffer)
            } else {
                receive.read(buffer)
            };
            return Some(Ok(read));
        }
        // `tcp_recvmsg`: after FIN there is only the end, whatever else has happened.
        if let Some(finished) = self.receive.as_ref().and_then(Receiver::finished_by) {
            return Some(Ok((0, Some(finished))));
        }
        match self.error.take() {
            Some(pending) => Some(Err(pending)),
            None if self.state == Is::Closed => Some(Ok((0, None))),
            None => None,
        }
    }

    /// Whether reading has opened the window so far that the peer should be told.
    pub(super) fn has_opened_window(&self) -> bool {
        let opened = |receive: &Receiver| !receive.is_finished() && receive.has_opened();
        self.is_synchronised() && self.receive.as_ref().is_some_and(opened)
    }

    /// Queues data and sends what may go; `None` while the buffer is full.
    ///
    /// The error is the pending one, or `EPIPE` without a cause of its own.
    pub(super) fn write(
        &mut self,
        data: &[u8],
        now: Instant,
        out: &mut Vec<Segment>,
    ) -> Option<Result<usize, Option<Failure>>> {
        if let Some(pending) = self.error.take() {
            return Some(Err(Some(pending)));
        }
        if self.send.is_finished() || self.state == Is::Closed {
            return Some(Err(None));
        }
        if !data.is_empty() && self.send.space() == 0 {
            return None;
        }
        let taken = self.send.push(data);
        self.flush(now, out);
        Some(Ok(taken))
    }

    /// Sends FIN after what is queued.
    pub(super) fn shut_down(&mut self, now: Instant, out: &mut Vec<Segment>) {
        match self.state {
            Is::Established => self.state = Is::FinWait1,
            Is::CloseWait => self.state = Is::LastAck,
            _ => return,
        }
        self.send.finish();
        self.flush(now, out);
    }

    /// `close(2)`: FIN, or RST when something that the program has not read would be lost (RFC 2525 §2.17), or when it
    /// asked for that (`SO_LINGER` with zero).
    pub(super) fn close(&mut self, now: Instant, out: &mut Vec<Segment>) {
        self.owner = Owner::Kernel;
        self.keepalive_due = None;
        let unread = self
            .receive
            .as_ref()
            .is_some_and(|receive| !receive.is_empty());
        let abort = unread || self.linger == Some(Duration::ZERO);
        match self.state {
            Is::SynSent => self.end(),
            Is::TimeWait | Is::Closed => {}
            _ if abort => self.abort(out),
            _ => self.shut_down(now, out),
        }
        if self.state == Is::FinWait2 {
            self.linger_due = Some(now + LINGER);
        }
    }

    /// Sends RST, and that is all.
    pub(super) fn abort(&mut self, out: &mut Vec<Segment>) {
        out.push(self.segment(self.send.position(), Flags::RST | Flags::ACK, Bytes::new()));
        self.end();
    }

    /// The connection failed: whoever uses it next is told, once.
    pub(super) fn fail(&mut self, kind: Kind, cause: Option<RecordId>) {
        self.error = Some(Failure { kind, cause });
        self.end();
    }

    /// Nothing more is sent or awaited; what was received may still be read.
    pub(super) fn end(&mut self) {
        if self.state == Is::SynReceived {
            // Nobody was told of it yet.
            self.owner = Owner::Kernel;
        }
        self.state = Is::Closed;
        self.send.abandon();
        (self.ack_due, self.linger_due, self.keepalive_due) = (None, None, None);
        self.wake = true;
    }

    /// Sends what the peer's window lets go; nothing once the connection has ended.
    pub(super) fn flush(&mut self, now: Instant, out: &mut Vec<Segment>) {
        if self.state == Is::Closed {
            return;
        }
        while let Some(piece) = self.send.next(now) {
            let segment = self.carry(piece);
            out.push(segment);
        }
        if self.send.is_blocked() && self.send.due.is_none() {
            self.send.waiting_since = Some(now);
            self.send.due = Some(now + self.send.timeout());
        }
    }

    pub(super) fn carry(&mut self, piece: Piece) -> Segment {
        let mut flags = Flags::ACK;
        if !piece.data.is_empty() {
            flags = flags | Flags::PSH;
        }
        if piece.fin {
            flags = flags | Flags::FIN;
        }
        self.segment(piece.offset, flags, piece.data)
    }

    /// Sends an acknowledgement and nothing else.
    pub(super) fn acknowledge(&mut self, out: &mut Vec<Segment>) {
        out.push(self.segment(self.send.position(), Flags::ACK, Bytes::new()));
    }

    /// A segment that acknowledges everything received and announces the window.
    pub(super) fn segment(&mut self, offset: Offset, flags: Flags, data: Bytes) -> Segment {
        let (acknowledgement, window) = match &mut self.receive {
            Some(receive) => (receive.wire(), receive.announce()),
            None => (0, u16::MAX),
        };
        (self.unacknowledged, self.ack_due) = (0, None);
        Segment {
            sequence: self.send.wire(offset),
            acknowledgement,
            flags,
            window,
            mss: None,
            data,
            intact: true,
        }
    }

    /// Whether both sides know each other's sequence numbers and the connection lives.
    pub(super) const fn is_synchronised(&self) -> bool {
        !matches!(self.state, Is::SynSent | Is::SynReceived | Is::Closed)
    }

    /// Whether the kernel can forget it.
    pub(super) fn is_over(&self) -> bool {
        self.state == Is::Closed && self.owner == Owner::Kernel
    }

    /// Whether writing would not wait.
    pub(super) fn is_writable(&self) -> bool {
        self.state != Is::SynSent
            && (self.state == Is::Closed || self.send.space() > 0 || self.send.is_finished())
    }

    /// Whether reading would not wait.
    pub(super) fn is_readable(&self) -> bool {
        let ready = |receive: &Receiver| !receive.is_empty() || receive.is_finished();
        self.state == Is::Closed || self.receive.as_ref().is_some_and(ready)
    }
}

/// What fits into a packet of 1,500 bytes (RFC 6691).
pub(super) const fn mss(remote: SocketAddr) -> usize {
    if remote.is_ipv4() { 1460 } else { 1440 }
}
