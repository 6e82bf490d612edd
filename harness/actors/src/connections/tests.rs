//! Connections against peers that split, join, stop reading, fail, or are too many.

mod street;

use std::iter;
use std::task::Waker;

use tracing_test::traced_test;

use super::*;
use crate::SocketErrorKind;
use street::{Peer, REFUSED, Street, address};

const MESSAGE: &str = "OPTIONS sip:sim.test SIP/2.0\r\nContent-Length: 4\r\n\r\nbody";
const RESET: SocketError = SocketError {
    kind: SocketErrorKind::ConnectionReset,
    errno: 104,
};

/// What the driver takes next, if there is anything, but for who has connected.
fn next(connections: &mut Connections) -> Option<Input> {
    iter::from_fn(|| told(connections)).find(|input| !matches!(input, Input::Opened { .. }))
}

/// What the driver takes next, if there is anything.
fn told(connections: &mut Connections) -> Option<Input> {
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

// Else nobody could close a connection on which nothing is ever said.
#[test]
fn who_connects_is_told_though_it_says_nothing() {
    let street = Street::default();
    let (mut connections, peer) = (street.connections(), street.is_called_by(1));
    let opened = told(&mut connections);
    assert!(matches!(opened, Some(Input::Opened { peer: known }) if known == peer.address));
    assert!(told(&mut connections).is_none());
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
