//! Pending errors, buffers, binding, loopback.

use super::*;

/// A connected socket with a refusal pending and a datagram queued behind it.
fn refused(platform: Platform) -> (World, UdpSocket, UdpSocket) {
    let world = World::new(1, platform);
    let bob = bind(&world.idle(world.bob), "10.0.8.2:9");
    let socket = open(&world, CONNECTED, BOB);
    let injection = Injection::new(fault::port_unreachable(), Scope::Host(world.alice)).times(1);
    world.network.inject(injection);
    socket.send("lost").expect("sent");
    world.run_to(50);
    assert_eq!(send(&bob, "10.0.8.1:5061"), Ok(4));
    world.run_to(100);
    (world, socket, bob)
}

#[test]
fn pending_error_is_told_once_by_whoever_asks_first() {
    let error = Some(SocketError::new(Kind::ConnectionRefused, Platform::Linux));
    let (_world, socket, _bob) = refused(Platform::Linux);
    assert_eq!(
        (socket.take_error(), socket.take_error()),
        (error, None),
        "SO_ERROR first"
    );
    assert_eq!(receive(&socket), Some(Ok("ping".to_owned())));

    let (_world, socket, _bob) = refused(Platform::Linux);
    assert_eq!(
        receive(&socket),
        error.map(Err),
        "the error comes before data"
    );
    assert_eq!(
        receive(&socket),
        Some(Ok("ping".to_owned())),
        "the next receive gives the data"
    );
    assert_eq!((socket.take_error(), receive(&socket)), (None, None));
}

#[test]
fn send_that_tells_a_pending_error_does_not_transmit() {
    let (world, socket, bob) = refused(Platform::Linux);
    assert_eq!(
        socket.send("first").map_err(|error| error.kind),
        Err(Kind::ConnectionRefused)
    );
    assert_eq!(socket.send("second"), Ok(6));
    world.run_to(200);
    assert_eq!(receive(&bob), Some(Ok("second".to_owned())));
    assert_eq!(receive(&bob), None, "the first never left");
}

// Two errors before anyone asks leave one on Linux, and one for each receive on Windows, where sends tell none.
#[test]
fn one_error_is_pending_except_on_windows() {
    for (platform, errors) in [
        (Platform::Linux, 1),
        (Platform::Macos, 1),
        (Platform::Windows, 2),
    ] {
        let world = World::new(1, platform);
        let _bob = world.idle(world.bob);
        let socket = open(&world, CONNECTED, BOB);
        for _ in 0..2 {
            socket.send("x").expect("nothing is pending yet");
        }
        world.run_to(100);
        if platform == Platform::Windows {
            assert_eq!(socket.send("y"), Ok(1), "sends tell nothing");
        }
        assert_eq!(
            std::iter::from_fn(|| receive(&socket)).count(),
            errors,
            "{platform:?}"
        );
    }
}

// 212,992 bytes at 768 each is 277.3 datagrams; the comparison comes before the addition, so 278 are kept.
#[test]
fn receive_buffer_overflows_and_says_so() {
    let world = World::new(1, Platform::Linux);
    let receiver = bind(&world.idle(world.bob), "10.0.8.2:9");
    let socket = open(&world, UNCONNECTED, BOB);
    (0..300).for_each(|_| assert_eq!(send(&socket, BOB), Ok(4)));
    world.run_to(100);
    let full = |record: &&Record| {
        matches!(
            record.event,
            Event::Lost {
                reason: LossReason::BufferFull,
                ..
            }
        )
    };
    assert_eq!(world.records().iter().filter(full).count(), 22);
    assert_eq!(std::iter::from_fn(|| receive(&receiver)).count(), 278);
}

#[test]
fn connected_socket_hears_its_peer_only() {
    let world = World::new(1, Platform::Linux);
    let bob = world.idle(world.bob);
    let (peer, stranger) = (bind(&bob, "10.0.8.2:9"), bind(&bob, "10.0.8.2:10"));
    let socket = open(&world, CONNECTED, BOB);
    assert_eq!(send(&stranger, "10.0.8.1:5061"), Ok(4));
    assert_eq!(
        peer.send_to("from the peer", "10.0.8.1:5061".parse().expect("valid")),
        Ok(13)
    );
    world.run_to(100);
    assert_eq!(
        (receive(&socket), receive(&socket)),
        (Some(Ok("from the peer".to_owned())), None)
    );
    assert_eq!(socket.peer(), Some(BOB.parse().expect("valid")));
}

#[test]
fn binding_names_what_is_in_the_way() {
    for platform in PLATFORMS {
        let world = World::new(1, platform);
        let host = world.idle(world.alice);
        let bind = |address: &str| {
            host.bind_udp(address.parse().expect("valid"))
                .map_err(|error| error.kind)
        };
        let first = bind("0.0.0.0:5060").expect("free");
        assert_eq!(bind("10.0.8.1:5060").err(), Some(Kind::AddressInUse));
        assert_eq!(
            bind("10.0.8.2:5060").err(),
            Some(Kind::AddressNotAvailable),
            "a neighbour's address"
        );
        assert_eq!(
            bind("10.9.9.9:5060").err(),
            Some(Kind::AddressNotAvailable),
            "nobody's address"
        );
        drop(first);
        assert!(bind("10.0.8.1:5060").is_ok(), "closing frees the port");
        let chosen = bind("0.0.0.0:0")
            .expect("free")
            .local_address()
            .expect("open")
            .port();
        assert_eq!(chosen, platform.ephemeral_ports().0);
    }
}

// The packet of this instant arrives in this instant: one call of `advance`, no time.
#[test]
fn loopback_takes_no_time() {
    let world = World::new(1, Platform::Linux);
    let host = world.idle(world.alice);
    world.run_to(0);
    for address in ["127.0.0.1:9", "10.0.8.1:9", "[::1]:9", "[fd00:8::1]:9"] {
        let receiver = bind(&host, address);
        let sender = bind(&host, "[::]:0");
        assert_eq!(send(&sender, address), Ok(4));
        assert_eq!(world.network.advance(at(0)), Advance::Moved);
        assert_eq!(receive(&receiver), Some(Ok("ping".to_owned())), "{address}");
    }
    assert_eq!(world.network.now(), Instant::START);
}
