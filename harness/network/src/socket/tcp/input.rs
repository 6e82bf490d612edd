//! A segment arrives (RFC 9293 §3.10.7).

use std::time::Duration;

use super::connection::{Connection, LINGER, Owner, mss};
use super::receiver::{Receiver, Taken};
use super::sender::Acknowledged;
use super::{ConnectionState, Failure, Offset};
use crate::Instant;
use crate::event::RecordId;
use crate::packet::IcmpKind;
use crate::platform::SocketErrorKind;
use crate::segment::{Flags, Segment};

use ConnectionState as Is;
use SocketErrorKind as Kind;

/// How long a single segment may go without acknowledgement (Linux's `TCP_DELACK_MIN`).
const ACK_DELAY: Duration = Duration::from_millis(40);

/// A segment, when and why.
pub(super) struct Arrived<'a> {
    pub(super) segment: &'a Segment,
    pub(super) cause: RecordId,
    pub(super) now: Instant,
}

impl Connection {
    /// The listener's answer to a SYN.
    pub(super) fn answer_syn(&mut self, arrived: &Arrived<'_>, out: &mut Vec<Segment>) {
        self.learn(arrived.segment);
        self.open(arrived.now, out);
    }

    pub(super) fn arrives(&mut self, arrived: &Arrived<'_>, out: &mut Vec<Segment>) {
        self.last_heard = arrived.now;
        self.keepalive_probes = 0;
        match self.state {
            Is::Closed => {}
            Is::SynSent => self.arrives_in_syn_sent(arrived, out),
            _ => self.arrives_synchronised(arrived, out),
        }
    }

    /// RFC 9293 §3.10.7.3.
    fn arrives_in_syn_sent(&mut self, arrived: &Arrived<'_>, out: &mut Vec<Segment>) {
        let segment = arrived.segment;
        let acknowledges = segment.has(Flags::ACK);
        if acknowledges && self.send.offset(segment.acknowledgement) != 1 {
            if !segment.has(Flags::RST) {
                out.extend(refusal(segment));
            }
            return;
        }
        if segment.has(Flags::RST) {
            if acknowledges {
                self.fail(Kind::ConnectionRefused, Some(arrived.cause));
            }
            return;
        }
        // Simultaneous open is left out: a SYN without ACK is not answered, and the connection times out.
        if segment.has(Flags::SYN | Flags::ACK) {
            self.learn(segment);
            self.send.acknowledge(1, segment.window, false, arrived.now);
            self.establish(arrived);
            self.acknowledge(out);
            self.flush(arrived.now, out);
        }
    }

    /// Takes the peer's SYN to heart.
    fn learn(&mut self, syn: &Segment) {
        let own = mss(self.ends.remote);
        // RFC 9293 §3.7.1: without the option, 536.
        self.send.limit_segment(usize::from(syn.mss.unwrap_or(536)));
        self.receive = Some(Receiver::new(syn.sequence, own));
    }

    fn establish(&mut self, arrived: &Arrived<'_>) {
        self.state = Is::Established;
        self.cause = Some(arrived.cause);
        self.wake = true;
        self.start_keepalive(arrived.now);
    }

    /// RFC 9293 §3.10.7.4.
    fn arrives_synchronised(&mut self, arrived: &Arrived<'_>, out: &mut Vec<Segment>) {
        let segment = arrived.segment;
        let Some(receive) = &self.receive else {
            return;
        };
        let (offset, nxt, edge) = (
            receive.offset(segment.sequence),
            receive.nxt(),
            receive.edge(),
        );
        if segment.has(Flags::RST) {
            return self.arrives_reset(offset, arrived, out);
        }
        if segment.has(Flags::SYN) {
            // A repeated SYN gets its answer again; any other a challenge (RFC 5961 §4.2).
            return match self.state {
                Is::SynReceived if offset == 0 => self.open(arrived.now, out),
                _ => self.acknowledge(out),
            };
        }
        let end = offset + Offset::from(segment.span());
        let unacceptable = offset > edge.max(nxt) || end < nxt || (end == nxt && offset < nxt);
        if unacceptable || !segment.has(Flags::ACK) {
            if self.state == Is::TimeWait && segment.has(Flags::FIN) {
                self.linger_due = Some(arrived.now + LINGER);
            }
            return self.acknowledge(out);
        }
        if !self.arrives_acknowledgement(arrived, out) {
            return;
        }
        if segment.span() > 0 {
            self.arrives_data(offset, arrived, out);
        }
        self.flush(arrived.now, out);
        if self.unacknowledged > 1 {
            self.acknowledge(out);
        }
    }

    /// RFC 5961 §3.2: only a reset that is exactly next counts; one within the window is challenged.
    fn arrives_reset(&mut self, offset: Offset, arrived: &Arrived<'_>, out: &mut Vec<Segment>) {
        let Some(receive) = &self.receive else {
            return;
        };
        if offset != receive.nxt() {
            if offset > receive.nxt() && offset <= receive.edge() {
                self.acknowledge(out);
            }
            return;
        }
        // `tcp_reset`: after the peer's FIN it is a broken pipe.
        let kind = match self.state {
            Is::CloseWait => Kind::BrokenPipe,
            _ => Kind::ConnectionReset,
        };
        match self.state {
            Is::SynReceived | Is::TimeWait | Is::LastAck | Is::Closing => self.end(),
            _ => self.fail(kind, Some(arrived.cause)),
        }
    }

