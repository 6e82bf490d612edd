//! Rewriting packets as they pass a NAT.
//!
//! The NAT is the LAN's router: what goes out is rewritten before it meets the link and its faults, what comes in
//! after that, just before the LAN.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use super::Table;
use crate::HostId;
use crate::event::{Event, LossReason};
use crate::packet::{Packet, Payload, Transport};
use crate::state::{Arrival, State};
use crate::topology::Route;

impl State {
    /// Who will get a packet for this address: who holds it, or who is behind the NAT that does.
    pub(crate) fn addressee(
        &self,
        route: Route,
        transport: Transport,
        to: SocketAddr,
    ) -> Option<HostId> {
        // A private address has a holder that nobody outside can reach.
        if route == Route::Nowhere {
            return None;
        }
        let holder = self.topology.holder(to.ip());
        holder.or_else(|| self.nats.host_behind(transport, to, self.now))
    }

    /// Rewrites what leaves a LAN through its NAT; `None` if it got no further.
    pub(crate) fn translate_out(&mut self, arrival: Arrival) -> Option<Arrival> {
        let now = self.now;
        let packet = &arrival.packet;
        let Some((host, table)) = self.nat_before(packet) else {
            return Some(arrival);
        };
        let mut after = Packet::clone(packet);
        let (inside, peer) = match &packet.payload {
            Payload::Icmp(icmp) => (icmp.quoted_to, icmp.quoted_from),
            Payload::Udp(_) | Payload::Tcp(_) => (packet.from, packet.to),
        };
        // RFC 5508 REQ-5: an error about a packet from outside goes out under the mapping that let that packet in.
        let outside = match &mut after.payload {
            Payload::Icmp(icmp) => {
                let found = table.find(inside, peer, now);
                icmp.quoted_to = found.unwrap_or(icmp.quoted_to);
                found.ok_or(LossReason::NoMapping)
            }
            Payload::Udp(_) | Payload::Tcp(_) => table
                .send(now, host, inside, peer)
                .ok_or(LossReason::NatFull),
        };
        match outside {
            Ok(outside) => {
                let port = if after.from.port() == 0 {
                    0
                } else {
                    outside.port()
                };
                after.from = SocketAddr::new(outside.ip(), port);
                Some(self.record_translated(&arrival, after))
            }
            Err(reason) => {
                self.lose(arrival.packet, reason, arrival.cause);
                None
            }
        }
    }

    /// Rewrites what has reached a NAT's outside address; `None` if it got no further.
    pub(crate) fn translate_in(&mut self, arrival: Arrival) -> Option<Arrival> {
        let (now, packet) = (self.now, &arrival.packet);
        let Some(lan) = self.topology.nat_at(packet.to.ip()) else {
            return Some(arrival);
        };
        let table = self.nats.nats.get_mut(&(lan, packet.transport()))?;
        let mut after = Packet::clone(packet);
        let inside = match &mut after.payload {
            // RFC 5508 REQ-4: an error is for whoever sent what it quotes.
            Payload::Icmp(icmp) => {
                let found = table.behind(icmp.quoted_from, now);
                icmp.quoted_from = found.map_or(icmp.quoted_from, |(_, inside)| inside);
                found.ok_or(LossReason::NoMapping)
            }
            Payload::Udp(_) | Payload::Tcp(_) => table.receive(now, packet.to, packet.from),
        };
        match inside {
            Ok((host, inside)) => {
                let port = if after.to.port() == 0 {
                    0
                } else {
                    inside.port()
                };
                after.to = SocketAddr::new(inside.ip(), port);
                after.receiver = Some(host);
                Some(self.record_translated(&arrival, after))
            }
            Err(reason) => {
                self.lose(arrival.packet, reason, arrival.cause);
                None
            }
        }
    }

    /// A packet as its sender knows it: a NAT that reports on one that it has let in names its own outside address.
    pub(crate) fn as_sender_knows(&self, about: &Packet) -> Packet {
        let outside = self.nat_of(
            about.transport(),
            about.receiver,
            (about.to.ip(), about.from.ip()),
        );
        let outside = outside.and_then(|(_, table)| table.find(about.to, about.from, self.now));
        Packet {
            to: outside.unwrap_or(about.to),
            ..about.clone()
        }
    }

    /// A connection's ends as its host knows them, from how the way knows them: behind a NAT the host has an address of
    /// its own, and in front of one it knows its peer by an outside address.
    pub(crate) fn as_known_inside(
        &self,
        local: SocketAddr,
        remote: SocketAddr,
    ) -> (SocketAddr, SocketAddr) {
        let table = self.topology.nat_at(local.ip());
        let table = table.and_then(|lan| self.nats.nats.get(&(lan, Transport::Tcp)));
        let inside = table.and_then(|table| table.behind(local, self.now));
        let peer = self.topology.holder(remote.ip());
        let before = self.nat_of(Transport::Tcp, peer, (remote.ip(), local.ip()));
        let outside = before.and_then(|(_, table)| table.find(remote, local, self.now));
        (
            inside.map_or(local, |(_, inside)| inside),
            outside.unwrap_or(remote),
        )
    }

    /// The NAT between a host, under one of its own addresses, and a peer.
    fn nat_of(
        &self,
        transport: Transport,
        host: Option<HostId>,
        (own, peer): (IpAddr, IpAddr),
    ) -> Option<(HostId, &Table)> {
        let (host, lan) = host.map(|host| (host, self.topology.site(host).options.lan))?;
        let table = self.nats.nats.get(&(lan, transport))?;
        let between = table.translates(own)
            && self.topology.is_on_lan(lan, own)
            && !self.topology.is_on_lan(lan, peer);
        between.then_some((host, table))
    }

    /// The NAT that a packet meets on its way out.
    fn nat_before(&mut self, packet: &Packet) -> Option<(HostId, &mut Table)> {
        let transport = packet.transport();
        let ends = (packet.from.ip(), packet.to.ip());
        let (host, _) = self.nat_of(transport, packet.sender, ends)?;
        let lan = self.topology.site(host).options.lan;
        let table = self.nats.nats.get_mut(&(lan, transport))?;
        Some((host, table))
    }

    fn record_translated(&mut self, before: &Arrival, packet: Packet) -> Arrival {
        let packet = Arc::new(packet);
        let event = Event::Translated {
            packet: Arc::clone(&packet),
            from: before.packet.from,
            to: before.packet.to,
        };
        let cause = self.record_caused(None, Some(before.cause), event);
        Arrival { packet, cause }
    }
}
