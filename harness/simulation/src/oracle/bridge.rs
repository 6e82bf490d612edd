//! Which two legs are one call of a back-to-back user agent.
//!
//! Nothing on the wire says so: each leg has Call-ID, tags and branches of its own. What a real one gives is its call
//! record, and so does this: a "call" that is opened with both Call-IDs in its label, the caller's first.

use std::ops::RangeInclusive;

use linefault_actors::Report;
use linefault_actors::b2bua::BETWEEN_LEGS;
use linefault_network::{HostId, Instant};
use linefault_protocol::sip::Method;

use super::held_up::held_up;
use crate::evidence::{Arrival, Evidence, SipMessage, Transmission};
use crate::trace::Event;

/// The reaction time that the report grants, in microseconds.
pub(super) const AT_ONCE: u64 = 100_000;

/// The Call-IDs of the caller's and the callee's leg, if that is the label of such a record.
pub(super) fn call_ids(label: &str) -> Option<impl Iterator<Item = &str>> {
    let (caller, callee) = label.split_once(BETWEEN_LEGS)?;
    Some([caller, callee].into_iter())
}

/// One call of one element.
#[derive(Clone, Copy, Debug)]
pub(super) struct Bridge<'e> {
    pub(super) host: HostId,
    /// The life of the host in which the record was opened.
    life: usize,
    /// The Call-IDs of the caller's and the callee's leg.
    legs: [&'e str; 2],
}

/// One leg as seen from the other.
#[derive(Clone, Copy)]
pub(super) struct Leg<'e, 't> {
    pub(super) evidence: &'e Evidence<'t>,
    pub(super) bridge: Bridge<'e>,
    pub(super) call_id: &'e str,
}

impl<'e> Bridge<'e> {
    /// All of a run, in order.
    pub(super) fn all(evidence: &'e Evidence<'_>) -> impl Iterator<Item = Self> {
        evidence.off_the_wire().filter_map(|(_, record)| {
            let Event::Report(Report::Opened {
                kind: "call",
                label,
                ..
            }) = &record.event
            else {
                return None;
            };
            let (caller, callee) = label.split_once(BETWEEN_LEGS)?;
            let host = record.host?;
            Some(Self {
                host,
                life: evidence.life(host, record.at),
                legs: [caller, callee],
            })
        })
    }

    /// Each leg with the other one.
    pub(super) fn ways<'t>(self, evidence: &'e Evidence<'t>) -> [(Leg<'e, 't>, Leg<'e, 't>); 2] {
        let leg = |call_id| Leg {
            evidence,
            bridge: self,
            call_id,
        };
        let [caller, callee] = self.legs.map(leg);
        [(caller, callee), (callee, caller)]
    }

    /// The Call-ID of the other leg, if that is one of its legs.
    pub(super) fn partner(&self, call_id: &str) -> Option<&'e str> {
        let [caller, callee] = self.legs;
        match call_id {
            _ if call_id == caller => Some(callee),
            _ if call_id == callee => Some(caller),
            _ => None,
        }
    }
}

impl<'e> Leg<'e, '_> {
    /// What the element read on it, with when.
    pub(super) fn read(self) -> impl Iterator<Item = (Instant, &'e Arrival, &'e SipMessage)> {
        let arrivals = self.evidence.arrived_in_call(self.call_id);
        arrivals.filter_map(move |arrival| {
            let (at, message) = (arrival.read_at?, arrival.message.as_deref()?);
            let own = arrival.host == self.bridge.host
                && message.well_formed
                && self.evidence.life(arrival.host, at) == self.bridge.life;
            own.then_some((at, arrival, message))
        })
    }

    /// What the element sent on it, or tried to.
    pub(super) fn sent(self) -> impl Iterator<Item = (&'e Transmission, &'e SipMessage)> {
        let sent = self.evidence.sent_in_call(self.call_id);
        sent.filter_map(move |sent| {
            let message = sent.message.as_deref()?;
            let own = sent.from == self.bridge.host
                && !sent.raw
                && self.evidence.life(sent.from, sent.at) == self.bridge.life;
            own.then_some((sent, message))
        })
    }

    /// Whether an INVITE of the leg went to that host, or came from it.
    pub(super) fn asks_or_is_asked_by(self, host: HostId) -> bool {
        let came = |(_, arrival, it): (_, &Arrival, &SipMessage)| {
            let sent = arrival.transmission;
            let from = sent.map(|place| self.evidence.transmissions[place].from);
            it.asks(&Method::Invite) && from == Some(host)
        };
        let went = |(sent, it): (&Transmission, &SipMessage)| {
            it.asks(&Method::Invite) && sent.to == Some(host)
        };
        self.read().any(came) || self.sent().any(went)
    }

    /// Whether it goes over TCP, with trouble on the way: what the element says then may show late, or never.
    pub(super) fn is_held_up(self, when: RangeInclusive<Instant>) -> bool {
        let sent = self.sent().map(|(sent, _)| (sent.transport, sent.to));
        let read = self.read().filter_map(|(_, arrival, _)| {
            let sent = &self.evidence.transmissions[arrival.transmission?];
            Some((sent.transport, Some(sent.from)))
        });
        let mut all = sent
            .chain(read)
            .filter(|(transport, _)| transport.is_reliable());
        let peer = all.find_map(|(_, peer)| peer);
        let host = self.bridge.host;
        peer.is_some_and(|peer| held_up(self.evidence, host, peer, when))
    }

    /// Whether an INVITE of the peer's waits for its final answer at that moment.
    pub(super) fn is_asked(self, at: Instant) -> bool {
        let invites = self
            .read()
            .filter(|(read_at, _, it)| *read_at <= at && it.asks(&Method::Invite));
        invites.into_iter().any(|(_, _, invite)| {
            !self.sent().any(|(sent, it)| {
                sent.at < at
                    && it.is_final()
                    && it.method == Method::Invite
                    && it.branch == invite.branch
            })
        })
    }
}
