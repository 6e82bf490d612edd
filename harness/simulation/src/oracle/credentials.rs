//! Digest credentials are used as they may be.

use std::collections::BTreeMap;

use linefault_network::HostId;
use linefault_protocol::sip::Method;
use linefault_protocol::sip::digest::{Asker, Challenge, Credentials, credentials_for};

use super::{Finding, Holds, Oracle};
use crate::evidence::{Arrival, Evidence, SipMessage, Transmission};

pub(super) const ORACLE: Oracle = Oracle {
    name: "credentials-fit",
    doc: "The count of a nonce rises with every request that uses it, nobody answers the refusal of a fresh nonce with another try, and ACK and CANCEL are not challenged.",
    source: "RFC 7616 §3.4; RFC 3261 §22.1, §22.3",
    holds: Holds::Always,
    judge,
};

const ASKERS: [Asker; 2] = [Asker::Server, Asker::Proxy];

fn judge(evidence: &Evidence<'_>) -> Vec<Finding> {
    let challenged = evidence.transmissions.iter().filter_map(challenges_in_vain);
    let loops = evidence
        .arrivals
        .iter()
        .filter_map(|arrival| tries_again(evidence, arrival));
    challenged
        .chain(loops)
        .chain(counts_that_stand_still(evidence))
        .collect()
}

fn finding(sent: &Transmission, text: String) -> Finding {
    Finding {
        host: Some(sent.from),
        record: Some(sent.record),
        at: sent.at,
        text,
    }
}

// RFC 3261 §22.1: an ACK has no answer, and a CANCEL cannot be sent again.
fn challenges_in_vain(sent: &Transmission) -> Option<Finding> {
    let message = sent.message.as_deref().filter(|_| !sent.raw)?;
    let challenges = matches!(message.status, Some(401 | 407));
    let in_vain = challenges && matches!(message.method, Method::Ack | Method::Cancel);
    in_vain.then(|| finding(sent, format!("{} was challenged", message.method)))
}

/// The requests that hosts make themselves, each once.
fn own_requests<'e>(
    evidence: &'e Evidence<'_>,
) -> impl Iterator<Item = (&'e Transmission, &'e SipMessage)> {
    evidence.transmissions.iter().filter_map(|sent| {
        let message = sent.message.as_deref()?;
        // The ACK has the credentials of its INVITE (§13.2.2.4).
        let own = message.is_request() && message.vias == 1 && message.method != Method::Ack;
        (own && !sent.raw && sent.repeat == 0).then_some((sent, message))
    })
}

fn all_credentials(message: &SipMessage) -> impl Iterator<Item = Credentials> {
    ASKERS
        .into_iter()
        .flat_map(|asker| credentials_for(&message.message, asker))
}

// RFC 7616 §3.4: the count of the requests that the client has sent with this nonce.
fn counts_that_stand_still(evidence: &Evidence<'_>) -> Vec<Finding> {
    let mut highest: BTreeMap<(HostId, String), u32> = BTreeMap::new();
    let mut findings = Vec::new();
    for (sent, message) in own_requests(evidence) {
        for credentials in all_credentials(message) {
            let Some(protection) = credentials.protection else {
                continue;
            };
            let count = protection.count;
            let before = highest.insert((sent.from, credentials.nonce), count);
            if let Some(before) = before.filter(|before| *before >= count) {
                findings.push(finding(
                    sent,
                    format!(
                        "{} uses a nonce with count {count} after {before}",
                        message.method
                    ),
                ));
            }
        }
    }
    findings
}

// RFC 3261 §22.1: with the same credentials rejected, the client must not try again. One that is told of a stale nonce may, and
// so may one whose user tries later.
fn tries_again(evidence: &Evidence<'_>, arrival: &Arrival) -> Option<Finding> {
    let (read_at, answer) = (arrival.read_at?, arrival.message.as_deref()?);
    if !matches!(answer.status, Some(401 | 407)) || is_stale(answer) {
        return None;
    }
    let mut asked = evidence.sent_in_branch(&answer.branch);
    let refused = asked.find_map(|sent| {
        let message = sent.message.as_deref().filter(|it| it.is_request())?;
        let fresh = |it: Credentials| it.protection.is_some_and(|it| it.count == 1);
        (sent.from == arrival.host && all_credentials(message).any(fresh)).then_some(message)
    })?;
    let mut later = evidence.sent_in_call(&answer.call_id);
    let again = later.find(|sent| {
        let message = sent.message.as_deref();
        sent.from == arrival.host
            && sent.at == read_at
            && sent.repeat == 0
            && message.is_some_and(|it| it.asks(&refused.method) && it.cseq > refused.cseq)
    })?;
    Some(finding(
        again,
        format!(
            "{} goes out again after its credentials were refused",
            refused.method
        ),
    ))
}

fn is_stale(answer: &SipMessage) -> bool {
    ASKERS.into_iter().any(|asker| {
        let mut fields = answer.message.fields_of(asker.challenge_field());
        fields.any(|field| Challenge::parse(field.value()).is_some_and(|it| it.stale))
    })
}
