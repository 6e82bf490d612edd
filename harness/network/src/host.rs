//! What code on a host holds: a handle to one incarnation of it.

use std::net::{IpAddr, SocketAddr};
use std::rc::{Rc, Weak};
use std::time::Duration;

use crate::event::{Event, RecordId, TaskId, TimerClass};
use crate::platform::{Platform, SocketError, SocketErrorKind};
use crate::socket::{TcpListener, TcpStream, UdpSocket};
use crate::state::{Inner, State};
use crate::task::{Guarded, Task};
use crate::timer::Sleep;
use crate::{HostId, Instant};

/// A host, as the code of one of its incarnations sees it. Cheap to clone.
///
/// Once that incarnation has ended, or the network is gone, nothing the handle gives completes and nothing it is told
/// to send leaves: binding and sending fail with `EBADF`.
#[derive(Clone, Debug)]
pub struct Host {
    network: Weak<Inner>,
    id: HostId,
    incarnation: u32,
    name: Rc<str>,
    addresses: Rc<[IpAddr]>,
    platform: Platform,
}

impl Host {
    pub(crate) fn new(network: Weak<Inner>, state: &State, id: HostId) -> Self {
        let options = &state.topology.site(id).options;
        Self {
            network,
            id,
            incarnation: state.machine(id).incarnation,
            name: options.name.as_str().into(),
            addresses: options.addresses.as_slice().into(),
            platform: options.platform,
        }
    }

    /// The host's name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The host.
    #[must_use]
    pub const fn id(&self) -> HostId {
        self.id
    }

    /// Which life of the host this handle belongs to: 1 after the first start, 0 before.
    #[must_use]
    pub const fn incarnation(&self) -> u32 {
        self.incarnation
    }

    /// The host's addresses, in the order given.
    #[must_use]
    pub fn addresses(&self) -> &[IpAddr] {
        &self.addresses
    }

    /// Whose kernel the host runs.
    #[must_use]
    pub const fn platform(&self) -> Platform {
        self.platform
    }

    /// The virtual time; the start of the run once the network is gone.
    #[must_use]
    pub fn now(&self) -> Instant {
        self.network
            .upgrade()
            .map_or(Instant::START, |network| network.with(|state| state.now))
    }

    /// Whether this handle's incarnation still runs.
    #[must_use]
    pub fn is_alive(&self) -> bool {
        self.with_alive(|_| ()).is_some()
    }

    /// Binds a UDP socket. Port 0 takes the next free ephemeral port; an unspecified address means all of the
    /// host's. An IPv6 socket bound to `::` takes IPv4, too, except on Windows (`IPV6_V6ONLY` is set there).
    ///
    /// # Errors
    /// `EADDRINUSE` if a socket of this host is in the way, `EADDRNOTAVAIL` for an address that the host does not
    /// have, `EBADF` after the incarnation's end.
    pub fn bind_udp(&self, address: SocketAddr) -> Result<UdpSocket, SocketError> {
        let bound = self.with_alive(|state| state.bind_udp(self.id, address));
        let place = bound.unwrap_or_else(|| Err(self.dead()))?;
        Ok(UdpSocket::new(
            self.network.clone(),
            self.incarnation,
            self.platform,
            place,
        ))
    }

    /// Listens for TCP connections, with `SO_REUSEADDR` as servers set it: connections that still use the port do not
    /// matter. Port 0 takes a free ephemeral port; `::` is as for [`Self::bind_udp`].
    ///
    /// # Errors
    /// As [`Self::bind_udp`].
    pub fn listen_tcp(
        &self,
        address: SocketAddr,
        backlog: u32,
    ) -> Result<TcpListener, SocketError> {
        self.listen(address, backlog, true)
    }

    /// As [`Self::listen_tcp`] without `SO_REUSEADDR`: for a minute after a connection that this side closed first, its
    /// TIME-WAIT is in the way, as is any other connection of the port.
    ///
    /// # Errors
    /// As [`Self::bind_udp`].
    pub fn listen_tcp_without_reuse(
        &self,
        address: SocketAddr,
        backlog: u32,
    ) -> Result<TcpListener, SocketError> {
        self.listen(address, backlog, false)
    }

