//! Connections in the engine: their work and what follows from it, deadlines, segments out.

use std::net::SocketAddr;
use std::sync::Arc;

use crate::event::{Event, LossReason, RecordId};
use crate::fault::{Phase, Verdict};
use crate::packet::{Icmp, Packet, Payload, Transport};
use crate::queue::Rank;
use crate::segment::Segment;
use crate::socket::Place;
use crate::state::{Happening, State};
use crate::topology::Route;
use crate::{HostId, Instant, SocketId};

use super::ConnectionState;
use super::connection::{Connection, Ends, Owner};

use ConnectionState as Is;

impl State {
    /// Puts a connection into the table. Its first sequence number is as RFC 6528 has it: a function of the addresses,
    /// and a clock of 4 µs.
    pub(super) fn add_connection(
        &mut self,
        host: HostId,
        ends: Ends,
        state: ConnectionState,
        owner: Owner,
    ) -> usize {
        self.last_socket += 1;
        let id = SocketId(self.last_socket);
        let part = |address: SocketAddr| match address {
            SocketAddr::V4(v4) => u64::from(v4.ip().to_bits()) << 16 | u64::from(v4.port()),
            #[expect(
                clippy::cast_possible_truncation,
                reason = "a hash needs not every bit"
            )]
            SocketAddr::V6(v6) => (v6.ip().to_bits() as u64).rotate_left(16) ^ u64::from(v6.port()),
        };
        let key = self
            .root
            .with_text("tcp")
            .with(part(ends.local))
            .with(part(ends.remote));
        let clock = self.now.as_micros() / 4;
        #[expect(
            clippy::cast_possible_truncation,
            reason = "a sequence number is the sum modulo 2³²"
        )]
        let initial = (key.bits() as u32).wrapping_add(clock as u32);
        let mut connection = Box::new(Connection::new(id, ends, initial, state));
        connection.owner = owner;
        self.machine_mut(host).tcp.insert(connection)
    }

    /// Works on a connection, then does everything that follows from it.
    pub(super) fn with_connection<R>(
        &mut self,
        host: HostId,
        slot: usize,
        work: impl FnOnce(&mut Connection, Instant, &mut Vec<Segment>) -> R,
    ) -> Option<R> {
        let now = self.now;
        let mut out = std::mem::take(&mut self.segments);
        let connection = self.machines[host.index()].tcp.connections.get_mut(slot);
        let Some(connection) = connection else {
            self.segments = out;
            return None;
        };
        let result = work(connection, now, &mut out);
        let Ends { local, remote, .. } = connection.ends;
        self.settle(host, slot);
        for segment in out.drain(..) {
            self.send_segment(host, local, remote, segment);
        }
        self.segments = out;
        Some(result)
    }

    /// Timers, records and wakers after a connection has changed.
    fn settle(&mut self, host: HostId, slot: usize) {
        let Some(connection) = self.machines[host.index()].tcp.connections.get_mut(slot) else {
            return;
        };
        let foreground = connection.send.due.is_some() && connection.send.outstanding();
        if foreground != connection.foreground {
            connection.foreground = foreground;
            if foreground {
                self.foreground_timers += 1;
            } else {
                self.foreground_timers -= 1;
            }
        }
        let place = Place {
            host,
            slot,
            id: connection.id,
        };
        match (connection.armed, connection.deadline()) {
            (None, None) => {}
            // Too early does no harm, and most deadlines move on before they come.
            (Some((at, _)), Some(due)) if at <= due => {}
            (armed, due) => {
                if let Some((_, ticket)) = armed {
                    self.queue.cancel(ticket);
                }
                connection.armed = due.map(|due| {
                    let due = due.max(self.now);
                    (
                        due,
                        self.queue
                            .push(due, Rank::Ordinary, Happening::Connection(place)),
                    )
                });
            }
        }
        if std::mem::take(&mut connection.wake) {
            self.wakes.append(&mut connection.readers);
            self.wakes.append(&mut connection.writers);
        }
        let (state, ends, over) = (connection.state, connection.ends, connection.is_over());
        if connection.told.replace(state) != Some(state) {
            let event = Event::ConnectionState {
                socket: place.id,
                local: ends.local,
                remote: ends.remote,
                state,
            };
            self.record(Some(host), event);
        }
        let tcp = &mut self.machine_mut(host).tcp;
        if state == Is::Closed {
            tcp.unlink(slot, ends);
        }
        if over {
            let _forgotten = tcp.forget(slot);
        }
    }

    /// A connection's deadline has come.
    pub(crate) fn connection_due(&mut self, place: Place) {
        let Place { host, slot, id } = place;
        let found = self.machines[host.index()].tcp.connections.get_mut(slot);
        let Some(connection) = found.filter(|connection| connection.id == id) else {
            return;
        };
        connection.armed = None;
        let owner = connection.owner;
        let was_embryo = connection.state == Is::SynReceived;
        self.cause = connection.cause;
        let state = self.with_connection(host, slot, |connection, now, out| {
            connection.at_deadline(now, out);
            connection.state
        });
        if let (true, Owner::Listener(listener), Some(state)) = (was_embryo, owner, state) {
            self.hatch(host, slot, listener, state);
        }
        self.cause = None;
    }

    /// Puts a segment on its way. A local fault only loses it: what TCP sends fails no call.
    pub(super) fn send_segment(
        &mut self,
        host: HostId,
        from: SocketAddr,
        to: SocketAddr,
        segment: Segment,
    ) {
        let route = self.topology.route(host, to.ip());
        let looped = route == Route::Loopback;
        let packet = Packet {
            id: self.last_packet + 1,
            from,
            to,
            sender: Some(host),
            receiver: if looped {
                Some(host)
            } else {
                self.addressee(route, Transport::Tcp, to)
            },
            payload: Payload::Tcp(segment),
            // Linux discovers the path's MTU for TCP (`ip_no_pmtu_disc` = 0).
            dont_fragment: true,
        };
        let refused = [Phase::Route, Phase::Output].into_iter().find_map(|phase| {
            let judged = if looped {
                None
            } else {
                self.judge(phase, &packet)
            };
            judged.filter(|(_, verdict)| matches!(verdict, Verdict::Refuse(_)))
        });
        let Some((fault, _)) = refused else {
            return self.transmit(host, route, packet);
        };
        self.last_packet = packet.id;
        let packet = Arc::new(packet);
        let sent = self.record(
            Some(host),
            Event::Sent {
                packet: Arc::clone(&packet),
            },
        );
        self.lose(packet, LossReason::Fault(fault), sent);
    }

    /// An ICMP error about a segment reaches its connection.
    pub(crate) fn connection_hears(&mut self, host: HostId, icmp: Icmp, cause: RecordId) {
        if let Some(slot) = self
            .machine(host)
            .tcp
            .flow(icmp.quoted_from, icmp.quoted_to)
        {
            self.with_connection(host, slot, |connection, _, out| {
                connection.hears(icmp.kind, cause, out);
            });
        }
    }
}
