//! Whether who asked still waits for an answer.

use linefault_network::{HostId, Instant};
use linefault_protocol::sip::Method;

use super::timers::{GIVE_UP, later};
use crate::evidence::{Evidence, SipMessage, Transmission};

/// Whether the client transaction that the host opened on that branch is open at that moment: neither has Timer B or F run out
/// (RFC 3261 §17.1.1.2, §17.1.2.2), nor could a repeat of the request not be sent, nor has the process ended. What became of
/// it by an answer is not asked. An answer that comes later is a stray one.
pub(super) fn still_asks(evidence: &Evidence<'_>, host: HostId, branch: &str, at: Instant) -> bool {
    // A CANCEL and the ACK of a refusal have the branch of what they are about.
    let opens =
        |it: &SipMessage| it.is_request() && !it.asks(&Method::Cancel) && !it.asks(&Method::Ack);
    let is_request = |sent: &&Transmission| {
        let own = sent.from == host && sent.at <= at;
        own && sent.message.as_deref().is_some_and(opens)
    };
    let mut requests = evidence.sent_in_branch(branch).filter(is_request);
    requests.next().is_some_and(|first| {
        at < later(first.at, GIVE_UP)
            && evidence.lived_through(host, first.at, at)
            && first.left()
            && requests.all(Transmission::left)
    })
}
