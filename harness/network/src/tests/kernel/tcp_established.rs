//! The rows of "TCP established": what the peer of a connection sees.

use super::*;
use crate::tests::tcp::{accept, connect, end, listen, pair, read, text, write};
use crate::{ConnectionState, Flags, Keepalive, TcpStream};

/// What a write came to at once, or what an error it was.
type Written = Option<Result<usize, Kind>>;
const BROKEN: Written = Some(Err(Kind::BrokenPipe));
const RESET: Option<Result<String, Kind>> = Some(Err(Kind::ConnectionReset));

/// Bob closes with RST.
fn reset(world: &World, bob: TcpStream) {
    bob.set_linger(Some(Duration::ZERO));
    drop(bob);
    world.run_for(50);
}

// Row "RST arrives": whichever operation comes first gets ECONNRESET, once.
#[test]
fn reset_is_told_once_then_epipe_and_the_end() {
    for platform in PLATFORMS {
        let connected = || {
            let world = World::new(1, platform);
            let (alice, bob) = pair(&world);
            reset(&world, bob);
            (world, alice)
        };
        let (_world, alice) = connected();
        assert_eq!(
            (read(&alice), write(&alice, "x"), read(&alice)),
            (RESET, BROKEN, end())
        );
        let (_world, alice) = connected();
        let written = write(&alice, "x");
        assert_eq!(written, Some(Err(Kind::ConnectionReset)));
        assert_eq!(
            (write(&alice, "x"), read(&alice), read(&alice)),
            (BROKEN, end(), end())
        );
        let (_world, alice) = connected();
        assert_eq!(
            alice.take_error(),
            Some(SocketError::new(Kind::ConnectionReset, platform))
        );
        assert_eq!(
            (alice.take_error(), write(&alice, "x"), read(&alice)),
            (None, BROKEN, end())
        );
    }
}

// The numbers of EPIPE: 32, and on Windows 10053 for the peer's doing, 10058 for one's own.
#[test]
fn broken_pipe_has_each_platforms_numbers() {
    let errno = |stream: &TcpStream| {
        let written = stream.poll_write(&mut Context::from_waker(Waker::noop()), b"x");
        match written {
            Poll::Ready(Err(error)) => error.errno,
            other => panic!("{other:?}"),
        }
    };
    for (platform, after_reset, after_shutdown) in [
        (Platform::Linux, 32, 32),
        (Platform::Macos, 32, 32),
        (Platform::Windows, 10053, 10058),
    ] {
        let world = World::new(1, platform);
        let (alice, bob) = pair(&world);
        assert_eq!(bob.shutdown(), Ok(()));
        assert_eq!(errno(&bob), after_shutdown, "{platform:?}");
        reset(&world, bob);
        let _told = alice.take_error();
        assert_eq!(errno(&alice), after_reset, "{platform:?}");
    }
}

// `shutdown(2)` of a connection that has ended: ENOTCONN, with each platform's number.
#[test]
fn shutting_down_what_has_ended_is_not_connected() {
    for (platform, errno) in [
        (Platform::Linux, 107),
        (Platform::Macos, 57),
        (Platform::Windows, 10057),
    ] {
        let world = World::new(1, platform);
        let (alice, bob) = pair(&world);
        reset(&world, bob);
        assert_eq!(alice.shutdown().map_err(|error| error.errno), Err(errno));
    }
}

// Row "data, then RST".
#[test]
fn data_before_a_reset_is_read_first() {
    let world = World::new(1, Platform::Linux);
    let (alice, bob) = pair(&world);
    assert_eq!(write(&bob, "goodbye"), Some(Ok(7)));
    world.run_for(50);
    reset(&world, bob);
    assert_eq!(
        (read(&alice), read(&alice), read(&alice)),
        (text("goodbye"), RESET, end())
    );
}

// Row "close with unread data": RST instead of FIN; with everything read, FIN.
#[test]
fn closing_with_unread_data_resets() {
    for (read_first, expected) in [(false, RESET), (true, end())] {
        let world = World::new(1, Platform::Linux);
        let (alice, bob) = pair(&world);
        assert_eq!(write(&alice, "unread"), Some(Ok(6)));
        world.run_for(50);
        if read_first {
            assert_eq!(read(&bob), text("unread"));
        }
        drop(bob);
        world.run_for(50);
        assert_eq!(read(&alice), expected, "read first: {read_first}");
    }
}

