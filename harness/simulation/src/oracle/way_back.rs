//! Over TCP, a response goes back on the connection on which its request came.

use std::net::SocketAddr;

use linefault_network::{self as network, ConnectionState, RecordId};

use super::{Finding, Holds, Oracle};
use crate::evidence::{Evidence, SipMessage, Transmission};
use crate::trace::Event;

pub(super) const ORACLE: Oracle = Oracle {
    name: "answers-on-their-connection",
    doc: "A response over TCP is sent on the connection on which its request came, as long as that is open.",
    source: "RFC 3261 §18.2.2",
    holds: Holds::Always,
    judge,
};

fn judge(evidence: &Evidence<'_>) -> Vec<Finding> {
    let sent = evidence
        .transmissions
        .iter()
        .filter(|sent| sent.transport.is_reliable() && !sent.raw);
    let findings = sent.filter_map(|sent| {
        let response = sent.message.as_deref().filter(|it| !it.is_request())?;
        let (source, arrived) = request(evidence, sent, response)?;
        if source == sent.destination || ended(evidence, sent, source, arrived) {
            return None;
        }
        Some(Finding {
            host: Some(sent.from),
            record: Some(sent.record),
            at: sent.at,
            text: format!(
                "{} went to {}, and the request had come from {source} on a connection that was open",
                response.summary(),
                sent.destination
            ),
        })
    });
    findings.collect()
}

/// Where the latest copy of the request came from that is answered, and by which record; nothing if not over TCP.
fn request(
    evidence: &Evidence<'_>,
    sent: &Transmission,
    response: &SipMessage,
) -> Option<(SocketAddr, RecordId)> {
    let mut heard = evidence.arrived_in_branch(&response.branch).rev();
    let arrival = heard.find(|arrival| {
        let request = arrival.message.as_deref();
        arrival.host == sent.from
            && arrival.record < sent.record
            && request.is_some_and(|request| request.asks(&response.method))
    })?;
    let original = evidence.transmissions.get(arrival.transmission?)?;
    let over_tcp = original.transport.is_reliable();
    over_tcp.then_some((arrival.source, arrival.record))
}

/// Whether the connection to `peer` was anything but established at some moment from `since` until the response left.
fn ended(evidence: &Evidence<'_>, sent: &Transmission, peer: SocketAddr, since: RecordId) -> bool {
    let mut records = evidence.off_the_wire();
    records.any(|(id, record)| {
        let between = since < id && id < sent.record && record.host == Some(sent.from);
        between
            && matches!(
                &record.event,
                Event::Network(network::Event::ConnectionState { remote, state, .. })
                    if *remote == peer && *state != ConnectionState::Established
            )
    })
}
