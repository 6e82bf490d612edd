//! What fails at once: the host's own routes, interface and firewall, and bad arguments.

use super::*;

#[test]
fn local_route_fails_every_send_at_once_and_connecting_too() {
    let rows = [
        (
            LostRoute::Unreachable,
            Kind::HostUnreachable,
            [113, 65, 10065],
        ),
        (LostRoute::Prohibit, Kind::PermissionDenied, [13, 13, 10013]),
        (LostRoute::Blackhole, Kind::InvalidArgument, [22, 22, 10022]),
        (LostRoute::Throw, Kind::NetUnreachable, [101, 51, 10051]),
        (LostRoute::Deleted, Kind::NetUnreachable, [101, 51, 10051]),
    ];
    for (route, kind, numbers) in rows {
        for (platform, number) in PLATFORMS.into_iter().zip(numbers) {
            local_fault(
                platform,
                || fault::route_lost(route),
                SocketError {
                    kind,
                    errno: number,
                },
                true,
            );
        }
    }
}

#[test]
fn interface_down_fails_sends_until_it_is_up() {
    for (platform, errno) in PLATFORMS.into_iter().zip([101, 51, 10051]) {
        let error = SocketError {
            kind: Kind::NetUnreachable,
            errno,
        };
        local_fault(platform, fault::interface_down, error, true);
    }
}

#[test]
fn firewall_fails_sends_but_lets_udp_connect() {
    for (platform, errno) in PLATFORMS.into_iter().zip([1, 1, 10013]) {
        let error = SocketError {
            kind: Kind::NotPermitted,
            errno,
        };
        local_fault(
            platform,
            || fault::firewall_block(Direction::Out),
            error,
            false,
        );
    }
}

/// A local fault: every send fails at once, a receive only waits, loopback works, nothing sticks.
fn local_fault(
    platform: Platform,
    fault: impl Fn() -> Fault,
    error: SocketError,
    connect_fails: bool,
) {
    let world = World::new(1, platform);
    world.network.start(world.bob, echo);
    let socket = open(&world, UNCONNECTED, BOB);
    let other = bind(&world.network.host(world.alice), "10.0.8.1:8");
    let looped = bind(&world.network.host(world.alice), "10.0.8.1:9");
    let bob = "10.0.8.2:7".parse().expect("valid");
    let id = world
        .network
        .inject(Injection::new(fault(), Scope::Host(world.alice)));
    assert_eq!(socket.send_to("a", bob), Err(error));
    assert_eq!(
        socket.send_to("b", bob),
        Err(error),
        "every send, not the first alone"
    );
    assert_eq!(
        other.connect(bob),
        if connect_fails { Err(error) } else { Ok(()) }
    );
    assert_eq!(receive(&socket), None);
    assert_eq!(
        socket.take_error(),
        None,
        "a synchronous error is not pending as well"
    );
    let matched = world.network.fault_report(id).matched;
    assert_eq!(
        send(&socket, "10.0.8.1:9"),
        Ok(4),
        "loopback needs neither route nor interface"
    );
    assert_eq!(
        world.network.fault_report(id).matched,
        matched,
        "nor does it count"
    );
    world.network.heal(id);
    assert_eq!(socket.send_to("c", bob), Ok(1));
    world.run_to(100);
    assert_eq!(receive(&looped), Some(Ok("ping".to_owned())));
    assert_eq!(receive(&socket), Some(Ok("c".to_owned())), "nothing sticks");
    assert!(world.network.fault_report(id).applied >= 2);
}

#[test]
fn connected_socket_meets_a_local_fault_as_well() {
    let world = World::new(1, Platform::Linux);
    let socket = open(&world, CONNECTED, BOB);
    world.network.inject(Injection::new(
        fault::route_lost(LostRoute::Throw),
        Scope::Host(world.alice),
    ));
    assert_eq!(
        socket.send("a").map_err(|error| error.kind),
        Err(Kind::NetUnreachable)
    );
}

// What arrives while the input is blocked is lost without a word; the reason names the fault.
#[test]
fn firewall_inwards_is_silent() {
    let world = World::new(1, Platform::Linux);
    world.network.start(world.bob, echo);
    let socket = open(&world, CONNECTED_RECVERR, "10.0.8.2:7");
    let block = fault::firewall_block(Direction::In);
    let id = world
        .network
        .inject(Injection::new(block, Scope::Host(world.bob)));
    socket.send("a").expect("sent");
    world.run_to(20_000);
    assert_eq!(receive(&socket), None);
    let lost = |record: &Record| matches!(record.event, Event::Lost { reason, .. } if reason == LossReason::Fault(id));
    assert_eq!(
        world.records().iter().filter(|record| lost(record)).count(),
        1
    );
}

#[test]
fn oversized_datagrams_fail_at_once() {
    for platform in PLATFORMS {
        let world = World::new(1, platform);
        let host = world.idle(world.alice);
        for (local, peer, longest) in [
            ("10.0.8.1:5", BOB, 65_507),
            ("[fd00:8::1]:5", "[fd00:8::2]:9", 65_527),
        ] {
            let socket = bind(&host, local);
            let peer = peer.parse().expect("valid");
            assert_eq!(socket.send_to(vec![0; longest], peer), Ok(longest));
            let error = socket
                .send_to(vec![0; longest + 1], peer)
                .expect_err("too long");
            assert_eq!(error, SocketError::new(Kind::MessageTooLong, platform));
        }
    }
}

#[test]
fn bad_destinations_fail_at_once() {
    let world = World::new(1, Platform::Linux);
    let socket = open(&world, UNCONNECTED, BOB);
    assert_eq!(send(&socket, "10.0.8.2:0"), Err(Kind::InvalidArgument));
    assert_eq!(
        send(&socket, "[fd00:8::2]:9"),
        Err(Kind::FamilyNotSupported)
    );
    assert_eq!(send(&socket, "10.0.8.255:9"), Err(Kind::PermissionDenied));
    assert_eq!(
        socket.send("a").map_err(|error| error.kind),
        Err(Kind::DestinationRequired)
    );
    let looped = bind(&world.network.host(world.alice), "127.0.0.1:5");
    assert_eq!(
        send(&looped, BOB),
        Err(Kind::InvalidArgument),
        "a loopback source cannot leave the host"
    );
}
