//! A packet's way: out of the socket, past the next hop and the faults, over the link, into a socket.

use std::net::SocketAddr;
use std::ops::ControlFlow;
use std::time::Duration;

use crate::draw::Key;
use crate::event::{Alteration, Event, LossReason, RecordId};
use crate::fault::{Armed, FaultId, Phase, Verdict};
use crate::link::Ends;
use crate::neighbour::Asker;
use crate::packet::{Icmp, IcmpKind, Packet, Payload};
use crate::platform::SocketErrorKind;
use crate::queue::{Rank, Ticket};
use crate::socket::Received;
use crate::state::{Arrival, Happening, State};
use crate::topology::Route;
use crate::{HostId, Instant};

/// How many hosts' path MTUs one host remembers.
const PATH_MTU_MAX: usize = 256;

/// A packet that a fault holds back until others of its link have overtaken it.
pub(crate) struct Held {
    ends: Ends,
    ticket: Ticket,
    overtakers: u32,
}

impl State {
    pub(crate) fn next_packet(&mut self) -> u64 {
        self.last_packet += 1;
        self.last_packet
    }

    /// Sends a packet that [`State::next_packet`] numbers next on its way; it cannot fail any more.
    pub(crate) fn transmit(&mut self, host: HostId, route: Route, packet: Packet) {
        self.last_packet = packet.id;
        let cause = self.record(
            Some(host),
            Event::Sent {
                packet: packet.clone(),
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
            Route::Nowhere => {
                let packet = arrival.packet.clone();
                let lost = self.lose(arrival.packet, LossReason::NoRoute, cause);
                // RFC 1812 §5.2.7.1: a router without any route to the destination answers code 0.
                self.router_answers(IcmpKind::NetUnreachable, &packet, lost);
            }
            Route::Neighbour | Route::Routed => self.enter_wire(arrival),
        }
    }

    /// Lets the faults judge a packet, and puts what they leave of it on the link.
    pub(crate) fn enter_wire(&mut self, mut arrival: Arrival) {
        let ends = (arrival.packet.sender, arrival.packet.receiver);
        let root = self.link_key(ends);
        let (latency, key) = self.links.enter(ends, root);
        let mut faults = self.faults.take_active();
        let mut passage = Passage {
            latency,
            copies: Vec::new(),
            overtakers: 0,
        };
        let lost = faults.iter_mut().try_for_each(|fault| {
            let verdict = fault.judge(Phase::Wire, &arrival.packet, key);
            self.apply(fault, verdict, &mut arrival, &mut passage)
        });
        self.faults.put_back(faults);
        self.end_spent_faults();
        for (copy, delay) in passage.copies {
            self.schedule(self.now + delay, copy);
        }
        if lost.is_continue() {
            let at = self.now + passage.latency;
            let ticket = self.schedule(at, arrival);
            match passage.overtakers {
                0 => self.overtake(ends, at),
                overtakers => self.faults.held.push(Held {
                    ends,
                    ticket,
                    overtakers,
                }),
            }
        }
    }

    pub(crate) fn schedule(&mut self, at: Instant, arrival: Arrival) -> Ticket {
        self.packets_in_flight += 1;
        self.queue
            .push(at, Rank::Ordinary, Happening::Arrival(Box::new(arrival)))
    }

    /// A packet reaches the last hop.
    pub(crate) fn arrive(&mut self, arrival: Arrival) {
        let Arrival { packet, cause } = arrival;
        let routed = packet
            .sender
            .is_some_and(|sender| self.topology.route(sender, packet.to.ip()) == Route::Routed);
        let looped = packet.sender.is_some() && packet.sender == packet.receiver;
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
        if let (false, Some((fault, _))) = (looped, self.judge(Phase::Arrival, &packet)) {
            self.lose(packet, LossReason::Fault(fault), cause);
            return;
        }
        self.hand_over(host, packet, cause);
    }

    /// The host's kernel takes a packet.
    fn hand_over(&mut self, host: HostId, packet: Packet, cause: RecordId) {
        let datagram = match &packet.payload {
            Payload::Udp(data) => data.clone(),
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
                let lost = self.lose(packet.clone(), reason, cause);
                if reason == LossReason::PortClosed {
                    self.host_answers(host, &packet, lost);
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
        let wakers = machine.sockets.hear(icmp, cause);
        self.wakes.extend(wakers);
    }

    /// The first fault that has something to say about a packet in this phase.
    pub(crate) fn judge(&mut self, phase: Phase, packet: &Packet) -> Option<(FaultId, Verdict)> {
        if self.faults.is_idle() {
            return None;
        }
        let key = self
            .link_key((packet.sender, packet.receiver))
            .with(packet.id);
        let mut faults = self.faults.take_active();
        let verdict = faults
            .iter_mut()
            .find_map(|fault| match fault.judge(phase, packet, key) {
                Verdict::Pass => None,
                verdict => Some((fault.id(), verdict)),
            });
        self.faults.put_back(faults);
        self.end_spent_faults();
        verdict
    }

    /// What a local fault makes of a send.
    pub(crate) fn refusal(&mut self, phase: Phase, packet: &Packet) -> Option<SocketErrorKind> {
        match self.judge(phase, packet) {
            Some((_, Verdict::Refuse(kind))) => Some(kind),
            _ => None,
        }
    }

    fn apply(
        &mut self,
        fault: &Armed,
        verdict: Verdict,
        arrival: &mut Arrival,
        passage: &mut Passage,
    ) -> ControlFlow<()> {
        let how = match verdict {
            Verdict::Pass | Verdict::Refuse(_) => return ControlFlow::Continue(()),
            Verdict::Lose | Verdict::Answer(_) => {
                let packet = arrival.packet.clone();
                let lost = self.lose(packet.clone(), LossReason::Fault(fault.id()), arrival.cause);
                if let Verdict::Answer(kind) = verdict {
                    self.router_answers(kind, &packet, lost);
                }
                return ControlFlow::Break(());
            }
            Verdict::Duplicate { copies, apart } => {
                for number in 1..=copies {
                    let copy = self.copy(fault, arrival);
                    passage.copies.push((
                        copy,
                        passage.latency.saturating_add(apart.saturating_mul(number)),
                    ));
                }
                return ControlFlow::Continue(());
            }
            Verdict::Delay(by) => {
                passage.latency = passage.latency.saturating_add(by);
                Alteration::Delayed { by }
            }
            Verdict::Hold {
                overtakers,
                at_most,
            } => {
                passage.latency = passage.latency.saturating_add(at_most);
                passage.overtakers = overtakers;
                Alteration::Reordered
            }
            Verdict::Replace(data, how) => {
                arrival.packet.payload = Payload::Udp(data);
                how
            }
        };
        arrival.cause = self.record_altered(fault, arrival.packet.clone(), arrival.cause, how);
        ControlFlow::Continue(())
    }

    fn copy(&mut self, fault: &Armed, original: &Arrival) -> Arrival {
        let packet = Packet {
            id: self.next_packet(),
            ..original.packet.clone()
        };
        let how = Alteration::Duplicated {
            of: original.packet.id,
        };
        Arrival {
            cause: self.record_altered(fault, packet.clone(), original.cause, how),
            packet,
        }
    }

    fn record_altered(
        &mut self,
        fault: &Armed,
        packet: Packet,
        cause: RecordId,
        how: Alteration,
    ) -> RecordId {
        let event = Event::Altered {
            packet,
            fault: fault.id(),
            how,
        };
        self.record_caused(None, Some(cause), event)
    }

    /// Another packet of the link will arrive at `at`: those that were held back for it follow at once, unless their
    /// time came earlier.
    fn overtake(&mut self, ends: Ends, at: Instant) {
        let queue = &mut self.queue;
        self.faults.held.retain_mut(|held| {
            if held.ends != ends {
                return true;
            }
            held.overtakers -= 1;
            if held.overtakers == 0
                && let Some(happening) = queue.cancel(held.ticket)
            {
                queue.push(at, Rank::Ordinary, happening);
            }
            held.overtakers > 0
        });
    }

    fn link_key(&self, (from, to): Ends) -> Key {
        let part = |end: Option<HostId>| end.map_or(0, |host| self.topology.site(host).key);
        self.root.with_text("link").with(part(from)).with(part(to))
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

/// What the faults have made of a packet's way so far.
struct Passage {
    latency: Duration,
    copies: Vec<(Arrival, Duration)>,
    overtakers: u32,
}
