//! A host whose only neighbours are made of what they say and of how much they take.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::future::ready;
use std::net::SocketAddr;
use std::rc::Rc;
use std::task::{Context as TaskContext, Poll};
use std::time::Duration;

use crate::catalogue::Command;
use crate::connections::Connections;
use crate::host::{Backend, LocalFuture};
use crate::tcp::{TcpListenerBackend, TcpStreamBackend};
use crate::{
    Host, Instant, Report, SocketError, SocketErrorKind, TcpListener, TimerBackend, TimerClass,
    UdpBackend,
};

const BROKEN_PIPE: SocketError = SocketError {
    kind: SocketErrorKind::BrokenPipe,
    errno: 32,
};
pub(super) const REFUSED: SocketError = SocketError {
    kind: SocketErrorKind::ConnectionRefused,
    errno: 111,
};

/// The other side of a connection.
pub(super) struct Peer {
    pub(super) address: SocketAddr,
    /// What it says, a read each; the last of all is an error, if there is one.
    says: RefCell<VecDeque<Vec<u8>>>,
    pub(super) fails: Cell<Option<SocketError>>,
    /// How many bytes more it takes, and what it took.
    pub(super) room: Cell<usize>,
    pub(super) took: RefCell<Vec<u8>>,
    pub(super) shut: Cell<bool>,
    pub(super) aborted: Cell<bool>,
}

impl Peer {
    fn new(number: u16) -> Rc<Self> {
        Rc::new(Self {
            address: address(number),
            says: RefCell::default(),
            fails: Cell::default(),
            room: Cell::new(usize::MAX),
            took: RefCell::default(),
            shut: Cell::default(),
            aborted: Cell::default(),
        })
    }

    pub(super) fn say(&self, text: &str) {
        self.says.borrow_mut().push_back(text.into());
    }
}

pub(super) fn address(port: u16) -> SocketAddr {
    SocketAddr::from(([10, 0, 0, 9], port))
}

/// This side's end of it; the peer outlives it.
struct End(Rc<Peer>);

impl TcpStreamBackend for End {
    fn local_address(&self) -> SocketAddr {
        address(5060)
    }

    fn peer_address(&self) -> SocketAddr {
        self.0.address
    }

    fn poll_read(
        &self,
        _: &mut TaskContext<'_>,
        buffer: &mut [u8],
    ) -> Poll<Result<usize, SocketError>> {
        match (self.0.says.borrow_mut().pop_front(), self.0.fails.take()) {
            (Some(said), error) => {
                self.0.fails.set(error);
                buffer[..said.len()].copy_from_slice(&said);
                Poll::Ready(Ok(said.len()))
            }
            (None, Some(error)) => Poll::Ready(Err(error)),
            (None, None) => Poll::Pending,
        }
    }

    fn poll_write(&self, _: &mut TaskContext<'_>, data: &[u8]) -> Poll<Result<usize, SocketError>> {
        if self.0.shut.get() {
            return Poll::Ready(Err(BROKEN_PIPE));
        }
        let taken = data.len().min(self.0.room.get());
        if taken == 0 {
            return Poll::Pending;
        }
        self.0.room.set(self.0.room.get() - taken);
        self.0.took.borrow_mut().extend_from_slice(&data[..taken]);
        Poll::Ready(Ok(taken))
    }

    fn shutdown(&self) -> Result<(), SocketError> {
        self.0.shut.set(true);
        Ok(())
    }

    fn abort_on_close(&self) {
        self.0.aborted.set(true);
    }

    fn set_user_timeout(&self, _: Duration) {}
}

/// A host with nothing but TCP: some peers wait to be called, and others want to connect.
#[derive(Clone, Default)]
pub(super) struct Street {
    waiting: Rc<RefCell<VecDeque<Rc<Peer>>>>,
    calling: Rc<RefCell<VecDeque<Rc<Peer>>>>,
}

impl TcpListenerBackend for Street {
    fn local_address(&self) -> SocketAddr {
        address(5060)
    }

    fn poll_accept(
        &self,
        _: &mut TaskContext<'_>,
    ) -> Poll<Result<Rc<dyn TcpStreamBackend>, SocketError>> {
        match self.calling.borrow_mut().pop_front() {
            Some(peer) => Poll::Ready(Ok(Rc::new(End(peer)))),
            None => Poll::Pending,
        }
    }
}

impl Backend for Street {
    fn name(&self) -> &'static str {
        "street"
    }

    fn address(&self) -> SocketAddr {
        address(5060)
    }

    fn now(&self) -> Instant {
        Instant::START
    }

    fn bind_udp(&self, _: SocketAddr) -> LocalFuture<Result<Rc<dyn UdpBackend>, SocketError>> {
        unreachable!("connections need no datagrams")
    }

    fn connect_tcp(
        &self,
        to: SocketAddr,
    ) -> LocalFuture<Result<Rc<dyn TcpStreamBackend>, SocketError>> {
        let mut waiting = self.waiting.borrow_mut();
        let found = waiting.iter().position(|peer| peer.address == to);
        let found = found.and_then(|place| waiting.remove(place));
        let end = found.map(|peer| Rc::new(End(peer)) as Rc<dyn TcpStreamBackend>);
        Box::pin(ready(end.ok_or(REFUSED)))
    }

    fn spawn(&self, _: LocalFuture<()>) {
        unreachable!("connections need no tasks")
    }

    fn timer(&self, _: TimerClass) -> Box<dyn TimerBackend> {
        unreachable!("connections need no timers")
    }

    fn draw(&self, _: &'static str) -> u64 {
        unreachable!("connections leave nothing to chance")
    }

    fn report(&self, _: Report) {}

    fn poll_command(&self, _: &mut TaskContext<'_>) -> Poll<Command> {
        Poll::Pending
    }
}

impl Street {
    pub(super) fn connections(&self) -> Connections {
        let host = Host::new(Rc::new(self.clone()));
        Connections::new(host, Some(TcpListener::new(Rc::new(self.clone()))))
    }

    pub(super) fn has(&self, number: u16) -> Rc<Peer> {
        let peer = Peer::new(number);
        self.waiting.borrow_mut().push_back(Rc::clone(&peer));
        peer
    }

    pub(super) fn is_called_by(&self, number: u16) -> Rc<Peer> {
        let peer = Peer::new(number);
        self.calling.borrow_mut().push_back(Rc::clone(&peer));
        peer
    }
}
