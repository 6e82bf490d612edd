//! The rows of "TCP connect": what a connect comes to, and when.

use super::*;
use crate::tests::tcp::{accept, connect, listen};

/// What a connect from Alice came to, and after how many microseconds.
fn outcome(world: &World, to: &str) -> Option<(u64, Result<(), SocketError>)> {
    let outcome = connect(&world.idle(world.alice), to);
    // Something must move the time on when all is silent.
    world.network.schedule(at(1_000_000), |_| {});
    while world.network.advance(at(1_000_000)) == Advance::Moved {
        if let Some(connected) = outcome.take() {
            return Some((world.network.now().as_micros(), connected.map(drop)));
        }
    }
    None
}

fn failed(platform: Platform, kind: Kind) -> Result<(), SocketError> {
    Err(SocketError::new(kind, platform))
}

/// A fault on everything that Alice sends and is sent, and a listener at Carol's.
fn under(platform: Platform, fault: Fault, to: &str) -> Option<(u64, Result<(), SocketError>)> {
    let world = World::new(1, platform);
    let carol = world.idle(world.carol);
    let _listener = listen(&carol, "[::]:9");
    let _v4 = (platform == Platform::Windows).then(|| listen(&carol, "0.0.0.0:9"));
    world
        .network
        .inject(Injection::new(fault, Scope::Host(world.alice)));
    outcome(&world, to)
}

// Row "closed port, RST from a router, ICMP 3/3", and the rows of the other ICMP errors: one latency there and back.
#[test]
fn remote_refusals_come_at_once() {
    let rows: [Row<Kind>; 8] = [
        ("3/3", fault::port_unreachable, Kind::ConnectionRefused),
        ("3/1", fault::host_unreachable, Kind::HostUnreachable),
        (
            "3/10",
            || fault::prohibited(Prohibited::Host),
            Kind::HostUnreachable,
        ),
        (
            "3/13",
            || fault::prohibited(Prohibited::Communication),
            Kind::HostUnreachable,
        ),
        ("3/0", fault::net_unreachable, Kind::NetUnreachable),
        (
            "3/9",
            || fault::prohibited(Prohibited::Net),
            Kind::NetUnreachable,
        ),
        (
            "3/2",
            fault::protocol_unreachable,
            Kind::ProtocolNotAvailable,
        ),
        ("11/0", fault::ttl_exceeded, Kind::HostUnreachable),
    ];
    for platform in PLATFORMS {
        for (row, fault, kind) in rows {
            let expected = Some((5_000, failed(platform, kind)));
            assert_eq!(
                under(platform, fault(), CAROL),
                expected,
                "{row} {platform:?}"
            );
            let v6 = under(platform, fault(), "[fd00:9::3]:9");
            assert_eq!(v6, expected, "{row} {platform:?} IPv6");
        }
    }
}

#[test]
fn closed_port_refuses_at_once() {
    for platform in PLATFORMS {
        for (to, micros) in [
            (BOB, 10_000),
            ("[fd00:8::2]:9", 10_000),
            ("127.0.0.1:9", 0),
            (CAROL, 10_000),
        ] {
            let world = World::new(1, platform);
            let expected = Some((micros, failed(platform, Kind::ConnectionRefused)));
            assert_eq!(outcome(&world, to), expected, "{to} {platform:?}");
        }
    }
}

// The same row: something on the way answers the SYN with RST.
#[test]
fn router_that_resets_refuses_at_once() {
    let world = World::new(1, Platform::Linux);
    let _listener = listen(&world.idle(world.carol), CAROL);
    let syn = |packet: &crate::Packet| {
        packet
            .segment()
            .is_some_and(|segment| segment.has(crate::Flags::SYN))
    };
    let reset = fault::reset(fault::Sides::Sender, 0);
    world
        .network
        .inject(Injection::new(reset, Scope::Host(world.alice)).matching(syn));
    assert_eq!(
        outcome(&world, CAROL),
        Some((0, failed(Platform::Linux, Kind::ConnectionRefused)))
    );
}

#[test]
fn killed_peer_refuses_at_once() {
    let world = World::new(1, Platform::Linux);
    let _listener = listen(&world.idle(world.bob), BOB);
    world
        .network
        .inject(Injection::new(fault::kill(), Scope::Host(world.bob)));
    assert_eq!(
        outcome(&world, BOB),
        Some((10_000, failed(Platform::Linux, Kind::ConnectionRefused)))
    );
}

