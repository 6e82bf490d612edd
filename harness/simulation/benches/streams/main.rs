//! What a streamed event costs, trace and oracles included, and whether that depends on how many clients there are. The
//! service restarts in the middle: all have to reconnect, and all have to end complete.
//!
//! `cargo bench -p linefault --bench streams`

#[path = "../support/allocator.rs"]
mod allocator;
#[path = "../support/measure.rs"]
mod measure;
#[path = "../support/scale.rs"]
mod scale;

use std::fmt::Write;

use linefault::evidence::Evidence;
use linefault::evidence::talk::What;
use linefault::trace::Event;

use scale::Scale;

#[expect(clippy::print_stdout, reason = "that is what a bench is for")]
fn main() {
    println!("Clients of one token service that restarts in the middle; medians");
    let few = scale(10, 51);
    println!("{few}");
    let many = scale(1000, 3);
    println!("{many}");
    println!("  1000 clients to 10, {}", many.against(&few));
}

fn scale(clients: usize, runs: usize) -> Scale {
    Scale::of(format!("{clients} clients"), &crowd(clients), runs, events)
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

/// How many events were said; all clients must have ended complete.
fn events(evidence: &Evidence<'_>) -> (usize, &'static str) {
    let clients = evidence.trace.hosts().len() - 1;
    assert_eq!(complete(evidence), clients, "all end complete");
    let said = evidence.utterances.iter();
    let events = said.map(|said| match &said.what {
        What::Events(chunk) => chunk.events().count(),
        _ => 0,
    });
    (events.sum(), "events")
}

fn complete(evidence: &Evidence<'_>) -> usize {
    let records = evidence.trace.records().iter();
    let lines = records.filter(
        |record| matches!(&record.event, Event::Log(line) if line.message == "answer complete"),
    );
    lines.count()
}
