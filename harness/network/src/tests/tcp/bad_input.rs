//! What no program should do, and every network meets: Linux's errors, bounded memory, no hang.

use super::*;
use crate::{Injection, LossReason, Scope, fault};

use SocketErrorKind as Kind;

fn listening(host: &Host, address: &str) -> Result<TcpListener, Kind> {
    let listener = host.listen_tcp(address.parse().expect("valid"), 8);
    listener.map_err(|error| error.kind)
}

#[test]
fn addresses_that_cannot_be_listened_at() {
    let world = World::new(1, Platform::Linux);
    let alice = world.idle(world.alice);
    let first = listening(&alice, "0.0.0.0:9").expect("free");
    assert_eq!(
        listening(&alice, "10.0.8.1:9").err(),
        Some(Kind::AddressInUse)
    );
    assert_eq!(listening(&alice, "[::]:9").err(), Some(Kind::AddressInUse));
    assert_eq!(
        listening(&alice, "10.0.8.2:9").err(),
        Some(Kind::AddressNotAvailable),
        "a neighbour's"
    );
    assert_eq!(
        listening(&alice, "192.0.2.1:9").err(),
        Some(Kind::AddressNotAvailable),
        "nobody's"
    );
    let udp = alice.bind_udp("10.0.8.1:9".parse().expect("valid"));
    assert!(udp.is_ok(), "UDP's ports are others");
    drop(first);
    assert!(listening(&alice, "10.0.8.1:9").is_ok());
}

#[test]
fn addresses_that_cannot_be_connected_to() {
    let rows = [
        ("224.0.0.1:9", Kind::NetUnreachable),
        ("255.255.255.255:9", Kind::NetUnreachable),
        ("10.0.8.2:0", Kind::ConnectionRefused),
        ("192.0.2.1:9", Kind::NetUnreachable),
    ];
    for (to, kind) in rows {
        let world = World::new(1, Platform::Linux);
        let outcome = connect(&world.idle(world.alice), to);
        world.run_for(100);
        let error = outcome.take().and_then(Result::err).map(|error| error.kind);
        assert_eq!(error, Some(kind), "{to}");
    }
}

// As shutdown(2) of a listening socket: EINVAL for whoever waits, RST for whoever was not accepted, a closed port.
#[test]
fn listener_closed_under_its_accept() {
    let world = World::new(1, Platform::Linux);
    let (alice, bob) = (world.idle(world.alice), world.idle(world.bob));
    let listener = Rc::new(listen(&bob, "10.0.8.2:9"));
    let accepting = Rc::clone(&listener);
    let outcome: Outcome<_> = Outcome::default();
    let result = Rc::clone(&outcome);
    let _task = bob.spawn(async move {
        let first = accepting.accept().await.map(drop);
        accept_again(&accepting, first, &result).await;
    });
    let connecting = connect(&alice, "10.0.8.2:9");
    world.run_for(100);
    let accepted = connecting.take().expect("over").expect("listening");
    assert_eq!(read(&accepted), end(), "the first was accepted and closed");
    assert!(outcome.borrow().is_none(), "the second accept waits");
    listener.shutdown();
    world.run_for(100);
    assert_eq!(outcome.take(), Some((Ok(()), Err(Kind::InvalidArgument))));
    let refused = connect(&alice, "10.0.8.2:9");
    world.run_for(100);
    assert_eq!(
        refused
            .take()
            .and_then(Result::err)
            .map(|error| error.errno),
        Some(111)
    );
}

type Accepts = (Result<(), SocketError>, Result<(), Kind>);

async fn accept_again(
    listener: &TcpListener,
    first: Result<(), SocketError>,
    result: &Outcome<Accepts>,
) {
    let second = listener
        .accept()
        .await
        .map(drop)
        .map_err(|error| error.kind);
    result.replace(Some((first, second)));
}

#[test]
fn dropped_listener_resets_who_was_not_accepted() {
    let world = World::new(1, Platform::Linux);
    let listener = listen(&world.idle(world.bob), "10.0.8.2:9");
    let outcome = connect(&world.idle(world.alice), "10.0.8.2:9");
    world.run_for(100);
    let stream = outcome
        .take()
        .expect("over")
        .expect("the kernel completes handshakes by itself");
    drop(listener);
    world.run_for(100);
    assert_eq!(read(&stream), Some(Err(Kind::ConnectionReset)));
}

// Every operation of every handle whose process has ended: EBADF, or never; nothing leaves.
#[test]
fn handles_of_a_dead_host_do_nothing() {
    for fault in [fault::kill, fault::power_off] {
        let world = World::new(1, Platform::Linux);
        let (alice, bob) = pair(&world);
        let host = world.network.host(world.alice);
        let listener = listen(&host, "10.0.8.1:80");
        world
            .network
            .inject(Injection::new(fault(), Scope::Host(world.alice)));
        world.run_for(100);
        let sent = world.count(|event| matches!(event, Event::Sent { .. }));
        assert_eq!(write(&alice, "x"), Some(Err(Kind::BadDescriptor)));
        assert_eq!(read(&alice), None);
        assert_eq!(
            alice.shutdown().map_err(|error| error.kind),
            Err(Kind::BadDescriptor)
        );
        assert!(alice.local_address().is_err() && listener.local_address().is_err());
        assert!(accept(&listener).is_none() && alice.take_error().is_none());
        assert_eq!(
            listening(&host, "10.0.8.1:81").err(),
            Some(Kind::BadDescriptor)
        );
        alice.set_keepalive(Some(crate::Keepalive::default()));
        drop((alice, listener));
        world.run_for(100);
        assert_eq!(
            world.count(|event| matches!(event, Event::Sent { .. })),
            sent
        );
        drop(bob);
        let (opened, closed) = opened_and_closed(&world);
        assert_eq!(opened, closed, "each opened socket is recorded as closed");
    }
}

