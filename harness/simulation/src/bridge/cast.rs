//! The hosts of a scenario, as actors for a `Sim`.

use std::fmt;
use std::time::Duration;

use bytes::Bytes;

use super::mailbox::Act;
use super::{Actor, NotListed, Recording};
use crate::run::directory;
use crate::scenario::{Scenario, Step, StepAction, When};

/// The hosts of a scenario with what they are told, recorded together. The scenario's latencies, faults and expectations
/// are left to the `Sim` and its owner.
#[derive(Clone, Debug)]
pub struct Cast {
    actors: Vec<Actor>,
    recording: Recording,
}

/// What a scenario asks for and turmoil cannot give. Blames the scenario's author.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Inexpressible {
    /// A local network lies behind a NAT.
    Nat {
        /// Its name.
        lan: String,
    },
    /// A step waits until something is seen.
    StepWaits {
        /// Its host's name.
        host: String,
    },
    /// A host is not listed.
    NotListed(NotListed),
}

impl Cast {
    /// The hosts of that scenario, in its order, with the scenario's seed.
    ///
    /// # Errors
    /// turmoil has no NAT, and nobody there watches the wire for a step that waits.
    pub fn of(scenario: &Scenario) -> Result<Self, Inexpressible> {
        if let Some(lan) = scenario.lans.iter().find(|lan| lan.nat.is_some()) {
            let lan = lan.name.clone();
            return Err(Inexpressible::Nat { lan });
        }
        let hosts = scenario.hosts.iter();
        let recording = Recording::new(hosts.map(|host| (host.name.as_str(), host.address)));
        let directory = directory(scenario);
        let mut actors = Vec::new();
        for host in &scenario.hosts {
            let actor = Actor::new(&host.name, host.actor, &directory, scenario.run.seed)?;
            actors.push(actor.recorded(&recording));
        }
        let cast = Self { actors, recording };
        scenario
            .steps
            .iter()
            .try_fold(cast, |cast, step| cast.with_step(scenario, step))
    }

    /// All of them, in the scenario's order.
    #[must_use]
    pub fn actors(&self) -> &[Actor] {
        &self.actors
    }

    /// The one of that name.
    #[must_use]
    pub fn actor(&self, name: &str) -> Option<&Actor> {
        self.actors.iter().find(|actor| actor.name() == name)
    }

    /// What they do.
    #[must_use]
    pub fn recording(&self) -> &Recording {
        &self.recording
    }

    fn with_step(self, scenario: &Scenario, step: &Step) -> Result<Self, Inexpressible> {
        let When::At(at) = step.when else {
            let host = scenario.host(step.host).name.clone();
            return Err(Inexpressible::StepWaits { host });
        };
        let act = match &step.action {
            StepAction::Command(command) => Act::Command(command.clone()),
            StepAction::SendRaw { to, raw } => Act::Send {
                to: scenario.host(*to).address,
                raw: Bytes::from(raw.clone()),
            },
        };
        if let Some(actor) = self.actors.get(step.host.0) {
            actor.plan(Duration::from_micros(at.as_micros()), act);
        }
        Ok(self)
    }
}

impl From<NotListed> for Inexpressible {
    fn from(error: NotListed) -> Self {
        Self::NotListed(error)
    }
}

impl fmt::Display for Inexpressible {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Nat { lan } => write!(f, "turmoil has no NAT, and {lan} lies behind one"),
            Self::StepWaits { host } => {
                write!(f, "a step of {host} waits until something is seen")
            }
            Self::NotListed(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for Inexpressible {}
