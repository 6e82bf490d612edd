//! The interface between an actor and the machine that it runs on.
//!
//! Owns the handles that actors hold and the traits of whoever serves them. Refuses every policy: nothing here retries,
//! frames or times out by itself.

use std::future::{poll_fn, ready};
use std::net::SocketAddr;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use linefault_protocol::Instant;

use crate::catalogue::Command;
use crate::tcp::{TcpListenerBackend, TcpStreamBackend};
use crate::{Injected, Report, SocketError, TcpListener, TcpStream};

/// A future that stays on its thread.
pub type LocalFuture<T> = Pin<Box<dyn Future<Output = T>>>;

/// Whether waiting for a timer keeps the host busy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TimerClass {
    /// Part of work in progress: retransmissions, time-outs, a phone that will be picked up.
    Foreground,
    /// Goes on for ever by itself (refreshes, health checks, expiry), or waits only to recognise repeats of what is
    /// done with. A run may end while one is pending.
    Background,
}

/// An actor's handle on its machine. Cheap to clone; dead once the process that it was given to is dead: after a kill or a
/// loss of power, what an old handle waits for never comes, and what it sends never leaves.
///
/// Actors never ask the operating system for a socket, the time or chance, nor tokio for a task or a timer: then the same
/// seed gives the same run.
///
/// ```
/// use std::time::Duration;
///
/// use linefault_actors::Host;
///
/// /// Answers each datagram a second later.
/// async fn late_echo(host: Host) {
///     let socket = match host.bind_udp(host.address()).await {
///         Ok(socket) => socket,
///         Err(error) => return tracing::error!(%error, "cannot open the socket"),
///     };
///     while let Ok((datagram, from)) = socket.receive_from().await {
///         let (clock, socket) = (host.clone(), socket.clone());
///         host.spawn(async move {
///             clock.sleep(Duration::from_secs(1)).await;
///             if let Err(error) = socket.send_to(&datagram, from).await {
///                 tracing::warn!(%error, peer = %from, "an answer did not leave");
///             }
///         });
///     }
/// }
/// ```
#[derive(Clone)]
pub struct Host {
    backend: Rc<dyn Backend>,
}

impl Host {
    /// A handle over whatever serves the interface.
    pub fn new(backend: Rc<dyn Backend>) -> Self {
        Self { backend }
    }

    /// The host's name.
    #[must_use]
    pub fn name(&self) -> &str {
        self.backend.name()
    }

    /// The address that the actor is configured to serve on.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.backend.address()
    }

    /// The present moment.
    #[must_use]
    pub fn now(&self) -> Instant {
        self.backend.now()
    }

    /// Opens a UDP socket.
    ///
    /// # Errors
    /// What bind(2) gives: the address is in use, or is not this host's.
    pub async fn bind_udp(&self, local: SocketAddr) -> Result<UdpSocket, SocketError> {
        let backend = self.backend.bind_udp(local).await?;
        Ok(UdpSocket { backend })
    }

    /// Listens for TCP connections, with `SO_REUSEADDR` as servers set it.
    ///
    /// # Errors
    /// What bind(2) gives: the address is in use, or is not this host's.
    pub async fn listen_tcp(&self, local: SocketAddr) -> Result<TcpListener, SocketError> {
        self.backend.listen_tcp(local).await.map(TcpListener::new)
    }

    /// Connects to a TCP listener. Dropping the future gives the attempt up.
    ///
    /// # Errors
    /// What connect(2) gives: `ECONNREFUSED`, `EHOSTUNREACH`, `ENETUNREACH`, `ETIMEDOUT` after minutes of silence.
    pub async fn connect_tcp(&self, to: SocketAddr) -> Result<TcpStream, SocketError> {
        self.backend.connect_tcp(to).await.map(TcpStream::new)
    }

    /// Runs a task beside the caller, on the same thread, until it ends or the host dies. A panic stays in its
    /// task, as under tokio; whoever watches is told.
    pub fn spawn(&self, task: impl Future<Output = ()> + 'static) {
        self.backend.spawn(Box::pin(task));
    }

    /// A timer that can be set again and again.
    #[must_use]
    pub fn timer(&self, class: TimerClass) -> Timer {
        Timer {
            backend: self.backend.timer(class),
        }
    }

    /// Waits, in whole microseconds, as part of work in progress: a run does not end meanwhile.
    pub async fn sleep(&self, length: Duration) {
        let mut timer = self.timer(TimerClass::Foreground);
        timer.set(Some(self.now() + length));
        timer.fired().await;
    }

    /// The next number of this host's sequence for `purpose`, anywhere in the whole range of a `u64`. Sequences do not
    /// disturb one another: one draw more for one purpose changes no number for any other.
    #[must_use]
    pub fn draw(&self, purpose: &'static str) -> u64 {
        self.backend.draw(purpose)
    }

    /// Notes what was opened, closed or decided, for whoever watches.
    pub fn report(&self, report: Report) {
        self.backend.report(report);
    }

    /// Comes by a point of the catalogue's, at which the program may be wanted to fail.
    ///
    /// # Errors
    /// It is. Whoever serves this host may also let it panic here; a real machine does neither.
    pub fn at_point(&self, point: &'static str) -> Result<(), Injected> {
        self.backend.at_point(point)
    }

    /// The next thing that the actor is told to do; pending for ever where nobody tells it anything.
    pub async fn next_command(&self) -> Command {
        poll_fn(|cx| self.poll_command(cx)).await
    }

    pub(crate) fn poll_command(&self, cx: &mut Context<'_>) -> Poll<Command> {
        self.backend.poll_command(cx)
    }
}

