//! Tests of the network as a whole, through its public face.

mod bandwidth;
mod basics;
mod conservation;
mod determinism;
mod faults;
#[cfg(feature = "foreign")]
mod foreign;
mod hosts;
mod kernel;
mod nat;
mod processes;
mod scale;
mod selectors;
mod tcp;

use std::cell::RefCell;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use crate::{
    Advance, Event, Host, HostId, HostOptions, Instant, LanId, MemoryRecorder, Network, Platform,
    Record, SocketError, SocketErrorKind, TimerClass, UdpSocket,
};

/// Three hosts: `alice` and `bob` are neighbours, `carol` is behind the router. Each has an IPv4 and an IPv6 address
/// that ends in the same number: 1, 2 and 3.
pub(super) struct World {
    pub(super) network: Network,
    pub(super) alice: HostId,
    pub(super) bob: HostId,
    pub(super) carol: HostId,
    recorder: Rc<RefCell<MemoryRecorder>>,
}

impl World {
    pub(super) fn new(seed: u64, platform: Platform) -> Self {
        let recorder = Rc::new(RefCell::new(MemoryRecorder::default()));
        let network = Network::new(seed, Rc::clone(&recorder) as _);
        let office = lan(&network, "office", &["10.0.8.0/24", "fd00:8::/64"]);
        let home = lan(&network, "home", &["10.0.9.0/24", "fd00:9::/64"]);
        let alice = host(
            &network,
            "alice",
            office,
            &["10.0.8.1", "fd00:8::1"],
            platform,
        );
        let bob = host(
            &network,
            "bob",
            office,
            &["10.0.8.2", "fd00:8::2"],
            platform,
        );
        let carol = host(
            &network,
            "carol",
            home,
            &["10.0.9.3", "fd00:9::3"],
            platform,
        );
        Self {
            network,
            alice,
            bob,
            carol,
            recorder,
        }
    }

    /// Runs until this many milliseconds have passed since the start.
    pub(super) fn run_to(&self, millis: u64) {
        // Without any event the time would stand still.
        self.network.schedule(at(millis), |_| {});
        loop {
            match self.network.advance(at(millis)) {
                Advance::Moved => {}
                Advance::Limit | Advance::Idle => return,
                Advance::Stuck(stuck) => panic!("{stuck}"),
            }
        }
    }

    /// How many records satisfy this.
    pub(super) fn count(&self, wanted: impl Fn(&Event) -> bool) -> usize {
        self.recorder
            .borrow()
            .records()
            .iter()
            .filter(|record| wanted(&record.event))
            .count()
    }

    pub(super) fn records(&self) -> Vec<Record> {
        self.recorder.borrow().records().to_vec()
    }

    /// Starts a host with a process that only exists, and gives its handle.
    pub(super) fn idle(&self, host: HostId) -> Host {
        self.network.start(host, |_| std::future::pending())
    }
}

pub(super) fn lan(network: &Network, name: &str, subnets: &[&str]) -> LanId {
    let subnets: Vec<_> = subnets
        .iter()
        .map(|subnet| subnet.parse().expect("valid"))
        .collect();
    network.add_lan(name, &subnets).expect("valid")
}

pub(super) fn host(
    network: &Network,
    name: &str,
    lan: LanId,
    addresses: &[&str],
    platform: Platform,
) -> HostId {
    let addresses = addresses
        .iter()
        .map(|address| address.parse().expect("valid"))
        .collect();
    network
        .add_host(HostOptions {
            name: name.to_owned(),
            lan,
            addresses,
            platform,
        })
        .expect("valid")
}

pub(super) fn at(millis: u64) -> Instant {
    Instant::START + ms(millis)
}

pub(super) const fn ms(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

pub(super) fn bind(host: &Host, address: &str) -> UdpSocket {
    host.bind_udp(address.parse().expect("valid"))
        .expect("free")
}

/// What a receive gives at once: the text and its sender, or an error; `None` if it would wait.
pub(super) fn receive(socket: &UdpSocket) -> Option<Result<String, SocketError>> {
    match socket.poll_recv_from(&mut Context::from_waker(Waker::noop())) {
        Poll::Pending => None,
        Poll::Ready(received) => {
            Some(received.map(|(data, _)| String::from_utf8_lossy(&data).into_owned()))
        }
    }
}

/// What a send of one word gives.
pub(super) fn send(socket: &UdpSocket, to: &str) -> Result<usize, SocketErrorKind> {
    socket
        .send_to("ping", to.parse().expect("valid"))
        .map_err(|error| error.kind)
}

/// Answers every datagram with its own bytes.
pub(super) async fn echo(host: Host) {
    let any = if host.platform() == Platform::Windows {
        "0.0.0.0:7"
    } else {
        "[::]:7"
    };
    let socket = bind(&host, any);
    while let Ok((data, from)) = socket.recv_from().await {
        let _ = socket.send_to(data, from);
    }
}

pub(super) async fn pause(host: &Host, millis: u64) {
    host.sleep(ms(millis), TimerClass::Foreground).await;
}