    fn listen(
        &self,
        address: SocketAddr,
        backlog: u32,
        reuse: bool,
    ) -> Result<TcpListener, SocketError> {
        let bound = self.with_alive(|state| state.listen_tcp(self.id, address, backlog, reuse));
        let place = bound.unwrap_or_else(|| Err(self.dead()))?;
        Ok(TcpListener::new(
            self.network.clone(),
            self.incarnation,
            self.platform,
            place,
        ))
    }

    /// Connects to a TCP listener. Dropping the future gives the attempt up.
    ///
    /// # Errors
    /// `ECONNREFUSED` from a closed port; what a router or a silent neighbour makes of it (`EHOSTUNREACH`,
    /// `ENETUNREACH`); `ETIMEDOUT` after 135 s of silence; at once what a local fault makes of a route lookup, and
    /// `EADDRNOTAVAIL` once all ports towards the address are in use; `EBADF` after the incarnation's end.
    pub async fn connect_tcp(&self, address: SocketAddr) -> Result<TcpStream, SocketError> {
        let begun = self.with_alive(|state| state.connect_tcp(self.id, address));
        let place = begun.unwrap_or_else(|| Err(self.dead()))?;
        let network = self.network.clone();
        TcpStream::connecting(network, self.incarnation, self.platform, place, address)
            .connected()
            .await
    }

    /// Runs a task on this host until it ends, is aborted, or the incarnation ends. After that end, the future is
    /// dropped at once and the handle never completes.
    pub fn spawn<F>(&self, future: F) -> Task<F::Output>
    where
        F: Future + 'static,
        F::Output: 'static,
    {
        let begun = self.with_alive(|state| {
            state.last_task += 1;
            let task = TaskId(state.last_task);
            state.record(Some(self.id), Event::TaskSpawned { task });
            (task, state.machine(self.id).running.clone())
        });
        let Some((task, Some(running))) = begun else {
            return Task::new(None);
        };
        let guarded = Guarded::new(future, self.network.clone(), self.id, task);
        Task::new(Some(running.spawn(guarded)))
    }

    /// Sleeps until a moment.
    #[must_use]
    pub fn sleep_until(&self, due: Instant, class: TimerClass) -> Sleep {
        Sleep::new(self.network.clone(), self.id, self.incarnation, due, class)
    }

    /// Sleeps for a while from now.
    #[must_use]
    pub fn sleep(&self, length: Duration, class: TimerClass) -> Sleep {
        self.sleep_until(self.now() + length, class)
    }

    /// A draw keyed by the run's seed, this host's name, `purpose`, and how often this host has drawn for it; it
    /// depends on nothing else, and goes on counting over incarnations. 0 once the network is gone.
    #[must_use]
    pub fn draw(&self, purpose: &str) -> u64 {
        self.network.upgrade().map_or(0, |network| {
            network.with(|state| state.draw(self.id, purpose))
        })
    }

    /// The record that led to what this host is doing, as [`Network::cause`](crate::Network::cause) has it.
    #[must_use]
    pub fn cause(&self) -> Option<RecordId> {
        let network = self.network.upgrade()?;
        network.with(|state| state.cause)
    }

    /// Says what led to what is happening from now on, until the host's turn ends.
    pub fn set_cause(&self, cause: Option<RecordId>) {
        if let Some(network) = self.network.upgrade() {
            network.with(|state| state.cause = cause);
        }
    }

    fn with_alive<R>(&self, work: impl FnOnce(&mut State) -> R) -> Option<R> {
        let network = self.network.upgrade()?;
        network.with(|state| {
            state
                .machine(self.id)
                .is_alive(self.incarnation)
                .then(|| work(state))
        })
    }

    fn dead(&self) -> SocketError {
        SocketError::new(SocketErrorKind::BadDescriptor, self.platform)
    }
}

impl State {
    fn draw(&mut self, host: HostId, purpose: &str) -> u64 {
        let key = self
            .root
            .with(self.topology.site(host).key)
            .with_text(purpose);
        let draws = &mut self.machine_mut(host).draws;
        let index = match draws.get_mut(purpose) {
            Some(index) => index,
            None => draws.entry(purpose.into()).or_insert(0),
        };
        *index += 1;
        key.with(*index).bits()
    }
}
