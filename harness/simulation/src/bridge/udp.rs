//! UDP sockets of turmoil as the actors see them.

use std::cell::RefCell;
use std::net::{IpAddr, SocketAddr};
use std::rc::Rc;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use linefault_actors::{LocalFuture, SocketError, UdpBackend};
use turmoil::net::UdpSocket;

use super::error::translate;
use super::recording::Recording;

/// The most that a datagram can carry (RFC 768).
const LARGEST: usize = 65_535;

type Received = std::io::Result<(Bytes, SocketAddr)>;

pub(super) struct Udp {
    socket: Rc<UdpSocket>,
    local: SocketAddr,
    receiving: RefCell<Option<LocalFuture<Received>>>,
    recording: Option<Recording>,
}

impl Udp {
    /// Binds `to` on the host of that address.
    pub(super) async fn bind(
        to: SocketAddr,
        ip: IpAddr,
        recording: Option<Recording>,
    ) -> Result<Self, SocketError> {
        let socket = UdpSocket::bind(to).await.map_err(translate)?;
        let port = socket.local_addr().map_err(translate)?.port();
        Ok(Self {
            socket: Rc::new(socket),
            local: (ip, port).into(),
            receiving: RefCell::default(),
            recording,
        })
    }

    pub(super) fn send(&self, datagram: &Bytes, to: SocketAddr) -> Result<(), SocketError> {
        let sent = self.socket.try_send_to(datagram, to).map_err(translate);
        if let Some(recording) = &self.recording {
            match sent {
                Ok(_) => recording.sent(self.local, to, datagram),
                Err(error) => recording.unsent(self.local, to, datagram, error),
            }
        }
        sent.map(|_| ())
    }
}

impl UdpBackend for Udp {
    fn local_address(&self) -> SocketAddr {
        self.local
    }

    fn poll_send_to(
        &self,
        _: &mut Context<'_>,
        datagram: &Bytes,
        to: SocketAddr,
    ) -> Poll<Result<(), SocketError>> {
        Poll::Ready(self.send(datagram, to))
    }

    fn poll_receive_from(
        &self,
        cx: &mut Context<'_>,
    ) -> Poll<Result<(Bytes, SocketAddr), SocketError>> {
        let mut receiving = self.receiving.borrow_mut();
        let next = receiving.get_or_insert_with(|| Box::pin(receive(Rc::clone(&self.socket))));
        let received = ready!(next.as_mut().poll(cx)).map_err(translate);
        *receiving = None;
        if let (Ok((datagram, from)), Some(recording)) = (&received, &self.recording) {
            recording.received(*from, self.local, datagram);
        }
        Poll::Ready(received)
    }
}

async fn receive(socket: Rc<UdpSocket>) -> Received {
    // Waits without a buffer: most sockets wait most of the time.
    socket.readable().await?;
    let mut buffer = vec![0; LARGEST];
    let (length, from) = socket.recv_from(&mut buffer).await?;
    buffer.truncate(length);
    Ok((Bytes::from(buffer), from))
}