// Row "FIN": end-of-file; the first write succeeds and provokes a RST, the second gives EPIPE; then end-of-file.
#[test]
fn after_fin_the_first_write_succeeds_and_the_second_does_not() {
    let world = World::new(1, Platform::Linux);
    let (alice, bob) = pair(&world);
    drop(bob);
    world.run_for(50);
    assert_eq!(read(&alice), end());
    assert_eq!(write(&alice, "into the void"), Some(Ok(13)));
    let resets = |world: &World| {
        world.count(|event| {
            matches!(event, Event::Delivered { packet } if packet.segment().is_some_and(|segment| segment.has(Flags::RST)))
        })
    };
    assert_eq!(resets(&world), 0);
    world.run_for(50);
    assert_eq!(resets(&world), 1, "the write provoked it");
    assert_eq!(
        (write(&alice, "x"), read(&alice), write(&alice, "x")),
        (BROKEN, end(), BROKEN)
    );
}

// Row "half-close".
#[test]
fn after_half_close_writes_still_succeed() {
    let world = World::new(1, Platform::Linux);
    let (alice, bob) = pair(&world);
    assert_eq!(bob.shutdown(), Ok(()));
    world.run_for(50);
    assert_eq!(read(&alice), end());
    for word in ["one", "two", "three"] {
        assert_eq!(write(&alice, word), Some(Ok(word.len())));
        world.run_for(50);
        assert_eq!(read(&bob), text(word));
    }
    assert_eq!(alice.take_error(), None);
}

/// When Alice's socket failed, in milliseconds from `from`, and how; `None` within a day.
fn failure(world: &World, alice: &TcpStream, from: u64) -> Option<(u64, Kind)> {
    let day = at(86_400_000);
    world.network.schedule(day, |_| {});
    while world.network.advance(day) == Advance::Moved {
        if let Some(error) = alice.take_error() {
            return Some((world.network.now().as_micros() / 1000 - from, error.kind));
        }
    }
    None
}

fn silence(world: &World) {
    world
        .network
        .inject(Injection::new(fault::partition(), Scope::Host(world.bob)));
}

// Row "vanishes while we write": writes succeed until the buffer is full; 934.8 s are the 15.6 minutes measured.
#[test]
fn vanished_peer_times_out_a_writer_after_15_6_minutes() {
    let world = World::new(1, Platform::Linux);
    let (alice, _bob) = pair(&world);
    silence(&world);
    let chunk = "x".repeat(4096);
    let mut written = 0;
    while let Some(Ok(length)) = write(&alice, &chunk) {
        written += length;
    }
    assert_eq!(written, 65_536, "until the buffer is full");
    assert_eq!(write(&alice, &chunk), None, "then it waits");
    assert_eq!(failure(&world, &alice, 50), Some((934_830, Kind::TimedOut)));
    assert_eq!((write(&alice, "x"), read(&alice)), (BROKEN, end()));
}

// The same row: TCP_USER_TIMEOUT ends it at its own moment, not at the next retry.
#[test]
fn user_timeout_ends_a_writer_at_its_deadline() {
    let world = World::new(1, Platform::Linux);
    let (alice, _bob) = pair(&world);
    alice.set_user_timeout(Some(Duration::from_millis(7_777)));
    silence(&world);
    assert_eq!(write(&alice, "x"), Some(Ok(1)));
    assert_eq!(failure(&world, &alice, 50), Some((7_777, Kind::TimedOut)));
}

// The same row, and the next: keep-alive after 10 s of silence, three probes 5 s apart, and 5 s for the last answer.
#[test]
fn keepalive_finds_a_vanished_peer() {
    let world = World::new(1, Platform::Linux);
    let (alice, _bob) = pair(&world);
    let (idle, interval) = (Duration::from_secs(10), Duration::from_secs(5));
    alice.set_keepalive(Some(Keepalive {
        idle,
        interval,
        count: 3,
    }));
    world.run_to(60_050);
    assert_eq!(alice.take_error(), None, "a peer that answers is alive");
    silence(&world);
    // Probes at 10, 20, … s after 0.050 are answered 10 ms later; so the last that was heard is of 60.060 or before.
    let (millis, kind) = failure(&world, &alice, 60_050).expect("it ends");
    assert_eq!(kind, Kind::TimedOut);
    assert!((15_000..=25_010).contains(&millis), "{millis}");
}

