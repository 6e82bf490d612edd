//! What foreign hosts cost: the same 40 simulated seconds between two hosts, with others beside them.
//!
//! `cargo bench -p linefault-network --features foreign --bench foreign` prints medians.
#![expect(clippy::print_stdout, reason = "that is what a bench is for")]
#![expect(
    clippy::disallowed_methods,
    reason = "it measures real time, and foreign hosts are on tokio's clock"
)]

use std::cell::{Cell, RefCell};
use std::net::{Ipv4Addr, SocketAddr};
use std::rc::Rc;
use std::time::Duration;

use linefault_network::{
    Advance, Host, HostId, HostOptions, Instant, Network, NoRecorder, Platform, TimerClass,
};

const LENGTH: Duration = Duration::from_secs(40);

/// Who is beside the two, or what one of them is.
#[derive(Clone, Copy)]
enum Beside {
    Nobody,
    /// So many foreign hosts whose intervals tick each second.
    Foreign(u32),
    /// Nobody, but whoever answers is foreign itself.
    ForeignServer,
}

fn main() {
    println!("UDP exchanges in 40 simulated seconds; medians");
    for exchanges in [10, 4_000] {
        let run = |beside| {
            move || {
                self::run(exchanges, beside);
            }
        };
        let alone = median(run(Beside::Nobody));
        println!("  {exchanges} exchanges              {alone:>10.1?}");
        for (name, beside) in [
            ("answered by a foreign host", Beside::ForeignServer),
            ("beside one foreign host", Beside::Foreign(1)),
            ("beside two foreign hosts", Beside::Foreign(2)),
            ("beside four foreign hosts", Beside::Foreign(4)),
        ] {
            let time = median(run(beside));
            let more = time.saturating_sub(alone);
            println!("    {name:<28} {time:>10.1?}   {more:>10.1?} more");
        }
    }
}

fn run(exchanges: u32, beside: Beside) {
    let network = Network::new(1, Rc::new(RefCell::new(NoRecorder::default())));
    let ids = hosts(&network, 6);
    let server = |host| echo(host, address(1));
    if let Beside::ForeignServer = beside {
        network.start_foreign(ids[0], server);
    } else {
        network.start(ids[0], server);
    }
    let answered = Rc::new(Cell::new(0));
    let count = Rc::clone(&answered);
    network.start(ids[1], move |host| ask(host, exchanges, Rc::clone(&count)));
    if let Beside::Foreign(number) = beside {
        for id in ids.iter().skip(2).take(number as usize) {
            network.start_foreign(*id, |_| tick());
        }
    }
    network.schedule(Instant::START + LENGTH, |_| {});
    while network.advance(Instant::START + LENGTH) == Advance::Moved {}
    assert_eq!(answered.get(), exchanges);
}

fn hosts(network: &Network, number: u32) -> Vec<HostId> {
    let subnet = "10.0.0.0/8".parse().expect("a prefix");
    let lan = network.add_lan("lan", &[subnet]).expect("the first");
    let host = |number| HostOptions {
        name: format!("host{number}"),
        lan,
        addresses: vec![address(number).ip()],
        platform: Platform::Linux,
    };
    (1..=number)
        .map(|number| network.add_host(host(number)).expect("free"))
        .collect()
}

fn address(number: u32) -> SocketAddr {
    (Ipv4Addr::from_bits(0x0a00_0000 + number), 7).into()
}

async fn echo(host: Host, at: SocketAddr) {
    let socket = host.bind_udp(at).expect("free");
    while let Ok((data, from)) = socket.recv_from().await {
        let _ = socket.send_to(data, from);
    }
}

/// Asks, at moments that are no whole milliseconds.
async fn ask(host: Host, exchanges: u32, answered: Rc<Cell<u32>>) {
    let socket = host.bind_udp(address(2)).expect("free");
    let pause = (LENGTH / exchanges).saturating_sub(Duration::from_micros(10_123));
    for _ in 0..exchanges {
        socket.send_to("question", address(1)).expect("sent");
        let _ = socket.recv_from().await;
        answered.set(answered.get() + 1);
        host.sleep(pause, TimerClass::Foreground).await;
    }
}

async fn tick() {
    let mut interval = tokio::time::interval(Duration::from_secs(1));
    loop {
        interval.tick().await;
    }
}

fn median(work: impl Fn()) -> Duration {
    let mut times: Vec<_> = (0..51)
        .map(|_| {
            let began = std::time::Instant::now();
            work();
            began.elapsed()
        })
        .collect();
    times.sort_unstable();
    times[times.len() / 2]
}
