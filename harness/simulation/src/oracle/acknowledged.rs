//! Every final answer to an INVITE is acknowledged by who asked.

use std::collections::BTreeSet;

use linefault_network::Instant;
use linefault_protocol::sip::Method;

use super::held_up::held_up;
use super::timers::{GIVE_UP, T1, later};
use super::{Finding, Holds, Oracle};
use crate::evidence::{Arrival, Evidence, SipMessage, Transmission};

pub(super) const ORACLE: Oracle = Oracle {
    name: "finals-acknowledged",
    doc: "A live INVITE client transaction acknowledges each 300 to 699 that it reads, and the caller itself each 2xx.",
    source: "RFC 3261 §17.1.1.3, repeats §17.1.1.2; 2xx §13.2.2.4",
    holds: Holds::Always,
    judge,
};

fn judge(evidence: &Evidence<'_>) -> Vec<Finding> {
    let finals = evidence
        .arrivals
        .iter()
        .filter_map(|arrival| Some((arrival, arrival.read_at?, answer(arrival)?)));
    let mut known = BTreeSet::new();
    let unacknowledged = finals.filter(|(arrival, read_at, answer)| {
        let Some(invite) = invite(evidence, arrival, answer) else {
            return false;
        };
        if answer.is_success() {
            // A proxy only passes it on.
            let caller = invite.message.as_deref().is_some_and(|it| it.vias == 1);
            caller
                && waits(evidence, arrival, GIVE_UP)
                && !is_overdue(evidence, arrival, answer, invite)
                && !is_given_up(evidence, arrival, answer)
                && !held_up_to(evidence, invite, later(*read_at, GIVE_UP))
                && !dialog_ack(evidence, arrival, answer)
        } else {
            lives(evidence, arrival, answer, invite)
                && waits(evidence, arrival, T1)
                && !hop_ack(evidence, arrival, *read_at, answer)
                && !held_up_to(evidence, invite, later(*read_at, T1))
        }
    });
    // Its repeats need no finding of their own.
    let first = unacknowledged.filter(|(arrival, _, answer)| {
        known.insert((arrival.host, answer.branch.as_str(), answer.to_tag.as_str()))
    });
    let findings = first.map(|(arrival, read_at, answer)| Finding {
        host: Some(arrival.host),
        record: Some(arrival.record),
        at: read_at,
        text: format!("{} was received and not acknowledged", answer.summary()),
    });
    findings.collect()
}

fn answer(arrival: &Arrival) -> Option<&SipMessage> {
    let message = arrival.message.as_deref()?;
    let counts = message.is_final() && message.well_formed && message.method == Method::Invite;
    counts.then_some(message)
}

/// The INVITE that it answers: sent by the host itself, in the same life.
fn invite<'e>(
    evidence: &'e Evidence<'_>,
    arrival: &Arrival,
    answer: &SipMessage,
) -> Option<&'e Transmission> {
    let life = evidence.life(arrival.host, arrival.at);
    let mut sent = evidence.sent_in_branch(&answer.branch);
    sent.find(|sent| {
        let message = sent.message.as_deref();
        sent.from == arrival.host
            && !sent.raw
            && evidence.life(sent.from, sent.at) == life
            && message.is_some_and(|message| message.asks(&Method::Invite))
    })
}

/// Whether the run goes on for that long, and the host with it.
fn waits(evidence: &Evidence<'_>, arrival: &Arrival, micros: u64) -> bool {
    let until = later(arrival.at, micros);
    until <= evidence.ended_at && evidence.lived_through(arrival.host, arrival.at, until)
}