/// What serves a [`Host`].
pub trait Backend {
    /// See [`Host::name`].
    fn name(&self) -> &str;
    /// See [`Host::address`].
    fn address(&self) -> SocketAddr;
    /// See [`Host::now`].
    fn now(&self) -> Instant;
    /// See [`Host::bind_udp`].
    fn bind_udp(&self, local: SocketAddr) -> LocalFuture<Result<Rc<dyn UdpBackend>, SocketError>>;
    /// See [`Host::listen_tcp`]; fails with `EPROTONOSUPPORT` unless served.
    fn listen_tcp(
        &self,
        _local: SocketAddr,
    ) -> LocalFuture<Result<Rc<dyn TcpListenerBackend>, SocketError>> {
        Box::pin(ready(Err(SocketError::NO_TCP)))
    }
    /// See [`Host::connect_tcp`]; fails with `EPROTONOSUPPORT` unless served.
    fn connect_tcp(
        &self,
        _to: SocketAddr,
    ) -> LocalFuture<Result<Rc<dyn TcpStreamBackend>, SocketError>> {
        Box::pin(ready(Err(SocketError::NO_TCP)))
    }
    /// See [`Host::spawn`].
    fn spawn(&self, task: LocalFuture<()>);
    /// See [`Host::timer`].
    fn timer(&self, class: TimerClass) -> Box<dyn TimerBackend>;
    /// See [`Host::draw`].
    fn draw(&self, purpose: &'static str) -> u64;
    /// See [`Host::report`].
    fn report(&self, report: Report);
    /// See [`Host::at_point`]; only a simulation has an answer of its own.
    ///
    /// # Errors
    /// The program is wanted to fail here.
    fn at_point(&self, _point: &'static str) -> Result<(), Injected> {
        Ok(())
    }
    /// Takes the next command, or arranges for a wake-up when there is one.
    fn poll_command(&self, cx: &mut Context<'_>) -> Poll<Command>;
}

/// A timer of the host: unset, or set to one moment.
pub struct Timer {
    backend: Box<dyn TimerBackend>,
}

impl Timer {
    /// Sets it to another moment, or to none. Setting it to what it is set to already costs nothing.
    pub fn set(&mut self, at: Option<Instant>) {
        self.backend.set(at);
    }

    /// Waits until the moment is there, and unsets the timer; for ever while it is unset.
    pub async fn fired(&mut self) {
        poll_fn(|cx| self.poll_fired(cx)).await;
    }

    pub(crate) fn poll_fired(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        self.backend.poll_fired(cx)
    }
}

/// What serves a [`Timer`].
pub trait TimerBackend {
    /// See [`Timer::set`].
    fn set(&mut self, at: Option<Instant>);
    /// See [`Timer::fired`].
    fn poll_fired(&mut self, cx: &mut Context<'_>) -> Poll<()>;
}

/// An open UDP socket, closed when the last handle is dropped.
#[derive(Clone)]
pub struct UdpSocket {
    backend: Rc<dyn UdpBackend>,
}

impl UdpSocket {
    /// The address that the socket is bound to.
    #[must_use]
    pub fn local_address(&self) -> SocketAddr {
        self.backend.local_address()
    }

    /// Sends one datagram.
    ///
    /// # Errors
    /// What sendto(2) gives: a local fault, or the error that an earlier datagram left behind, in which
    /// case this one was not sent.
    pub async fn send_to(&self, datagram: &Bytes, to: SocketAddr) -> Result<(), SocketError> {
        poll_fn(|cx| self.poll_send_to(cx, datagram, to)).await
    }

    /// Waits for one datagram.
    ///
    /// # Errors
    /// What recvfrom(2) gives: the error that an earlier datagram left behind.
    pub async fn receive_from(&self) -> Result<(Bytes, SocketAddr), SocketError> {
        poll_fn(|cx| self.poll_receive_from(cx)).await
    }

    pub(crate) fn poll_send_to(
        &self,
        cx: &mut Context<'_>,
        datagram: &Bytes,
        to: SocketAddr,
    ) -> Poll<Result<(), SocketError>> {
        self.backend.poll_send_to(cx, datagram, to)
    }

    pub(crate) fn poll_receive_from(
        &self,
        cx: &mut Context<'_>,
    ) -> Poll<Result<(Bytes, SocketAddr), SocketError>> {
        self.backend.poll_receive_from(cx)
    }
}

/// What serves a [`UdpSocket`].
pub trait UdpBackend {
    /// See [`UdpSocket::local_address`].
    fn local_address(&self) -> SocketAddr;
    /// See [`UdpSocket::send_to`].
    fn poll_send_to(
        &self,
        cx: &mut Context<'_>,
        datagram: &Bytes,
        to: SocketAddr,
    ) -> Poll<Result<(), SocketError>>;
    /// See [`UdpSocket::receive_from`].
    fn poll_receive_from(
        &self,
        cx: &mut Context<'_>,
    ) -> Poll<Result<(Bytes, SocketAddr), SocketError>>;
}
