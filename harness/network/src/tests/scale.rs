//! Many sockets, many hosts, and what is refused: the errno that Linux gives, and memory that stays bounded.

use super::*;

fn errno<T>(result: Result<T, SocketError>) -> Option<i32> {
    result.err().map(|error| error.errno)
}

// 100,000 sockets of two addresses: all hear what is for them, the port after the last is free, none is left behind.
#[test]
fn hundred_thousand_sockets_on_one_host() {
    let world = World::new(1, Platform::Linux);
    let host = world.idle(world.alice);
    let addresses = ["10.0.8.1", "fd00:8::1"].map(|text| text.parse().expect("valid"));
    let sockets: Vec<_> = (1..=50_000u16)
        .flat_map(|port| addresses.map(|ip: std::net::IpAddr| (ip, port)))
        .map(|place| host.bind_udp(place.into()).expect("free"))
        .collect();
    assert_eq!(sockets.len(), 100_000);
    let taken = host.bind_udp((addresses[0], 50_000).into());
    assert_eq!(errno(taken), Some(98), "EADDRINUSE");
    assert!(host.bind_udp((addresses[0], 50_001).into()).is_ok());
    for index in [0, 1, 77_777, 99_999] {
        let to = sockets[index].local_address().expect("open");
        let bob = bind(&world.idle(world.bob), "[::]:0");
        assert_eq!(bob.send_to("ping", to), Ok(4));
        world.run_to(world.network.now().as_micros() / 1000 + 10);
        assert_eq!(
            receive(&sockets[index]),
            Some(Ok("ping".to_owned())),
            "{to}"
        );
    }
    drop(sockets);
    let closed = |event: &Event| matches!(event, Event::SocketClosed { .. });
    let opened = |event: &Event| matches!(event, Event::SocketOpened { .. });
    assert_eq!(world.count(closed), world.count(opened));
}

// Linux's ephemeral range has 28,232 ports; the next bind to port 0 fails with EADDRINUSE, as bind(2) says.
#[test]
fn ephemeral_ports_run_out_with_address_in_use() {
    let world = World::new(1, Platform::Linux);
    let host = world.idle(world.alice);
    let any = || host.bind_udp("10.0.8.1:0".parse().expect("valid"));
    let mut sockets: Vec<_> = (0..28_232).map(|_| any().expect("free")).collect();
    assert_eq!(errno(any()), Some(98));
    let port = sockets.swap_remove(123).local_address();
    assert!(port.is_err() || any().is_ok(), "a closed one is free again");
}

// Each of 10,000 hosts asks the next, all at once: 10,000 answers, and the engine is idle after two latencies.
#[test]
fn ten_thousand_hosts_answer_each_other() {
    let network = Network::new(1, Rc::new(RefCell::new(crate::NoRecorder::default())));
    let lan = lan(&network, "field", &["10.0.0.0/16"]);
    let address = |number: u32| std::net::Ipv4Addr::from(0x0a00_0000 + number % 10_000 + 1);
    let answers = Rc::new(std::cell::Cell::new(0));
    for number in 0..10_000 {
        let id = host(
            &network,
            &format!("host {number}"),
            lan,
            &[&address(number).to_string()],
            Platform::Linux,
        );
        let answers = Rc::clone(&answers);
        network.start(id, move |host| {
            let answers = Rc::clone(&answers);
            async move {
                let _server = host.spawn(echo(host.clone()));
                let socket = bind(&host, "0.0.0.0:0");
                let next = (address(number + 1), 7).into();
                socket.send_to("?", next).expect("sent");
                if socket.recv_from().await.is_ok() {
                    answers.set(answers.get() + 1);
                }
            }
        });
    }
    while network.advance(at(1000)) == Advance::Moved {}
    assert_eq!((answers.get(), network.packets_in_flight()), (10_000, 0));
    assert_eq!(network.now(), at(10));
}

// Every refusal of a program's mistakes, with Linux's numbers.
#[test]
fn mistakes_get_linuxs_errno() {
    let world = World::new(1, Platform::Linux);
    let host = world.idle(world.alice);
    let address = |text: &str| text.parse::<std::net::SocketAddr>().expect("valid");
    let socket = bind(&host, "10.0.8.1:5060");
    let peer = address("10.0.8.2:9");
    assert_eq!(
        errno(socket.send_to("x", address("10.0.8.2:0"))),
        Some(22),
        "port 0: EINVAL"
    );
    assert_eq!(
        errno(socket.send_to(vec![0; 65_508], peer)),
        Some(90),
        "too large: EMSGSIZE"
    );
    assert_eq!(socket.send_to(vec![0; 65_507], peer), Ok(65_507));
    let six = bind(&host, "[fd00:8::1]:5060");
    assert_eq!(
        errno(six.send_to(vec![0; 65_528], address("[fd00:8::2]:9"))),
        Some(90)
    );
    assert_eq!(
        errno(host.bind_udp(address("10.0.8.2:5060"))),
        Some(99),
        "EADDRNOTAVAIL"
    );
    assert_eq!(errno(host.bind_udp(address("224.0.0.1:5060"))), Some(99));
    assert_eq!(
        errno(host.bind_udp(address("0.0.0.0:5060"))),
        Some(98),
        "EADDRINUSE"
    );
    assert_eq!(errno(socket.send("x")), Some(89), "EDESTADDRREQ");
    assert_eq!(
        errno(socket.send_to("x", address("[fd00:8::2]:9"))),
        Some(97),
        "EAFNOSUPPORT"
    );
    assert_eq!(
        errno(socket.send_to("x", address("10.0.8.255:9"))),
        Some(13),
        "EACCES"
    );
    world.network.inject(crate::Injection::new(
        crate::fault::kill(),
        crate::Scope::Host(world.alice),
    ));
    assert_eq!(
        errno(socket.send_to("x", peer)),
        Some(9),
        "after its host's end: EBADF"
    );
    assert_eq!(errno(socket.connect(peer)), Some(9));
    assert_eq!(errno(host.bind_udp(address("10.0.8.1:1"))), Some(9));
    assert_eq!(errno(socket.local_address()), Some(9));
}

// A flood of the longest datagrams, nobody reading, then towards nobody: buffers and ARP queues take a bounded part.
#[test]
fn flood_is_bounded() {
    let world = World::new(1, Platform::Linux);
    let _reader = bind(&world.idle(world.bob), "10.0.8.2:9");
    let socket = bind(&world.idle(world.alice), "10.0.8.1:9");
    let longest = bytes::Bytes::from(vec![0; 65_507]);
    let flood = |to: &str| {
        for _ in 0..1000 {
            let sent = socket.send_to(longest.clone(), to.parse().expect("valid"));
            assert_eq!(sent, Ok(65_507));
        }
    };
    let delivered = |event: &Event| matches!(event, Event::Delivered { .. });
    flood("10.0.8.2:9");
    world.run_to(100);
    // 212,992 bytes, at 131,328 each (65,507 and its overhead, rounded up): the second overshoots.
    assert_eq!(world.count(delivered), 2);
    flood("10.0.8.77:9");
    assert_eq!(world.network.packets_in_flight(), 256, "what waits for ARP");
    world.run_to(10_000);
    assert_eq!(world.network.packets_in_flight(), 0);
}