    /// False if the segment is to be looked at no further.
    fn arrives_acknowledgement(&mut self, arrived: &Arrived<'_>, out: &mut Vec<Segment>) -> bool {
        let (segment, now) = (arrived.segment, arrived.now);
        let acknowledged = self.send.offset(segment.acknowledgement);
        if self.send.is_beyond(acknowledged) || (self.state == Is::SynReceived && acknowledged < 1)
        {
            match self.state {
                Is::SynReceived => out.extend(refusal(segment)),
                _ => self.acknowledge(out),
            }
            return false;
        }
        if self.state == Is::SynReceived {
            self.establish(arrived);
        }
        let was_full = self.send.space() == 0;
        let bare = segment.span() == 0;
        if self
            .send
            .acknowledge(acknowledged, segment.window, bare, now)
            == Acknowledged::Missing
            && let Some(piece) = self.send.again()
        {
            let segment = self.carry(piece);
            out.push(segment);
        }
        self.wake |= was_full && self.send.space() > 0;
        if self.send.fin_acknowledged() {
            self.fin_acknowledged(now);
        }
        self.state != Is::Closed
    }

    fn fin_acknowledged(&mut self, now: Instant) {
        match self.state {
            Is::FinWait1 => {
                self.state = Is::FinWait2;
                self.linger_due = (self.owner == Owner::Kernel).then(|| now + LINGER);
            }
            Is::Closing => self.wait(now),
            Is::LastAck => self.end(),
            _ => {}
        }
    }

    /// TIME-WAIT.
    fn wait(&mut self, now: Instant) {
        self.state = Is::TimeWait;
        self.linger_due = Some(now + LINGER);
        self.keepalive_due = None;
    }

    fn arrives_data(&mut self, offset: Offset, arrived: &Arrived<'_>, out: &mut Vec<Segment>) {
        let segment = arrived.segment;
        if !matches!(self.state, Is::Established | Is::FinWait1 | Is::FinWait2) {
            return self.acknowledge(out);
        }
        // RFC 1122 §4.2.2.13: data for a program that has closed is answered with RST.
        if self.owner == Owner::Kernel && !segment.data.is_empty() {
            return self.abort(out);
        }
        let Some(receive) = &mut self.receive else {
            return;
        };
        let taken = receive.take(
            offset,
            &segment.data,
            segment.has(Flags::FIN),
            arrived.cause,
        );
        let finished = receive.is_finished();
        self.wake |= taken != Taken::OutOfOrder;
        if finished {
            self.arrives_fin(arrived.now);
        }
        if finished || taken != Taken::InOrder {
            // RFC 5681 §4.2: at once, so that the sender learns of the hole or of its end.
            self.unacknowledged = 2;
        } else {
            self.unacknowledged = self.unacknowledged.saturating_add(1);
            self.ack_due.get_or_insert(arrived.now + ACK_DELAY);
        }
    }

    fn arrives_fin(&mut self, now: Instant) {
        match self.state {
            Is::Established => self.state = Is::CloseWait,
            Is::FinWait1 => self.state = Is::Closing,
            Is::FinWait2 => self.wait(now),
            _ => {}
        }
    }

    /// An ICMP error about one of its segments (`tcp_v4_err`).
    pub(super) fn hears(&mut self, kind: IcmpKind, cause: RecordId, out: &mut Vec<Segment>) {
        if let IcmpKind::FragmentationNeeded { mtu } = kind {
            let headers = if self.ends.remote.is_ipv4() { 40 } else { 60 };
            self.send
                .limit_segment(usize::from(mtu).saturating_sub(headers));
            if self.is_synchronised()
                && let Some(piece) = self.send.again()
            {
                let segment = self.carry(piece);
                out.push(segment);
            }
            return;
        }
        let kind = icmp_error(kind);
        if self.state == Is::SynSent {
            return self.fail(kind, Some(cause));
        }
        self.soft = Some(Failure {
            kind,
            cause: Some(cause),
        });
    }
}

/// `icmp_err_convert`.
const fn icmp_error(kind: IcmpKind) -> Kind {
    match kind {
        IcmpKind::NetUnreachable | IcmpKind::NetProhibited => Kind::NetUnreachable,
        IcmpKind::HostUnreachable
        | IcmpKind::HostProhibited
        | IcmpKind::CommunicationProhibited
        | IcmpKind::TtlExceeded => Kind::HostUnreachable,
        IcmpKind::ProtocolUnreachable => Kind::ProtocolNotAvailable,
        IcmpKind::PortUnreachable => Kind::ConnectionRefused,
        IcmpKind::FragmentationNeeded { .. } => Kind::MessageTooLong,
    }
}

/// What answers a segment for which there is no connection; nothing answers RST (RFC 9293 §3.10.7.1).
pub(super) fn refusal(segment: &Segment) -> Option<Segment> {
    if segment.has(Flags::RST) {
        return None;
    }
    let acknowledges = segment.has(Flags::ACK);
    Some(Segment {
        sequence: if acknowledges {
            segment.acknowledgement
        } else {
            0
        },
        acknowledgement: if acknowledges {
            0
        } else {
            segment.sequence.wrapping_add(segment.span())
        },
        flags: if acknowledges {
            Flags::RST
        } else {
            Flags::RST | Flags::ACK
        },
        window: 0,
        mss: None,
        data: bytes::Bytes::new(),
        intact: true,
    })
}
