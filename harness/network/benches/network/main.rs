//! What the engine costs, beside `turmoil::Sim` with its tick of 1 ms and bare tokio with a paused clock and channels.
//!
//! `cargo bench -p linefault-network` prints medians of one run each. Where valgrind is installed, the bench runs
//! itself under callgrind and prints instructions per packet, which do not depend on the machine's load.
#![expect(clippy::print_stdout, reason = "that is what a bench is for")]
#![expect(
    clippy::disallowed_methods,
    reason = "it measures real time, and runs others' code on tokio's clock"
)]

mod bare_tokio;
mod engine;
mod turmoil_sim;

use std::process::Command;
use std::time::{Duration, Instant};

/// The toys: ten exchanges 4 s apart, and 2,000 frames each way 20 ms apart, both 40 s long.
const EXCHANGES: u32 = 10;
const EXCHANGE_EVERY: Duration = Duration::from_secs(4);
const FRAMES: u32 = 2_000;
const FRAME_EVERY: Duration = Duration::from_millis(20);
/// AudioSocket's: three bytes of header, 20 ms of 8 kHz.
const FRAME: usize = 323;
const LATENCY: Duration = Duration::from_millis(5);

fn main() {
    let arguments: Vec<_> = std::env::args().collect();
    if let [_, mode, kind, number] = arguments.as_slice()
        && mode == "--child"
    {
        return child(kind, number.parse().expect("a number"));
    }
    exchanges();
    frames();
    hosts();
    idling();
    instructions();
}

fn exchanges() {
    println!("(a) ten UDP exchanges over 40 simulated seconds");
    let (engine, tokio) = medians(
        501,
        || engine::exchanges(EXCHANGES),
        || bare_tokio::exchanges(EXCHANGES),
    );
    compare(
        engine,
        tokio,
        median(11, || turmoil_sim::exchanges(EXCHANGES)),
    );
}

fn frames() {
    println!("(b) 2,000 frames of 323 bytes each way over TCP in 40 simulated seconds");
    let (engine, tokio) = medians(
        101,
        || engine::frames(FRAMES),
        || bare_tokio::frames(FRAMES),
    );
    compare(engine, tokio, median(5, || turmoil_sim::frames(FRAMES)));
}

fn compare(engine: Duration, tokio: Duration, turmoil: Duration) {
    println!("    linefault-network      {engine:>10.1?}");
    println!(
        "    bare tokio             {tokio:>10.1?}   {:>8.2} × linefault",
        ratio(tokio, engine)
    );
    println!(
        "    turmoil::Sim           {turmoil:>10.1?}   {:>8.0} × linefault",
        ratio(turmoil, engine)
    );
}

fn hosts() {
    let (few, many) = medians(101, || engine::pairs(1, 1_000), || engine::pairs(25, 40));
    let (few, many) = (few / 2_000, many / 2_000);
    println!("(c) cost of a UDP packet, with its share of the actors");
    println!("    2 hosts                {few:>10.1?}");
    println!(
        "    50 hosts               {many:>10.1?}   {:>8.2} ×",
        ratio(many, few)
    );
}

fn idling() {
    let second = median(201, || engine::idle(10, Duration::from_secs(1)));
    let hour = median(201, || engine::idle(10, Duration::from_secs(3600)));
    println!("(d) ten hosts that wait");
    println!("    a second               {second:>10.1?}");
    println!(
        "    an hour                {hour:>10.1?}   {:>8.2} ×",
        ratio(hour, second)
    );
    if let (Some(base), Some(full)) = (resident("0"), resident("10000")) {
        let each = full.saturating_sub(base) / 10_000;
        println!("    memory of an idle host {each:>10} bytes");
    }
}

/// Peak memory of a process of its own that holds so many idle hosts, in bytes.
fn resident(hosts: &str) -> Option<u64> {
    let exe = std::env::current_exe().ok()?;
    let output = Command::new(exe)
        .args(["--child", "idle", hosts])
        .output()
        .ok()?;
    String::from_utf8(output.stdout).ok()?.trim().parse().ok()
}

/// Instructions of twice the work less those of the work, over its packets.
fn instructions() {
    println!("instructions per packet (callgrind)");
    for (kind, number, packets) in [("udp", 1_000, 2_000), ("tcp", 1_000, 2_000)] {
        let collected = |number: u32| callgrind(kind, &number.to_string());
        match (collected(number), collected(2 * number)) {
            (Some(once), Some(twice)) => println!(
                "    {kind}                    {:>10}",
                (twice - once) / packets
            ),
            _ => println!("    {kind}: valgrind is not installed"),
        }
    }
}

fn callgrind(kind: &str, number: &str) -> Option<u64> {
    let exe = std::env::current_exe().ok()?;
    let output = Command::new("valgrind")
        .args(["--tool=callgrind", "--callgrind-out-file=/dev/null"])
        .arg(exe)
        .args(["--child", kind, number])
        .output()
        .ok()?;
    let text = String::from_utf8(output.stderr).ok()?;
    let line = text.lines().find(|line| line.contains("Collected : "))?;
    line.rsplit(' ').next()?.parse().ok()
}

fn child(kind: &str, number: u32) {
    match kind {
        "udp" => engine::pairs(1, number),
        "tcp" => engine::frames(number),
        _ => {
            let network = engine::idle_hosts(number);
            println!("{}", peak().unwrap_or(0));
            drop(network);
        }
    }
}

/// `VmHWM` of this process in bytes.
fn peak() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find(|line| line.starts_with("VmHWM:"))?;
    let kilobytes: u64 = line.split_whitespace().nth(1)?.parse().ok()?;
    Some(kilobytes * 1024)
}

/// Of two works that take turns, so that what else the machine does meets both.
fn medians(runs: usize, mut one: impl FnMut(), mut other: impl FnMut()) -> (Duration, Duration) {
    let times = (0..runs).map(|_| (timed(&mut one), timed(&mut other)));
    let (ones, others) = times.unzip();
    (middle(ones), middle(others))
}

fn median(runs: usize, mut work: impl FnMut()) -> Duration {
    middle((0..runs).map(|_| timed(&mut work)).collect())
}

fn timed(work: &mut impl FnMut()) -> Duration {
    let began = Instant::now();
    work();
    began.elapsed()
}

fn middle(mut times: Vec<Duration>) -> Duration {
    times.sort();
    times[times.len() / 2]
}

fn ratio(a: Duration, b: Duration) -> f64 {
    a.as_secs_f64() / b.as_secs_f64().max(1e-9)
}