/// Whether the client transaction is certain to live when that answer arrives.
///
/// It ends with Timer B, with a transport error, with Timer D after its first final answer or with a 2xx, and
/// may be destroyed 64·T1 after a CANCEL that brought no answer (RFC 3261 §9.1).
fn lives(
    evidence: &Evidence<'_>,
    arrival: &Arrival,
    answer: &SipMessage,
    invite: &Transmission,
) -> bool {
    let heard = evidence.arrived_in_branch(&answer.branch).filter(|other| {
        let message = other.message.as_deref();
        other.host == arrival.host
            && other.at <= arrival.at
            && message.is_some_and(|it| !it.is_request() && it.method == Method::Invite)
    });
    let heard: Vec<&Arrival> = heard.collect();
    let in_time = heard
        .first()
        .is_some_and(|first| first.at < later(invite.at, GIVE_UP));
    let is_final = |other: &&&Arrival| other.message.as_deref().is_some_and(SipMessage::is_final);
    let first_final = heard.iter().find(is_final);
    let retained = first_final.is_none_or(|first| {
        let failure = first.message.as_deref().is_some_and(|it| !it.is_success());
        failure && arrival.at < later(first.at, GIVE_UP)
    });
    let mut sent = evidence.sent_in_branch(&answer.branch);
    let ended = sent.any(|sent| {
        let request = sent.message.as_deref().is_some_and(SipMessage::is_request);
        request && sent.from == arrival.host && sent.at <= arrival.at && !sent.left()
    });
    in_time && retained && !ended && !is_given_up(evidence, arrival, answer)
}

/// Whether its INVITE was cancelled 64·T1 before (RFC 3261 §9.1).
fn is_given_up(evidence: &Evidence<'_>, arrival: &Arrival, answer: &SipMessage) -> bool {
    let mut sent = evidence.sent_in_branch(&answer.branch);
    sent.any(|sent| {
        let message = sent.message.as_deref();
        let cancel = message.is_some_and(|it| it.asks(&Method::Cancel));
        cancel && sent.from == arrival.host && later(sent.at, GIVE_UP) <= arrival.at
    })
}

/// Whether the ACK may leave later, or never: it goes over TCP, with trouble on the way.
fn held_up_to(evidence: &Evidence<'_>, invite: &Transmission, until: Instant) -> bool {
    let peer = invite.to.filter(|_| invite.transport.is_reliable());
    peer.is_some_and(|peer| held_up(evidence, invite.from, peer, invite.at..=until))
}

/// Whether it comes when its callee has given up repeating it, counted from when it first got through; or so long after
/// Timer B that none can have answered in time.
fn is_overdue(
    evidence: &Evidence<'_>,
    arrival: &Arrival,
    answer: &SipMessage,
    invite: &Transmission,
) -> bool {
    let mut heard = evidence.arrived_in_branch(&answer.branch);
    let proceeding = heard.any(|other| {
        let message = other.message.as_deref();
        other.host == arrival.host
            && other.at < arrival.at
            && message.is_some_and(SipMessage::is_provisional)
    });
    if !proceeding && later(invite.at, 2 * GIVE_UP) <= arrival.at {
        return true;
    }
    let mut heard = evidence.arrived_in_branch(&answer.branch);
    let first = heard.find_map(|other| {
        let message = other.message.as_deref()?;
        let same =
            other.host == arrival.host && message.is_success() && message.to_tag == answer.to_tag;
        other.read_at.filter(|_| same)
    });
    first.is_some_and(|first| later(first, GIVE_UP) <= arrival.at)
}

/// Whether an ACK of the same branch follows at once; T1 is more than any element takes.
fn hop_ack(
    evidence: &Evidence<'_>,
    arrival: &Arrival,
    read_at: Instant,
    answer: &SipMessage,
) -> bool {
    let mut sent = evidence.sent_in_branch(&answer.branch);
    sent.any(|sent| {
        let ack = sent
            .message
            .as_deref()
            .is_some_and(|it| it.asks(&Method::Ack));
        ack && sent.from == arrival.host && read_at <= sent.at && sent.at <= later(read_at, T1)
    })
}

/// Whether an ACK of the same dialog follows.
fn dialog_ack(evidence: &Evidence<'_>, arrival: &Arrival, answer: &SipMessage) -> bool {
    let mut sent = evidence.sent_in_exchange(answer);
    sent.any(|sent| {
        let ack = sent
            .message
            .as_deref()
            .is_some_and(|it| it.asks(&Method::Ack) && it.to_tag == answer.to_tag);
        ack && sent.from == arrival.host && sent.at >= arrival.at
    })
}