// Row "vanishes while we only read": nothing, for ever.
#[test]
fn vanished_peer_is_unnoticed_by_a_reader() {
    for fault in [fault::partition, fault::power_off] {
        let world = World::new(1, Platform::Linux);
        let (alice, _bob) = pair(&world);
        world
            .network
            .inject(Injection::new(fault(), Scope::Host(world.bob)));
        assert_eq!(failure(&world, &alice, 0), None);
        assert_eq!(read(&alice), None);
    }
}

// Row "ICMP mid-connection": nothing but the final error changes, and only if it never comes back.
#[test]
fn icmp_mid_connection_is_soft() {
    let rows: [Row<Kind>; 4] = [
        ("3/1", fault::host_unreachable, Kind::HostUnreachable),
        (
            "3/13",
            || fault::prohibited(Prohibited::Communication),
            Kind::HostUnreachable,
        ),
        ("3/0", fault::net_unreachable, Kind::NetUnreachable),
        ("3/3", fault::port_unreachable, Kind::ConnectionRefused),
    ];
    for platform in PLATFORMS {
        for (row, fault, kind) in rows {
            let world = World::new(1, platform);
            let (alice, bob) = pair(&world);
            let id = world
                .network
                .inject(Injection::new(fault(), Scope::Host(world.alice)));
            assert_eq!(write(&alice, "x"), Some(Ok(1)));
            world.run_for(30_000);
            assert_eq!(
                (alice.take_error(), write(&alice, "y")),
                (None, Some(Ok(1))),
                "{row}"
            );
            world.network.heal(id);
            world.run_for(60_000);
            assert_eq!(read(&bob), text("xy"), "{row}: nothing was lost");
            world
                .network
                .inject(Injection::new(fault(), Scope::Host(world.alice)));
            assert_eq!(write(&alice, "z"), Some(Ok(1)));
            assert_eq!(
                failure(&world, &alice, 0).map(|(_, kind)| kind),
                Some(kind),
                "{row}"
            );
        }
    }
}

// Row "our interface, address or route goes": writes go on succeeding, then ETIMEDOUT; restored in time, nothing shows.
#[test]
fn local_fault_mid_connection_is_silent_until_the_time_out() {
    let faults: [fn() -> Fault; 4] = [
        fault::interface_down,
        || fault::route_lost(LostRoute::Deleted),
        || fault::route_lost(LostRoute::Unreachable),
        || fault::firewall_block(Direction::Out),
    ];
    for fault in faults {
        let world = World::new(1, Platform::Linux);
        let (alice, bob) = pair(&world);
        let id = world
            .network
            .inject(Injection::new(fault(), Scope::Host(world.alice)));
        assert_eq!(
            (write(&alice, "a"), write(&alice, "b")),
            (Some(Ok(1)), Some(Ok(1)))
        );
        world.run_for(10_000);
        assert_eq!(write(&alice, "c"), Some(Ok(1)));
        world.network.heal(id);
        world.run_for(20_000);
        assert_eq!(read(&bob), text("abc"));
        world
            .network
            .inject(Injection::new(fault(), Scope::Host(world.alice)));
        assert_eq!(write(&alice, "d"), Some(Ok(1)));
        assert_eq!(
            failure(&world, &alice, 0).map(|(_, kind)| kind),
            Some(Kind::TimedOut)
        );
    }
}

/// Alice's end of a connection to a host that is killed or loses power, which starts anew 10 s later.
fn stopped(fault: fn() -> Fault, unread: bool) -> (World, TcpStream) {
    let world = World::new(1, Platform::Linux);
    world.network.start(world.bob, |host| async move {
        let listener = listen(&host, BOB);
        let _accepted = listener.accept().await;
        std::future::pending::<()>().await;
    });
    let outcome = connect(&world.idle(world.alice), BOB);
    world.run_for(50);
    let alice = outcome.take().expect("over").expect("listening");
    if unread {
        assert_eq!(write(&alice, "unread"), Some(Ok(6)));
        world.run_for(50);
    }
    world
        .network
        .inject(Injection::new(fault(), Scope::Host(world.bob)).lasts(ms(10_000)));
    world.run_for(50);
    (world, alice)
}

