//! A NAT's mappings: which inside endpoint has which outside, until when, and whom it lets in.

use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use super::{NatBehaviour, NatOptions};
use crate::draw::Key;
use crate::event::LossReason;
use crate::{HostId, Instant};

/// As many as one outside address has ports.
const MAPPINGS_MAX: usize = 65_536;
/// Peers that the filter remembers for one mapping; beyond that it forgets the one silent for longest.
const PEERS_MAX: usize = 1024;

pub(super) struct Table {
    options: NatOptions,
    lifetime: Duration,
    key: Key,
    mappings: BTreeMap<SocketAddr, Mapping>,
    outside: BTreeMap<Inside, SocketAddr>,
    swept: Instant,
}

/// An inside endpoint, with what the mapping behaviour tells apart about its peer.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Inside {
    endpoint: SocketAddr,
    address: Option<IpAddr>,
    port: Option<u16>,
}

struct Mapping {
    host: HostId,
    inside: Inside,
    refreshed: Instant,
    /// When each peer was last sent to.
    peers: BTreeMap<SocketAddr, Instant>,
}

impl Table {
    pub(super) const fn new(options: NatOptions, lifetime: Duration, key: Key) -> Self {
        Self {
            options,
            lifetime,
            key,
            mappings: BTreeMap::new(),
            outside: BTreeMap::new(),
            swept: Instant::START,
        }
    }

    /// Whether addresses of this family are translated.
    pub(super) fn translates(&self, like: IpAddr) -> bool {
        self.options
            .outside
            .iter()
            .any(|outside| outside.is_ipv4() == like.is_ipv4())
    }

    /// The outside endpoint under which a packet goes out, mapped anew if need be. `None`: no port is free.
    pub(super) fn send(
        &mut self,
        now: Instant,
        host: HostId,
        endpoint: SocketAddr,
        peer: SocketAddr,
    ) -> Option<SocketAddr> {
        let inside = self.inside(endpoint, peer);
        let outside = match self.find(endpoint, peer, now) {
            Some(outside) => outside,
            None => self.map(now, host, inside)?,
        };
        let mapping = self.mappings.get_mut(&outside)?;
        // RFC 4787 REQ-6: the mapping is refreshed by what goes out.
        mapping.refreshed = now;
        mapping.peers.insert(peer, now);
        if mapping.peers.len() > PEERS_MAX {
            let oldest = mapping.peers.iter().min_by_key(|(_, sent)| **sent);
            let oldest = oldest.map(|(peer, _)| *peer);
            oldest.and_then(|peer| mapping.peers.remove(&peer));
        }
        Some(outside)
    }

    /// Who is behind an outside endpoint, if the filter lets `peer` in.
    pub(super) fn receive(
        &mut self,
        now: Instant,
        outside: SocketAddr,
        peer: SocketAddr,
    ) -> Result<(HostId, SocketAddr), LossReason> {
        self.behind(outside, now).ok_or(LossReason::NoMapping)?;
        let (filtering, lifetime) = (self.options.filtering, self.lifetime);
        let mapping = self
            .mappings
            .get_mut(&outside)
            .ok_or(LossReason::NoMapping)?;
        let mut known = mapping
            .peers
            .iter()
            .filter(|(_, sent)| now - **sent < lifetime);
        let admitted = match filtering {
            NatBehaviour::EndpointIndependent => true,
            NatBehaviour::AddressDependent => known.any(|(known, _)| known.ip() == peer.ip()),
            NatBehaviour::AddressAndPortDependent => known.any(|(known, _)| *known == peer),
        };
        if !admitted {
            return Err(LossReason::Filtered);
        }
        if self.options.inbound_refresh {
            mapping.refreshed = now;
        }
        Ok((mapping.host, mapping.inside.endpoint))
    }

    /// Who is behind an outside endpoint: an ICMP error is let in for what it quotes, and neither refreshes nor ends
    /// the mapping (REQ-10).
    pub(super) fn behind(&self, outside: SocketAddr, now: Instant) -> Option<(HostId, SocketAddr)> {
        let mapping = self.mappings.get(&outside)?;
        let lives = now - mapping.refreshed < self.lifetime;
        lives.then_some((mapping.host, mapping.inside.endpoint))
    }

    pub(super) fn host_behind(&self, outside: SocketAddr, now: Instant) -> Option<HostId> {
        self.behind(outside, now).map(|(host, _)| host)
    }

    /// The outside endpoint that an inside one has for a peer.
    pub(super) fn find(
        &self,
        endpoint: SocketAddr,
        peer: SocketAddr,
        now: Instant,
    ) -> Option<SocketAddr> {
        let outside = *self.outside.get(&self.inside(endpoint, peer))?;
        self.behind(outside, now).map(|_| outside)
    }

