//! UDP sockets as a program sees them.

use std::fmt;
use std::net::SocketAddr;
use std::rc::Weak;
use std::task::{Context, Poll};

use bytes::Bytes;

use super::{Place, Udp};
use crate::event::{Event, SocketCall, SocketId};
use crate::platform::{Platform, SocketError, SocketErrorKind};
use crate::state::{Inner, State};

use SocketErrorKind as Kind;

/// A bound UDP socket; dropping it closes it.
///
/// Sending never waits: a datagram leaves, or the call fails. An ICMP error leaves one pending error, which the next
/// send, receive or [`Self::take_error`] reports once; such a send does not transmit, and such a receive comes before
/// data that is queued. On Windows only receiving reports it, once per ICMP message.
///
/// Once its incarnation has ended, sends fail with `EBADF` and receives never complete.
pub struct UdpSocket {
    network: Weak<Inner>,
    incarnation: u32,
    platform: Platform,
    place: Place,
}

impl UdpSocket {
    pub(crate) const fn new(
        network: Weak<Inner>,
        incarnation: u32,
        platform: Platform,
        place: Place,
    ) -> Self {
        Self {
            network,
            incarnation,
            platform,
            place,
        }
    }

    /// The socket's number in records.
    #[must_use]
    pub const fn id(&self) -> SocketId {
        self.place.id
    }

    /// The address bound, with the port chosen; after connecting, with the source address chosen.
    ///
    /// # Errors
    /// `EBADF` after the incarnation's end.
    pub fn local_address(&self) -> Result<SocketAddr, SocketError> {
        self.with(|socket| socket.local).ok_or_else(|| self.dead())
    }

    /// The address connected to.
    #[must_use]
    pub fn peer(&self) -> Option<SocketAddr> {
        self.with(|socket| socket.peer.map(|peer| socket.shown(peer)))
            .flatten()
    }

    /// Sets the only address to send to and to receive from, and lets ICMP errors reach the socket.
    ///
    /// # Errors
    /// What a local fault makes of a route lookup; `ENETUNREACH` without an address of the destination's family;
    /// `EAFNOSUPPORT` for IPv6 on an IPv4 socket; `EBADF` after the incarnation's end.
    pub fn connect(&self, address: SocketAddr) -> Result<(), SocketError> {
        let connected = self.with_state(|state| state.connect(self.place, address));
        connected.unwrap_or_else(|| Err(self.dead()))
    }

    /// Sends a datagram to an address, also on a connected socket (macOS refuses that with `EISCONN`).
    ///
    /// # Errors
    /// A pending error; what a local fault makes of it; `EMSGSIZE` above 65,507 bytes (IPv6: 65,527); `EINVAL` to port
    /// 0; `EACCES` to a broadcast address; `EBADF` after the incarnation's end.
    pub fn send_to(
        &self,
        data: impl Into<Bytes>,
        address: SocketAddr,
    ) -> Result<usize, SocketError> {
        self.send_datagram(data.into(), Some(address))
    }

    /// Sends a datagram to the address connected to.
    ///
    /// # Errors
    /// As [`Self::send_to`]; `EDESTADDRREQ` if not connected.
    pub fn send(&self, data: impl Into<Bytes>) -> Result<usize, SocketError> {
        self.send_datagram(data.into(), None)
    }

    /// Waits for a datagram and its sender. Cancelling loses nothing.
    ///
    /// # Errors
    /// A pending error.
    pub async fn recv_from(&self) -> Result<(Bytes, SocketAddr), SocketError> {
        std::future::poll_fn(|cx| self.poll_recv_from(cx)).await
    }

    /// Waits for a datagram.
    ///
    /// # Errors
    /// A pending error.
    pub async fn recv(&self) -> Result<Bytes, SocketError> {
        self.recv_from().await.map(|(data, _)| data)
    }

    /// Takes a datagram, or has the task woken when there is one; several tasks may wait, and all are woken.
    ///
    /// # Errors
    /// A pending error.
    pub fn poll_recv_from(
        &self,
        cx: &mut Context<'_>,
    ) -> Poll<Result<(Bytes, SocketAddr), SocketError>> {
        let taken = self.with_state(|state| state.receive(self.place, cx));
        taken.unwrap_or(Poll::Pending)
    }

    /// Takes the pending error (`SO_ERROR`).
    #[must_use]
    pub fn take_error(&self) -> Option<SocketError> {
        let pending = self.with(|socket| socket.errors.pop_front()).flatten()?;
        Some(SocketError::new(pending.kind, self.platform))
    }

    /// Asks for all ICMP errors (`IP_RECVERR`, `IPV6_RECVERR`); without effect but on Linux.
    pub fn set_recverr(&self, on: bool) {
        self.with(|socket| socket.recverr = on);
    }

    fn send_datagram(
        &self,
        data: Bytes,
        address: Option<SocketAddr>,
    ) -> Result<usize, SocketError> {
        let sent = self.with_state(|state| {
            let sent = state.send(self.place, data, address);
            sent.map_err(|kind| {
                state.call_failed(
                    self.place.host,
                    Some(self.place.id),
                    SocketCall::Send,
                    address,
                    kind,
                )
            })
        });
        sent.unwrap_or_else(|| Err(self.dead()))
    }

    fn with_state<R>(&self, work: impl FnOnce(&mut State) -> R) -> Option<R> {
        let network = self.network.upgrade()?;
        network.with(|state| {
            state
                .machine(self.place.host)
                .is_alive(self.incarnation)
                .then(|| work(state))
        })
    }

    fn with<R>(&self, work: impl FnOnce(&mut Udp) -> R) -> Option<R> {
        self.with_state(|state| {
            state
                .machine_mut(self.place.host)
                .sockets
                .get(self.place.slot, self.place.id)
                .map(work)
        })
        .flatten()
    }

    fn dead(&self) -> SocketError {
        SocketError::new(Kind::BadDescriptor, self.platform)
    }
}

impl Drop for UdpSocket {
    fn drop(&mut self) {
        let Some(network) = self.network.upgrade() else {
            return;
        };
        let _closed = network.with(|state| {
            let closed = state
                .machine_mut(self.place.host)
                .sockets
                .close(self.place.slot, self.place.id)?;
            state.record(
                Some(self.place.host),
                Event::SocketClosed {
                    socket: self.place.id,
                },
            );
            Some(closed)
        });
    }
}

impl fmt::Debug for UdpSocket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("UdpSocket")
            .field("place", &self.place)
            .finish_non_exhaustive()
    }
}
