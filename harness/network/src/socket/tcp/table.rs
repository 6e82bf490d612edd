//! A kernel's table of TCP sockets: who listens where, and which connection a segment belongs to.

use std::collections::{BTreeMap, VecDeque};
use std::net::{IpAddr, SocketAddr};
use std::task::Waker;

use super::Connection;
use super::connection::Ends;
use crate::event::SocketId;
use crate::platform::{Platform, SocketErrorKind};
use crate::socket::{address_score, conflict};

/// A listening socket.
pub(crate) struct Listener {
    pub(super) id: SocketId,
    pub(super) local: SocketAddr,
    pub(super) v6_only: bool,
    pub(super) backlog: usize,
    /// Slots of connections that are to be accepted, oldest first.
    pub(super) queue: VecDeque<usize>,
    /// How many connections wait for the end of their handshake.
    pub(super) embryos: usize,
    pub(super) shut_down: bool,
    pub(super) acceptors: Vec<Waker>,
}

impl Listener {
    /// Linux compares with greater-than: one more than the backlog fits (`sk_acceptq_is_full`).
    pub(super) fn is_full(&self) -> bool {
        self.queue.len() > self.backlog
    }

    /// Whether a SYN is dropped: nothing more can be accepted, or too many handshakes are under way.
    pub(super) fn refuses_syn(&self) -> bool {
        self.is_full() || self.embryos > self.backlog
    }
}

/// Slots that are used again.
pub(super) struct Slots<T> {
    entries: Vec<Option<T>>,
    free: Vec<usize>,
}

impl<T> Slots<T> {
    const fn new() -> Self {
        Self {
            entries: Vec::new(),
            free: Vec::new(),
        }
    }

    fn insert(&mut self, entry: T) -> usize {
        let slot = self.free.pop().unwrap_or_else(|| {
            self.entries.push(None);
            self.entries.len() - 1
        });
        self.entries[slot] = Some(entry);
        slot
    }

    fn remove(&mut self, slot: usize) -> Option<T> {
        let entry = self.entries.get_mut(slot)?.take()?;
        self.free.push(slot);
        Some(entry)
    }

    pub(super) fn get(&self, slot: usize) -> Option<&T> {
        self.entries.get(slot)?.as_ref()
    }

    pub(super) fn get_mut(&mut self, slot: usize) -> Option<&mut T> {
        self.entries.get_mut(slot)?.as_mut()
    }

    /// Those in use, in order.
    pub(super) fn used(&self) -> Vec<usize> {
        let used = |slot: &usize| self.entries[*slot].is_some();
        (0..self.entries.len()).filter(used).collect()
    }
}

pub(crate) struct TcpTable {
    platform: Platform,
    pub(super) listeners: Slots<Listener>,
    pub(super) connections: Slots<Box<Connection>>,
    /// Listeners by port.
    listening: BTreeMap<u16, Vec<usize>>,
    /// Connections by remote and local address; those that are closed have left.
    flows: BTreeMap<(SocketAddr, SocketAddr), usize>,
    /// How many connections use a local port, and how many go to a remote address: what a search for a free port needs.
    local_ports: BTreeMap<u16, u32>,
    remotes: BTreeMap<SocketAddr, u32>,
    next_ephemeral: u16,
    /// How many faults keep programs from reading.
    pub(super) stalled: u32,
}

impl TcpTable {
    pub(crate) fn new(platform: Platform) -> Self {
        let (next_ephemeral, _) = platform.ephemeral_ports();
        Self {
            platform,
            listeners: Slots::new(),
            connections: Slots::new(),
            listening: BTreeMap::new(),
            flows: BTreeMap::new(),
            local_ports: BTreeMap::new(),
            remotes: BTreeMap::new(),
            next_ephemeral,
            stalled: 0,
        }
    }

    /// Listens at an address that the host is known to have. `reuse` is `SO_REUSEADDR`: connections that still use the
    /// port, in TIME-WAIT or otherwise, are then in nobody's way.
    pub(super) fn listen(
        &mut self,
        id: SocketId,
        address: SocketAddr,
        backlog: usize,
        reuse: bool,
    ) -> Result<(usize, SocketAddr), SocketErrorKind> {
        let v6_only = self.platform == Platform::Windows;
        let free = |table: &Self, port| {
            (reuse || !table.local_ports.contains_key(&port))
                && !table.listens(address.ip(), port, v6_only)
        };
        let port = match address.port() {
            0 => self.ephemeral(|table, port| {
                !table.local_ports.contains_key(&port) && free(table, port)
            }),
            port => free(self, port).then_some(port),
        };
        let port = port.ok_or(SocketErrorKind::AddressInUse)?;
        let local = SocketAddr::new(address.ip(), port);
        let slot = self.listeners.insert(Listener {
            id,
            local,
            v6_only,
            backlog,
            queue: VecDeque::new(),
            embryos: 0,
            shut_down: false,
            acceptors: Vec::new(),
        });
        self.listening.entry(port).or_default().push(slot);
        Ok((slot, local))
    }

