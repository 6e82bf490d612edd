//! Connections against peers that are made of what they say and of how much they take.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::future::ready;
use std::iter;
use std::rc::Rc;
use std::task::Waker;
use std::time::Duration;

use tracing_test::traced_test;

use super::*;
use crate::catalogue::Command;
use crate::host::Backend;
use crate::tcp::{TcpListenerBackend, TcpStreamBackend};
use crate::{Instant, Report, SocketErrorKind, TimerBackend, TimerClass, UdpBackend};

const MESSAGE: &str = "OPTIONS sip:sim.test SIP/2.0\r\nContent-Length: 4\r\n\r\nbody";
const RESET: SocketError = SocketError {
    kind: SocketErrorKind::ConnectionReset,
    errno: 104,
};

const BROKEN_PIPE: SocketError = SocketError {
    kind: SocketErrorKind::BrokenPipe,
    errno: 32,
};
const REFUSED: SocketError = SocketError {
    kind: SocketErrorKind::ConnectionRefused,
    errno: 111,
};

/// The other side of a connection.
struct Peer {
    address: SocketAddr,
    /// What it says, a read each; the last of all is an error, if there is one.
    says: RefCell<VecDeque<Vec<u8>>>,
    fails: Cell<Option<SocketError>>,
    /// How many bytes more it takes, and what it took.
    room: Cell<usize>,
    took: RefCell<Vec<u8>>,
    shut: Cell<bool>,
    aborted: Cell<bool>,
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

    fn say(&self, text: &str) {
        self.says.borrow_mut().push_back(text.into());
    }
}

