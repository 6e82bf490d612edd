//! Who can be reached stays registered.

use std::collections::BTreeMap;
use std::net::SocketAddr;

use linefault_actors::Report;
use linefault_network::{HostId, Instant, RecordId};
use linefault_protocol::sip::{Contacts, Method};

use super::held_up::held_up;
use super::timers::{GIVE_UP, later};
use super::{Finding, Holds, Oracle};
use crate::evidence::{Evidence, Fate, SipMessage, Transmission};
use crate::trace::Event;

pub(super) const ORACLE: Oracle = Oracle {
    name: "bindings-kept",
    doc: "The binding of a user whose phone lives and can be reached ends only when its time is over or the user ends it.",
    source: "RFC 3261 §10.2.2, §10.3 step 8; report A: one failure must not unregister the healthy",
    holds: Holds::Always,
    judge,
};

fn judge(evidence: &Evidence<'_>) -> Vec<Finding> {
    let removed = removed(evidence);
    if removed.is_empty() {
        return Vec::new();
    }
    let traffic = Traffic::of(evidence);
    let wrong = removed.iter().filter(|binding| {
        let lives = evidence.lived_through(binding.phone, binding.doubtful_since(), binding.at)
            && evidence.is_up(binding.phone, binding.doubtful_since());
        lives
            && traffic.reachable(binding)
            && !held_up(
                evidence,
                binding.registrar,
                binding.phone,
                binding.doubtful_since()..=binding.at,
            )
            && !ended(evidence, binding)
            && !traffic.expired(binding)
    });
    let findings = wrong.map(|binding| Finding {
        host: Some(binding.registrar),
        record: Some(binding.record),
        at: binding.at,
        text: format!(
            "removed the binding \"{}\", whose phone lives and can be reached",
            binding.label
        ),
    });
    findings.collect()
}

/// A binding that a registrar removed.
struct Removed<'e> {
    registrar: HostId,
    contact: SocketAddr,
    phone: HostId,
    label: &'e str,
    at: Instant,
    record: RecordId,
}

impl Removed<'_> {
    /// What happened before cannot be why it was removed: Timer F, and what came before the request.
    fn doubtful_since(&self) -> Instant {
        Instant::from_micros(self.at.as_micros().saturating_sub(GIVE_UP + 1_000_000))
    }
}

fn removed<'e>(evidence: &'e Evidence<'_>) -> Vec<Removed<'e>> {
    let removed = bindings(evidence).into_iter().filter_map(|binding| {
        let (at, record) = binding.closed?;
        Some(Removed {
            registrar: binding.registrar,
            contact: binding.contact,
            phone: evidence.host_at(binding.contact)?,
            label: binding.label,
            at,
            record,
        })
    });
    removed.collect()
}

/// A binding of a registrar.
pub(super) struct Binding<'e> {
    pub(super) registrar: HostId,
    pub(super) contact: SocketAddr,
    pub(super) label: &'e str,
    /// When it was made, and the record of that.
    pub(super) opened: (Instant, RecordId),
    /// When it was removed, if it was.
    pub(super) closed: Option<(Instant, RecordId)>,
}

/// Every binding that a registrar ever had.
pub(super) fn bindings<'e>(evidence: &'e Evidence<'_>) -> Vec<Binding<'e>> {
    let mut open: BTreeMap<(HostId, u64), Binding<'e>> = BTreeMap::new();
    let mut all = Vec::new();
    for (record, entry) in evidence.off_the_wire() {
        let (Some(registrar), Event::Report(report)) = (entry.host, &entry.event) else {
            continue;
        };
        let now = (entry.at, record);
        match report {
            Report::Opened {
                kind: "binding",
                id,
                label,
                target: Some(contact),
            } => {
                let binding = Binding {
                    registrar,
                    contact: *contact,
                    label,
                    opened: now,
                    closed: None,
                };
                all.extend(open.insert((registrar, *id), binding));
            }
            Report::Closed {
                kind: "binding",
                id,
            } => {
                let binding = open.remove(&(registrar, *id));
                all.extend(binding.map(|binding| Binding {
                    closed: Some(now),
                    ..binding
                }));
            }
            _ => {}
        }
    }
    all.extend(open.into_values());
    all
}

/// What went between registrars and contacts.
struct Traffic<'e> {
    /// By sender and destination, or by receiver's address and sender.
    between: BTreeMap<(HostId, HostId), Vec<&'e Transmission>>,
}

impl<'e> Traffic<'e> {
    fn of(evidence: &'e Evidence<'_>) -> Self {
        let mut between: BTreeMap<_, Vec<_>> = BTreeMap::new();
        for sent in &evidence.transmissions {
            if let Some(to) = sent.to {
                between.entry((sent.from, to)).or_default().push(sent);
            }
        }
        Self { between }
    }

    fn recent(
        &self,
        from: HostId,
        to: HostId,
        since: Instant,
        until: Instant,
    ) -> impl Iterator<Item = &'e Transmission> {
        let all = self.between.get(&(from, to)).map_or(&[][..], Vec::as_slice);
        let first = all.partition_point(|sent| sent.at < since);
        let last = all.partition_point(|sent| sent.at <= until);
        all[first..last].iter().copied()
    }

    /// Whether nothing got lost between registrar and phone of late, in either direction, and the phone answered if it
    /// was asked.
    fn reachable(&self, binding: &Removed<'_>) -> bool {
        let since = binding.doubtful_since();
        let recent = |from, to| self.recent(from, to, since, binding.at);
        let out = || recent(binding.registrar, binding.phone);
        let back = || recent(binding.phone, binding.registrar);
        let came = |sent: &Transmission| matches!(sent.fate, Fate::Arrived { .. });
        let asked = out().any(|sent| sent.message.as_deref().is_some_and(SipMessage::is_request));
        let no_loss = out()
            .chain(back())
            .all(|sent| came(sent) || sent.fate == Fate::Underway);
        no_loss && (!asked || back().any(came))
    }

    /// Whether the time that the registrar granted last is over.
    fn expired(&self, binding: &Removed<'_>) -> bool {
        let answers = self.recent(binding.registrar, binding.phone, Instant::START, binding.at);
        // An answer that is repeated grants no longer time.
        let first = answers.filter(|sent| sent.repeat == 0);
        let granted = first.filter_map(|sent| {
            let granted = granted(sent.message.as_deref()?);
            let own = granted
                .iter()
                .find(|(contact, _)| *contact == binding.contact);
            Some(later(sent.at, u64::from(own?.1) * 1_000_000))
        });
        granted.last().is_none_or(|until| until <= binding.at)
    }
}

/// Whether the registrar has just read a REGISTER: somebody speaks for the user.
fn ended(evidence: &Evidence<'_>, binding: &Removed<'_>) -> bool {
    let mut now = evidence
        .arrivals
        .iter()
        .filter(|arrival| arrival.host == binding.registrar && arrival.read_at == Some(binding.at));
    now.any(|arrival| {
        let request = arrival.message.as_deref();
        request.is_some_and(|it| it.asks(&Method::Register))
    })
}

/// The contacts that a 200 to a REGISTER lists, and for how many seconds it grants each.
pub(super) fn granted(response: &SipMessage) -> Vec<(SocketAddr, u32)> {
    if response.status != Some(200) || response.method != Method::Register {
        return Vec::new();
    }
    let Ok(Contacts::List(list)) = response.message.contacts() else {
        return Vec::new();
    };
    let of_all = response.message.expires().ok().flatten();
    let granted = list.iter().filter_map(|contact| {
        let address = contact.uri().socket_address()?;
        Some((address, contact.expires().or(of_all)?))
    });
    granted.collect()
}
