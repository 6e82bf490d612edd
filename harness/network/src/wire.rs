//! A packet's way: out of the socket, past the next hop, over the link, into a socket.

use std::net::SocketAddr;
use std::sync::Arc;

use crate::event::{Event, LossReason, RecordId};
use crate::fault::{Phase, Verdict};
use crate::neighbour::Asker;
use crate::packet::{Icmp, IcmpKind, Packet, Payload, Transport};
use crate::queue::{Rank, Ticket};
use crate::socket::Received;
use crate::state::{Arrival, Happening, State};
use crate::topology::Route;
use crate::{HostId, Instant};

/// How many hosts' path MTUs one host remembers.
const PATH_MTU_MAX: usize = 256;

impl State {
    pub(crate) fn next_packet(&mut self) -> u64 {
        self.last_packet += 1;
        self.last_packet
    }

    /// Sends a packet that [`State::next_packet`] numbers next on its way; it cannot fail any more.
    pub(crate) fn transmit(&mut self, host: HostId, route: Route, packet: Packet) {
        self.last_packet = packet.id;
        let packet = Arc::new(packet);
        let cause = self.record(
            Some(host),
            Event::Sent {
                packet: Arc::clone(&packet),
            },
        );
        let arrival = Arrival { packet, cause };
        let to = arrival.packet.to.ip();
        let hop = (route == Route::Neighbour).then_some(to);
        match route {
            Route::Loopback => {
                self.schedule(self.now, arrival);
            }
            Route::Multicast | Route::Broadcast => {
                self.lose(arrival.packet, LossReason::NoGroup, cause);
            }
            _ if !self.answers(Asker::Host(host), hop) => {
                self.await_neighbour(Asker::Host(host), hop, arrival);
            }
            Route::Nowhere | Route::Neighbour | Route::Routed => self.pass_hop(route, arrival),
        }
    }

    /// The next hop has a packet. A router that knows no way for it says so.
    pub(crate) fn pass_hop(&mut self, route: Route, arrival: Arrival) {
        if route != Route::Nowhere {
            return self.enter_wire(arrival);
        }
        let packet = Arc::clone(&arrival.packet);
        let lost = self.lose(arrival.packet, LossReason::NoRoute, arrival.cause);
        // RFC 1812 §5.2.7.1: a router without any route to the destination answers code 0.
        self.router_answers(IcmpKind::NetUnreachable, &packet, lost);
    }

    pub(crate) fn schedule(&mut self, at: Instant, arrival: Arrival) -> Ticket {
        self.packets_in_flight += 1;
        self.queue
            .push(at, Rank::Ordinary, Happening::Arrival(arrival))
    }

    /// A packet reaches the last hop.
    pub(crate) fn arrive(&mut self, arrival: Arrival) {
        let translated = self.translate_in(arrival);
        let Some(Arrival { packet, cause }) = translated else {
            return;
        };
        // Whoever could not have sent to this address itself has come through a NAT, or a router.
        let near = |sender| self.topology.route(sender, packet.to.ip()) == Route::Neighbour;
        let looped = packet.sender.is_some() && packet.sender == packet.receiver;
        let routed = !looped && packet.sender.is_some_and(|sender| !near(sender));
        let Some(host) = packet.receiver else {
            return self.await_neighbour(
                Asker::Router,
                Some(packet.to.ip()),
                Arrival { packet, cause },
            );
        };
        let reachable = if looped {
            self.machine(host).powered
        } else {
            self.machine(host).on_lan()
        };
        if !reachable && routed {
            return self.await_neighbour(
                Asker::Router,
                Some(packet.to.ip()),
                Arrival { packet, cause },
            );
        }
        if !reachable {
            self.lose(packet, LossReason::HostGone, cause);
            return;
        }
        if let (false, Some((fault, verdict))) = (looped, self.judge(Phase::Arrival, &packet)) {
            let lost = self.lose(Arc::clone(&packet), LossReason::Fault(fault), cause);
            if let Verdict::Answer(kind) = verdict {
                self.host_answers(host, kind, &packet, Some(lost));
            }
            return;
        }
        self.hand_over(host, packet, cause);
    }

    /// The host's kernel takes a packet.
    fn hand_over(&mut self, host: HostId, packet: Arc<Packet>, cause: RecordId) {
        let datagram = match &packet.payload {
            Payload::Udp(data) => data.clone(),
            Payload::Tcp(segment) => return self.take_segment(host, &packet, segment, cause),
            Payload::Icmp(icmp) => {
                let icmp = *icmp;
                let cause =
                    self.record_caused(Some(host), Some(cause), Event::Delivered { packet });
                return self.hear(host, icmp, cause);
            }
        };
        let sockets = &mut self.machine_mut(host).sockets;
        match sockets.accepting(packet.to, packet.from) {
            Ok(slot) => {
                let received = Received {
                    data: datagram,
                    from: packet.from,
                    packet: packet.id,
                    cause,
                };
                let event = Event::Delivered { packet };
                let record = self.record_caused(Some(host), Some(cause), event);
                let wakers = self.machine_mut(host).sockets.queue(
                    slot,
                    Received {
                        cause: record,
                        ..received
                    },
                );
                self.wakes.extend(wakers);
            }
            Err(reason) => {
                let lost = self.lose(Arc::clone(&packet), reason, cause);
                if reason == LossReason::PortClosed {
                    self.host_answers(host, IcmpKind::PortUnreachable, &packet, Some(lost));
                }
            }
        }
    }

    /// The host's kernel takes an ICMP error to the socket that it is about.
    pub(crate) fn hear(&mut self, host: HostId, icmp: Icmp, cause: RecordId) {
        let machine = self.machine_mut(host);
        if let IcmpKind::FragmentationNeeded { mtu } = icmp.kind {
            machine
                .path_mtu
                .retain(|(peer, _)| *peer != icmp.quoted_to.ip());
            machine.path_mtu.push_back((icmp.quoted_to.ip(), mtu));
            if machine.path_mtu.len() > PATH_MTU_MAX {
                machine.path_mtu.pop_front();
            }
        }
        if icmp.quoted == Transport::Tcp {
            return self.connection_hears(host, icmp, cause);
        }
        let wakers = machine.sockets.hear(icmp, cause);
        self.wakes.extend(wakers);
    }

    /// Whether a packet of this length goes out whole: beyond what the path is known to carry, the sender fragments it
    /// (`IP_PMTUDISC_WANT`).
    pub(crate) fn fits_path(&self, host: HostId, to: SocketAddr, length: usize) -> bool {
        let known = self
            .machine(host)
            .path_mtu
            .iter()
            .find(|(peer, _)| *peer == to.ip());
        length <= known.map_or(1500, |(_, mtu)| usize::from(*mtu))
    }
}
