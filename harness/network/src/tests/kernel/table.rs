//! The measured UDP table as a whole: every row, for every kind of socket, on every platform.

use std::fmt::Write;

use super::*;

/// Where a row's fault acts.
#[derive(Clone, Copy)]
enum On {
    Alice,
    Bob,
    Nothing,
}

struct Row {
    name: &'static str,
    peer: &'static str,
    length: usize,
    on: On,
    fault: fn() -> Fault,
}

const fn row(name: &'static str, peer: &'static str, on: On, fault: fn() -> Fault) -> Row {
    Row {
        name,
        peer,
        length: 1400,
        on,
        fault,
    }
}

const ROWS: [Row; 20] = [
    row("no fault", "10.0.8.2:7", On::Nothing, fault::drop),
    row(
        "3/1 host unreachable",
        CAROL,
        On::Alice,
        fault::host_unreachable,
    ),
    row("11/0 TTL exceeded", CAROL, On::Alice, fault::ttl_exceeded),
    row(
        "3/0 net unreachable",
        CAROL,
        On::Alice,
        fault::net_unreachable,
    ),
    row(
        "3/3 port unreachable",
        CAROL,
        On::Alice,
        fault::port_unreachable,
    ),
    row("3/3 closed port", BOB, On::Nothing, fault::drop),
    row("3/3 killed peer", "10.0.8.2:7", On::Bob, fault::kill),
    row("3/13 prohibited", CAROL, On::Alice, || {
        fault::prohibited(Prohibited::Communication)
    }),
    row("3/10 prohibited", CAROL, On::Alice, || {
        fault::prohibited(Prohibited::Host)
    }),
    row("3/9 prohibited", CAROL, On::Alice, || {
        fault::prohibited(Prohibited::Net)
    }),
    row(
        "3/2 protocol unreachable",
        CAROL,
        On::Alice,
        fault::protocol_unreachable,
    ),
    row("3/4 fragmentation needed", CAROL, On::Alice, || {
        fault::fragmentation_needed(1000)
    }),
    row("peer off, same LAN", BOB, On::Bob, fault::power_off),
    row("silent drop", CAROL, On::Alice, fault::drop),
    row("route unreachable", BOB, On::Alice, || {
        fault::route_lost(LostRoute::Unreachable)
    }),
    row("route prohibit", BOB, On::Alice, || {
        fault::route_lost(LostRoute::Prohibit)
    }),
    row("route blackhole", BOB, On::Alice, || {
        fault::route_lost(LostRoute::Blackhole)
    }),
    row("route throw", BOB, On::Alice, || {
        fault::route_lost(LostRoute::Throw)
    }),
    row("interface down", BOB, On::Alice, fault::interface_down),
    row("firewall drops output", BOB, On::Alice, || {
        fault::firewall_block(Direction::Out)
    }),
];

/// One socket's experience: how the send goes, what it is told within 20 s and when, how the next send goes.
fn cell(platform: Platform, setup: Setup, row: &Row) -> String {
    let world = World::new(1, platform);
    world.network.start(world.bob, echo);
    let _carol = bind(&world.idle(world.carol), "10.0.9.3:9");
    let socket = bind(&world.idle(world.alice), "10.0.8.1:5061");
    socket.set_recverr(setup.recverr);
    world.run_to(0);
    let scope = match row.on {
        On::Alice => Some(world.alice),
        On::Bob => Some(world.bob),
        On::Nothing => None,
    };
    let injection = scope.map(|host| Injection::new((row.fault)(), Scope::Host(host)));
    injection.map(|injection| world.network.inject(injection));
    let peer = row.peer.parse().expect("valid");
    if setup.connected
        && let Err(error) = socket.connect(peer)
    {
        return format!("connect {}", error.errno);
    }
    let send = || {
        let data = vec![b'x'; row.length];
        let sent = match setup.connected {
            true => socket.send(data),
            false => socket.send_to(data, peer),
        };
        sent.map_or_else(|error| error.errno.to_string(), |_| "ok".to_owned())
    };
    let first = send();
    let told = told(&world, &socket);
    format!("{first} {told} {}", send())
}