fn address(port: u16) -> SocketAddr {
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
struct Street {
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
    fn connections(&self) -> Connections {
        let host = Host::new(Rc::new(self.clone()));
        Connections::new(host, Some(TcpListener::new(Rc::new(self.clone()))))
    }

    fn has(&self, number: u16) -> Rc<Peer> {
        let peer = Peer::new(number);
        self.waiting.borrow_mut().push_back(Rc::clone(&peer));
        peer
    }

    fn is_called_by(&self, number: u16) -> Rc<Peer> {
        let peer = Peer::new(number);
        self.calling.borrow_mut().push_back(Rc::clone(&peer));
        peer
    }
}

/// What the driver takes next, if there is anything.
fn next(connections: &mut Connections) -> Option<Input> {
    let mut cx = TaskContext::from_waker(Waker::noop());
    let news = connections.take_news();
    news.or_else(|| match connections.poll(&mut cx) {
        Poll::Ready(input) => Some(input),
        Poll::Pending => None,
    })
}

/// What the driver does after each input: sends the answer, and flushes.
fn answer(connections: &mut Connections, peer: &Peer, text: &'static str) {
    let bytes = Bytes::from_static(text.as_bytes());
    connections.send(peer.address, &bytes, None);
    connections.flush(&mut TaskContext::from_waker(Waker::noop()));
}

/// All that there is to be told now, in words: texts of messages, tickets of what failed.
fn words(connections: &mut Connections) -> Vec<String> {
    let told = iter::from_fn(|| next(connections)).map(|input| match input {
        Input::Datagram { bytes, .. } => String::from_utf8_lossy(&bytes).into_owned(),
        Input::Closed { peer, error } => format!("closed {} {error:?}", peer.port()),
        Input::SendFailed { ticket, .. } => format!("failed {ticket:?}"),
        other => format!("{other:?}"),
    });
    told.collect()
}

// TCP keeps no message together: each split of one must give that message, and none before its last byte.
#[test]
fn a_message_split_over_reads_is_told_once_it_is_whole() {
    for split in 1..MESSAGE.len() {
        let street = Street::default();
        let (mut connections, peer) = (street.connections(), street.is_called_by(1));
        peer.say(&MESSAGE[..split]);
        assert_eq!(words(&mut connections), [""; 0], "{split}");
        peer.say(&MESSAGE[split..]);
        assert_eq!(words(&mut connections), [MESSAGE], "{split}");
    }
}

#[test]
fn two_messages_and_a_half_in_one_read_are_told_in_order() {
    let street = Street::default();
    let (mut connections, peer) = (street.connections(), street.is_called_by(1));
    let second = MESSAGE.replace("OPTIONS", "MESSAGE");
    peer.say(&format!("{MESSAGE}{second}{}", &MESSAGE[..20]));
    assert_eq!(words(&mut connections), [MESSAGE, &second]);
    peer.say(&MESSAGE[20..]);
    assert_eq!(words(&mut connections), [MESSAGE]);
}

// One that talks without end must not keep the others from being heard: a read of each counts.
#[test]
fn peers_are_told_in_the_order_of_their_addresses() {
    let street = Street::default();
    let mut connections = street.connections();
    for number in [3, 1, 2] {
        let text = format!("OPTIONS sip:{number} SIP/2.0\r\nContent-Length: 0\r\n\r\n");
        street.is_called_by(number).say(&text);
    }
    let told: Vec<_> = words(&mut connections)
        .iter()
        .map(|text| text[12..13].to_owned())
        .collect();
    assert_eq!(told, ["1", "2", "3"]);
}

// What is queued for a peer that takes nothing must end somewhere, and at the end of a message: half of one would spoil
// all that follow.
#[test]
#[traced_test]
fn a_peer_that_never_reads_is_queued_for_up_to_a_bound() {
    let street = Street::default();
    let (mut connections, peer) = (street.connections(), street.is_called_by(1));
    peer.room.set(0);
    assert_eq!(words(&mut connections), [""; 0]);
    let message = Bytes::from(vec![b'x'; 1000]);
    for ticket in 0..1000 {
        connections.send(peer.address, &message, Some(ticket));
        assert_eq!(words(&mut connections), [""; 0]);
    }
    assert!(logs_contain("peer does not read: message thrown away"));
    assert_eq!(peer.took.borrow().len(), 0);
    peer.room.set(usize::MAX);
    assert_eq!(words(&mut connections), [""; 0]);
    assert_eq!(
        peer.took.borrow().len(),
        MOST_OUTGOING / message.len() * message.len()
    );
}

// A peer that does not read is no fault of its neighbours.
#[test]
fn a_peer_that_never_reads_keeps_nobody_waiting() {
    let street = Street::default();
    let mut connections = street.connections();
    let (deaf, other) = (street.is_called_by(1), street.is_called_by(2));
    deaf.room.set(0);
    assert_eq!(words(&mut connections), [""; 0]);
    for peer in [&deaf, &other] {
        connections.send(peer.address, &Bytes::from_static(b"hello"), None);
    }
    other.say(MESSAGE);
    assert_eq!(words(&mut connections), [MESSAGE]);
    assert_eq!(*other.took.borrow(), b"hello");
}

#[test]
fn more_connections_than_allowed_are_reset_until_one_has_gone() {
    let street = Street::default();
    let mut connections = street.connections();
    let most = u16::try_from(MOST_CONNECTIONS).unwrap();
    let peers: Vec<_> = (1..=most + 1)
        .map(|number| street.is_called_by(number))
        .collect();
    assert_eq!(words(&mut connections), [""; 0]);
    let aborted = peers.iter().filter(|peer| peer.aborted.get());
    let aborted: Vec<_> = aborted.map(|peer| peer.address.port()).collect();
    assert_eq!((connections.open.len(), aborted), (1024, vec![most + 1]));
    connections.close(address(1));
    let late = street.is_called_by(most + 2);
    late.say(MESSAGE);
    assert_eq!(words(&mut connections), [MESSAGE]);
}

// RFC 3261 §17.1.4: the transaction must hear of it; which of them were on the connection only it knows.
#[test]
fn a_connection_that_fails_names_what_it_takes_along() {
    let street = Street::default();
    let (mut connections, peer) = (street.connections(), street.has(1));
    for ticket in [Some(7), Some(8), None] {
        connections.send(peer.address, &Bytes::from_static(b"four"), ticket);
    }
    // All that it takes of the second is its half.
    peer.room.set(6);
    assert_eq!(words(&mut connections), [""; 0]);
    peer.fails.set(Some(RESET));
    let told = words(&mut connections);
    let wanted = [
        format!("closed 1 {:?}", Some(RESET)),
        "failed Some(7)".to_owned(),
        "failed Some(8)".to_owned(),
    ];
    assert_eq!(told, wanted);
    assert_eq!(connections.open.len(), 0);
}

// A FIN after half of a message would look like an end that was meant.
#[test]
fn closing_with_a_message_half_sent_resets() {
    for (room, aborts) in [(2, true), (usize::MAX, false)] {
        let street = Street::default();
        let (mut connections, peer) = (street.connections(), street.is_called_by(1));
        peer.room.set(room);
        assert_eq!(words(&mut connections), [""; 0]);
        connections.send(peer.address, &Bytes::from_static(b"four"), None);
        assert_eq!(words(&mut connections), [""; 0]);
        connections.close(peer.address);
        assert_eq!(peer.aborted.get(), aborts, "{room}");
    }
}

#[test]
fn a_connection_that_cannot_be_made_names_what_was_to_go_over_it() {
    let mut connections = Street::default().connections();
    connections.send(address(1), &Bytes::from_static(b"four"), Some(7));
    let told = words(&mut connections);
    let wanted = [
        format!("closed 1 {:?}", Some(REFUSED)),
        "failed Some(7)".to_owned(),
    ];
    assert_eq!(told, wanted);
}

const NO_LENGTH: &str = "OPTIONS sip:sim.test SIP/2.0\r\n\r\n";

// RFC 3261 §18.3: without a length over TCP nobody knows where the next message begins. The answer goes out before the end,
// however slow its reader is.
#[test]
fn a_peer_that_says_no_length_is_answered_and_let_go() {
    let street = Street::default();
    let (mut connections, peer) = (street.connections(), street.is_called_by(1));
    peer.room.set(0);
    peer.say(NO_LENGTH);
    peer.say(MESSAGE);
    assert!(
        matches!(next(&mut connections), Some(Input::Datagram { bytes, .. }) if bytes == NO_LENGTH)
    );
    answer(&mut connections, &peer, "400");
    assert!(!peer.shut.get());
    peer.room.set(usize::MAX);
    // What it says from then on is understood by nobody.
    assert_eq!(words(&mut connections), [""; 0]);
    assert!(peer.shut.get());
    assert_eq!(*peer.took.borrow(), b"400");
}

// Once the end is said nothing more can be: a message before the one without a length must not bring it about.
#[test]
fn a_message_before_one_without_a_length_is_answered_too() {
    let street = Street::default();
    let (mut connections, peer) = (street.connections(), street.is_called_by(1));
    peer.say(&format!("{MESSAGE}{NO_LENGTH}"));
    for (said, says) in [(MESSAGE, "200"), (NO_LENGTH, "400")] {
        assert!(
            matches!(next(&mut connections), Some(Input::Datagram { bytes, .. }) if bytes == said)
        );
        assert!(!peer.shut.get());
        answer(&mut connections, &peer, says);
    }
    assert_eq!(*peer.took.borrow(), b"200400");
    assert!(peer.shut.get());
    assert_eq!(words(&mut connections), [""; 0]);
}
