//! A CANCEL is answered, and ends its INVITE.

use std::collections::BTreeSet;

use linefault_network::HostId;
use linefault_protocol::sip::Method;

use super::held_up::held_up;
use super::timers::{T4, later};
use super::{Finding, Holds, Oracle};
use crate::evidence::{Arrival, Evidence, Fate, SipMessage, Transmission};

pub(super) const ORACLE: Oracle = Oracle {
    name: "cancel-honoured",
    doc: "A CANCEL that matches gets 200 and its INVITE ends in 487, one that matches nothing gets 481, and none is sent before a provisional answer or with a branch of its own.",
    source: "RFC 3261 §9.1, §9.2, §16.7 step 6, §16.10",
    holds: Holds::Always,
    judge,
};

fn judge(evidence: &Evidence<'_>) -> Vec<Finding> {
    let sent = evidence
        .transmissions
        .iter()
        .filter_map(|sent| wrongly_sent(evidence, sent));
    let mut known = BTreeSet::new();
    let arrived = evidence.arrivals.iter().filter(|arrival| {
        let cancel = arrival.read_at.and(arrival.message.as_deref());
        cancel.is_some_and(|it| {
            it.asks(&Method::Cancel)
                && it.well_formed
                && known.insert((arrival.host, it.branch.clone()))
        })
    });
    let arrived = arrived.filter_map(|arrival| {
        Cancelled::new(evidence, arrival).and_then(|cancelled| cancelled.judge())
    });
    sent.chain(arrived).collect()
}

// RFC 3261 §9.1: its branch is the INVITE's, and if no provisional response has been received it must not be sent. A proxy
// may pass one on that it knows nothing of (§16.10).
fn wrongly_sent(evidence: &Evidence<'_>, sent: &Transmission) -> Option<Finding> {
    let cancel = sent.message.as_deref()?;
    if sent.raw || sent.repeat > 0 || !cancel.asks(&Method::Cancel) {
        return None;
    }
    let mut invites = evidence.sent_in_branch(&cancel.branch);
    let known = invites.any(|invite| {
        let message = invite.message.as_deref();
        invite.from == sent.from && message.is_some_and(|it| it.asks(&Method::Invite))
    });
    let mut heard = evidence.arrived_in_branch(&cancel.branch);
    let allowed = heard.any(|answer| {
        let message = answer.message.as_deref();
        answer.host == sent.from
            && answer.read_at.is_some_and(|at| at <= sent.at)
            && message.is_some_and(|it| it.is_provisional() && it.method == Method::Invite)
    });
    let text = match known {
        true if !allowed => "CANCEL was sent before any provisional answer to its INVITE",
        false if cancel.vias == 1 => "CANCEL has a branch with which its sender sent no INVITE",
        _ => return None,
    };
    Some(Finding {
        host: Some(sent.from),
        record: Some(sent.record),
        at: sent.at,
        text: text.to_owned(),
    })
}

/// A CANCEL that an element read, and what it has to do with.
struct Cancelled<'e, 't> {
    evidence: &'e Evidence<'t>,
    arrival: &'e Arrival,
    cancel: &'e SipMessage,
    /// The INVITE with the same branch, if it came before in the same life.
    invite: Option<&'e Arrival>,
    /// The first final answer to that INVITE.
    ended: Option<&'e Transmission>,
}

impl<'e, 't> Cancelled<'e, 't> {
    fn new(evidence: &'e Evidence<'t>, arrival: &'e Arrival) -> Option<Self> {
        let cancel = arrival.message.as_deref()?;
        let life = evidence.life(arrival.host, arrival.at);
        let mut before = evidence.arrived_in_branch(&cancel.branch);
        let invite = before.find(|other| {
            let message = other.message.as_deref();
            other.host == arrival.host
                && other.read_at.is_some_and(|at| at <= arrival.at)
                && evidence.life(other.host, other.at) == life
                && message.is_some_and(|it| it.asks(&Method::Invite) && it.well_formed)
        });
        let mut answers = answers(evidence, arrival, &Method::Invite);
        Some(Self {
            ended: answers.next(),
            evidence,
            arrival,
            cancel,
            invite,
        })
    }

    fn judge(&self) -> Option<Finding> {
        let answer = answers(self.evidence, self.arrival, &Method::Cancel).next()?;
        let status = answer.message.as_deref()?.status?;
        self.wrong_answer(status)
            .map(|text| self.finding(answer, text))
            .or_else(|| self.wrong_end(status))
    }

    /// Whether the CANCEL was read before that was sent; both may happen at one instant.
    fn is_before(&self, ended: &Transmission) -> bool {
        self.arrival.read.is_some_and(|read| read < ended.record)
    }

    fn finding(&self, shown: &Transmission, text: String) -> Finding {
        Finding {
            host: Some(self.arrival.host),
            record: Some(shown.record),
            at: shown.at,
            text,
        }
    }

