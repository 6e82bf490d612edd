//! Connections as a program sees them.

use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::rc::{Rc, Weak};
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::calls::register;
use super::connection::Connection;
use super::{Keepalive, OwnedReadHalf, OwnedWriteHalf};
use crate::Instant;
use crate::event::SocketId;
use crate::platform::{Platform, SocketError, SocketErrorKind};
use crate::segment::Segment;
use crate::socket::Place;
use crate::state::{Inner, State};

/// Where a socket is, and on whose behalf.
pub(super) struct Handle {
    network: Weak<Inner>,
    incarnation: u32,
    platform: Platform,
    pub(super) place: Place,
}

impl Handle {
    pub(super) const fn new(
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

    /// The same for another socket of the process.
    pub(super) fn at(&self, place: Place) -> Self {
        Self {
            network: self.network.clone(),
            place,
            ..*self
        }
    }

    /// `None` once the incarnation has ended or the network is gone.
    pub(super) fn with<R>(&self, work: impl FnOnce(&mut State) -> R) -> Option<R> {
        let network = self.network.upgrade()?;
        network.with(|state| {
            state
                .machine(self.place.host)
                .is_alive(self.incarnation)
                .then(|| work(state))
        })
    }

    pub(super) fn dead(&self) -> SocketError {
        SocketError::new(SocketErrorKind::BadDescriptor, self.platform)
    }
}

/// A TCP connection; dropping it closes it as `close(2)` does: FIN after what is queued, or RST if something received
/// was not read or [`Self::set_linger`] asks for it.
///
/// All methods take `&self`: one task may read while another writes. An error is told once, by whichever of reading,
/// writing and [`Self::take_error`] comes first; data that came before it is read first. After it, writing fails with
/// `EPIPE` and reading gives the end. Once its incarnation has ended, writing fails with `EBADF` and reading never
/// completes.
///
/// As [`AsyncRead`] and [`AsyncWrite`], its errors are [`io::Error`]s around the [`SocketError`], because the error
/// numbers are those of the host's platform and not of the one that runs the simulation.
pub struct TcpStream {
    handle: Handle,
    peer: SocketAddr,
}

impl TcpStream {
    pub(super) const fn new(handle: Handle, peer: SocketAddr) -> Self {
        Self { handle, peer }
    }

    /// A connection whose handshake has begun.
    pub(crate) const fn connecting(
        network: Weak<Inner>,
        incarnation: u32,
        platform: Platform,
        place: Place,
        peer: SocketAddr,
    ) -> Self {
        Self::new(Handle::new(network, incarnation, platform, place), peer)
    }

    /// Waits for the end of the handshake.
    pub(crate) async fn connected(self) -> Result<Self, SocketError> {
        let place = self.handle.place;
        std::future::poll_fn(|cx| {
            let connected = self.handle.with(|state| state.connected(place, cx.waker()));
            connected.unwrap_or(Poll::Pending)
        })
        .await?;
        Ok(self)
    }

    /// The socket's number in records.
    #[must_use]
    pub const fn id(&self) -> SocketId {
        self.handle.place.id
    }

    /// The address on this side.
    ///
    /// # Errors
    /// `EBADF` after the incarnation's end.
    pub fn local_address(&self) -> Result<SocketAddr, SocketError> {
        let local = self.with(|connection| connection.shown(connection.ends.local));
        local.ok_or_else(|| self.handle.dead())
    }

    /// The address on the other side.
    #[must_use]
    pub const fn peer_address(&self) -> SocketAddr {
        self.peer
    }

    /// Waits for data and copies what is there; 0 is the end, or an empty buffer. Cancelling loses nothing.
    ///
    /// # Errors
    /// A pending error, once: `ECONNRESET`, `ETIMEDOUT`, or what a router has said before a time-out.
    pub async fn read(&self, buffer: &mut [u8]) -> Result<usize, SocketError> {
        std::future::poll_fn(|cx| self.poll_read(cx, buffer)).await
    }

