//! Sockets for code that is written for tokio: named and shaped as in `tokio::net`, with [`io::Error`]s.
//!
//! Owns the handles that such code may send between its tasks. Refuses everything else that tokio gives: executor and clock
//! are tokio's own, and whoever serves the [`Host`](crate::Host) below sees to it that there is one.
//!
//! All handles are `Send` and `Sync`, because `tokio::spawn` asks for it, but belong to the thread that made them: on another
//! one they panic. A simulated host has one thread.
//!
//! An error's kind is what a real call would give. Its number is the host's platform's and not that of the machine
//! that runs the test, so that [`io::Error::raw_os_error`] has none; [`SocketError::within`](crate::SocketError::within)
//! finds it.

mod tcp;
mod udp;

use std::fmt;
use std::future::poll_fn;
use std::io;
use std::net::SocketAddr;

use send_wrapper::SendWrapper;

use crate::catalogue::Actor;
use crate::{Behaviour, SocketError};

pub use tcp::{OwnedReadHalf, OwnedWriteHalf, TcpListener, TcpStream};
pub use udp::UdpSocket;

/// A program's handle on its machine. Cheap to clone; dead once the process that it was given to is dead.
#[derive(Clone)]
pub struct Host(SendWrapper<crate::Host>);

impl Host {
    /// The same machine, for code that is written for tokio.
    #[must_use]
    pub fn new(host: crate::Host) -> Self {
        Self(SendWrapper::new(host))
    }

    /// The host's name.
    #[must_use]
    pub fn name(&self) -> &str {
        self.0.name()
    }

    /// The address that the program is configured to serve on.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.0.address()
    }

    /// The next number of this host's sequence for `purpose`, to take the place of the operating system's randomness.
    #[must_use]
    pub fn draw(&self, purpose: &'static str) -> u64 {
        self.0.draw(purpose)
    }

    /// Opens a UDP socket: `tokio::net::UdpSocket::bind`.
    ///
    /// # Errors
    /// What bind(2) gives: the address is in use, or is not this host's.
    pub async fn bind_udp(&self, local: SocketAddr) -> io::Result<UdpSocket> {
        let host = self.0.clone();
        confined(async move { host.bind_udp(local).await.map(UdpSocket::new) }).await
    }

    /// Listens for TCP connections: `tokio::net::TcpListener::bind`.
    ///
    /// # Errors
    /// What bind(2) gives: the address is in use, or is not this host's.
    pub async fn listen_tcp(&self, local: SocketAddr) -> io::Result<TcpListener> {
        let host = self.0.clone();
        confined(async move { host.listen_tcp(local).await.map(TcpListener::new) }).await
    }

    /// Connects to a TCP listener: `tokio::net::TcpStream::connect`. Dropping the future gives the attempt up.
    ///
    /// # Errors
    /// What connect(2) gives: `ConnectionRefused`, `HostUnreachable`, `NetworkUnreachable`, `TimedOut` after minutes of
    /// silence.
    pub async fn connect_tcp(&self, to: SocketAddr) -> io::Result<TcpStream> {
        let host = self.0.clone();
        confined(async move { host.connect_tcp(to).await.map(TcpStream::new) }).await
    }
}

impl fmt::Debug for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Host")
            .field("name", &self.name())
            .field("address", &self.address())
            .finish()
    }
}

/// A program that is written for tokio, as an actor.
pub struct Program<F>(pub F);

impl<F, P> Actor for Program<F>
where
    F: Fn(Host) -> P + 'static,
    P: Future<Output = ()> + 'static,
{
    fn start(&self, host: &crate::Host) -> Behaviour {
        Behaviour::Task(Box::pin((self.0)(Host::new(host.clone()))))
    }

    fn is_foreign(&self) -> bool {
        true
    }
}

/// A future that stays on its thread, for those who have to be told otherwise.
async fn confined<T>(work: impl Future<Output = Result<T, SocketError>>) -> io::Result<T> {
    let mut work = SendWrapper::new(Box::pin(work));
    Ok(poll_fn(move |cx| work.as_mut().poll(cx)).await?)
}
