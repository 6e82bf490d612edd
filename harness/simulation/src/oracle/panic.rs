//! Nobody panics.

use linefault_network as network;

use super::{Finding, Holds, Oracle};
use crate::evidence::Evidence;
use crate::trace::{Event, Record};

pub(super) const ORACLE: Oracle = Oracle {
    name: "no-uninvited-panic",
    doc: "No task of an actor panics.",
    source: "a peer's bytes, a lost packet or a failed call are no reason to panic",
    holds: Holds::Always,
    judge,
};

fn judge(evidence: &Evidence<'_>) -> Vec<Finding> {
    let panics = evidence
        .off_the_wire()
        .filter(|(_, record)| !is_invited(evidence, record))
        .filter_map(|(id, record)| match &record.event {
            Event::Network(network::Event::Panic { message, .. }) => Some(Finding {
                host: record.host,
                record: Some(id),
                at: record.at,
                text: text(message),
            }),
            _ => None,
        });
    panics.collect()
}

/// Whether a fault wanted it: what led to the panic is the injected one.
fn is_invited(evidence: &Evidence<'_>, record: &Record) -> bool {
    let cause = record.cause.and_then(|cause| evidence.trace.get(cause));
    cause.is_some_and(|cause| matches!(&cause.event, Event::Injected(failure) if failure.panics))
}

/// The panic's message; with a way out where the actor took from tokio what a simulated host does not have.
fn text(message: &str) -> String {
    // What `tokio::spawn` and `tokio::time` say without a runtime; only a foreign host has one.
    let help = if message.contains("no reactor running") {
        ": on a simulated host, spawn with Host::spawn and wait with Host::sleep or Host::timer; code that needs tokio's own \
         executor and clock is given to Scenarios::foreign"
    // What `tokio::net` says in a runtime without I/O.
    } else if message.contains("IO is disabled") {
        ": on a simulated host, sockets come from the Host"
    } else {
        ""
    };
    format!("panicked: {message}{help}")
}

#[cfg(test)]
mod tests {
    use super::*;

    // The words are tokio's own: if a release changes them, this test says so.
    #[test]
    #[expect(
        clippy::disallowed_methods,
        reason = "what it does without a runtime is the point"
    )]
    fn tokios_own_executor_is_named_as_the_mistake() {
        let spawn = || drop(tokio::spawn(async {}));
        let wait = || drop(tokio::time::sleep(std::time::Duration::from_secs(1)));
        for caught in [crate::panics::catch(spawn), crate::panics::catch(wait)] {
            let message = caught.expect_err("there is no runtime");
            let text = text(&message);
            assert!(text.contains("Host::spawn") && text.contains("Scenarios::foreign"));
        }
        assert_eq!(text("no call to end"), "panicked: no call to end");
    }
}