    /// As [`Self::read`], and leaves the data to be read again.
    ///
    /// # Errors
    /// As [`Self::read`].
    pub async fn peek(&self, buffer: &mut [u8]) -> Result<usize, SocketError> {
        std::future::poll_fn(|cx| self.poll_peek(cx, buffer)).await
    }

    /// Waits for room in the send buffer and queues as much as fits, at least one byte of a buffer that is not empty.
    ///
    /// # Errors
    /// A pending error, once; `EPIPE` after it, after [`Self::shutdown`], and after the peer has refused data;
    /// `EBADF` after the incarnation's end.
    pub async fn write(&self, data: &[u8]) -> Result<usize, SocketError> {
        std::future::poll_fn(|cx| self.poll_write(cx, data)).await
    }

    /// Writes all of it. Cancelling leaves an unknown part written.
    ///
    /// # Errors
    /// As [`Self::write`].
    pub async fn write_all(&self, mut data: &[u8]) -> Result<(), SocketError> {
        while !data.is_empty() {
            let written = self.write(data).await?;
            data = &data[written..];
        }
        Ok(())
    }

    /// Reads, or has the task woken when there is something.
    ///
    /// # Errors
    /// As [`Self::read`].
    pub fn poll_read(
        &self,
        cx: &mut Context<'_>,
        buffer: &mut [u8],
    ) -> Poll<Result<usize, SocketError>> {
        self.poll_take(cx, buffer, false)
    }

    /// Peeks, or has the task woken when there is something.
    ///
    /// # Errors
    /// As [`Self::read`].
    pub fn poll_peek(
        &self,
        cx: &mut Context<'_>,
        buffer: &mut [u8],
    ) -> Poll<Result<usize, SocketError>> {
        self.poll_take(cx, buffer, true)
    }

    fn poll_take(
        &self,
        cx: &mut Context<'_>,
        buffer: &mut [u8],
        peek: bool,
    ) -> Poll<Result<usize, SocketError>> {
        let taken = self
            .handle
            .with(|state| state.read(self.handle.place, buffer, peek, cx));
        taken.unwrap_or(Poll::Pending)
    }

    /// Writes, or has the task woken when there is room.
    ///
    /// # Errors
    /// As [`Self::write`].
    pub fn poll_write(
        &self,
        cx: &mut Context<'_>,
        data: &[u8],
    ) -> Poll<Result<usize, SocketError>> {
        let written = self
            .handle
            .with(|state| state.write(self.handle.place, data, cx));
        written.unwrap_or_else(|| Poll::Ready(Err(self.handle.dead())))
    }

    /// Waits until reading would not wait: for data, the end, or an error.
    pub async fn readable(&self) {
        let place = self.handle.place;
        std::future::poll_fn(|cx| {
            let ready = self.handle.with(|state| {
                let stalled = state.machine(place.host).tcp.stalled > 0;
                let Some(connection) = state.connection(place) else {
                    return false;
                };
                let ready = !stalled && connection.is_readable();
                if !ready {
                    register(&mut connection.readers, cx.waker());
                }
                ready
            });
            pending_unless(ready)
        })
        .await;
    }

    /// Waits until writing would not wait: for room, or an error.
    pub async fn writable(&self) {
        std::future::poll_fn(|cx| {
            let ready = self.with(|connection| {
                let ready = connection.is_writable();
                if !ready {
                    register(&mut connection.writers, cx.waker());
                }
                ready
            });
            pending_unless(ready)
        })
        .await;
    }

    /// Sends FIN after what is queued; reading goes on (`SHUT_WR`). Without effect the second time.
    ///
    /// # Errors
    /// `ENOTCONN` once the connection has ended, `EBADF` after the incarnation's end.
    pub fn shutdown(&self) -> Result<(), SocketError> {
        let shut = self.handle.with(|state| state.shut_down(self.handle.place));
        shut.unwrap_or_else(|| Err(self.handle.dead()))
    }

