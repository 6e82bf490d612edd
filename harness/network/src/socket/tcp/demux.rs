//! Which connection or listener takes a segment.

use std::sync::Arc;

use super::ConnectionState as Is;
use super::connection::{Connection, Ends, Owner};
use super::input::{Arrived, refusal};
use super::table::Listener;
use crate::HostId;
use crate::event::{Event, LossReason, RecordId};
use crate::packet::Packet;
use crate::segment::{Flags, Segment};
use crate::state::State;

impl State {
    /// A host's kernel takes a segment.
    pub(crate) fn take_segment(
        &mut self,
        host: HostId,
        packet: &Arc<Packet>,
        segment: &Segment,
        cause: RecordId,
    ) {
        if !segment.intact {
            self.lose(Arc::clone(packet), LossReason::Checksum, cause);
            return;
        }
        let (local, remote) = (packet.to, packet.from);
        let before = self.cause;
        let flow = self.machine(host).tcp.flow(local, remote);
        match flow.filter(|slot| !self.gives_way(host, *slot, segment)) {
            Some(slot) => self.segment_for_connection(host, slot, packet, segment, cause),
            None => self.segment_for_listener(host, packet, segment, cause),
        }
        self.cause = before;
    }

    /// A connection in TIME-WAIT gives way to a new one with later sequence numbers (RFC 1122 §4.2.2.13).
    fn gives_way(&mut self, host: HostId, slot: usize, segment: &Segment) -> bool {
        let gives_way = |connection: &Connection| {
            connection.state == Is::TimeWait
                && segment.has(Flags::SYN)
                && !segment.has(Flags::ACK)
                && (connection.receive.as_ref())
                    .is_some_and(|receive| receive.offset(segment.sequence) > receive.nxt())
        };
        let found = self.machine(host).tcp.connections.get(slot);
        let gives_way = found.is_some_and(|connection| gives_way(connection));
        if gives_way {
            self.with_connection(host, slot, |connection, _, _| connection.end());
        }
        gives_way
    }

    fn segment_for_connection(
        &mut self,
        host: HostId,
        slot: usize,
        packet: &Arc<Packet>,
        segment: &Segment,
        cause: RecordId,
    ) {
        let tcp = &self.machine(host).tcp;
        let embryo_of = tcp
            .connections
            .get(slot)
            .and_then(|connection| match connection.owner {
                Owner::Listener(listener) if connection.state == Is::SynReceived => Some(listener),
                _ => None,
            });
        let full = embryo_of
            .is_some_and(|listener| tcp.listeners.get(listener).is_some_and(Listener::is_full));
        if full && !segment.has(Flags::RST) {
            self.lose(Arc::clone(packet), LossReason::BacklogFull, cause);
            return;
        }
        let packet = Arc::clone(packet);
        let delivered = self.record_caused(Some(host), Some(cause), Event::Delivered { packet });
        self.cause = Some(delivered);
        let state = self.with_connection(host, slot, |connection, now, out| {
            let arrived = Arrived {
                segment,
                cause: delivered,
                now,
            };
            connection.arrives(&arrived, out);
            connection.state
        });
        if let (Some(listener), Some(state)) = (embryo_of, state) {
            self.hatch(host, slot, listener, state);
        }
    }

    /// A handshake is over, in whichever way.
    pub(super) fn hatch(&mut self, host: HostId, slot: usize, listener: usize, state: Is) {
        if state == Is::SynReceived {
            return;
        }
        let Some(listener) = self.machine_mut(host).tcp.listeners.get_mut(listener) else {
            return;
        };
        listener.embryos -= 1;
        if state != Is::Closed {
            listener.queue.push_back(slot);
            let acceptors = std::mem::take(&mut listener.acceptors);
            self.wakes.extend(acceptors);
        }
    }

    fn segment_for_listener(
        &mut self,
        host: HostId,
        packet: &Arc<Packet>,
        segment: &Segment,
        cause: RecordId,
    ) {
        let syn = segment.has(Flags::SYN) && !segment.has(Flags::ACK) && !segment.has(Flags::RST);
        let (local, remote) = (packet.to, packet.from);
        let tcp = &self.machine(host).tcp;
        let listener = tcp.listener(local).filter(|_| syn);
        let Some(slot) = listener else {
            let lost = self.lose(Arc::clone(packet), LossReason::PortClosed, cause);
            self.cause = Some(lost);
            if let Some(reset) = refusal(segment) {
                self.send_segment(host, local, remote, reset);
            }
            return;
        };
        let Some(listener) = tcp
            .listeners
            .get(slot)
            .filter(|listener| !listener.refuses_syn())
        else {
            self.lose(Arc::clone(packet), LossReason::BacklogFull, cause);
            return;
        };
        let mapped = listener.local.is_ipv6() && local.is_ipv4();
        let packet = Arc::clone(packet);
        let delivered = self.record_caused(Some(host), Some(cause), Event::Delivered { packet });
        self.cause = Some(delivered);
        let ends = Ends {
            local,
            remote,
            mapped,
        };
        let embryo = self.add_connection(host, ends, Is::SynReceived, Owner::Listener(slot));
        if let Some(listener) = self.machine_mut(host).tcp.listeners.get_mut(slot) {
            listener.embryos += 1;
        }
        self.with_connection(host, embryo, |connection, now, out| {
            connection.answer_syn(
                &Arrived {
                    segment,
                    cause: delivered,
                    now,
                },
                out,
            );
        });
    }
}
