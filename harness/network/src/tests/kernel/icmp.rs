//! ICMP errors: which reach which socket, and as what.

use super::*;

/// macOS takes no address on a connected socket.
fn first_send(socket: &UdpSocket, setup: Setup, peer: &str) -> Result<usize, Kind> {
    if setup.connected {
        socket.send("ping").map_err(|error| error.kind)
    } else {
        send(socket, peer)
    }
}

/// One send under a fault, then what is pending 20 s later. The send itself must succeed: no remote fault is
/// synchronous.
fn heard(
    platform: Platform,
    setup: Setup,
    peer: &str,
    fault: Option<fn() -> Fault>,
) -> Option<Kind> {
    let world = World::new(1, platform);
    let bob = world.idle(world.bob);
    let _listener = bind(&bob, "[::]:10");
    let socket = open(&world, setup, peer);
    let id = fault.map(|fault| {
        world
            .network
            .inject(Injection::new(fault(), Scope::Host(world.alice)))
    });
    assert_eq!(first_send(&socket, setup, peer), Ok(4));
    world.run_to(20_000);
    if let Some(id) = id {
        assert_eq!(
            world.network.fault_report(id).applied,
            1,
            "the fault met the datagram"
        );
    }
    receive(&socket).map(|received| received.expect_err("nobody sends").kind)
}

// Columns: unconnected, connected, with IP_RECVERR (which must not depend on being connected).
const LINUX: [Row<[Option<Kind>; 3]>; 8] = [
    (
        "3/1",
        fault::host_unreachable,
        [None, None, Some(Kind::HostUnreachable)],
    ),
    (
        "11/0",
        fault::ttl_exceeded,
        [None, None, Some(Kind::HostUnreachable)],
    ),
    (
        "3/0",
        fault::net_unreachable,
        [None, None, Some(Kind::NetUnreachable)],
    ),
    (
        "3/3",
        fault::port_unreachable,
        [
            None,
            Some(Kind::ConnectionRefused),
            Some(Kind::ConnectionRefused),
        ],
    ),
    (
        "3/13",
        || fault::prohibited(Prohibited::Communication),
        [
            None,
            Some(Kind::HostUnreachable),
            Some(Kind::HostUnreachable),
        ],
    ),
    (
        "3/10",
        || fault::prohibited(Prohibited::Host),
        [
            None,
            Some(Kind::HostUnreachable),
            Some(Kind::HostUnreachable),
        ],
    ),
    (
        "3/9",
        || fault::prohibited(Prohibited::Net),
        [None, Some(Kind::NetUnreachable), Some(Kind::NetUnreachable)],
    ),
    (
        "3/2",
        fault::protocol_unreachable,
        [
            None,
            Some(Kind::ProtocolNotAvailable),
            Some(Kind::ProtocolNotAvailable),
        ],
    ),
];

#[test]
fn linux_icmp_rows() {
    for (row, fault, [unconnected, connected, recverr]) in LINUX {
        let cell = |setup| heard(Platform::Linux, setup, CAROL, Some(fault));
        assert_eq!(cell(UNCONNECTED), unconnected, "{row} unconnected");
        assert_eq!(cell(CONNECTED), connected, "{row} connected");
        assert_eq!(cell(RECVERR), recverr, "{row} with IP_RECVERR");
        assert_eq!(
            cell(CONNECTED_RECVERR),
            recverr,
            "{row} connected with IP_RECVERR"
        );
    }
}

// ICMPv6 has one code for every prohibition, and Linux makes EACCES of it; the others are as in IPv4.
#[test]
fn linux_icmpv6_rows() {
    let cell = |setup, fault| heard(Platform::Linux, setup, "[fd00:9::3]:9", Some(fault));
    assert_eq!(cell(CONNECTED, fault::host_unreachable), None);
    assert_eq!(
        cell(RECVERR, fault::host_unreachable),
        Some(Kind::HostUnreachable)
    );
    assert_eq!(
        cell(CONNECTED, fault::port_unreachable),
        Some(Kind::ConnectionRefused)
    );
    assert_eq!(
        cell(CONNECTED, || fault::prohibited(Prohibited::Communication)),
        Some(Kind::PermissionDenied)
    );
}

// macOS: connected sockets only, and IP_RECVERR is not known there.
#[test]
fn macos_icmp_rows() {
    let rows: [Row<Kind>; 6] = [
        ("3/1", fault::host_unreachable, Kind::HostUnreachable),
        ("3/0", fault::net_unreachable, Kind::HostUnreachable),
        ("11/0", fault::ttl_exceeded, Kind::HostUnreachable),
        ("3/3", fault::port_unreachable, Kind::ConnectionRefused),
        (
            "3/13",
            || fault::prohibited(Prohibited::Communication),
            Kind::ConnectionRefused,
        ),
        ("3/2", fault::protocol_unreachable, Kind::ConnectionRefused),
    ];
    for (row, fault, kind) in rows {
        let cell = |setup| heard(Platform::Macos, setup, CAROL, Some(fault));
        assert_eq!(
            (cell(UNCONNECTED), cell(RECVERR), cell(CONNECTED)),
            (None, None, Some(kind)),
            "{row}"
        );
    }
}

