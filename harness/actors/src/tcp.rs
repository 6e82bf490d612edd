//! TCP as an actor sees it.
//!
//! Owns the handles and what serves them. Refuses framing, reconnecting and every other policy: those are the actors'.

mod hyper_io;

use std::future::poll_fn;
use std::net::SocketAddr;
use std::rc::Rc;
use std::task::{Context, Poll};
use std::time::Duration;

use crate::SocketError;

/// A listening socket, closed when the last handle is dropped; whoever was not accepted is reset.
///
/// ```
/// use linefault_actors::{Host, SocketError, TcpStream};
///
/// /// Serves every connection in a task of its own, until the host ends.
/// async fn serve(host: Host) -> Result<(), SocketError> {
///     let listener = host.listen_tcp(host.address()).await?;
///     loop {
///         let stream = listener.accept().await?;
///         host.spawn(async move {
///             if let Err(error) = echo(&stream).await {
///                 tracing::warn!(%error, peer = %stream.peer_address(), "a connection broke");
///             }
///         });
///     }
/// }
///
/// async fn echo(stream: &TcpStream) -> Result<(), SocketError> {
///     let mut buffer = [0; 2048];
///     loop {
///         let read = stream.read(&mut buffer).await?;
///         if read == 0 {
///             // The peer has sent all that it wanted to.
///             return stream.shutdown();
///         }
///         stream.write_all(&buffer[..read]).await?;
///     }
/// }
/// ```
#[derive(Clone)]
pub struct TcpListener {
    backend: Rc<dyn TcpListenerBackend>,
}

impl TcpListener {
    pub(crate) fn new(backend: Rc<dyn TcpListenerBackend>) -> Self {
        Self { backend }
    }

    /// The address that it is bound to.
    #[must_use]
    pub fn local_address(&self) -> SocketAddr {
        self.backend.local_address()
    }

    /// Waits for a connection. Cancelling loses nothing.
    ///
    /// # Errors
    /// What accept(2) gives.
    pub async fn accept(&self) -> Result<TcpStream, SocketError> {
        poll_fn(|cx| self.poll_accept(cx)).await
    }

    pub(crate) fn poll_accept(&self, cx: &mut Context<'_>) -> Poll<Result<TcpStream, SocketError>> {
        self.backend.poll_accept(cx).map_ok(TcpStream::new)
    }
}

/// What serves a [`TcpListener`].
pub trait TcpListenerBackend {
    /// See [`TcpListener::local_address`].
    fn local_address(&self) -> SocketAddr;
    /// See [`TcpListener::accept`].
    fn poll_accept(
        &self,
        cx: &mut Context<'_>,
    ) -> Poll<Result<Rc<dyn TcpStreamBackend>, SocketError>>;
}

/// A connection. Clones share it, so that one task may read while another writes; it is closed with the last of them: by
/// FIN after what is queued, or by RST if something that arrived was not read.
///
/// As hyper reads and writes it, it fails with an [`std::io::Error`] around the [`SocketError`]; see
/// [`SocketError::within`].
#[derive(Clone)]
pub struct TcpStream {
    backend: Rc<dyn TcpStreamBackend>,
}

impl TcpStream {
    pub(crate) fn new(backend: Rc<dyn TcpStreamBackend>) -> Self {
        Self { backend }
    }

    /// The address on this side.
    #[must_use]
    pub fn local_address(&self) -> SocketAddr {
        self.backend.local_address()
    }

    /// The address on the other side.
    #[must_use]
    pub fn peer_address(&self) -> SocketAddr {
        self.backend.peer_address()
    }

    /// Waits for data and copies what is there; 0 is the end. Cancelling loses nothing.
    ///
    /// # Errors
    /// What read(2) gives, once: `ECONNRESET`, `ETIMEDOUT`.
    pub async fn read(&self, buffer: &mut [u8]) -> Result<usize, SocketError> {
        poll_fn(|cx| self.backend.poll_read(cx, buffer)).await
    }

    /// Writes all of it. Cancelling leaves an unknown part written.
    ///
    /// # Errors
    /// What write(2) gives: a pending error once, `EPIPE` after it.
    pub async fn write_all(&self, mut data: &[u8]) -> Result<(), SocketError> {
        while !data.is_empty() {
            let written = poll_fn(|cx| self.poll_write(cx, data)).await?;
            data = data.get(written..).unwrap_or_default();
        }
        Ok(())
    }

    /// Sends FIN after what is queued; reading goes on.
    ///
    /// # Errors
    /// `ENOTCONN` once the connection has ended.
    pub fn shutdown(&self) -> Result<(), SocketError> {
        self.backend.shutdown()
    }

    /// Lets closing send RST and throw away what is queued (`SO_LINGER` with zero).
    pub fn abort_on_close(&self) {
        self.backend.abort_on_close();
    }

    /// How long data may go unacknowledged before the connection fails with `ETIMEDOUT` (`TCP_USER_TIMEOUT`, RFC 5482).
    pub fn set_user_timeout(&self, timeout: Duration) {
        self.backend.set_user_timeout(timeout);
    }

    pub(crate) fn poll_read(
        &self,
        cx: &mut Context<'_>,
        buffer: &mut [u8],
    ) -> Poll<Result<usize, SocketError>> {
        self.backend.poll_read(cx, buffer)
    }

    pub(crate) fn poll_write(
        &self,
        cx: &mut Context<'_>,
        data: &[u8],
    ) -> Poll<Result<usize, SocketError>> {
        self.backend.poll_write(cx, data)
    }
}

/// What serves a [`TcpStream`]; dropping it closes the connection.
pub trait TcpStreamBackend {
    /// See [`TcpStream::local_address`].
    fn local_address(&self) -> SocketAddr;
    /// See [`TcpStream::peer_address`].
    fn peer_address(&self) -> SocketAddr;
    /// See [`TcpStream::read`].
    fn poll_read(
        &self,
        cx: &mut Context<'_>,
        buffer: &mut [u8],
    ) -> Poll<Result<usize, SocketError>>;
    /// Queues as much as fits, at least one byte of data that is not empty; see [`TcpStream::write_all`].
    fn poll_write(&self, cx: &mut Context<'_>, data: &[u8]) -> Poll<Result<usize, SocketError>>;
    /// See [`TcpStream::shutdown`].
    ///
    /// # Errors
    /// The connection has ended.
    fn shutdown(&self) -> Result<(), SocketError>;
    /// See [`TcpStream::abort_on_close`].
    fn abort_on_close(&self);
    /// See [`TcpStream::set_user_timeout`].
    fn set_user_timeout(&self, timeout: Duration);
}
