//! UDP as tokio has it.

use std::fmt;
use std::future::poll_fn;
use std::io;
use std::net::SocketAddr;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use send_wrapper::SendWrapper;
use tokio::io::ReadBuf;

/// An open UDP socket, closed when it is dropped.
pub struct UdpSocket(SendWrapper<crate::UdpSocket>);

impl UdpSocket {
    pub(super) fn new(socket: crate::UdpSocket) -> Self {
        Self(SendWrapper::new(socket))
    }

    /// The address that it is bound to.
    ///
    /// # Errors
    /// Never; a real socket's owner has to expect one.
    pub fn local_addr(&self) -> io::Result<SocketAddr> {
        Ok(self.0.local_address())
    }

    /// Sends one datagram and tells its length.
    ///
    /// # Errors
    /// What sendto(2) gives: a local fault, or the error that an earlier datagram left behind, in which case this one was
    /// not sent.
    pub async fn send_to(&self, datagram: &[u8], to: SocketAddr) -> io::Result<usize> {
        poll_fn(|cx| self.poll_send_to(cx, datagram, to)).await
    }

    /// Waits for one datagram. What does not fit is lost.
    ///
    /// # Errors
    /// What recvfrom(2) gives: the error that an earlier datagram left behind.
    pub async fn recv_from(&self, buffer: &mut [u8]) -> io::Result<(usize, SocketAddr)> {
        let mut buffer = ReadBuf::new(buffer);
        let from = poll_fn(|cx| self.poll_recv_from(cx, &mut buffer)).await?;
        Ok((buffer.filled().len(), from))
    }

    /// Sends, or has the task woken when that is possible.
    ///
    /// # Errors
    /// As [`Self::send_to`].
    pub fn poll_send_to(
        &self,
        cx: &mut Context<'_>,
        datagram: &[u8],
        to: SocketAddr,
    ) -> Poll<io::Result<usize>> {
        ready!(
            self.0
                .poll_send_to(cx, &Bytes::copy_from_slice(datagram), to)
        )?;
        Poll::Ready(Ok(datagram.len()))
    }

    /// Receives, or has the task woken when there is something.
    ///
    /// # Errors
    /// As [`Self::recv_from`].
    pub fn poll_recv_from(
        &self,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<SocketAddr>> {
        let (datagram, from) = ready!(self.0.poll_receive_from(cx))?;
        let fits = datagram.len().min(buffer.remaining());
        buffer.put_slice(datagram.get(..fits).unwrap_or_default());
        Poll::Ready(Ok(from))
    }
}

impl fmt::Debug for UdpSocket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("UdpSocket")
            .field("local", &self.0.local_address())
            .finish()
    }
}
