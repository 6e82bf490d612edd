//! The toys on this engine.

use std::cell::{Cell, RefCell};
use std::net::{Ipv4Addr, SocketAddr};
use std::rc::Rc;
use std::time::Duration;

use linefault_network::{
    Advance, Host, HostId, HostOptions, Instant, Network, NoRecorder, Platform, TcpStream,
    TimerClass,
};

use crate::{EXCHANGE_EVERY, FRAME, FRAME_EVERY};

/// A network with so many hosts on one LAN; the first address ends in 0.1.
fn network(hosts: u32) -> (Network, Vec<HostId>) {
    let network = Network::new(1, Rc::new(RefCell::new(NoRecorder::default())));
    let lan = network
        .add_lan("lan", &["10.0.0.0/8".parse().expect("a prefix")])
        .expect("the first");
    let ids = (1..=hosts).map(|number| {
        let options = HostOptions {
            name: format!("host{number}"),
            lan,
            addresses: vec![address(number).ip()],
            platform: Platform::Linux,
        };
        network.add_host(options).expect("free")
    });
    let ids = ids.collect();
    (network, ids)
}

fn address(number: u32) -> SocketAddr {
    (Ipv4Addr::from_bits(0x0a00_0000 + number), 7).into()
}

fn run(network: &Network, length: Duration) {
    while network.advance(Instant::START + length) == Advance::Moved {}
}

async fn echo(host: Host, at: SocketAddr) {
    let socket = host.bind_udp(at).expect("free");
    while let Ok((data, from)) = socket.recv_from().await {
        let _ = socket.send_to(data, from);
    }
}

/// So many exchanges, 4 s apart.
pub(crate) fn exchanges(number: u32) {
    let (network, ids) = network(2);
    network.start(ids[0], |host| echo(host, address(1)));
    let answered = Rc::new(Cell::new(0));
    let count = Rc::clone(&answered);
    network.start(ids[1], move |host| {
        let count = Rc::clone(&count);
        async move {
            let socket = host.bind_udp(address(2)).expect("free");
            for _ in 0..number {
                socket.send_to("question", address(1)).expect("sent");
                let _ = socket.recv_from().await;
                count.set(count.get() + 1);
                host.sleep(EXCHANGE_EVERY, TimerClass::Foreground).await;
            }
        }
    });
    run(&network, EXCHANGE_EVERY * (number + 1));
    assert_eq!(answered.get(), number);
}

/// Pairs of hosts of which one asks the other so often, one question after the other.
pub(crate) fn pairs(pairs: u32, exchanges: u32) {
    let (network, ids) = network(2 * pairs);
    let answered = Rc::new(Cell::new(0));
    for (index, id) in (1..).zip(&ids) {
        if index % 2 == 1 {
            network.start(*id, move |host| echo(host, address(index)));
            continue;
        }
        let answered = Rc::clone(&answered);
        network.start(*id, move |host| {
            let answered = Rc::clone(&answered);
            async move {
                let socket = host.bind_udp(address(index)).expect("free");
                for _ in 0..exchanges {
                    socket
                        .send_to("question", address(index - 1))
                        .expect("sent");
                    let _ = socket.recv_from().await;
                    answered.set(answered.get() + 1);
                }
            }
        });
    }
    run(&network, Duration::from_secs(3600));
    assert_eq!(answered.get(), pairs * exchanges);
}

/// So many frames each way, 20 ms apart.
pub(crate) fn frames(number: u32) {
    let (network, ids) = network(2);
    let received = Rc::new(Cell::new(0));
    let (here, there) = (Rc::clone(&received), Rc::clone(&received));
    network.start(ids[0], move |host| {
        let received = Rc::clone(&here);
        async move {
            let listener = host.listen_tcp(address(1), 1).expect("free");
            let (stream, _) = listener.accept().await.expect("listening");
            talk(host, stream, number, received).await;
        }
    });
    network.start(ids[1], move |host| {
        let received = Rc::clone(&there);
        async move {
            let stream = host.connect_tcp(address(1)).await.expect("listening");
            talk(host, stream, number, received).await;
        }
    });
    run(&network, FRAME_EVERY * (number + 100));
    assert_eq!(received.get(), 2 * number as usize * FRAME);
}

async fn talk(host: Host, stream: TcpStream, number: u32, received: Rc<Cell<usize>>) {
    let (reading, writing) = stream.into_split();
    let pause = host.clone();
    let _writer = host.spawn(async move {
        for _ in 0..number {
            writing
                .write_all(&[0x10; FRAME])
                .await
                .expect("the peer reads");
            pause.sleep(FRAME_EVERY, TimerClass::Foreground).await;
        }
        writing
    });
    let mut buffer = [0; FRAME];
    while let Ok(length @ 1..) = reading.read(&mut buffer).await {
        received.set(received.get() + length);
    }
}

/// So many hosts with a socket each, on which nothing arrives, for so long.
pub(crate) fn idle(hosts: u32, length: Duration) {
    run(&idle_hosts(hosts), length);
}

pub(crate) fn idle_hosts(hosts: u32) -> Network {
    let (network, ids) = network(hosts);
    for (index, id) in (1..).zip(ids) {
        network.start(id, move |host| echo(host, address(index)));
    }
    network.schedule(Instant::FAR_FUTURE, |_| {});
    run(&network, Duration::ZERO);
    network
}
