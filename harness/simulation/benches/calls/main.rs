//! What a datagram costs when calls through one B2BUA are up at once and one datagram in a hundred is lost, among ten calls
//! and among a thousand; and how much memory a call takes, its part of the trace included.
//!
//! `cargo bench -p linefault --bench calls`

#[path = "../support/allocator.rs"]
mod allocator;
#[path = "../support/measure.rs"]
mod measure;
#[path = "../support/scale.rs"]
mod scale;

use std::fmt::Write;
use std::process::Command;

use linefault::evidence::Evidence;
use linefault::run::{Setup, simulate};

use scale::Scale;

#[expect(clippy::print_stdout, reason = "that is what a bench is for")]
fn main() {
    let arguments: Vec<String> = std::env::args().collect();
    if let [_, flag, calls] = arguments.as_slice()
        && flag == "--child"
    {
        return println!("{}", peak_of(calls.parse().expect("a number")).unwrap_or(0));
    }
    println!("Calls through one B2BUA, all up at once, 1 % of the datagrams lost; medians");
    let few = Scale::of("10 calls".to_owned(), &calls(10), 51, datagrams);
    println!("{few}");
    let many = Scale::of("1000 calls".to_owned(), &calls(1000), 3, datagrams);
    println!("{many}");
    println!("  1000 calls to 10, {}", many.against(&few));
    if let (Some(base), Some(full)) = (resident("10"), resident("1000")) {
        let each = full.saturating_sub(base) / 990 / 1024;
        println!("  memory of a call: {each} kB, two phones, both legs and its part of the trace");
    }
}

fn datagrams(evidence: &Evidence<'_>) -> (usize, &'static str) {
    (evidence.transmissions.len(), "datagrams")
}

/// Pairs of phones: the one calls the other a hundredth of a second after the pair before, and all are up at 12 s.
fn calls(calls: usize) -> String {
    let (mut hosts, mut steps) = (String::new(), String::new());
    for call in 0..calls {
        for (role, first) in [("a", 1), ("b", 2)] {
            let _ = write!(
                hosts,
                "[host.{role}{call}]\nactor = \"phone\"\nuser = \"{first}{call}\"\nregistrar = \"b2bua\"\n\n"
            );
            let at = call * 2;
            let _ = writeln!(
                steps,
                "  {{ at = \"{at}ms\", host = \"{role}{call}\", do = \"register\" }},"
            );
        }
        // Late enough for a registration whose first datagrams are lost.
        let (begin, end) = (10_000 + call * 2, 30_000 + call * 2);
        let _ = write!(
            steps,
            "  {{ at = \"{begin}ms\", host = \"a{call}\", do = \"call\", to = \"b{call}\" }},\n  {{ at = \"{end}ms\", host = \"a{call}\", do = \"hang-up\" }},\n"
        );
    }
    format!(
        "title = \"Calls\"\n\n[run]\ntime_max = \"10min\"\n\n[lan.office]\nsubnet = \"10.0.0.0/16\"\n\n[host.b2bua]\nactor = \"b2bua\"\ndomain = \"sim.test\"\nhealth_check = \"0s\"\n\n{hosts}[timeline]\nsteps = [\n{steps}]\nfaults = [\n  {{ at = \"0s\", fault = \"drop\", host = \"b2bua\", probability = \"1%\" }},\n]\n"
    )
}

/// Peak memory of a process of its own that runs so many calls, in bytes.
fn resident(calls: &str) -> Option<u64> {
    let exe = std::env::current_exe().ok()?;
    let output = Command::new(exe).args(["--child", calls]).output().ok()?;
    String::from_utf8(output.stdout).ok()?.trim().parse().ok()
}

/// Runs so many calls and says what the process needed at most, in bytes; nothing where the system does not tell.
fn peak_of(number: usize) -> Option<u64> {
    let run = simulate(&measure::read(&calls(number)), Setup::default());
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    drop(run);
    let line = status.lines().find(|line| line.starts_with("VmHWM:"))?;
    let kilobytes: u64 = line.split_whitespace().nth(1)?.parse().ok()?;
    Some(kilobytes * 1024)
}
