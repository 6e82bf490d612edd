//! A kernel's table of sockets: who has which port, and who takes what arrives.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::net::{IpAddr, SocketAddr};
use std::task::Waker;

use super::{Pending, Received, Udp, charge, error};
use crate::event::{LossReason, RecordId, SocketId};
use crate::packet::Icmp;
use crate::platform::{Platform, SocketErrorKind};

/// Linux's default receive buffer (`net.core.rmem_default`), in bytes as [`charge`] counts them.
const RECEIVE_BUFFER: usize = 212_992;
/// Windows keeps one error per ICMP message; this many at most.
const ERRORS_MAX: usize = 64;

pub(crate) struct SocketTable {
    platform: Platform,
    slots: Vec<Option<Udp>>,
    free: BTreeSet<usize>,
    ports: BTreeMap<u16, Vec<usize>>,
    next_ephemeral: u16,
}

impl SocketTable {
    pub(crate) fn new(platform: Platform) -> Self {
        let (first, _) = platform.ephemeral_ports();
        Self {
            platform,
            slots: Vec::new(),
            free: BTreeSet::new(),
            ports: BTreeMap::new(),
            next_ephemeral: first,
        }
    }

    /// Binds to an address that the host is known to have; gives slot and address with the port chosen.
    pub(crate) fn bind(
        &mut self,
        id: SocketId,
        address: SocketAddr,
    ) -> Result<(usize, SocketAddr), SocketErrorKind> {
        // Windows sets IPV6_V6ONLY unless told otherwise; the others follow `net.ipv6.bindv6only` = 0.
        let v6_only = self.platform == Platform::Windows;
        let port = match address.port() {
            0 => self
                .ephemeral(address.ip(), v6_only)
                .ok_or(SocketErrorKind::AddressInUse)?,
            port if self.is_free(address.ip(), port, v6_only) => port,
            _ => return Err(SocketErrorKind::AddressInUse),
        };
        let local = SocketAddr::new(address.ip(), port);
        let socket = Udp {
            id,
            local,
            peer: None,
            v6_only,
            recverr: false,
            errors: VecDeque::new(),
            queue: VecDeque::new(),
            charged: 0,
            readers: Vec::new(),
        };
        let slot = self.free.pop_first().unwrap_or_else(|| {
            self.slots.push(None);
            self.slots.len() - 1
        });
        self.slots[slot] = Some(socket);
        self.ports.entry(port).or_default().push(slot);
        Ok((slot, local))
    }

    pub(crate) fn get(&mut self, slot: usize, id: SocketId) -> Option<&mut Udp> {
        self.slots
            .get_mut(slot)?
            .as_mut()
            .filter(|socket| socket.id == id)
    }

    pub(crate) fn close(&mut self, slot: usize, id: SocketId) -> Option<Udp> {
        let socket = self
            .slots
            .get_mut(slot)?
            .take_if(|socket| socket.id == id)?;
        self.free.insert(slot);
        let port = socket.local.port();
        if let Some(slots) = self.ports.get_mut(&port) {
            slots.retain(|other| *other != slot);
            if slots.is_empty() {
                self.ports.remove(&port);
            }
        }
        Some(socket)
    }

    /// Closes everything, as the kernel does for a process that ended.
    pub(crate) fn close_all(&mut self) -> Vec<Udp> {
        self.ports.clear();
        self.free.clear();
        std::mem::take(&mut self.slots)
            .into_iter()
            .flatten()
            .collect()
    }

    /// Which socket takes a datagram to `to` from `from`, and why none does.
    pub(crate) fn accepting(&self, to: SocketAddr, from: SocketAddr) -> Result<usize, LossReason> {
        let slot = self.lookup(to, from).ok_or(LossReason::PortClosed)?;
        match &self.slots[slot] {
            // Linux compares before it adds, so that the last datagram may overshoot.
            Some(socket) if socket.charged <= RECEIVE_BUFFER => Ok(slot),
            _ => Err(LossReason::BufferFull),
        }
    }

    pub(crate) fn queue(&mut self, slot: usize, received: Received) -> Vec<Waker> {
        let Some(socket) = &mut self.slots[slot] else {
            return Vec::new();
        };
        socket.charged += charge(received.data.len());
        socket.queue.push_back(received);
        std::mem::take(&mut socket.readers)
    }

    /// Hands an ICMP error to the socket that sent what it quotes, if that socket is told of such errors.
    pub(crate) fn hear(&mut self, icmp: Icmp, cause: RecordId) -> Vec<Waker> {
        let platform = self.platform;
        let found = self
            .lookup(icmp.quoted_from, icmp.quoted_to)
            .and_then(|slot| self.slots[slot].as_mut());
        let Some(socket) = found else {
            return Vec::new();
        };
        let v6 = icmp.quoted_to.is_ipv6();
        let Some(kind) = error::reported(
            platform,
            icmp.kind,
            v6,
            socket.peer.is_some(),
            socket.recverr,
        ) else {
            return Vec::new();
        };
        // One error is pending, the latest; on Windows each completes one receive.
        if platform != Platform::Windows || socket.errors.len() >= ERRORS_MAX {
            socket.errors.pop_front();
        }
        socket.errors.push_back(Pending { kind, cause });
        std::mem::take(&mut socket.readers)
    }

