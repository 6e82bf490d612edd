//! A fault on its way into a network, and what it came to.

use std::time::Duration;

use super::{Disarmed, Fault, FaultId, HostChange, Scope, Sides};
use crate::draw::PartsPerMillion;
use crate::packet::Packet;
use crate::queue::Rank;
use crate::state::Happening;
use crate::{Instant, Network};

/// A message pattern of an upper layer. It is called while the engine is at work and must not call back into it.
pub type Matching = Box<dyn FnMut(&Packet) -> bool>;

/// A fault, and where, on what, how often and how long it acts.
pub struct Injection {
    /// What goes wrong.
    pub fault: Fault,
    /// Where.
    pub scope: Scope,
    /// On which packets; all if `None`. Not asked for changes of hosts.
    pub matching: Option<Matching>,
    /// Passes over this many matches first.
    pub skip: u64,
    /// Ends after this many applications. Not asked for changes of hosts, which happen once.
    pub times: Option<u64>,
    /// How likely each match is to be acted on.
    pub probability: PartsPerMillion,
    /// Heals after this long.
    pub lasts: Option<Duration>,
}

impl Injection {
    /// Acts on everything in the scope until healed.
    #[must_use]
    pub fn new(fault: Fault, scope: Scope) -> Self {
        Self {
            fault,
            scope,
            matching: None,
            skip: 0,
            times: None,
            probability: PartsPerMillion::ALWAYS,
            lasts: None,
        }
    }

    /// Only on packets for which this holds.
    #[must_use]
    pub fn matching(self, pattern: impl FnMut(&Packet) -> bool + 'static) -> Self {
        Self {
            matching: Some(Box::new(pattern)),
            ..self
        }
    }

    /// Only on the match of this number, from 1.
    #[must_use]
    pub fn nth(self, number: u64) -> Self {
        Self {
            skip: number.saturating_sub(1),
            times: Some(1),
            ..self
        }
    }

    /// Ends after this many applications.
    #[must_use]
    pub fn times(self, times: u64) -> Self {
        Self {
            times: Some(times),
            ..self
        }
    }

    /// Acts on each match with this probability.
    #[must_use]
    pub fn probability(self, probability: PartsPerMillion) -> Self {
        Self {
            probability,
            ..self
        }
    }

    /// Heals after this long.
    #[must_use]
    pub fn lasts(self, length: Duration) -> Self {
        Self {
            lasts: Some(length),
            ..self
        }
    }
}

/// What a fault has done so far.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FaultReport {
    /// When it began.
    pub armed_at: Instant,
    /// When it ended.
    pub ended_at: Option<Instant>,
    /// How many packets, sends or hosts it concerned.
    pub matched: u64,
    /// How many of these it really altered.
    pub applied: u64,
}

impl Network {
    /// Begins a fault. Its record is the cause of what it does to hosts at once.
    pub fn inject(&self, injection: Injection) -> FaultId {
        let cause = self.cause();
        let (scope, lasts) = (injection.scope.clone(), injection.lasts);
        let change = injection.fault.rule.host_change();
        let heals = injection.fault.rule.heals();
        let resets = injection
            .fault
            .rule
            .resets()
            .filter(|_| injection.matching.is_none());
        let id = self.0.with(|state| state.arm(injection));
        if let Some(change) = change {
            self.change_hosts(id, change, &scope);
        }
        if let Some(name) = heals {
            self.heal_others(id, name, &scope);
        }
        if let Some(sides) = resets {
            self.reset_connections(id, sides, &scope);
        }
        if heals.is_some() || resets.is_some() || change.is_some_and(|change| !change.is_lasting())
        {
            self.0.with(|state| state.disarm(id));
        } else if let Some(length) = lasts {
            self.0.with(|state| {
                let ticket =
                    state
                        .queue
                        .push(state.now + length, Rank::Control, Happening::Heal(id));
                state.faults.set_healing(id, ticket);
            });
        }
        self.set_cause(cause);
        id
    }

    fn change_hosts(&self, id: FaultId, change: HostChange, scope: &Scope) {
        let armed = self.cause();
        for host in scope.targets().unwrap_or_else(|| self.hosts()) {
            let key = self.0.with(|state| state.topology.site(host).key);
            if !self.0.with(|state| state.faults.matches_target(id, key)) {
                continue;
            }
            let altered = self.begin(id, change, host);
            self.0.with(|state| {
                if altered {
                    state.faults.applied(id);
                }
                // A machine that is off is detached unnoticed, and must be attached again all the same.
                if altered || change.adds_up() {
                    state.faults.remember(id, host);
                }
            });
            self.set_cause(armed);
        }
    }

    fn heal_others(&self, id: FaultId, name: &str, scope: &Scope) {
        for other in self.0.with(|state| state.faults.meeting(name, scope)) {
            if self
                .0
                .with(|state| state.faults.matches_target(id, u64::from(other.0)))
            {
                self.heal(other);
                self.0.with(|state| state.faults.applied(id));
            }
        }
    }

    /// Resets the connections within a scope; the sender is the end on the host that the scope names first.
    fn reset_connections(&self, id: FaultId, sides: Sides, scope: &Scope) {
        let armed = self.cause();
        self.0.with(|state| {
            for host in scope
                .targets()
                .unwrap_or_else(|| state.topology.hosts().collect())
            {
                state.reset_connections_of(host, id, sides, scope, armed);
            }
        });
        self.set_cause(armed);
    }

    /// Ends a fault and undoes what it did to hosts; no effect once it has ended.
    pub fn heal(&self, fault: FaultId) {
        let cause = self.cause();
        let Some(Disarmed { rule, changed }) = self.0.with(|state| state.disarm(fault)) else {
            return;
        };
        let ended = self.cause();
        if let Some(change) = rule.host_change() {
            for host in changed {
                self.set_cause(ended);
                self.undo(fault, change, host);
            }
        }
        self.set_cause(cause);
    }

    /// What a fault has done so far.
    #[must_use]
    pub fn fault_report(&self, fault: FaultId) -> FaultReport {
        let report = self.0.with(|state| state.faults.report(fault));
        report.unwrap_or_else(|| panic!("fault {} is not of this network", fault.index()))
    }
}
