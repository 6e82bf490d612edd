//! Listening sockets as a program sees them.

use std::fmt;
use std::net::SocketAddr;
use std::rc::Weak;
use std::task::{Context, Poll};

use super::stream::{Handle, TcpStream};
use crate::event::SocketId;
use crate::platform::{Platform, SocketError};
use crate::socket::Place;
use crate::state::Inner;

/// A listening TCP socket; dropping it closes it, and resets whoever was not accepted.
///
/// The kernel completes handshakes by itself, until one more than the backlog waits to be accepted; then it drops
/// SYNs. Once its incarnation has ended, accepting never completes.
pub struct TcpListener {
    handle: Handle,
}

impl TcpListener {
    pub(crate) const fn new(
        network: Weak<Inner>,
        incarnation: u32,
        platform: Platform,
        place: Place,
    ) -> Self {
        Self {
            handle: Handle::new(network, incarnation, platform, place),
        }
    }

    /// The socket's number in records.
    #[must_use]
    pub const fn id(&self) -> SocketId {
        self.handle.place.id
    }

    /// The address bound, with the port chosen.
    ///
    /// # Errors
    /// `EBADF` after the incarnation's end.
    pub fn local_address(&self) -> Result<SocketAddr, SocketError> {
        let place = self.handle.place;
        let local = self
            .handle
            .with(|state| state.listener(place).map(|listener| listener.local));
        local.flatten().ok_or_else(|| self.handle.dead())
    }

    /// Waits for a connection and its peer's address. Cancelling loses nothing.
    ///
    /// A connection that was reset meanwhile is still given; its first use tells.
    ///
    /// # Errors
    /// `EINVAL` once [`Self::shutdown`] has been called.
    pub async fn accept(&self) -> Result<(TcpStream, SocketAddr), SocketError> {
        std::future::poll_fn(|cx| self.poll_accept(cx)).await
    }

    /// Takes a connection, or has the task woken when there is one; several tasks may wait, and all are woken.
    ///
    /// # Errors
    /// As [`Self::accept`].
    pub fn poll_accept(
        &self,
        cx: &mut Context<'_>,
    ) -> Poll<Result<(TcpStream, SocketAddr), SocketError>> {
        let place = self.handle.place;
        let accepted = self
            .handle
            .with(|state| match state.accept(place, cx.waker()) {
                Poll::Pending => Poll::Pending,
                Poll::Ready(Err(error)) => Poll::Ready(Err(error)),
                Poll::Ready(Ok(accepted)) => {
                    let peer = state
                        .connection(accepted)
                        .map(|connection| connection.shown(connection.ends.remote));
                    Poll::Ready(Ok((accepted, peer)))
                }
            });
        match accepted {
            Some(Poll::Ready(Ok((place, Some(peer))))) => {
                let stream = TcpStream::new(self.handle.at(place), peer);
                Poll::Ready(Ok((stream, peer)))
            }
            Some(Poll::Ready(Err(error))) => Poll::Ready(Err(error)),
            _ => Poll::Pending,
        }
    }

    /// Stops listening, as `shutdown(2)` on a listening socket does on Linux: whoever waits to accept is told `EINVAL`,
    /// whoever was not accepted is reset, and the port answers as closed. It stays bound until dropped.
    pub fn shutdown(&self) {
        let place = self.handle.place;
        self.handle.with(|state| state.shut_listener(place));
    }
}

impl Drop for TcpListener {
    fn drop(&mut self) {
        let place = self.handle.place;
        self.handle.with(|state| {
            if state.listener(place).is_some() {
                state.close_listener(place.host, place.slot);
            }
        });
    }
}

impl fmt::Debug for TcpListener {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TcpListener")
            .field("place", &self.handle.place)
            .finish_non_exhaustive()
    }
}
