//! Nobody answers a non-INVITE with 408.

use linefault_protocol::sip::Method;

use super::held_up::found_nobody;
use super::{Finding, Holds, Oracle};
use crate::evidence::{Evidence, SipMessage, Transmission};

pub(super) const ORACLE: Oracle = Oracle {
    name: "no-408-to-non-invite",
    doc: "Nobody answers a request other than INVITE with 408, but a proxy at once when it could not be sent on.",
    source: "RFC 4320 §4.2: its client has given up by then; the exception is report A's, status policy `incident`",
    holds: Holds::Always,
    judge,
};

fn judge(evidence: &Evidence<'_>) -> Vec<Finding> {
    let answers = evidence.transmissions.iter().filter_map(|sent| {
        let message = sent.message.as_deref().filter(|_| !sent.raw)?;
        let late = message.status == Some(408) && message.method != Method::Invite;
        let excused = || unsent_now(evidence, sent, message) || came_so(evidence, sent, message);
        (late && sent.repeat == 0 && !excused()).then(|| Finding {
            host: Some(sent.from),
            record: Some(sent.record),
            at: sent.at,
            text: format!(
                "{} was answered 408, and not because it could not be sent",
                message.method
            ),
        })
    });
    answers.collect()
}

/// Whether the request failed to leave at that moment, or before if the answer was then held up by TCP.
fn unsent_now(evidence: &Evidence<'_>, sent: &Transmission, answer: &SipMessage) -> bool {
    let mut heard = evidence.arrived_in_exchange(answer);
    let asked = heard
        .find(|it| it.host == sent.from)
        .and_then(|it| it.read_at);
    let since = match asked {
        Some(asked) if sent.transport.is_reliable() => asked.min(sent.at),
        _ => sent.at,
    };
    let when = since..=sent.at;
    let mut passed_on = evidence.sent_in_exchange(answer);
    passed_on.any(|other| {
        let request = other.message.as_deref().is_some_and(SipMessage::is_request);
        request && other.from == sent.from && when.contains(&other.at) && !other.left()
    }) || found_nobody(evidence, sent.from, when)
}

/// Whether somebody else made it up.
fn came_so(evidence: &Evidence<'_>, sent: &Transmission, answer: &SipMessage) -> bool {
    let mut heard = evidence.arrived_in_exchange(answer);
    heard.any(|other| {
        let same = other
            .message
            .as_deref()
            .is_some_and(|it| it.status == Some(408));
        same && other.host == sent.from && other.read_at.is_some_and(|at| at <= sent.at)
    })
}