    /// A free port for a connection to `remote`; `EADDRNOTAVAIL` once all are in use, as Linux has it.
    pub(super) fn port_towards(
        &mut self,
        local: IpAddr,
        remote: SocketAddr,
    ) -> Result<u16, SocketErrorKind> {
        let (first, last) = self.platform.ephemeral_ports();
        let used = self.remotes.get(&remote).copied().unwrap_or(0);
        let port = if used > u32::from(last - first) {
            None
        } else {
            self.ephemeral(|table, port| {
                !table.listening.contains_key(&port)
                    && !table
                        .flows
                        .contains_key(&(remote, SocketAddr::new(local, port)))
            })
        };
        port.ok_or(SocketErrorKind::AddressNotAvailable)
    }

    pub(super) fn insert(&mut self, connection: Box<Connection>) -> usize {
        let Ends { local, remote, .. } = connection.ends;
        let slot = self.connections.insert(connection);
        self.flows.insert((remote, local), slot);
        *self.local_ports.entry(local.port()).or_insert(0) += 1;
        *self.remotes.entry(remote).or_insert(0) += 1;
        slot
    }

    /// A connection that is closed takes no more segments, and its addresses are free.
    pub(super) fn unlink(&mut self, slot: usize, ends: Ends) {
        let Ends { local, remote, .. } = ends;
        if self.flows.get(&(remote, local)) != Some(&slot) {
            return;
        }
        self.flows.remove(&(remote, local));
        release(&mut self.local_ports, &local.port());
        release(&mut self.remotes, &remote);
    }

    pub(super) fn forget(&mut self, slot: usize) -> Option<Box<Connection>> {
        self.connections.remove(slot)
    }

    pub(super) fn forget_listener(&mut self, slot: usize) -> Option<Listener> {
        let listener = self.listeners.remove(slot)?;
        let port = listener.local.port();
        if let Some(slots) = self.listening.get_mut(&port) {
            slots.retain(|other| *other != slot);
            if slots.is_empty() {
                self.listening.remove(&port);
            }
        }
        Some(listener)
    }

    /// The connection between these addresses.
    pub(super) fn flow(&self, local: SocketAddr, remote: SocketAddr) -> Option<usize> {
        self.flows.get(&(remote, local)).copied()
    }

    /// The listener for a SYN to `local`: a specific address before a wildcard.
    pub(super) fn listener(&self, local: SocketAddr) -> Option<usize> {
        let candidates = self.listening.get(&local.port())?.iter();
        let scored = candidates.filter_map(|slot| {
            let listener = self
                .listeners
                .get(*slot)
                .filter(|listener| !listener.shut_down)?;
            let score = address_score(listener.local.ip(), listener.v6_only, local.ip())?;
            Some((score, std::cmp::Reverse(*slot)))
        });
        scored.max().map(|(_, std::cmp::Reverse(slot))| slot)
    }

    fn listens(&self, address: IpAddr, port: u16, v6_only: bool) -> bool {
        let mut others = self
            .listening
            .get(&port)
            .into_iter()
            .flatten()
            .filter_map(|slot| self.listeners.get(*slot));
        others.any(|other| conflict((address, v6_only), (other.local.ip(), other.v6_only)))
    }

    /// The next port of the platform's range that will do, in rising order.
    fn ephemeral(&mut self, will_do: impl Fn(&Self, u16) -> bool) -> Option<u16> {
        let (first, last) = self.platform.ephemeral_ports();
        let start = self.next_ephemeral;
        let port = (start..=last)
            .chain(first..start)
            .find(|port| will_do(self, *port))?;
        self.next_ephemeral = if port == last { first } else { port + 1 };
        Some(port)
    }
}

fn release<K: Ord>(counts: &mut BTreeMap<K, u32>, key: &K) {
    if let Some(count) = counts.get_mut(key) {
        *count -= 1;
        if *count == 0 {
            counts.remove(key);
        }
    }
}