// A kill lets the kernel tidy up: FIN, or RST if data was unread.
#[test]
fn killed_peer_closes_or_resets() {
    let (_world, alice) = stopped(fault::kill, false);
    assert_eq!(read(&alice), end());
    let (_world, alice) = stopped(fault::kill, true);
    assert_eq!(read(&alice), RESET);
}

// A machine that lost power says nothing; once it is back, whatever it gets of the old connection is answered with RST.
#[test]
fn rebooted_peer_resets_old_connections() {
    let (world, alice) = stopped(fault::power_off, false);
    assert_eq!(read(&alice), None);
    world.run_for(20_000);
    assert_eq!(
        read(&alice),
        None,
        "it knows nothing of Alice, nor she of that"
    );
    assert_eq!(write(&alice, "still there?"), Some(Ok(12)));
    world.run_for(50);
    assert_eq!((read(&alice), read(&alice)), (RESET, end()));
}

// The closed end of a connection stays a minute in TIME-WAIT: late segments are acknowledged, and the port is in the
// way of a program that does not set SO_REUSEADDR.
#[test]
fn time_wait_is_seen_by_who_binds_without_reuse() {
    let world = World::new(1, Platform::Linux);
    let (alice, bob) = pair(&world);
    let host = world.network.host(world.bob);
    let bind = || {
        host.listen_tcp_without_reuse(BOB.parse().expect("valid"), 1)
            .map(drop)
            .map_err(|error| error.kind)
    };
    drop(bob);
    world.run_for(50);
    drop(alice);
    world.run_for(50);
    let in_state = |state| {
        world.count(
            |event| matches!(event, Event::ConnectionState { state: told, .. } if *told == state),
        )
    };
    assert_eq!(in_state(ConnectionState::TimeWait), 1);
    assert_eq!(bind(), Err(Kind::AddressInUse));
    drop(listen(&host, BOB));
    world.run_for(60_000);
    assert_eq!(bind(), Ok(()));
}

// A last acknowledgement is lost: FIN comes again, and TIME-WAIT answers it; nobody is reset.
#[test]
fn time_wait_acknowledges_a_late_fin() {
    let world = World::new(1, Platform::Linux);
    let (alice, bob) = pair(&world);
    drop(bob);
    world.run_for(50);
    let link = Scope::Link {
        from: world.bob,
        to: world.alice,
    };
    world
        .network
        .inject(Injection::new(fault::drop(), link).nth(1));
    drop(alice);
    world.run_for(1_000);
    let closed = |event: &Event| {
        matches!(
            event,
            Event::ConnectionState {
                state: ConnectionState::Closed,
                ..
            }
        )
    };
    assert_eq!(world.count(closed), 1, "Alice's end is over, Bob's lingers");
    let reset = |event: &Event| matches!(event, Event::Sent { packet } if packet.segment().is_some_and(|segment| segment.has(Flags::RST)));
    assert_eq!(world.count(reset), 0);
}

// One more than the backlog fits; the next SYN is dropped and comes again a second later.
#[test]
fn full_backlog_drops_syns() {
    let world = World::new(1, Platform::Linux);
    let (alice, bob) = (world.idle(world.alice), world.idle(world.bob));
    let listener = bob
        .listen_tcp(BOB.parse().expect("valid"), 1)
        .expect("free");
    let outcomes: Vec<_> = (0..3).map(|_| connect(&alice, BOB)).collect();
    world.run_for(500);
    let connected = |outcomes: &[crate::tests::tcp::Outcome<_>]| {
        outcomes
            .iter()
            .filter(|outcome| outcome.borrow().is_some())
            .count()
    };
    assert_eq!(connected(&outcomes), 2);
    let dropped = |event: &Event| {
        matches!(
            event,
            Event::Lost {
                reason: LossReason::BacklogFull,
                ..
            }
        )
    };
    assert_eq!(world.count(dropped), 1);
    assert!(accept(&listener).is_some());
    world.run_for(1_000);
    assert_eq!(connected(&outcomes), 3);
}
