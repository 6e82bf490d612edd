//! What ties messages together fits: branches, tags, Call-ID, CSeq, Via.

use std::collections::BTreeMap;
use std::net::SocketAddr;

use linefault_network::HostId;
use linefault_protocol::sip::{MAGIC_COOKIE, Method};

use super::{Finding, Holds, Oracle};
use crate::evidence::{Evidence, SipMessage, Transmission};

pub(super) const ORACLE: Oracle = Oracle {
    name: "identifiers-fit",
    doc: "A branch begins with the cookie and names one transaction, an answer repeats Via, From, Call-ID and CSeq of its request and tags To, and CSeq rises within a dialog.",
    source: "RFC 3261 §8.1.1.7, §8.2.6.2, §12.2.1.1, §16.6 step 8, §17.1.3",
    holds: Holds::Always,
    judge,
};

fn judge(evidence: &Evidence<'_>) -> Vec<Finding> {
    let mut branches = Branches::default();
    let mut numbers = Numbers::default();
    let first = evidence.transmissions.iter();
    let first = first.filter(|sent| !sent.raw && sent.repeat == 0);
    let findings = first.filter_map(|sent| {
        let message = sent.message.as_deref().filter(|it| it.well_formed)?;
        let text = if message.is_request() {
            branches
                .judge(sent, message)
                .or_else(|| numbers.judge(evidence, sent, message))
        } else {
            Answer { sent, message }.judge(evidence)
        }?;
        Some(Finding {
            host: Some(sent.from),
            record: Some(sent.record),
            at: sent.at,
            text,
        })
    });
    findings.collect()
}

/// Which request each host used a branch for first.
#[derive(Default)]
struct Branches<'e> {
    used: BTreeMap<(HostId, &'e str), &'e SipMessage>,
}

impl<'e> Branches<'e> {
    fn judge(&mut self, sent: &Transmission, request: &'e SipMessage) -> Option<String> {
        if !request.branch.starts_with(MAGIC_COOKIE) {
            return Some(format!(
                "the branch of {} lacks {MAGIC_COOKIE}",
                request.method
            ));
        }
        let key = (sent.from, request.branch.as_str());
        let first = self.used.entry(key).or_insert(request);
        // A CANCEL and the ACK for a failure go with their INVITE (RFC 3261 §9.1, §17.1.1.3).
        let shares = matches!(request.method, Method::Ack | Method::Cancel)
            && first.method == Method::Invite;
        let same = first.call_id == request.call_id
            && first.cseq == request.cseq
            && (shares || first.method == request.method);
        (!same).then(|| {
            format!(
                "{} has the branch of an earlier {}",
                request.method, first.method
            )
        })
    }
}

/// The CSeq numbers that each end has used.
#[derive(Default)]
struct Numbers<'e> {
    highest: BTreeMap<(HostId, &'e str, &'e str, &'e str), (u32, SocketAddr)>,
}

impl<'e> Numbers<'e> {
    // RFC 3261 §12.2.1.1 and, for registrations, §10.2.
    fn judge(
        &mut self,
        evidence: &Evidence<'_>,
        sent: &Transmission,
        request: &'e SipMessage,
    ) -> Option<String> {
        let shares = matches!(request.method, Method::Ack | Method::Cancel);
        let ordered = !request.to_tag.is_empty()
            || matches!(request.method, Method::Invite | Method::Register);
        if request.vias != 1 || shares || !ordered {
            return None;
        }
        let call = (sent.from, request.call_id.as_str());
        let own = (
            call.0,
            call.1,
            request.from_tag.as_str(),
            request.to_tag.as_str(),
        );
        let before = self.highest.get(&own).copied();
        let begun = || Some((begun_by(evidence, sent, request)?, sent.destination));
        let before = before.or_else(begun);
        self.highest.insert(own, (request.cseq, sent.destination));
        // RFC 3263 §4.3: at another server an identical request is tried, under the same number.
        let elsewhere =
            |server: SocketAddr| request.to_tag.is_empty() && server != sent.destination;
        let (before, _) = before.filter(|(before, server)| {
            request.cseq < *before || request.cseq == *before && !elsewhere(*server)
        })?;
        Some(format!(
            "CSeq {} of {} does not rise above {before}",
            request.cseq, request.method
        ))
    }
}