    /// The best match for a datagram, as `__udp4_lib_lookup` scores: a connected socket, then a specific address,
    /// then a wildcard of the same family, then one of IPv6 that takes IPv4, too; among equals the older.
    fn lookup(&self, local: SocketAddr, remote: SocketAddr) -> Option<usize> {
        let candidates = self.ports.get(&local.port())?.iter();
        let scored = candidates.filter_map(|slot| {
            let score = self.slots[*slot].as_ref()?.score(local.ip(), remote)?;
            Some((score, std::cmp::Reverse(*slot)))
        });
        scored.max().map(|(_, std::cmp::Reverse(slot))| slot)
    }

    fn is_free(&self, address: IpAddr, port: u16, v6_only: bool) -> bool {
        let mut others = self
            .ports
            .get(&port)
            .into_iter()
            .flatten()
            .filter_map(|slot| self.slots[*slot].as_ref());
        !others.any(|other| conflict((address, v6_only), (other.local.ip(), other.v6_only)))
    }

    /// The next free port of the platform's range, in rising order: a real kernel draws it, which no trace wants.
    fn ephemeral(&mut self, address: IpAddr, v6_only: bool) -> Option<u16> {
        let (first, last) = self.platform.ephemeral_ports();
        let start = self.next_ephemeral;
        let port = (start..=last)
            .chain(first..start)
            .find(|port| self.is_free(address, *port, v6_only))?;
        self.next_ephemeral = if port == last { first } else { port + 1 };
        Some(port)
    }
}

/// Whether two sockets of one port are in each other's way: the same address, or a wildcard that covers the other.
pub(super) fn conflict((a, a_v6_only): (IpAddr, bool), (b, b_v6_only): (IpAddr, bool)) -> bool {
    // A connected socket of IPv6 may be bound to an IPv4 address, written as one of IPv6.
    let (a, b) = (a.to_canonical(), b.to_canonical());
    let covers = |wide: IpAddr, v6_only: bool, other: IpAddr| {
        wide.is_unspecified() && (wide.is_ipv4() == other.is_ipv4() || (wide.is_ipv6() && !v6_only))
    };
    a == b || covers(a, a_v6_only, b) || covers(b, b_v6_only, a)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(platform: Platform, bound: &[&str]) -> Vec<Result<usize, SocketErrorKind>> {
        let mut table = SocketTable::new(platform);
        bound
            .iter()
            .map(|address| {
                table
                    .bind(SocketId(1), address.parse().expect("valid"))
                    .map(|(slot, _)| slot)
            })
            .collect()
    }

    // Each pair binds the same port twice; only those that Linux keeps apart may both succeed.
    #[test]
    fn second_bind_fails_where_the_addresses_overlap() {
        let cases = [
            ("10.0.0.1:53", "10.0.0.1:53", true),
            ("0.0.0.0:53", "10.0.0.1:53", true),
            ("10.0.0.1:53", "0.0.0.0:53", true),
            ("[::]:53", "10.0.0.1:53", true),
            ("10.0.0.1:53", "[::]:53", true),
            ("10.0.0.1:53", "10.0.0.2:53", false),
            ("[fd00::1]:53", "0.0.0.0:53", false),
            ("10.0.0.1:53", "10.0.0.1:54", false),
        ];
        for (first, second, conflicts) in cases {
            let results = table(Platform::Linux, &[first, second]);
            assert_eq!(
                results[1] == Err(SocketErrorKind::AddressInUse),
                conflicts,
                "{first} then {second}"
            );
        }
        assert_eq!(
            table(Platform::Windows, &["[::]:53", "0.0.0.0:53"]),
            [Ok(0), Ok(1)],
            "IPV6_V6ONLY is set there"
        );
    }

    // The range of 28,232 ports is used up exactly, and a closed one is found again.
    #[test]
    fn ephemeral_ports_rise_and_run_out() {
        let mut table = SocketTable::new(Platform::Linux);
        let any = "0.0.0.0:0".parse().expect("valid");
        for expected in 32768..=60999 {
            let bound = table.bind(SocketId(u64::from(expected)), any);
            assert_eq!(bound.map(|(_, local)| local.port()), Ok(expected));
        }
        assert_eq!(
            table.bind(SocketId(0), any),
            Err(SocketErrorKind::AddressInUse)
        );
        assert!(table.close(7, SocketId(32775)).is_some());
        let again = table.bind(SocketId(0), any);
        assert_eq!(
            again.map(|(slot, local)| (slot, local.port())),
            Ok((7, 32775))
        );
    }
}
