//! The simulated network as the machine under an actor: what joins the two crates.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::future::ready;
use std::net::SocketAddr;
use std::pin::Pin;
use std::rc::{Rc, Weak};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use bytes::Bytes;
use linefault_actors::catalogue::Command;
use linefault_actors::{
    Backend, Host, Injected, Instant, LocalFuture, Report, SocketError, TcpListenerBackend,
    TcpStreamBackend, TimerBackend, TimerClass, UdpBackend,
};
use linefault_network::{self as network, RecordId};

use crate::injection::Injections;
use crate::trace::{Event, InjectedFailure, Trace, Unsent};

/// What reaches one life of a host from outside the network. It dies with the process.
#[derive(Default)]
pub(crate) struct Mailbox {
    commands: VecDeque<(Command, RecordId)>,
    waker: Option<Waker>,
    sockets: Vec<Weak<Udp>>,
}

impl Mailbox {
    /// Sends bytes through the actor's own socket, behind its back. False if it has none open.
    pub(crate) fn send_raw(&self, raw: Bytes, to: SocketAddr) -> bool {
        let socket = self.sockets.iter().find_map(Weak::upgrade);
        socket.is_some_and(|socket| {
            // A failure is recorded like one of the actor's own; nobody is there to be told.
            let _ = socket.send(raw, to);
            true
        })
    }

    /// Puts a command in, caused by the record of its step.
    pub(crate) fn push(&mut self, command: Command, step: RecordId) {
        self.commands.push_back((command, step));
        if let Some(waker) = self.waker.take() {
            waker.wake();
        }
    }
}

/// A host of the simulated network, as its actor sees it.
pub(crate) struct SimulatedHost {
    host: network::Host,
    address: SocketAddr,
    trace: Rc<RefCell<Trace>>,
    mailbox: Rc<RefCell<Mailbox>>,
    injections: Rc<Injections>,
}

impl SimulatedHost {
    /// The handle for one life of `host`, whose actor serves on `address`.
    pub(crate) fn handle(
        host: network::Host,
        address: SocketAddr,
        trace: Rc<RefCell<Trace>>,
        mailbox: Rc<RefCell<Mailbox>>,
        injections: Rc<Injections>,
    ) -> Host {
        Host::new(Rc::new(Self {
            host,
            address,
            trace,
            mailbox,
            injections,
        }))
    }
}

impl Backend for SimulatedHost {
    fn name(&self) -> &str {
        self.host.name()
    }

    fn address(&self) -> SocketAddr {
        self.address
    }

    fn now(&self) -> Instant {
        Instant::from_micros(self.host.now().as_micros())
    }

    fn bind_udp(&self, local: SocketAddr) -> LocalFuture<Result<Rc<dyn UdpBackend>, SocketError>> {
        let bound = self.host.bind_udp(local);
        let (host, trace) = (self.host.clone(), Rc::clone(&self.trace));
        let mailbox = Rc::clone(&self.mailbox);
        Box::pin(async move {
            let socket = bound.map_err(translate)?;
            let local = socket.local_address().map_err(translate)?;
            let socket = Rc::new(Udp {
                socket,
                local,
                host,
                trace,
            });
            mailbox.borrow_mut().sockets.push(Rc::downgrade(&socket));
            Ok(socket as Rc<dyn UdpBackend>)
        })
    }

    fn listen_tcp(
        &self,
        local: SocketAddr,
    ) -> LocalFuture<Result<Rc<dyn TcpListenerBackend>, SocketError>> {
        let listening = self.host.listen_tcp(local, BACKLOG).map_err(translate);
        let listening = listening.and_then(Listener::new);
        Box::pin(ready(
            listening.map(|listener| Rc::new(listener) as Rc<dyn TcpListenerBackend>),
        ))
    }

    fn connect_tcp(
        &self,
        to: SocketAddr,
    ) -> LocalFuture<Result<Rc<dyn TcpStreamBackend>, SocketError>> {
        let host = self.host.clone();
        Box::pin(async move {
            let stream = host.connect_tcp(to).await.map_err(translate)?;
            Ok(Rc::new(Stream::new(stream)?) as Rc<dyn TcpStreamBackend>)
        })
    }

    fn spawn(&self, task: LocalFuture<()>) {
        let _task = self.host.spawn(task);
    }

    fn timer(&self, class: TimerClass) -> Box<dyn TimerBackend> {
        let class = match class {
            TimerClass::Foreground => network::TimerClass::Foreground,
            TimerClass::Background => network::TimerClass::Background,
        };
        Box::new(Timer {
            host: self.host.clone(),
            class,
            set: None,
        })
    }

    fn draw(&self, purpose: &'static str) -> u64 {
        self.host.draw(purpose)
    }

    fn report(&self, report: Report) {
        push(&self.trace, &self.host, Event::Report(report));
    }

    fn at_point(&self, point: &'static str) -> Result<(), Injected> {
        let Some((fault, panics)) = self.injections.at(self.host.now(), point) else {
            return Ok(());
        };
        let failure = InjectedFailure {
            fault,
            point,
            panics,
        };
        let record = push(&self.trace, &self.host, Event::Injected(failure));
        self.host.set_cause(Some(record));
        assert!(!panics, "injected {point}");
        Err(Injected)
    }

    fn poll_command(&self, cx: &mut Context<'_>) -> Poll<Command> {
        let mut mailbox = self.mailbox.borrow_mut();
        if let Some((command, step)) = mailbox.commands.pop_front() {
            self.host.set_cause(Some(step));
            return Poll::Ready(command);
        }
        mailbox.waker = Some(cx.waker().clone());
        Poll::Pending
    }
}