/// The number of the INVITE with which the sender began the dialog of its request: of several under one Call-ID, as when a
/// callee is called again, that which was answered with the request's To tag.
fn begun_by(evidence: &Evidence<'_>, sent: &Transmission, request: &SipMessage) -> Option<u32> {
    let mut heard = evidence.arrived_in_call(&request.call_id);
    heard.find_map(|arrival| {
        let answer = arrival.message.as_deref()?;
        let begins = arrival.host == sent.from
            && arrival.at <= sent.at
            && answer.status.is_some()
            && answer.method == Method::Invite
            && !answer.to_tag.is_empty()
            && answer.to_tag == request.to_tag
            && answer.from_tag == request.from_tag;
        begins.then_some(answer.cseq)
    })
}

/// A response that an element sent.
struct Answer<'e> {
    sent: &'e Transmission,
    message: &'e SipMessage,
}

impl Answer<'_> {
    fn judge(&self, evidence: &Evidence<'_>) -> Option<String> {
        let message = self.message;
        let mut received = evidence.arrived_in_branch(&message.branch);
        let request = received.find_map(|arrival| {
            let request = arrival.message.as_deref()?;
            let fits = arrival.host == self.sent.from
                && arrival.at <= self.sent.at
                && request.asks(&message.method);
            fits.then_some(request)
        });
        let Some(request) = request else {
            return Some(format!(
                "{} answers a request that never came",
                message.summary()
            ));
        };
        let field = self
            .wrong_field(request)
            .filter(|field| *field == "Via" || !self.passed_on(evidence))?;
        Some(format!(
            "{} has another {field} than its request",
            message.summary()
        ))
    }

    /// Whether the element only passes on what somebody below it answered, who is to blame for it.
    fn passed_on(&self, evidence: &Evidence<'_>) -> bool {
        let mut heard = evidence.arrived_in_exchange(self.message);
        heard.any(|arrival| {
            let below = arrival.message.as_deref();
            arrival.host == self.sent.from
                && below.is_some_and(|it| {
                    it.status == self.message.status && it.to_tag == self.message.to_tag
                })
        })
    }

    // RFC 3261 §8.2.6.2
    fn wrong_field(&self, request: &SipMessage) -> Option<&'static str> {
        let message = self.message;
        let same_from = || {
            let uri = |it: &SipMessage| it.message.from().map(|from| from.uri()).ok();
            message.message.header("From") == request.message.header("From")
                || uri(message) == uri(request)
        };
        if message.call_id != request.call_id {
            return Some("Call-ID");
        }
        if message.cseq != request.cseq {
            return Some("CSeq");
        }
        if message.from_tag != request.from_tag || !same_from() {
            return Some("From");
        }
        if !same_vias(message, request) {
            return Some("Via");
        }
        let untagged = message.to_tag.is_empty() && message.status != Some(100);
        let changed = !request.to_tag.is_empty() && message.to_tag != request.to_tag;
        (untagged || changed).then_some("To tag")
    }
}

/// Whether both went the same way. The receiver may have added parameters to the topmost (RFC 3261 §18.2.1), whose
/// branch is known to fit.
fn same_vias(one: &SipMessage, other: &SipMessage) -> bool {
    let mut one = one.message.values("Via");
    let mut other = other.message.values("Via");
    sent_by(one.next()) == sent_by(other.next()) && one.eq(other)
}

/// What stands before the parameters: "SIP/2.0/UDP 192.0.2.1:5060".
fn sent_by(via: Option<&str>) -> &str {
    let via = via.unwrap_or_default();
    via.split(';').next().unwrap_or_default().trim_end()
}