    // RFC 3261 §9.2. How long an INVITE transaction lasts after its final answer depends on its ACK, and on whether
    // RFC 6026 is heeded: then both answers are right.
    fn wrong_answer(&self, status: u16) -> Option<String> {
        // §16.3 step 3 comes before any matching.
        if status == 483 {
            return None;
        }
        if self.invite.is_none() {
            return (status != 481)
                .then(|| format!("a CANCEL that matches nothing was answered {status}, not 481"));
        }
        let open = self.ended.is_none_or(|ended| {
            let failed = ended.message.as_deref().is_some_and(|it| !it.is_success());
            failed && self.arrival.at < later(ended.at, T4) || self.is_before(ended)
        });
        let allowed = status == 200 || ((!open || self.may_have_ended()) && status == 481);
        (!allowed).then(|| format!("a CANCEL that matches was answered {status}, not 200"))
    }

    /// Whether the INVITE may have been answered without a trace: over TCP, with trouble on the way.
    fn may_have_ended(&self) -> bool {
        let Some(invite) = self.invite else {
            return false;
        };
        let sent = invite.transmission;
        let sent = sent.map(|place| &self.evidence.transmissions[place]);
        let peer = sent.filter(|sent| sent.transport.is_reliable());
        let when = invite.at..=self.arrival.at;
        peer.is_some_and(|sent| held_up(self.evidence, invite.host, sent.from, when))
    }

    /// What is wrong with the final answer to the INVITE, if it came after the CANCEL was accepted.
    fn wrong_end(&self, status: u16) -> Option<Finding> {
        let ended = self
            .ended
            .filter(|_| status == 200 && self.invite.is_some())?;
        let message = ended.message.as_deref()?;
        let final_status = message.status?;
        let late = self.is_before(ended);
        (late && final_status != 487 && !self.chosen(final_status)).then(|| {
            self.finding(
                ended,
                format!("a cancelled INVITE was answered {final_status}, not 487"),
            )
        })
    }

    /// Whether a connection that the element wanted meanwhile could not be made: over TCP nothing shows of an INVITE then.
    fn found_nobody(&self) -> bool {
        let (Some(invite), Some(ended)) = (self.invite, self.ended) else {
            return false;
        };
        self.evidence.connections.iter().any(|connection| {
            let at = connection.opened.at;
            connection.client == self.arrival.host
                && connection.established.is_none()
                && invite.at <= at
                && at <= ended.at
        })
    }

    /// Whether TCP to that host had trouble before the INVITE was answered.
    fn fell_out_with(&self, peer: Option<HostId>) -> bool {
        let (Some(invite), Some(ended), Some(peer)) = (self.invite, self.ended, peer) else {
            return false;
        };
        held_up(self.evidence, self.arrival.host, peer, invite.at..=ended.at)
    }

    /// Whether a proxy chose that answer: it came from downstream, or stands for a branch that kept silent (RFC 3261
    /// §16.8) or could not be sent to (§16.9).
    fn chosen(&self, status: u16) -> bool {
        let sent = self.evidence.sent_in_exchange(self.cancel);
        let passed_on: Vec<_> = sent
            .filter(|sent| {
                let message = sent.message.as_deref();
                let on =
                    message.is_some_and(|it| it.is_request() && it.branch != self.cancel.branch);
                sent.from == self.arrival.host && on
            })
            .collect();
        // Over TCP a send fails later, with its connection.
        let lost = |sent: &Transmission| {
            sent.transport.is_reliable()
                && (matches!(sent.fate, Fate::Lost { .. }) || self.fell_out_with(sent.to))
        };
        let failed = passed_on.iter().any(|sent| !sent.left() || lost(sent));
        let mut heard = self.evidence.arrived_in_exchange(self.cancel);
        let came = heard.any(|answer| {
            let message = answer.message.as_deref();
            answer.host == self.arrival.host
                && message.is_some_and(|it| {
                    it.method == Method::Invite
                        && (it.status == Some(status) || it.status == Some(503) && status == 500)
                })
        });
        let passed_on = !passed_on.is_empty() && (came || failed || matches!(status, 408 | 504));
        passed_on || self.found_nobody()
    }
}

/// The final answers of the element to the request of that method on the branch of `arrival`, in order.
fn answers<'e>(
    evidence: &'e Evidence<'_>,
    arrival: &'e Arrival,
    method: &'e Method,
) -> impl Iterator<Item = &'e Transmission> {
    let branch = arrival.message.as_deref().map_or("", |it| &it.branch);
    evidence.sent_in_branch(branch).filter(move |sent| {
        let message = sent.message.as_deref();
        sent.from == arrival.host && message.is_some_and(|it| it.is_final() && it.method == *method)
    })
}
