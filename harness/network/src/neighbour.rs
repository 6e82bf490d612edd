//! ARP and neighbour discovery, as far as failing goes: an answer costs no time, silence costs 3.06 s.
//!
//! Packets wait while their next hop is being asked for. If it answers one of the requests, they go; if not, they are
//! lost, and who asked reports it: a Linux host to its own sockets, a router by ICMP to the sender.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use crate::event::LossReason;
use crate::packet::{Icmp, IcmpKind, Packet, Payload, Transport};
use crate::platform::Platform;
use crate::queue::Rank;
use crate::state::{Arrival, Happening, State};
use crate::topology::Route;
use crate::{HostId, Instant};

/// Who needs the answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Asker {
    Host(HostId),
    Router,
}

/// Who is asked for: a neighbour's address, or `None` for the router.
pub(crate) type Hop = Option<IpAddr>;

#[derive(Default)]
pub(crate) struct Neighbours {
    asked: BTreeMap<(Asker, Hop), Asking>,
}

struct Asking {
    unanswered: u32,
    waiting: Vec<Arrival>,
}

/// Linux asks three times, one second apart (`mcast_solicit`, `retrans_time_ms`), and gave up at 3.06 s as measured.
const PROBES: u32 = 3;
const PROBE_INTERVAL: Duration = Duration::from_secs(1);
const LAST_WAIT: Duration = Duration::from_millis(1060);
/// Linux bounds the queue in bytes (`unres_qlen_bytes`, 212,992); this is as many small packets.
const WAITING_MAX: usize = 256;

impl State {
    /// Lets a packet wait for `hop` to answer.
    pub(crate) fn await_neighbour(&mut self, asker: Asker, hop: Hop, arrival: Arrival) {
        let asking = self.neighbours.asked.get_mut(&(asker, hop));
        if asking
            .as_ref()
            .is_some_and(|asking| asking.waiting.len() >= WAITING_MAX)
        {
            self.lose(
                arrival.packet,
                LossReason::NeighbourQueueFull,
                arrival.cause,
            );
            return;
        }
        self.packets_in_flight += 1;
        if let Some(asking) = asking {
            asking.waiting.push(arrival);
            return;
        }
        self.neighbours.asked.insert(
            (asker, hop),
            Asking {
                unanswered: 0,
                waiting: vec![arrival],
            },
        );
        self.queue.push(
            self.now + PROBE_INTERVAL,
            Rank::Ordinary,
            Happening::Probe(asker, hop),
        );
    }

    /// A request went unanswered so far: look again.
    pub(crate) fn probe(&mut self, asker: Asker, hop: Hop) {
        let answered = self.answers(asker, hop);
        let Some(asking) = self.neighbours.asked.get_mut(&(asker, hop)) else {
            return;
        };
        asking.unanswered += 1;
        if answered || asking.unanswered == PROBES {
            let waiting = self
                .neighbours
                .asked
                .remove(&(asker, hop))
                .map(|asking| asking.waiting)
                .unwrap_or_default();
            self.packets_in_flight -= waiting.len();
            for arrival in waiting {
                if answered {
                    self.resume(asker, arrival);
                } else {
                    self.give_up(asker, arrival);
                }
            }
        } else {
            let wait = if asking.unanswered + 1 == PROBES {
                LAST_WAIT
            } else {
                PROBE_INTERVAL
            };
            self.queue.push(
                self.now + wait,
                Rank::Ordinary,
                Happening::Probe(asker, hop),
            );
        }
    }

    /// Whether the next hop answers the one who asks. A router always does, if the asker is on its LAN.
    pub(crate) fn answers(&self, asker: Asker, hop: Hop) -> bool {
        let asker_on_lan = match asker {
            Asker::Host(host) => self.machine(host).on_lan(),
            Asker::Router => true,
        };
        let hop_on_lan = hop.is_none_or(|hop| {
            self.topology
                .holder(hop)
                .is_some_and(|holder| self.machine(holder).on_lan())
        });
        asker_on_lan && hop_on_lan
    }

    /// Since when `host` gets no answer from its next hop towards `to`; `None` while it does. An address that nobody
    /// holds has been silent from the start.
    pub(crate) fn silent_since(&self, host: HostId, route: Route, to: IpAddr) -> Option<Instant> {
        let own = self.machine(host).vanished;
        let hop = match (route, self.topology.holder(to)) {
            (Route::Neighbour, Some(holder)) => self.machine(holder).vanished,
            (Route::Neighbour, None) => Some(Instant::START),
            _ => None,
        };
        own.into_iter().chain(hop).min()
    }

    /// Forgets what a machine that lost power was asking for.
    pub(crate) fn forget_asking(&mut self, host: HostId) {
        let asker = Asker::Host(host);
        let hops: Vec<_> = self
            .neighbours
            .asked
            .keys()
            .filter(|(who, _)| *who == asker)
            .copied()
            .collect();
        for key in hops {
            let waiting = self
                .neighbours
                .asked
                .remove(&key)
                .map(|asking| asking.waiting)
                .unwrap_or_default();
            self.packets_in_flight -= waiting.len();
            for arrival in waiting {
                self.lose(arrival.packet, LossReason::HostGone, arrival.cause);
            }
        }
    }

    fn resume(&mut self, asker: Asker, arrival: Arrival) {
        match asker {
            Asker::Host(host) => {
                let route = self.topology.route(host, arrival.packet.to.ip());
                self.pass_hop(route, arrival);
            }
            Asker::Router => self.arrive(arrival),
        }
    }

    fn give_up(&mut self, asker: Asker, arrival: Arrival) {
        let packet = Arc::clone(&arrival.packet);
        let lost = self.lose(arrival.packet, LossReason::NeighbourSilent, arrival.cause);
        match asker {
            Asker::Router => self.router_answers(IcmpKind::HostUnreachable, &packet, lost),
            // Linux reports it to the socket as the ICMP error that a router would have sent (`arp_error_report`); a
            // connection in the making hears of it on every platform.
            Asker::Host(host)
                if self.machine(host).platform == Platform::Linux || packet.segment().is_some() =>
            {
                self.hear(host, icmp_about(IcmpKind::HostUnreachable, &packet), lost);
            }
            Asker::Host(_) => {}
        }
    }
}

/// The error of this kind about a packet.
pub(crate) fn icmp_about(kind: IcmpKind, packet: &Packet) -> Icmp {
    Icmp {
        kind,
        quoted: if packet.segment().is_some() {
            Transport::Tcp
        } else {
            Transport::Udp
        },
        quoted_from: packet.from,
        quoted_to: packet.to,
    }
}

/// Whether an ICMP error may be sent about it: not about another one (RFC 1122 §3.2.2).
pub(crate) fn may_be_answered(packet: &Packet) -> bool {
    matches!(packet.payload, Payload::Udp(_) | Payload::Tcp(_))
}
