//! TCP as tokio has it.

use std::fmt;
use std::future::poll_fn;
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use send_wrapper::SendWrapper;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// A listening socket, closed when it is dropped; whoever was not accepted is reset.
pub struct TcpListener(SendWrapper<crate::TcpListener>);

impl TcpListener {
    pub(super) fn new(listener: crate::TcpListener) -> Self {
        Self(SendWrapper::new(listener))
    }

    /// The address that it is bound to.
    ///
    /// # Errors
    /// Never; a real socket's owner has to expect one.
    pub fn local_addr(&self) -> io::Result<SocketAddr> {
        Ok(self.0.local_address())
    }

    /// Waits for a connection. Cancelling loses nothing.
    ///
    /// # Errors
    /// What accept(2) gives.
    pub async fn accept(&self) -> io::Result<(TcpStream, SocketAddr)> {
        poll_fn(|cx| self.poll_accept(cx)).await
    }

    /// Accepts, or has the task woken when somebody has connected.
    ///
    /// # Errors
    /// As [`Self::accept`].
    pub fn poll_accept(&self, cx: &mut Context<'_>) -> Poll<io::Result<(TcpStream, SocketAddr)>> {
        let stream = ready!(self.0.poll_accept(cx))?;
        let peer = stream.peer_address();
        Poll::Ready(Ok((TcpStream::new(stream), peer)))
    }
}

impl fmt::Debug for TcpListener {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TcpListener")
            .field("local", &self.0.local_address())
            .finish()
    }
}

/// A connection, closed when it is dropped: by FIN after what is queued, or by RST if something that arrived was not read.
pub struct TcpStream(SendWrapper<crate::TcpStream>);

impl TcpStream {
    pub(super) fn new(stream: crate::TcpStream) -> Self {
        Self(SendWrapper::new(stream))
    }

    /// The address on this side.
    ///
    /// # Errors
    /// Never; a real socket's owner has to expect one.
    pub fn local_addr(&self) -> io::Result<SocketAddr> {
        Ok(self.0.local_address())
    }

    /// The address on the other side.
    ///
    /// # Errors
    /// Never; a real socket's owner has to expect one.
    pub fn peer_addr(&self) -> io::Result<SocketAddr> {
        Ok(self.0.peer_address())
    }

    /// Takes what programs say of Nagle's algorithm, which the simulated kernel does not have.
    ///
    /// # Errors
    /// Never; a real socket's owner has to expect one.
    pub fn set_nodelay(&self, _nodelay: bool) -> io::Result<()> {
        Ok(())
    }

    /// Halves that two tasks can own. Dropping the writing one sends FIN; the connection closes with both.
    #[must_use]
    pub fn into_split(self) -> (OwnedReadHalf, OwnedWriteHalf) {
        let other = Self(self.0.clone());
        (OwnedReadHalf(self), OwnedWriteHalf(other))
    }
}

impl fmt::Debug for TcpStream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TcpStream")
            .field("local", &self.0.local_address())
            .field("peer", &self.0.peer_address())
            .finish()
    }
}

impl AsyncRead for TcpStream {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let read = ready!(self.0.poll_read(cx, buffer.initialize_unfilled()))?;
        buffer.advance(read);
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for TcpStream {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        data: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.0.poll_write(cx, data).map_err(io::Error::from)
    }

    /// Ready at once: what is written leaves by itself.
    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    /// Sends FIN after what is queued; reading goes on.
    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(self.0.shutdown().map_err(io::Error::from))
    }
}

/// The half of a connection that reads.
#[derive(Debug)]
pub struct OwnedReadHalf(TcpStream);

impl AsyncRead for OwnedReadHalf {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_read(cx, buffer)
    }
}

/// The half of a connection that writes; dropping it sends FIN.
#[derive(Debug)]
pub struct OwnedWriteHalf(TcpStream);

impl AsyncWrite for OwnedWriteHalf {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        data: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.0).poll_write(cx, data)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_shutdown(cx)
    }
}

impl Drop for OwnedWriteHalf {
    fn drop(&mut self) {
        // A connection that has ended needs no FIN.
        let _ = self.0.0.shutdown();
    }
}
