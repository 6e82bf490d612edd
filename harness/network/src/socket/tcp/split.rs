//! A connection's two directions, for two tasks.

use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::TcpStream;
use super::stream::read_into;
use crate::platform::SocketError;

/// The half that reads. The connection closes once both halves are gone.
#[derive(Debug)]
pub struct OwnedReadHalf {
    stream: Rc<TcpStream>,
}

/// The half that writes; dropping it shuts it down.
#[derive(Debug)]
pub struct OwnedWriteHalf {
    stream: Rc<TcpStream>,
}

impl OwnedReadHalf {
    pub(super) const fn new(stream: Rc<TcpStream>) -> Self {
        Self { stream }
    }

    /// As [`TcpStream::read`].
    ///
    /// # Errors
    /// As [`TcpStream::read`].
    pub async fn read(&self, buffer: &mut [u8]) -> Result<usize, SocketError> {
        self.stream.read(buffer).await
    }

    /// As [`TcpStream::peek`].
    ///
    /// # Errors
    /// As [`TcpStream::read`].
    pub async fn peek(&self, buffer: &mut [u8]) -> Result<usize, SocketError> {
        self.stream.peek(buffer).await
    }

    /// As [`TcpStream::readable`].
    pub async fn readable(&self) {
        self.stream.readable().await;
    }

    /// The address on the other side.
    #[must_use]
    pub fn peer_address(&self) -> SocketAddr {
        self.stream.peer_address()
    }
}

impl OwnedWriteHalf {
    pub(super) const fn new(stream: Rc<TcpStream>) -> Self {
        Self { stream }
    }

    /// As [`TcpStream::write`].
    ///
    /// # Errors
    /// As [`TcpStream::write`].
    pub async fn write(&self, data: &[u8]) -> Result<usize, SocketError> {
        self.stream.write(data).await
    }

    /// As [`TcpStream::write_all`].
    ///
    /// # Errors
    /// As [`TcpStream::write`].
    pub async fn write_all(&self, data: &[u8]) -> Result<(), SocketError> {
        self.stream.write_all(data).await
    }

    /// As [`TcpStream::writable`].
    pub async fn writable(&self) {
        self.stream.writable().await;
    }

    /// As [`TcpStream::shutdown`].
    ///
    /// # Errors
    /// As [`TcpStream::shutdown`].
    pub fn shutdown(&self) -> Result<(), SocketError> {
        self.stream.shutdown()
    }

    /// The address on the other side.
    #[must_use]
    pub fn peer_address(&self) -> SocketAddr {
        self.stream.peer_address()
    }
}

impl Drop for OwnedWriteHalf {
    fn drop(&mut self) {
        // One that has ended already needs no FIN; and if the other half is gone, the stream closes by itself, which
        // may have to be a reset.
        if Rc::strong_count(&self.stream) > 1 {
            self.stream.shut_quietly();
        }
    }
}

impl AsyncRead for OwnedReadHalf {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        read_into(&self.stream, cx, buffer)
    }
}

impl AsyncWrite for OwnedWriteHalf {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        data: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.stream.poll_write(cx, data).map_err(io::Error::from)
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(self.stream.shutdown().map_err(io::Error::from))
    }
}