/// The first error that a receive gives, and when.
fn told(world: &World, socket: &UdpSocket) -> String {
    world.network.schedule(at(20_000), |_| {});
    loop {
        match receive(socket) {
            Some(Err(error)) => {
                let millis = world.network.now().as_micros() / 1000;
                return format!("{}@{millis}", error.errno);
            }
            Some(Ok(_)) => {}
            None if world.network.advance(at(20_000)) == Advance::Moved => {}
            None => return "-".to_owned(),
        }
    }
}

// The measured table is markdown and this is its simulation: rows and columns in the same order, to be compared by eye.
#[test]
fn udp_table() {
    let mut text = String::new();
    for platform in PLATFORMS {
        let setups = [UNCONNECTED, CONNECTED, RECVERR, CONNECTED_RECVERR];
        let heads = ["unconnected", "connected", "RECVERR", "both"];
        let line = |cells: [String; 4]| cells.map(|cell| format!("{cell:<20}")).concat();
        let head = line(heads.map(str::to_owned));
        writeln!(text, "{:<26}{}", format!("{platform:?}"), head.trim_end()).expect("a string");
        for row in &ROWS {
            let cells = line(setups.map(|setup| cell(platform, setup, row)));
            writeln!(text, "{:<26}{}", row.name, cells.trim_end()).expect("a string");
        }
        text.push('\n');
    }
    insta::assert_snapshot!(text);
}

// "Nothing sticks: when the peer is back, the same socket works", for every remote row and every kind of socket.
#[test]
fn same_socket_works_once_the_fault_is_over() {
    for row in ROWS
        .iter()
        .filter(|row| matches!(row.on, On::Alice | On::Bob))
    {
        for setup in [UNCONNECTED, CONNECTED, RECVERR, CONNECTED_RECVERR] {
            let world = World::new(1, Platform::Linux);
            world.network.start(world.bob, echo);
            world.network.start(world.carol, echo);
            let socket = bind(&world.idle(world.alice), "10.0.8.1:5061");
            socket.set_recverr(setup.recverr);
            let peer = if row.peer == CAROL {
                "10.0.9.3:7"
            } else {
                "10.0.8.2:7"
            };
            if setup.connected {
                socket
                    .connect(peer.parse().expect("valid"))
                    .expect("no fault yet");
            }
            let host = if matches!(row.on, On::Bob) {
                world.bob
            } else {
                world.alice
            };
            let id = world
                .network
                .inject(Injection::new((row.fault)(), Scope::Host(host)));
            let large = socket.send_to(vec![b'x'; 1400], peer.parse().expect("valid"));
            assert!(large.is_ok() || !matches!(row.on, On::Bob), "{}", row.name);
            world.run_to(20_000);
            world.network.heal(id);
            while receive(&socket).is_some() {}
            assert_eq!(send(&socket, peer), Ok(4), "{} {setup:?}", row.name);
            world.run_to(21_000);
            assert_eq!(
                receive(&socket),
                Some(Ok("ping".to_owned())),
                "{} {setup:?}",
                row.name
            );
        }
    }
}

// A row of its own: the limit is exact, and holds for every kind of socket.
#[test]
fn datagram_over_65507_bytes() {
    for setup in [UNCONNECTED, CONNECTED, RECVERR, CONNECTED_RECVERR] {
        let cell = |length| {
            let row = Row {
                length,
                ..row("", "10.0.8.2:7", On::Nothing, fault::drop)
            };
            cell(Platform::Linux, setup, &row)
        };
        assert_eq!(
            (cell(65_507), cell(65_508)),
            ("ok - ok".to_owned(), "90 - 90".to_owned())
        );
    }
}