// Row "ARP failure on the LAN": 3.06 s; behind a router one latency there and the error's way back more.
#[test]
fn silent_neighbour_is_unreachable_after_3_06_s() {
    for (to, off, micros) in [
        (BOB, (|world| world.bob) as fn(&World) -> HostId, 3_060_000),
        ("10.0.8.77:9", |world| world.carol, 3_060_000),
        (CAROL, |world| world.carol, 3_070_000),
    ] {
        let world = World::new(1, Platform::Linux);
        world
            .network
            .inject(Injection::new(fault::power_off(), Scope::Host(off(&world))));
        let expected = Some((micros, failed(Platform::Linux, Kind::HostUnreachable)));
        assert_eq!(outcome(&world, to), expected, "{to}");
    }
}

// Row "silent drop": seven SYNs at the seconds measured, ETIMEDOUT at 135 s.
#[test]
fn silence_times_out_after_135_s() {
    for platform in PLATFORMS {
        for fault in [fault::drop, fault::partition, || {
            fault::firewall_block(Direction::In)
        }] {
            let expected = Some((135_000_000, failed(platform, Kind::TimedOut)));
            assert_eq!(under(platform, fault(), CAROL), expected, "{platform:?}");
        }
    }
    let world = World::new(1, Platform::Linux);
    world
        .network
        .inject(Injection::new(fault::drop(), Scope::Host(world.alice)));
    assert!(outcome(&world, CAROL).is_some());
    let sent: Vec<_> = world
        .records()
        .into_iter()
        .filter(
            |record| matches!(&record.event, Event::Sent { packet } if packet.segment().is_some()),
        )
        .map(|record| record.at.as_micros() / 1_000_000)
        .collect();
    assert_eq!(sent, [0, 1, 3, 7, 15, 31, 63]);
}

// Row "local output drop": like a silent drop, not EPERM.
#[test]
fn local_firewall_is_like_a_silent_drop() {
    let dropped = under(
        Platform::Linux,
        fault::firewall_block(Direction::Out),
        CAROL,
    );
    assert_eq!(
        dropped,
        Some((135_000_000, failed(Platform::Linux, Kind::TimedOut)))
    );
}

// Row "local route or interface": as for UDP, at once.
#[test]
fn local_route_or_interface_fails_at_once() {
    let rows: [Row<Kind>; 6] = [
        (
            "unreachable",
            || fault::route_lost(LostRoute::Unreachable),
            Kind::HostUnreachable,
        ),
        (
            "prohibit",
            || fault::route_lost(LostRoute::Prohibit),
            Kind::PermissionDenied,
        ),
        (
            "blackhole",
            || fault::route_lost(LostRoute::Blackhole),
            Kind::InvalidArgument,
        ),
        (
            "throw",
            || fault::route_lost(LostRoute::Throw),
            Kind::NetUnreachable,
        ),
        (
            "deleted",
            || fault::route_lost(LostRoute::Deleted),
            Kind::NetUnreachable,
        ),
        (
            "interface down",
            fault::interface_down,
            Kind::NetUnreachable,
        ),
    ];
    for platform in PLATFORMS {
        for (row, fault, kind) in rows {
            let expected = Some((0, failed(platform, kind)));
            assert_eq!(
                under(platform, fault(), CAROL),
                expected,
                "{row} {platform:?}"
            );
        }
    }
}

#[test]
fn loopback_needs_neither_route_nor_interface() {
    let world = World::new(1, Platform::Linux);
    let alice = world.idle(world.alice);
    let listener = listen(&alice, "127.0.0.1:9");
    world.network.inject(Injection::new(
        fault::interface_down(),
        Scope::Host(world.alice),
    ));
    let outcome = connect(&alice, "127.0.0.1:9");
    world.run_to(0);
    assert!(outcome.take().is_some_and(|connected| connected.is_ok()));
    assert!(accept(&listener).is_some());
}

// macOS remembers for a while that ARP gave up, and refuses at once with 65.
#[test]
fn macos_refuses_a_vanished_neighbour_at_once() {
    let world = World::new(1, Platform::Macos);
    world
        .network
        .inject(Injection::new(fault::power_off(), Scope::Host(world.bob)));
    world.run_to(1_000);
    let error = outcome(&world, BOB)
        .map(|(micros, connected)| (micros, connected.map_err(|error| error.errno)));
    assert_eq!(error, Some((1_000_000, Err(65))));
}
