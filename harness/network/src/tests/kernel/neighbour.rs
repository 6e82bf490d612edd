//! Neighbours that do not answer.

use super::*;

/// When the first error came after one send at 0 to a peer that lost power, in microseconds.
fn neighbour_error(
    platform: Platform,
    setup: Setup,
    peer: &str,
    off: fn(&World) -> HostId,
) -> Option<(u64, Kind)> {
    let world = World::new(1, platform);
    let socket = open(&world, setup, peer);
    world
        .network
        .inject(Injection::new(fault::power_off(), Scope::Host(off(&world))));
    assert_eq!(send(&socket, peer), Ok(4));
    while world.network.advance(at(60_000)) == Advance::Moved {
        if let Some(error) = socket.take_error() {
            return Some((world.network.now().as_micros(), error.kind));
        }
    }
    None
}

#[test]
fn linux_neighbour_without_power_is_reported_after_3_06_s_to_recverr_only() {
    let cell = |setup| neighbour_error(Platform::Linux, setup, BOB, |world| world.bob);
    assert_eq!((cell(UNCONNECTED), cell(CONNECTED)), (None, None));
    assert_eq!(cell(RECVERR), Some((3_060_000, Kind::HostUnreachable)));
    assert_eq!(
        cell(CONNECTED_RECVERR),
        Some((3_060_000, Kind::HostUnreachable))
    );
}

// 5 ms to Carol's LAN, 3.06 s of ARP there, and the error's way back.
#[test]
fn router_reports_a_host_without_power_behind_it() {
    let cell = |setup| neighbour_error(Platform::Linux, setup, CAROL, |world| world.carol);
    assert_eq!(cell(RECVERR), Some((3_070_000, Kind::HostUnreachable)));
    assert_eq!((cell(UNCONNECTED), cell(CONNECTED)), (None, None));
    let nobody = |peer| neighbour_error(Platform::Linux, RECVERR, peer, |world| world.bob);
    assert_eq!(
        nobody("10.0.9.77:9"),
        Some((3_070_000, Kind::HostUnreachable)),
        "an address that nobody holds"
    );
    assert_eq!(
        nobody("192.0.2.1:9"),
        Some((5_000, Kind::NetUnreachable)),
        "no LAN holds it"
    );
}

// Silent until 1 s after the moment of vanishing, then 65 at once on every send, until the neighbour is back.
#[test]
fn macos_refuses_a_vanished_neighbour_after_its_timeout() {
    let world = World::new(1, Platform::Macos);
    world.network.start(world.bob, echo);
    let socket = open(&world, UNCONNECTED, BOB);
    world.network.schedule(at(5_000), |network| {
        let bob = network.host_id("bob").expect("there");
        network.inject(Injection::new(fault::power_off(), Scope::Host(bob)).lasts(ms(5_000)));
    });
    let mut results = Vec::new();
    for millis in [4_000, 5_001, 5_999, 6_000, 9_999, 10_001] {
        world.run_to(millis);
        results.push(send(&socket, "10.0.8.2:7"));
    }
    let refused = Err(Kind::HostUnreachable);
    assert_eq!(results, [Ok(4), Ok(4), Ok(4), refused, refused, Ok(4)]);
    assert_eq!(Platform::Macos.errno(Kind::HostUnreachable), 65);
    world.run_to(20_000);
    let answers = std::iter::from_fn(|| receive(&socket)).count();
    assert!(
        answers >= 2,
        "one from before and one from after: {answers}"
    );
}

// The same sends on the other platforms tell nothing.
#[test]
fn only_macos_refuses_a_vanished_neighbour() {
    for platform in [Platform::Linux, Platform::Windows] {
        let world = World::new(1, platform);
        let socket = open(&world, UNCONNECTED, BOB);
        world
            .network
            .inject(Injection::new(fault::power_off(), Scope::Host(world.bob)));
        for millis in [0, 2_000, 10_000] {
            world.run_to(millis);
            assert_eq!(send(&socket, BOB), Ok(4), "{platform:?}");
        }
        world.run_to(60_000);
        assert_eq!(receive(&socket), None, "{platform:?}");
    }
}

// Neighbour discovery fails as ARP does, and a host that only left its LAN as one without power.
#[test]
fn vanished_neighbour_is_reported_in_ipv6_too() {
    for fault in [fault::neighbour_gone, fault::power_off] {
        for (setup, expected) in [
            (UNCONNECTED, None),
            (CONNECTED, None),
            (RECVERR, Some(Kind::HostUnreachable)),
        ] {
            let world = World::new(1, Platform::Linux);
            world.network.start(world.bob, echo);
            let peer = "[fd00:8::2]:7";
            let socket = open(&world, setup, peer);
            let id = world
                .network
                .inject(Injection::new(fault(), Scope::Host(world.bob)));
            assert_eq!(send(&socket, peer), Ok(4));
            world.run_to(3_059);
            assert_eq!(socket.take_error(), None, "{setup:?}");
            world.run_to(3_060);
            assert_eq!(
                socket.take_error().map(|error| error.kind),
                expected,
                "{setup:?}"
            );
            world.network.heal(id);
            assert_eq!(send(&socket, peer), Ok(4));
            world.run_to(4_000);
            assert_eq!(receive(&socket), Some(Ok("ping".to_owned())), "it is back");
        }
    }
}

// The macOS rule is about neighbours, not about IPv4.
#[test]
fn macos_refuses_a_neighbour_that_vanished_in_ipv6_too() {
    let world = World::new(1, Platform::Macos);
    let peer = "[fd00:8::2]:9";
    let socket = open(&world, UNCONNECTED, peer);
    let gone = Injection::new(fault::neighbour_gone(), Scope::Host(world.bob));
    world.network.inject(gone);
    world.run_to(999);
    assert_eq!(send(&socket, peer), Ok(4));
    world.run_to(1_000);
    assert_eq!(send(&socket, peer), Err(Kind::HostUnreachable));
}
