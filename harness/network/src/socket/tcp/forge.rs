//! Resets that somebody on the way forges.

use std::net::SocketAddr;
use std::sync::Arc;

use crate::HostId;
use crate::event::{Event, RecordId};
use crate::fault::{FaultId, Phase, Scope, Sides};
use crate::packet::{Packet, Payload, Transport};
use crate::segment::{Flags, Segment};
use crate::state::{Arrival, State};
use crate::topology::Route;

use super::ConnectionState as Is;
use super::connection::Ends;
use super::receiver::Receiver;

impl State {
    /// Somebody on the way resets a connection that a packet belongs to: each side that is to hear of it gets RST.
    pub(crate) fn forge_resets(&mut self, sides: Sides, packet: &Packet, cause: RecordId) {
        if let (true, Some(sender)) = (sides.sender(), packet.sender) {
            self.forge_reset(sender, packet.from, packet.to, cause);
        }
        if let (true, Some(receiver)) = (sides.receiver(), packet.receiver) {
            self.forge_reset(receiver, packet.to, packet.from, cause);
        }
    }

    /// The forged segment arrives at once, because what is under way would make its sequence number old.
    fn forge_reset(
        &mut self,
        host: HostId,
        local: SocketAddr,
        remote: SocketAddr,
        cause: RecordId,
    ) {
        let (local, remote) = self.as_known_inside(local, remote);
        let tcp = &self.machine(host).tcp;
        let found = tcp
            .flow(local, remote)
            .and_then(|slot| tcp.connections.get(slot));
        let Some(connection) = found else {
            return;
        };
        let segment = Segment {
            sequence: connection.receive.as_ref().map_or(0, Receiver::wire),
            acknowledgement: connection.send.wire(connection.send.position()),
            flags: Flags::RST | Flags::ACK,
            window: 0,
            mss: None,
            data: bytes::Bytes::new(),
            intact: true,
        };
        let packet = Arc::new(Packet {
            id: self.next_packet(),
            from: remote,
            to: local,
            sender: None,
            receiver: Some(host),
            payload: Payload::Tcp(segment),
            dont_fragment: true,
        });
        let cause = self.record_caused(
            None,
            Some(cause),
            Event::Sent {
                packet: Arc::clone(&packet),
            },
        );
        self.arrive(Arrival { packet, cause });
    }

    /// A fault resets the connections of a host that are within a scope, on the sides named; the host is the sender.
    pub(crate) fn reset_connections_of(
        &mut self,
        host: HostId,
        fault: FaultId,
        sides: Sides,
        scope: &Scope,
        cause: Option<RecordId>,
    ) {
        let Some(cause) = cause else {
            return;
        };
        for slot in self.machine(host).tcp.connections.used() {
            let Some((ends, peer)) = self.resettable(host, slot) else {
                continue;
            };
            if !scope.covers(Phase::Wire, Some(host), peer)
                || !self.faults.matches_target(fault, slot as u64)
            {
                continue;
            }
            self.faults.applied(fault);
            if sides.sender() {
                self.forge_reset(host, ends.local, ends.remote, cause);
            }
            if let (true, Some(peer)) = (sides.receiver(), peer) {
                self.forge_reset(peer, ends.remote, ends.local, cause);
            }
        }
    }

    /// A connection that RST could end, and the host at its other end.
    fn resettable(&self, host: HostId, slot: usize) -> Option<(Ends, Option<HostId>)> {
        let connection = self.machine(host).tcp.connections.get(slot)?;
        let Ends { remote, .. } = connection.ends;
        let looped = self.topology.route(host, remote.ip()) == Route::Loopback;
        let alive = !matches!(connection.state, Is::Closed | Is::TimeWait | Is::SynSent);
        let peer = if looped {
            Some(host)
        } else {
            let route = self.topology.route(host, remote.ip());
            self.addressee(route, Transport::Tcp, remote)
        };
        alive.then_some((connection.ends, peer))
    }
}
