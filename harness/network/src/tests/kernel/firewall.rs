//! Firewalls on the peer's host that reject, drop, and on one's own.

use super::*;
use crate::fault::Rejection;

const REJECTIONS: [(Rejection, Kind); 2] = [
    (Rejection::PortUnreachable, Kind::ConnectionRefused),
    (Rejection::Prohibited, Kind::HostUnreachable),
];

/// What Alice's socket is told of a firewall before Bob's open port, and from where the error came.
fn told(setup: Setup, peer: &str, fault: fn() -> Fault) -> (Option<Kind>, Vec<String>) {
    let world = World::new(1, Platform::Linux);
    world.network.start(world.bob, echo);
    let socket = open(&world, setup, peer);
    let id = world
        .network
        .inject(Injection::new(fault(), Scope::Host(world.bob)));
    assert_eq!(send(&socket, peer), Ok(4), "a remote fault");
    world.run_to(20_000);
    assert_eq!(world.network.fault_report(id).applied, 1);
    let errors = world
        .records()
        .into_iter()
        .filter_map(|record| match record.event {
            Event::Delivered { packet } if packet.datagram().is_none() => {
                Some(packet.from.ip().to_string())
            }
            _ => None,
        });
    let errors = errors.collect();
    (socket.take_error().map(|error| error.kind), errors)
}

// Row "ICMP 3/3" and row "3/13", caused by the peer's own firewall: the error comes from its address.
#[test]
fn rejection_inwards_is_an_icmp_error_of_the_host_itself() {
    let reject: [fn() -> Fault; 2] = [
        || fault::firewall_reject(Direction::In, Rejection::PortUnreachable),
        || fault::firewall_reject(Direction::Both, Rejection::Prohibited),
    ];
    for (fault, (_, kind)) in reject.into_iter().zip(REJECTIONS) {
        let from = vec!["10.0.8.2".to_owned()];
        let peer = "10.0.8.2:7";
        assert_eq!(told(UNCONNECTED, peer, fault), (None, from.clone()));
        assert_eq!(told(CONNECTED, peer, fault), (Some(kind), from.clone()));
        assert_eq!(told(RECVERR, peer, fault), (Some(kind), from));
    }
}

// ICMPv6 has one prohibition, and Linux makes EACCES of it.
#[test]
fn rejection_in_ipv6() {
    let peer = "[fd00:8::2]:7";
    let refused = told(CONNECTED, peer, || {
        fault::firewall_reject(Direction::In, Rejection::PortUnreachable)
    });
    assert_eq!(
        refused,
        (Some(Kind::ConnectionRefused), vec!["fd00:8::2".to_owned()])
    );
    let prohibited = told(CONNECTED, peer, || {
        fault::firewall_reject(Direction::In, Rejection::Prohibited)
    });
    assert_eq!(prohibited.0, Some(Kind::PermissionDenied));
}

#[test]
fn silence_inwards_and_both_ways_is_silent() {
    let silent: [fn() -> Fault; 2] = [
        || fault::firewall_block(Direction::In),
        || fault::firewall_block(Direction::Both),
    ];
    for fault in silent {
        for setup in [UNCONNECTED, CONNECTED, RECVERR, CONNECTED_RECVERR] {
            assert_eq!(
                told(setup, "10.0.8.2:7", fault),
                (None, vec![]),
                "{setup:?}"
            );
        }
    }
}

// A host that rejects is a Linux host like others: six errors at once, then one a second.
#[test]
fn rejections_are_limited() {
    let world = World::new(1, Platform::Linux);
    world.network.start(world.bob, echo);
    let socket = open(&world, UNCONNECTED, "10.0.8.2:7");
    let reject = fault::firewall_reject(Direction::In, Rejection::PortUnreachable);
    world
        .network
        .inject(Injection::new(reject, Scope::Host(world.bob)));
    (0..10).for_each(|_| assert_eq!(send(&socket, "10.0.8.2:7"), Ok(4)));
    world.run_to(500);
    let icmp =
        |event: &Event| matches!(event, Event::Delivered { packet } if packet.datagram().is_none());
    assert_eq!(world.count(icmp), 6);
}

// One's own firewall that rejects: EPERM at once, nothing on the wire, and the error for the sending socket.
#[test]
fn rejection_outwards_is_eperm_and_an_error_of_ones_own() {
    for (rejection, kind) in REJECTIONS {
        let world = World::new(1, Platform::Linux);
        let receiver = bind(&world.idle(world.bob), "10.0.8.2:7");
        let socket = open(&world, CONNECTED, "10.0.8.2:7");
        let reject = fault::firewall_reject(Direction::Out, rejection);
        let id = world
            .network
            .inject(Injection::new(reject, Scope::Host(world.alice)));
        let first = socket.send("x").map_err(|error| error.errno);
        assert_eq!(first, Err(1), "EPERM");
        world.run_to(0);
        assert_eq!(socket.take_error().map(|error| error.kind), Some(kind));
        world.run_to(1000);
        assert_eq!(receive(&receiver), None);
        world.network.heal(id);
        assert_eq!(socket.send("x"), Ok(1), "nothing sticks");
    }
}

// Row "local firewall drops output": connected or not, asking for errors or not, EPERM on every send and nothing else.
#[test]
fn firewall_outwards_is_the_same_for_every_socket() {
    for setup in [UNCONNECTED, CONNECTED, RECVERR, CONNECTED_RECVERR] {
        let world = World::new(1, Platform::Linux);
        let socket = open(&world, setup, BOB);
        let block = fault::firewall_block(Direction::Out);
        world
            .network
            .inject(Injection::new(block, Scope::Host(world.alice)));
        for _ in 0..2 {
            assert_eq!(send(&socket, BOB), Err(Kind::NotPermitted), "{setup:?}");
        }
        world.run_to(1000);
        assert_eq!(socket.take_error(), None, "{setup:?}");
    }
}
