//! What a whole SIP run costs, trace and oracles included, and whether the cost of a datagram depends on how many
//! phones there are.
//!
//! `cargo bench -p linefault --bench sip_run`

#[path = "../support/allocator.rs"]
mod allocator;
#[path = "../support/measure.rs"]
mod measure;
#[path = "../support/profile.rs"]
mod profile;
#[path = "../support/scale.rs"]
mod scale;

use std::fmt::Write;
use std::hint::black_box;

use linefault::evidence::Evidence;
use linefault::oracle::CATALOGUE;
use linefault::run::{Setup, simulate};

use measure::{findings, median, read};
use profile::profile;
use scale::Scale;

/// Two calls among four hosts, the second to a phone that has lost power.
const FOUR_HOSTS: &str = r#"title = "Four hosts"

[host.proxy]
actor = "proxy"
domain = "sim.test"

[host.alice]
actor = "phone"
user = "alice"
registrar = "proxy"

[host.bob]
actor = "phone"
user = "bob"
registrar = "proxy"

[host.carol]
actor = "phone"
user = "carol"
registrar = "proxy"

[run]
run_until = "40s"

[timeline]
steps = [
  { at = "0s", host = "alice", do = "register" },
  { at = "0s", host = "bob", do = "register" },
  { at = "0s", host = "carol", do = "register" },
  { at = "1s", host = "alice", do = "call", to = "bob" },
  { at = "4s", host = "carol", do = "call", to = "bob" },
  { at = "5s", host = "alice", do = "hang-up" },
  { at = "6s", host = "carol", do = "call", to = "alice" },
  { at = "12s", host = "carol", do = "hang-up" },
]
faults = [
  { at = "10s", fault = "power-off", host = "alice" },
]
"#;

#[expect(clippy::print_stdout, reason = "that is what a bench is for")]
fn main() {
    let scenario = read(FOUR_HOSTS);
    if profile(&scenario) {
        return;
    }
    let run = simulate(&scenario, Setup::default());
    let datagrams = Evidence::new(&run).transmissions.len();
    let recorded = median(301, || {
        black_box(simulate(&scenario, Setup::default()));
    });
    let read_back = median(301, || {
        black_box(Evidence::new(&run));
    });
    let evidence = Evidence::new(&run);
    let judged = median(301, || {
        black_box(findings(&evidence));
    });
    let whole = median(301, || {
        let run = simulate(&scenario, Setup::default());
        black_box(findings(&Evidence::new(&run)));
    });
    println!("A SIP run: 4 hosts, {datagrams} datagrams, 40 simulated seconds; medians");
    println!("  run, read back and judged   {whole:>9.1?}");
    println!("  run and recorded            {recorded:>9.1?}");
    println!("  read back as messages       {read_back:>9.1?}");
    println!(
        "  judged by {:>2} oracles        {judged:>9.1?}",
        CATALOGUE.len()
    );
    for oracle in CATALOGUE {
        let alone = median(301, || {
            black_box((oracle.judge)(&evidence));
        });
        println!("    {:<25} {alone:>9.1?}", oracle.name);
    }
    println!("Phones that each call and are called once; medians");
    let few = scale(10, "0s", 101);
    println!("{few}");
    let many = scale(998, "0s", 5);
    println!("{many}");
    let long = scale(998, "1s", 1);
    println!("{long}");
    println!("  998 phones to 10, {}", many.against(&few));
    println!(
        "  a health check each second to none, {}",
        long.against(&many)
    );
}

fn scale(phones: usize, health_check: &str, runs: usize) -> Scale {
    let scenario = crowd(phones, health_check);
    Scale::of(format!("{phones} phones"), &scenario, runs, datagrams)
}

fn datagrams(evidence: &Evidence<'_>) -> (usize, &'static str) {
    (evidence.transmissions.len(), "datagrams")
}

/// An even number of phones in pairs: the one calls the other, and later the other way round.
fn crowd(phones: usize, health_check: &str) -> String {
    let mut hosts = String::new();
    let mut steps = String::new();
    for phone in 0..phones {
        let _ = write!(
            hosts,
            "[host.p{phone}]\nactor = \"phone\"\nuser = \"u{phone}\"\nregistrar = \"proxy\"\n\n"
        );
        let other = phone ^ 1;
        let begin = 1000 + (phone / 2) * 10 + (phone % 2) * (10_000 + phones * 5);
        let end = begin + 4000;
        let _ = write!(
            steps,
            "  {{ at = \"{}ms\", host = \"p{phone}\", do = \"register\" }},\n  {{ at = \"{begin}ms\", host = \"p{phone}\", do = \"call\", to = \"p{other}\" }},\n  {{ at = \"{end}ms\", host = \"p{phone}\", do = \"hang-up\" }},\n",
            phone / 10
        );
    }
    format!(
        "title = \"A crowd\"\n\n[run]\ntime_max = \"1h\"\n\n[lan.office]\nsubnet = \"10.0.0.0/16\"\n\n[host.proxy]\nactor = \"proxy\"\ndomain = \"sim.test\"\nhealth_check = \"{health_check}\"\n\n{hosts}[timeline]\nsteps = [\n{steps}]\n"
    )
}
