//! The faults of a run: which are active, what they have done.

use super::{Fault, FaultId, FaultReport, Injection, Matching, Phase, Rule, Scope, Verdict};
use crate::Instant;
use crate::draw::{Key, PartsPerMillion};
use crate::event::Event;
use crate::packet::Packet;
use crate::queue::Ticket;
use crate::state::State;
use crate::wire::Held;

/// An active fault.
pub(crate) struct Armed {
    id: FaultId,
    name: &'static str,
    rule: Box<dyn Rule>,
    scope: Scope,
    matching: Option<Matching>,
    skip: u64,
    times: Option<u64>,
    probability: PartsPerMillion,
    /// What tells this fault's draws from those of others, whichever others there are.
    salt: Key,
    report: FaultReport,
    healing: Option<Ticket>,
}

/// All faults of a run.
#[derive(Default)]
pub(crate) struct Faults {
    active: Vec<Armed>,
    ended: Vec<(FaultId, FaultReport)>,
    injected: u32,
    /// Packets that a fault holds back.
    pub(crate) held: Vec<Held>,
}

impl Armed {
    pub(crate) const fn id(&self) -> FaultId {
        self.id
    }

    /// The rule's verdict, if the packet is within scope, pattern, count and luck.
    pub(crate) fn judge(&mut self, phase: Phase, packet: &Packet, packet_key: Key) -> Verdict {
        if self.is_spent()
            || !self.rule.concerns(phase)
            || !self.scope.covers(phase, packet.sender, packet.receiver)
            || !self
                .matching
                .as_mut()
                .is_none_or(|matching| matching(packet))
        {
            return Verdict::Pass;
        }
        self.report.matched += 1;
        let key = packet_key.with(self.salt.bits());
        if self.report.matched <= self.skip || !self.probability.hits(key.with_text("probability"))
        {
            return Verdict::Pass;
        }
        let verdict = self.rule.judge(phase, packet, key);
        if verdict != Verdict::Pass {
            self.report.applied += 1;
        }
        verdict
    }

    fn is_spent(&self) -> bool {
        self.times.is_some_and(|times| self.report.applied >= times)
    }
}

impl Faults {
    pub(crate) fn is_idle(&self) -> bool {
        self.active.is_empty()
    }

    /// Lends the active faults, so that they can judge while the rest of the state is at work.
    pub(crate) fn take_active(&mut self) -> Vec<Armed> {
        std::mem::take(&mut self.active)
    }

    pub(crate) fn put_back(&mut self, active: Vec<Armed>) {
        self.active = active;
    }

    pub(crate) fn report(&self, id: FaultId) -> Option<FaultReport> {
        let active = self
            .active
            .iter()
            .find(|fault| fault.id == id)
            .map(|fault| fault.report);
        let ended = || {
            self.ended
                .iter()
                .find(|(ended, _)| *ended == id)
                .map(|(_, report)| *report)
        };
        active.or_else(ended)
    }

    /// Counts one host as concerned, and as altered if `applied`.
    pub(crate) fn count_host(&mut self, id: FaultId, applied: bool) {
        if let Some(fault) = self.active.iter_mut().find(|fault| fault.id == id) {
            fault.report.matched += 1;
            fault.report.applied += u64::from(applied);
        }
    }

    pub(crate) fn set_healing(&mut self, id: FaultId, ticket: Ticket) {
        if let Some(fault) = self.active.iter_mut().find(|fault| fault.id == id) {
            fault.healing = Some(ticket);
        }
    }

    /// Active faults of this name whose scope shares a host with `scope`.
    pub(crate) fn meeting(&self, name: &str, scope: &Scope) -> Vec<FaultId> {
        let meeting = self
            .active
            .iter()
            .filter(|fault| fault.name == name && fault.scope.meets(scope));
        meeting.map(|fault| fault.id).collect()
    }

    /// Armed at one instant under one name, the n-th draws for itself; nothing else tells faults apart, so that
    /// removing another one shifts no draw.
    fn salt(&self, name: &str, now: Instant) -> Key {
        let reports = self
            .active
            .iter()
            .map(|fault| (fault.name, fault.report.armed_at));
        let twins = reports.filter(|twin| *twin == (name, now)).count();
        Key::new(now.as_micros()).with_text(name).with(twins as u64)
    }
}

impl State {
    pub(crate) fn arm(&mut self, injection: Injection) -> FaultId {
        let Injection {
            fault: Fault { name, rule },
            scope,
            matching,
            skip,
            times,
            probability,
            lasts: _,
        } = injection;
        let id = FaultId(self.faults.injected);
        self.faults.injected += 1;
        let salt = self.faults.salt(name, self.now);
        let report = FaultReport {
            armed_at: self.now,
            ended_at: None,
            matched: 0,
            applied: 0,
        };
        let armed = Armed {
            id,
            name,
            rule,
            scope,
            matching,
            skip,
            times,
            probability,
            salt,
            report,
            healing: None,
        };
        self.faults.active.push(armed);
        let record = self.record(None, Event::FaultArmed { fault: id, name });
        self.cause = Some(record);
        id
    }

    /// Ends a fault's rule; gives it back for what must be undone.
    pub(crate) fn disarm(&mut self, id: FaultId) -> Option<(Box<dyn Rule>, Scope)> {
        let index = self.faults.active.iter().position(|fault| fault.id == id)?;
        let mut fault = self.faults.active.remove(index);
        if let Some(ticket) = fault.healing {
            self.queue.cancel(ticket);
        }
        fault.report.ended_at = Some(self.now);
        self.faults.ended.push((id, fault.report));
        let record = self.record(None, Event::FaultEnded { fault: id });
        self.cause = Some(record);
        Some((fault.rule, fault.scope))
    }

    /// Ends the faults that have acted as often as they should.
    pub(crate) fn end_spent_faults(&mut self) {
        while let Some(fault) = self.faults.active.iter().find(|fault| fault.is_spent()) {
            let (id, cause) = (fault.id, self.cause);
            self.disarm(id);
            self.cause = cause;
        }
    }
}