// Windows: 10054 after a port unreachable and 10052 after a TTL exceeded, connected or not; nothing else.
#[test]
fn windows_icmp_rows() {
    let rows: [Row<Option<Kind>>; 5] = [
        ("3/3", fault::port_unreachable, Some(Kind::ConnectionReset)),
        ("11/0", fault::ttl_exceeded, Some(Kind::NetReset)),
        ("3/1", fault::host_unreachable, None),
        ("3/0", fault::net_unreachable, None),
        (
            "3/13",
            || fault::prohibited(Prohibited::Communication),
            None,
        ),
    ];
    for (row, fault, kind) in rows {
        for setup in [UNCONNECTED, CONNECTED] {
            assert_eq!(
                heard(Platform::Windows, setup, CAROL, Some(fault)),
                kind,
                "{row} {setup:?}"
            );
        }
    }
}

#[test]
fn closed_port_answers_for_itself() {
    for peer in [BOB, "[fd00:8::2]:9", "127.0.0.1:9"] {
        let cell = |platform, setup| heard(platform, setup, peer, None);
        assert_eq!(cell(Platform::Linux, UNCONNECTED), None, "{peer}");
        assert_eq!(
            cell(Platform::Linux, CONNECTED),
            Some(Kind::ConnectionRefused),
            "{peer}"
        );
        assert_eq!(
            cell(Platform::Linux, RECVERR),
            Some(Kind::ConnectionRefused),
            "{peer}"
        );
        assert_eq!(cell(Platform::Macos, UNCONNECTED), None, "{peer}");
        assert_eq!(
            cell(Platform::Macos, CONNECTED),
            Some(Kind::ConnectionRefused),
            "{peer}"
        );
        assert_eq!(
            cell(Platform::Windows, UNCONNECTED),
            Some(Kind::ConnectionReset),
            "{peer}"
        );
    }
}

// The same socket of the same peer: answered while the process lives, refused once it is killed.
#[test]
fn killed_peer_is_a_closed_port() {
    let world = World::new(1, Platform::Linux);
    world.network.start(world.bob, echo);
    let socket = open(&world, CONNECTED, "10.0.8.2:7");
    socket.send("one").expect("sent");
    world.run_to(100);
    assert_eq!(receive(&socket), Some(Ok("one".to_owned())));
    world
        .network
        .inject(Injection::new(fault::kill(), Scope::Host(world.bob)));
    socket
        .send("two")
        .expect("the first send after a remote fault succeeds");
    world.run_to(200);
    assert_eq!(socket.take_error().map(|error| error.errno), Some(111));
}

#[test]
fn silent_drop_is_silent_everywhere() {
    for platform in PLATFORMS {
        for setup in [UNCONNECTED, CONNECTED, RECVERR] {
            assert_eq!(
                heard(platform, setup, CAROL, Some(fault::drop)),
                None,
                "{platform:?} {setup:?}"
            );
        }
    }
}

// A datagram of 1,400 bytes meets an MTU of 1,000: lost and reported once; the next goes out in fragments.
#[test]
fn fragmentation_needed_costs_one_datagram() {
    let outcome = |setup| {
        let world = World::new(1, Platform::Linux);
        let carol = world.idle(world.carol);
        let receiver = bind(&carol, "10.0.9.3:9");
        let socket = open(&world, setup, CAROL);
        let injection = Injection::new(fault::fragmentation_needed(1000), Scope::Host(world.alice));
        world.network.inject(injection);
        let mut sends = Vec::new();
        for n in 1..=3 {
            let sent = socket.send_to(vec![b'x'; 1400], CAROL.parse().expect("valid"));
            sends.push(sent.map_err(|error| error.kind));
            world.run_to(n * 100);
        }
        (sends, std::iter::from_fn(|| receive(&receiver)).count())
    };
    assert_eq!(
        outcome(UNCONNECTED),
        (vec![Ok(1400), Ok(1400), Ok(1400)], 2)
    );
    let told = vec![Ok(1400), Err(Kind::MessageTooLong), Ok(1400)];
    assert_eq!(
        (outcome(CONNECTED), outcome(RECVERR)),
        ((told.clone(), 1), (told, 1))
    );
}

// Ten datagrams at once, then one each second: errors for six, then for each.
#[test]
fn icmp_errors_are_limited_per_destination() {
    let world = World::new(1, Platform::Linux);
    let socket = open(&world, UNCONNECTED, CAROL);
    world.network.inject(Injection::new(
        fault::host_unreachable(),
        Scope::Host(world.alice),
    ));
    let errors = || {
        let icmp = |record: &&Record| matches!(&record.event, Event::Delivered { packet } if packet.datagram().is_none());
        world.records().iter().filter(icmp).count()
    };
    (0..10).for_each(|_| assert_eq!(send(&socket, CAROL), Ok(4)));
    world.run_to(500);
    assert_eq!(errors(), 6);
    world.run_to(1_100);
    (0..3).for_each(|_| assert_eq!(send(&socket, CAROL), Ok(4)));
    world.run_to(1_200);
    assert_eq!(errors(), 7);
}
