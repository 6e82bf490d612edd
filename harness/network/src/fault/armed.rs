//! The faults of a run: which are active, what they have done.

use super::{
    Fault, FaultId, FaultReport, Injection, Matching, Occasion, Phase, Rule, Scope, Verdict,
};
use crate::draw::{Key, PartsPerMillion};
use crate::event::Event;
use crate::packet::Packet;
use crate::passage::Held;
use crate::queue::Ticket;
use crate::state::State;
use crate::{HostId, Instant};

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
    changed: Vec<HostId>,
}

/// A fault that is over, and what is to be undone.
pub(crate) struct Disarmed {
    pub(crate) rule: Box<dyn Rule>,
    pub(crate) changed: Vec<HostId>,
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
    pub(crate) fn judge(
        &mut self,
        now: Instant,
        phase: Phase,
        packet: &Packet,
        packet_key: Key,
    ) -> Verdict {
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
        // On the wire the link numbers its packets; a host's kernel has only what this fault has seen.
        let number = if phase == Phase::Wire {
            0
        } else {
            self.report.matched
        };
        let key = packet_key.with(number).with(self.salt.bits());
        if self.report.matched <= self.skip || !self.probability.hits(key.with_text("probability"))
        {
            return Verdict::Pass;
        }
        let lane = self.scope.lane(packet.sender, packet.receiver);
        let verdict = self
            .rule
            .judge_at(Occasion { now, lane }, phase, packet, key);
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

    /// Counts one host, or one other fault, as concerned; whether probability lets this fault act on it.
    pub(crate) fn matches_target(&mut self, id: FaultId, target: u64) -> bool {
        let Some(fault) = self.find(id) else {
            return false;
        };
        fault.report.matched += 1;
        fault
            .probability
            .hits(fault.salt.with_text("target").with(target))
    }

    /// Counts one host, or one other fault, as altered.
    pub(crate) fn applied(&mut self, id: FaultId) {
        if let Some(fault) = self.find(id) {
            fault.report.applied += 1;
        }
    }

    /// Remembers a host, to undo what was done to it.
    pub(crate) fn remember(&mut self, id: FaultId, host: HostId) {
        if let Some(fault) = self.find(id) {
            fault.changed.push(host);
        }
    }

    fn find(&mut self, id: FaultId) -> Option<&mut Armed> {
        self.active.iter_mut().find(|fault| fault.id == id)
    }

    /// Whether the fault's end is scheduled.
    pub(crate) fn heals_by_itself(&self, id: FaultId) -> bool {
        let fault = self.active.iter().find(|fault| fault.id == id);
        fault.is_some_and(|fault| fault.healing.is_some())
    }

    pub(crate) fn set_healing(&mut self, id: FaultId, ticket: Ticket) {
        if let Some(fault) = self.find(id) {
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
        let salt = self.salt(name, &scope);
        // A change of hosts happens once, and ends by healing only.
        let times = times.filter(|_| rule.host_change().is_none());
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
            changed: Vec::new(),
        };
        self.faults.active.push(armed);
        let record = self.record(None, Event::FaultArmed { fault: id, name });
        self.cause = Some(record);
        id
    }

    /// Name, moment and scope tell a fault's draws from those of others; among faults that share all three, their
    /// order does. So removing another fault shifts no draw.
    fn salt(&self, name: &'static str, scope: &Scope) -> Key {
        let root = self
            .root
            .with_text("fault")
            .with_text(name)
            .with(self.now.as_micros());
        let hosts = scope.mentioned().unwrap_or_default().into_iter();
        let base = hosts.fold(root, |key, host| key.with(self.topology.site(host).key));
        let own = (name, self.now, scope);
        let twins = self
            .faults
            .active
            .iter()
            .filter(|fault| (fault.name, fault.report.armed_at, &fault.scope) == own);
        base.with(twins.count() as u64)
    }

    /// Ends a fault's rule; gives it back for what must be undone.
    pub(crate) fn disarm(&mut self, id: FaultId) -> Option<Disarmed> {
        let index = self.faults.active.iter().position(|fault| fault.id == id)?;
        let mut fault = self.faults.active.remove(index);
        if let Some(ticket) = fault.healing {
            self.queue.cancel(ticket);
        }
        fault.report.ended_at = Some(self.now);
        self.faults.ended.push((id, fault.report));
        let record = self.record(None, Event::FaultEnded { fault: id });
        self.cause = Some(record);
        Some(Disarmed {
            rule: fault.rule,
            changed: fault.changed,
        })
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
