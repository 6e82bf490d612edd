//! The kernel's behaviour, row by row: what a program sees on each platform when a datagram cannot get through.

use super::*;
use crate::fault::{self, Direction, Fault, LostRoute, Prohibited};
use crate::{Event, Injection, LossReason, Scope};

use SocketErrorKind as Kind;

const PLATFORMS: [Platform; 3] = [Platform::Linux, Platform::Macos, Platform::Windows];
/// Bob's port 9 is closed, Carol's as well.
const BOB: &str = "10.0.8.2:9";
const CAROL: &str = "10.0.9.3:9";

/// How Alice's socket is set up.
#[derive(Clone, Copy, Debug)]
struct Setup {
    connected: bool,
    recverr: bool,
}

const UNCONNECTED: Setup = Setup {
    connected: false,
    recverr: false,
};
const CONNECTED: Setup = Setup {
    connected: true,
    recverr: false,
};
const RECVERR: Setup = Setup {
    connected: false,
    recverr: true,
};
const CONNECTED_RECVERR: Setup = Setup {
    connected: true,
    recverr: true,
};

fn open(world: &World, setup: Setup, peer: &str) -> UdpSocket {
    let socket = bind(&world.idle(world.alice), "[::]:5060");
    let v4 = bind(&world.network.host(world.alice), "10.0.8.1:5061");
    let socket = if peer.starts_with('[') { socket } else { v4 };
    socket.set_recverr(setup.recverr);
    if setup.connected {
        socket
            .connect(peer.parse().expect("valid"))
            .expect("a remote fault lets UDP connect");
    }
    socket
}

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

/// The ICMP error, the fault that causes it, and what is expected of it.
type Row<Expected> = (&'static str, fn() -> Fault, Expected);

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
    assert_eq!(
        send(&socket, "10.0.8.1:9"),
        Ok(4),
        "loopback needs neither route nor interface"
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
