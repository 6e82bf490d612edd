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

/// The panic's message; with a way out where the actor took tokio's own executor or clock.
fn text(message: &str) -> String {
    // What `tokio::spawn` and `tokio::time` say without a runtime; a simulated host enters none.
    let foreign = message.contains("no reactor running");
    let help = if foreign {
        ": on a simulated host, spawn with Host::spawn and wait with Host::sleep or Host::timer"
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
            assert!(text(&message).contains("Host::spawn"), "{message}");
        }
        assert_eq!(text("no call to end"), "panicked: no call to end");
    }
}