    /// As [`Self::shutdown`], of a connection that may have ended unnoticed.
    pub(super) fn shut_quietly(&self) {
        self.change(|connection, now, out| connection.shut_down(now, out));
    }

    /// Zero makes closing send RST and throw away what is queued (`SO_LINGER`). Any other length closes as `None`
    /// does, because closing cannot wait here.
    pub fn set_linger(&self, linger: Option<Duration>) {
        self.with(|connection| connection.linger = linger);
    }

    /// Probes a silent peer (`SO_KEEPALIVE`); off unless set. An unanswered series ends in `ETIMEDOUT`.
    pub fn set_keepalive(&self, keepalive: Option<Keepalive>) {
        self.change(|connection, now, _| {
            connection.keepalive = keepalive;
            connection.start_keepalive(now);
        });
    }

    /// How long data may go unacknowledged, or a closed window stay closed, before `ETIMEDOUT` (`TCP_USER_TIMEOUT`,
    /// RFC 5482); it overrides the count of keep-alive probes as well. `None` leaves it to the number of retries.
    pub fn set_user_timeout(&self, timeout: Option<Duration>) {
        self.change(|connection, _, _| connection.user_timeout = timeout);
    }

    /// Takes the pending error (`SO_ERROR`).
    #[must_use]
    pub fn take_error(&self) -> Option<SocketError> {
        let failure = self.with(|connection| connection.error.take()).flatten()?;
        Some(SocketError::new(failure.kind, self.handle.platform))
    }

    /// Halves that two tasks can own. Dropping the writing one shuts it down; the connection closes with both.
    #[must_use]
    pub fn into_split(self) -> (OwnedReadHalf, OwnedWriteHalf) {
        let stream = Rc::new(self);
        (
            OwnedReadHalf::new(Rc::clone(&stream)),
            OwnedWriteHalf::new(stream),
        )
    }

    fn with<R>(&self, work: impl FnOnce(&mut Connection) -> R) -> Option<R> {
        self.handle
            .with(|state| state.connection(self.handle.place).map(work))
            .flatten()
    }

    /// Changes what deadlines depend on.
    fn change(&self, work: impl FnOnce(&mut Connection, Instant, &mut Vec<Segment>)) {
        let place = self.handle.place;
        self.handle.with(|state| {
            if state.connection(place).is_some() {
                state.with_connection(place.host, place.slot, work);
            }
        });
    }
}

impl Drop for TcpStream {
    fn drop(&mut self) {
        let place = self.handle.place;
        self.handle.with(|state| {
            if state.connection(place).is_some() {
                state.close_connection(place.host, place.slot);
            }
        });
    }
}

impl AsyncRead for TcpStream {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        read_into(&self, cx, buffer)
    }
}

fn pending_unless(ready: Option<bool>) -> Poll<()> {
    match ready {
        Some(true) => Poll::Ready(()),
        _ => Poll::Pending,
    }
}

/// Reads into tokio's buffer.
pub(super) fn read_into(
    stream: &TcpStream,
    cx: &mut Context<'_>,
    buffer: &mut ReadBuf<'_>,
) -> Poll<io::Result<()>> {
    let read = stream.poll_read(cx, buffer.initialize_unfilled());
    read.map(|read| {
        buffer.advance(read?);
        Ok(())
    })
}

impl AsyncWrite for TcpStream {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        data: &[u8],
    ) -> Poll<io::Result<usize>> {
        Self::poll_write(&self, cx, data).map_err(io::Error::from)
    }

    /// Ready at once: what is written leaves by itself.
    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(self.shutdown().map_err(io::Error::from))
    }
}

impl fmt::Debug for TcpStream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TcpStream")
            .field("place", &self.handle.place)
            .field("peer", &self.peer)
            .finish_non_exhaustive()
    }
}
