//! Who tries again after a 491, and when.

use std::collections::BTreeSet;

use linefault_network::{self as network, Instant};
use linefault_protocol::sip::Method;

use super::timers::later;
use super::{Finding, Holds, Oracle};
use crate::evidence::{Arrival, Evidence, SipMessage, Transmission};
use crate::trace::Event;

pub(super) const ORACLE: Oracle = Oracle {
    name: "glare-waits",
    doc: "A re-INVITE that met a 491 goes out again after 2.1 to 4 s if its sender made the Call-ID, else within 2 s, in steps of 10 ms.",
    source: "RFC 3261 §14.1",
    holds: Holds::Always,
    judge,
};

/// The window of who made the Call-ID, in microseconds.
const OWNER: (u64, u64) = (2_100_000, 4_000_000);
/// The window of the other end.
const OTHER: (u64, u64) = (0, 2_000_000);
const STEP: u64 = 10_000;

fn judge(evidence: &Evidence<'_>) -> Vec<Finding> {
    let mut known = BTreeSet::new();
    // A 491 that is repeated asks for nothing more.
    let refused = evidence.arrivals.iter().filter(|arrival| {
        let answer = arrival
            .message
            .as_deref()
            .filter(|_| arrival.read_at.is_some());
        answer.is_some_and(|it| {
            it.status == Some(491) && known.insert((arrival.host, it.branch.as_str()))
        })
    });
    refused
        .filter_map(|refused| again(evidence, refused))
        .collect()
}

/// What is wrong with the second try of the end that read `refused`.
fn again(evidence: &Evidence<'_>, refused: &Arrival) -> Option<Finding> {
    let message = refused.message.as_deref().filter(|it| {
        it.status == Some(491) && it.method == Method::Invite && it.vias == 1 && it.well_formed
    })?;
    let since = refused.read_at?;
    let next = next_invite(evidence, refused, message)?;
    if !is_second_try(evidence, since, next) || met_anew(evidence, refused, since, next) {
        return None;
    }
    let owner = is_owner(evidence, refused, message)?;
    let (least, most) = if owner { OWNER } else { OTHER };
    let waited = next.at.as_micros() - since.as_micros();
    if (least..=most).contains(&waited) && waited.is_multiple_of(STEP) {
        return None;
    }
    let who = if owner { "made" } else { "did not make" };
    Some(Finding {
        host: Some(refused.host),
        record: Some(next.record),
        at: next.at,
        text: format!(
            "who {who} the Call-ID tried again {}.{:03} s after a 491, not {}.{} to {} s in steps of 10 ms",
            waited / 1_000_000,
            waited / 1000 % 1000,
            least / 1_000_000,
            least / 100_000 % 10,
            most / 1_000_000,
        ),
    })
}

/// The next INVITE of the same end in the same dialog.
fn next_invite<'e>(
    evidence: &'e Evidence<'_>,
    refused: &Arrival,
    message: &SipMessage,
) -> Option<&'e Transmission> {
    let mut sent = evidence.sent_in_call(&message.call_id);
    sent.find(|sent| {
        let invite = sent.message.as_deref();
        sent.from == refused.host
            && !sent.raw
            && sent.repeat == 0
            && refused.read_at.is_some_and(|at| sent.at >= at)
            && invite.is_some_and(|it| {
                it.asks(&Method::Invite)
                    && it.vias == 1
                    && it.cseq > message.cseq
                    && it.from_tag == message.from_tag
                    && it.to_tag == message.to_tag
            })
    })
}

/// Whether it is the end's own doing: a timer led to it, or the 491 itself. What a step or another message led to is a wish
/// of its own, as of a B2BUA's other leg.
fn is_second_try(evidence: &Evidence<'_>, since: Instant, next: &Transmission) -> bool {
    let record = evidence.trace.get(next.record);
    let cause = record.and_then(|record| evidence.trace.get(record.cause?));
    cause.is_some_and(|cause| match &cause.event {
        Event::Network(network::Event::TimerFired { .. }) => true,
        Event::Network(network::Event::Received { .. }) => next.at == since,
        _ => false,
    })
}

/// Whether the peer's own INVITE came in between: then the second try waits for its end.
fn met_anew(
    evidence: &Evidence<'_>,
    refused: &Arrival,
    since: Instant,
    next: &Transmission,
) -> bool {
    let Some(message) = refused.message.as_deref() else {
        return false;
    };
    let mut heard = evidence.arrived_in_call(&message.call_id);
    heard.any(|arrival| {
        let invite = arrival.message.as_deref();
        arrival.host == refused.host
            && arrival.read_at.is_some_and(|at| at <= next.at)
            && later(arrival.at, OWNER.1) >= since
            && invite.is_some_and(|it| it.asks(&Method::Invite) && it.from_tag == message.to_tag)
            && !was_refused(evidence, arrival)
    })
}

/// Whether the end that got that INVITE answered it at once with other than 2xx, so that nothing had to wait for it.
fn was_refused(evidence: &Evidence<'_>, arrival: &Arrival) -> bool {
    let branch = arrival.message.as_deref().map_or("", |it| &it.branch);
    let mut sent = evidence.sent_in_branch(branch);
    sent.any(|sent| {
        let answer = sent.message.as_deref();
        sent.from == arrival.host
            && Some(sent.at) == arrival.read_at
            && answer
                .is_some_and(|it| it.is_final() && !it.is_success() && it.method == Method::Invite)
    })
}

/// Whether that end made the Call-ID: it sent the first INVITE of all. `None` if none was seen.
fn is_owner(evidence: &Evidence<'_>, refused: &Arrival, message: &SipMessage) -> Option<bool> {
    let mut sent = evidence.sent_in_call(&message.call_id);
    let first = sent.find(|sent| {
        let invite = sent.message.as_deref();
        invite.is_some_and(|it| it.asks(&Method::Invite) && it.vias == 1 && it.to_tag.is_empty())
    })?;
    Some(first.from == refused.host)
}