fn opened_and_closed(world: &World) -> (usize, usize) {
    (
        world.count(|event| matches!(event, Event::SocketOpened { .. })),
        world.count(|event| matches!(event, Event::SocketClosed { .. })),
    )
}

// Linux has 28,232 ephemeral ports towards one address, then EADDRNOTAVAIL at once; other addresses still work. The
// listeners' backlogs bound what the peer keeps, and closing gives everything back.
#[test]
fn a_hundred_thousand_sockets() {
    let world = World::new(1, Platform::Linux);
    let (alice, bob) = (world.idle(world.alice), world.idle(world.bob));
    let listeners: Vec<_> = (1..=4)
        .map(|port| {
            bob.listen_tcp(([10, 0, 8, 2], port).into(), 100_000)
                .expect("free")
        })
        .collect();
    let streams: Rc<RefCell<Vec<TcpStream>>> = Rc::default();
    let errors: Rc<RefCell<Vec<Kind>>> = Rc::default();
    let (kept, failed) = (Rc::clone(&streams), Rc::clone(&errors));
    let host = alice.clone();
    let _task = alice.spawn(async move {
        for number in 0..120_000_u32 {
            let port = u16::try_from(number % 4 + 1).expect("small");
            match host.connect_tcp(([10, 0, 8, 2], port).into()).await {
                Ok(stream) => kept.borrow_mut().push(stream),
                Err(error) => failed.borrow_mut().push(error.kind),
            }
        }
    });
    world.run_to(3_000_000);
    assert_eq!(streams.borrow().len(), 4 * 28_232);
    assert_eq!(errors.borrow().len(), 120_000 - 4 * 28_232);
    assert!(
        errors
            .borrow()
            .iter()
            .all(|kind| *kind == Kind::AddressNotAvailable)
    );
    drop(listeners);
    streams.take();
    world.run_for(200_000);
    assert_eq!(
        world.network.next_event(),
        None,
        "the last TIME-WAIT is over"
    );
    let (opened, closed) = opened_and_closed(&world);
    assert_eq!(opened, closed);
}

// What waits for a peer that never reads is bounded on both sides, whatever is offered.
#[test]
fn peer_that_never_reads_costs_bounded_memory() {
    let world = World::new(1, Platform::Linux);
    let (alice, bob) = pair(&world);
    let chunk = "x".repeat(10_000);
    let mut written = 0;
    for _ in 0..1_000 {
        while let Some(Ok(length)) = write(&alice, &chunk) {
            written += length;
        }
        world.run_for(1_000);
    }
    assert_eq!(written, 65_536 + 65_535, "one send buffer and one window");
    let mut read_back = 0;
    while read_back < written {
        match read(&bob) {
            Some(Ok(text)) => read_back += text.len(),
            None => world.run_for(200_000),
            Some(Err(error)) => panic!("{error}"),
        }
    }
    assert_eq!(
        write(&alice, "more"),
        Some(Ok(4)),
        "it goes on as if nothing had been"
    );
}

// 3,000 SYNs from hosts that never complete a handshake: the listener keeps as many as its backlog allows.
#[test]
fn unfinished_handshakes_are_bounded_and_expire() {
    let world = World::new(1, Platform::Linux);
    let (alice, bob) = (world.idle(world.alice), world.idle(world.bob));
    let _listener = bob
        .listen_tcp("10.0.8.2:9".parse().expect("valid"), 10)
        .expect("free");
    let link = Scope::Link {
        from: world.bob,
        to: world.alice,
    };
    world.network.inject(Injection::new(fault::drop(), link));
    let attempts: Vec<_> = (0..3_000).map(|_| connect(&alice, "10.0.8.2:9")).collect();
    world.run_for(500);
    let received = world.count(|event| {
        matches!(
            event,
            Event::ConnectionState {
                state: crate::ConnectionState::SynReceived,
                ..
            }
        )
    });
    assert_eq!(received, 11);
    let dropped = world.count(|event| {
        matches!(
            event,
            Event::Lost {
                reason: LossReason::BacklogFull,
                ..
            }
        )
    });
    assert_eq!(dropped, 3_000 - 11);
    world.run_for(300_000);
    assert!(attempts.iter().all(
        |attempt| matches!(&*attempt.borrow(), Some(Err(error)) if error.kind == Kind::TimedOut)
    ));
    assert_eq!(world.network.next_event(), None);
}
