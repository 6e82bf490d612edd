//! What a streamed event costs, trace and oracles included, and whether that depends on how many clients there are. The
//! service restarts in the middle: all have to reconnect, and all have to end complete.
//!
//! `cargo bench --bench streams`

use std::fmt::Write;
use std::hint::black_box;
use std::time::Duration;

use linefault::evidence::Evidence;
use linefault::evidence::talk::What;
use linefault::oracle::CATALOGUE;
use linefault::run::{Setup, Simulation, simulate};
use linefault::scenario::{File, Scenario};
use linefault::suite::names;
use linefault::trace::Event;

#[expect(clippy::print_stdout, reason = "that is what a bench is for")]
fn main() {
    println!("Clients of one token service that restarts in the middle; medians");
    let few = Scale::of(10, 51);
    few.print();
    // A scenario may have a thousand hosts, the service among them.
    let many = Scale::of(999, 3);
    many.print();
    println!(
        "  999 clients to 10, per event: run {:.2}×, read back and judged {:.2}×",
        ratio(many.run, few.run),
        ratio(many.judged, few.judged)
    );
}

fn ratio(one: Duration, other: Duration) -> f64 {
    one.as_secs_f64() / other.as_secs_f64()
}

/// What an event costs among so many clients.
struct Scale {
    clients: usize,
    events: usize,
    run: Duration,
    judged: Duration,
}

impl Scale {
    fn of(clients: usize, runs: usize) -> Self {
        let scenario = read(&crowd(clients));
        let run = simulate(&scenario, Setup::default());
        let evidence = Evidence::new(&run);
        assert_eq!(findings(&evidence), 0, "nobody is to blame for a restart");
        assert_eq!(complete(&evidence), clients, "all end complete");
        let events = events(&evidence);
        let each = |whole: Duration| whole / u32::try_from(events).unwrap_or(u32::MAX);
        Self {
            clients,
            events,
            run: each(median(runs, || {
                black_box::<Simulation>(simulate(&scenario, Setup::default()));
            })),
            judged: each(median(runs, || {
                black_box(findings(&Evidence::new(&run)));
            })),
        }
    }

    #[expect(clippy::print_stdout, reason = "that is what a bench is for")]
    fn print(&self) {
        println!(
            "  {:>4} clients, {:>6} events: run {:>7.2?}, read back and judged {:>7.2?} each",
            self.clients, self.events, self.run, self.judged
        );
    }
}

/// Clients that ask a millisecond apart; the service is killed while all of them listen.
fn crowd(clients: usize) -> String {
    let mut hosts = String::new();
    let mut steps = String::new();
    for client in 0..clients {
        let _ = write!(
            hosts,
            "[host.c{client}]\nactor = \"token-client\"\nservice = \"service\"\n\n"
        );
        let at = 1000 + client;
        let _ = writeln!(
            steps,
            "  {{ at = \"{at}ms\", host = \"c{client}\", do = \"ask\" }},"
        );
    }
    format!(
        "title = \"A crowd\"\n\n[run]\ntime_max = \"1h\"\n\n[lan.office]\nsubnet = \"10.0.0.0/16\"\n\n[host.service]\nactor = \"token-service\"\ntokens = 20\ninterval = \"200ms\"\n\n{hosts}[timeline]\nsteps = [\n{steps}]\nfaults = [\n  {{ at = \"3s\", fault = \"kill\", host = \"service\", for = \"1s\" }},\n]\n"
    )
}

fn events(evidence: &Evidence<'_>) -> usize {
    let said = evidence.utterances.iter();
    said.map(|said| match &said.what {
        What::Events(chunk) => chunk.events().count(),
        _ => 0,
    })
    .sum()
}

fn complete(evidence: &Evidence<'_>) -> usize {
    let records = evidence.trace.records().iter();
    let lines = records.filter(
        |record| matches!(&record.event, Event::Log(line) if line.message == "answer complete"),
    );
    lines.count()
}

fn findings(evidence: &Evidence<'_>) -> usize {
    CATALOGUE
        .iter()
        .map(|oracle| (oracle.judge)(evidence).len())
        .sum()
}

fn read(text: &str) -> Scenario {
    let file =
        File::read("bench.toml", text, &names()).unwrap_or_else(|mistakes| panic!("{mistakes}"));
    file.resolve(&file.combinations().remove(0), &[])
        .expect("it was checked")
}

#[expect(clippy::disallowed_methods, reason = "a bench measures real time")]
fn median(runs: usize, mut work: impl FnMut()) -> Duration {
    let mut times: Vec<_> = (0..runs)
        .map(|_| {
            let began = std::time::Instant::now();
            work();
            began.elapsed()
        })
        .collect();
    times.sort();
    times[runs / 2]
}