struct Udp {
    socket: network::UdpSocket,
    local: SocketAddr,
    host: network::Host,
    trace: Rc<RefCell<Trace>>,
}

impl UdpBackend for Udp {
    fn local_address(&self) -> SocketAddr {
        self.local
    }

    fn poll_send_to(
        &self,
        _cx: &mut Context<'_>,
        datagram: &Bytes,
        to: SocketAddr,
    ) -> Poll<Result<(), SocketError>> {
        Poll::Ready(self.send(datagram.clone(), to))
    }

    fn poll_receive_from(
        &self,
        cx: &mut Context<'_>,
    ) -> Poll<Result<(Bytes, SocketAddr), SocketError>> {
        self.socket.poll_recv_from(cx).map_err(translate)
    }
}

impl Udp {
    fn send(&self, datagram: Bytes, to: SocketAddr) -> Result<(), SocketError> {
        let sent = self.socket.send_to(datagram.clone(), to).map_err(translate);
        if let Err(error) = sent {
            let unsent = Event::Unsent(Box::new(Unsent {
                from: self.local,
                to,
                datagram,
                error,
            }));
            let record = push(&self.trace, &self.host, unsent);
            self.host.set_cause(Some(record));
        }
        sent.map(|_| ())
    }
}

/// How many connections may wait to be accepted: what tokio's listeners ask for.
const BACKLOG: u32 = 1024;

struct Listener {
    socket: network::TcpListener,
    local: SocketAddr,
}

impl Listener {
    fn new(socket: network::TcpListener) -> Result<Self, SocketError> {
        let local = socket.local_address().map_err(translate)?;
        Ok(Self { socket, local })
    }
}

impl TcpListenerBackend for Listener {
    fn local_address(&self) -> SocketAddr {
        self.local
    }

    fn poll_accept(
        &self,
        cx: &mut Context<'_>,
    ) -> Poll<Result<Rc<dyn TcpStreamBackend>, SocketError>> {
        self.socket.poll_accept(cx).map(|accepted| {
            let (stream, _) = accepted.map_err(translate)?;
            Ok(Rc::new(Stream::new(stream)?) as Rc<dyn TcpStreamBackend>)
        })
    }
}

struct Stream {
    socket: network::TcpStream,
    local: SocketAddr,
}

impl Stream {
    fn new(socket: network::TcpStream) -> Result<Self, SocketError> {
        let local = socket.local_address().map_err(translate)?;
        Ok(Self { socket, local })
    }
}

impl TcpStreamBackend for Stream {
    fn local_address(&self) -> SocketAddr {
        self.local
    }

    fn peer_address(&self) -> SocketAddr {
        self.socket.peer_address()
    }

    fn poll_read(
        &self,
        cx: &mut Context<'_>,
        buffer: &mut [u8],
    ) -> Poll<Result<usize, SocketError>> {
        self.socket.poll_read(cx, buffer).map_err(translate)
    }

    fn poll_write(&self, cx: &mut Context<'_>, data: &[u8]) -> Poll<Result<usize, SocketError>> {
        self.socket.poll_write(cx, data).map_err(translate)
    }

    fn shutdown(&self) -> Result<(), SocketError> {
        self.socket.shutdown().map_err(translate)
    }

    fn abort_on_close(&self) {
        self.socket.set_linger(Some(Duration::ZERO));
    }

    fn set_user_timeout(&self, timeout: Duration) {
        self.socket.set_user_timeout(Some(timeout));
    }
}

/// Records what a host did.
fn push(trace: &RefCell<Trace>, host: &network::Host, event: Event) -> RecordId {
    trace
        .borrow_mut()
        .push(host.now(), Some(host.id()), host.cause(), event)
}

struct Timer {
    host: network::Host,
    class: network::TimerClass,
    set: Option<(Instant, network::Sleep)>,
}

impl TimerBackend for Timer {
    fn set(&mut self, at: Option<Instant>) {
        if self.set.as_ref().map(|(moment, _)| *moment) == at {
            return;
        }
        self.set = at.map(|moment| {
            let due = network::Instant::from_micros(moment.as_micros());
            (moment, self.host.sleep_until(due, self.class))
        });
    }

    fn poll_fired(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let Some((_, sleep)) = &mut self.set else {
            return Poll::Pending;
        };
        let fired = Pin::new(sleep).poll(cx);
        if fired.is_ready() {
            self.set = None;
        }
        fired
    }
}

/// The network's error in the actors' words.
pub(crate) fn translate(error: network::SocketError) -> SocketError {
    use linefault_actors::SocketErrorKind as To;
    use network::SocketErrorKind as From;
    let kind = match error.kind {
        From::HostUnreachable => To::HostUnreachable,
        From::NetUnreachable => To::NetworkUnreachable,
        From::HostDown => To::HostDown,
        From::NetDown => To::NetworkDown,
        From::ConnectionRefused => To::ConnectionRefused,
        From::ConnectionReset => To::ConnectionReset,
        From::BrokenPipe => To::BrokenPipe,
        From::NotConnected => To::NotConnected,
        From::TimedOut => To::TimedOut,
        From::MessageTooLong => To::MessageTooLong,
        From::ProtocolNotAvailable => To::NoProtocolOption,
        From::InvalidArgument => To::InvalidArgument,
        From::PermissionDenied => To::AccessDenied,
        From::NotPermitted => To::NotPermitted,
        From::AddressInUse => To::AddressInUse,
        From::AddressNotAvailable => To::AddressNotAvailable,
        _ => To::Other,
    };
    SocketError {
        kind,
        errno: error.errno,
    }
}