    /// Ends the mappings of a host.
    pub(super) fn expire(&mut self, host: HostId, now: Instant) -> bool {
        let ending = self.living(host, now);
        ending.iter().for_each(|outside| self.remove(*outside));
        !ending.is_empty()
    }

    /// Moves the mappings of a host to other ports; whoever knows the old ones reaches nobody. What finds no other
    /// port is gone.
    pub(super) fn rebind(&mut self, host: HostId, now: Instant) -> bool {
        let moving = self.living(host, now);
        for old in &moving {
            // Drawn while the old one is still taken, so that it cannot come out again.
            let inside = self.mappings.get(old).map(|mapping| mapping.inside);
            let new = inside.and_then(|inside| self.draw(now, inside));
            let mapping = self.mappings.remove(old);
            if let (Some(new), Some(mapping)) = (new, mapping) {
                self.outside.insert(mapping.inside, new);
                self.mappings.insert(new, mapping);
            } else if let Some(inside) = inside {
                self.outside.remove(&inside);
            }
        }
        !moving.is_empty()
    }

    fn inside(&self, endpoint: SocketAddr, peer: SocketAddr) -> Inside {
        let mapping = self.options.mapping;
        Inside {
            endpoint,
            address: (mapping != NatBehaviour::EndpointIndependent).then_some(peer.ip()),
            port: (mapping == NatBehaviour::AddressAndPortDependent).then_some(peer.port()),
        }
    }

    fn map(&mut self, now: Instant, host: HostId, inside: Inside) -> Option<SocketAddr> {
        if let Some(expired) = self.outside.get(&inside).copied() {
            self.remove(expired);
        }
        let outside = match self.draw(now, inside) {
            Some(outside) => outside,
            None if self.sweep(now) => self.draw(now, inside)?,
            None => return None,
        };
        let mapping = Mapping {
            host,
            inside,
            refreshed: now,
            peers: BTreeMap::new(),
        };
        self.outside.insert(inside, outside);
        self.mappings.insert(outside, mapping);
        Some(outside)
    }

    /// A free port, keyed by the inside endpoint and the moment. Ports are never shared (REQ-3: no overloading), keep
    /// to their half of the range (REQ-3 a) and their parity (REQ-4).
    fn draw(&self, now: Instant, inside: Inside) -> Option<SocketAddr> {
        if self.mappings.len() >= MAPPINGS_MAX {
            return None;
        }
        let endpoint = inside.endpoint;
        let family = self.options.outside.iter();
        let addresses: Vec<_> = family
            .filter(|outside| outside.is_ipv4() == endpoint.is_ipv4())
            .collect();
        let paired = self.key.with_text(&endpoint.ip().to_string());
        let choice = paired.below(addresses.len() as u64);
        let address = **addresses.get(usize::try_from(choice).ok()?)?;
        let peer = format!("{:?} {:?}", inside.address, inside.port);
        let key = paired
            .with(u64::from(endpoint.port()))
            .with_text(&peer)
            .with(now.as_micros());
        let (first, size) = if endpoint.port() < 1024 {
            (512, 512)
        } else {
            (1024, 64_512)
        };
        let start = key.below(size / 2) * 2 + u64::from(endpoint.port() % 2);
        let ports = (0..size / 2).map(|step| first + (start + step * 2) % size);
        let endpoints = ports
            .filter_map(|port| u16::try_from(port).ok())
            .map(|port| SocketAddr::new(address, port));
        endpoints
            .into_iter()
            .find(|outside| !self.mappings.contains_key(outside))
    }

    fn living(&self, host: HostId, now: Instant) -> Vec<SocketAddr> {
        let own = self
            .mappings
            .iter()
            .filter(|(_, mapping)| mapping.host == host);
        own.map(|(outside, _)| *outside)
            .filter(|outside| self.behind(*outside, now).is_some())
            .collect()
    }

    fn remove(&mut self, outside: SocketAddr) {
        if let Some(mapping) = self.mappings.remove(&outside) {
            self.outside.remove(&mapping.inside);
        }
    }

    /// Makes room, at most once an instant: a full table must not cost a walk for every packet. True if it made some.
    fn sweep(&mut self, now: Instant) -> bool {
        if self.swept == now {
            return false;
        }
        let before = self.mappings.len();
        self.swept = now;
        let outsides: Vec<_> = self.mappings.keys().copied().collect();
        for outside in outsides {
            if self.behind(outside, now).is_none() {
                self.remove(outside);
            }
        }
        self.mappings.len() < before
    }
}

#[cfg(test)]
mod tests;
