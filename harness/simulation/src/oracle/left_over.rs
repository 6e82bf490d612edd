//! Nothing is left over once a run is quiet.

use std::collections::BTreeMap;
use std::net::SocketAddr;

use linefault_actors::Report;
use linefault_network::{self as network, HostId, Instant, RecordId};

use super::vanished::untold;
use super::{Finding, Holds, Oracle};
use crate::evidence::Evidence;
use crate::run::LINGER_MICROS;
use crate::trace::Event;

pub(super) const ORACLE: Oracle = Oracle {
    name: "nothing-left-over",
    doc: "What was opened after start-up is closed when the run is quiet, but for bindings of hosts that live, and calls whose other end has vanished without a word and which have no session timer.",
    source: "report A: a dead binding kept for ever; report E: a call record that leaks",
    holds: Holds::AfterHealing,
    judge,
};

fn judge(evidence: &Evidence<'_>) -> Vec<Finding> {
    if !evidence.quiet {
        return Vec::new();
    }
    let left = left_over(evidence);
    let told = left.iter().filter(|thing| !untold(evidence, &left, thing));
    let findings = told.map(|thing| Finding {
        host: Some(thing.host),
        record: Some(thing.record),
        at: thing.opened_at,
        text: format!(
            "{} \"{}\" was opened and is still open at the end",
            thing.kind, thing.label
        ),
    });
    findings.collect()
}

/// Something that was opened and not closed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LeftOver {
    /// Who opened it.
    pub host: HostId,
    /// What it is: "transaction", "binding", "socket".
    pub kind: &'static str,
    /// What a reader recognises it by.
    pub label: String,
    /// When it was opened.
    pub opened_at: Instant,
    /// The record of that.
    pub record: RecordId,
}

/// What is open at the end of a trace and was not when its host had started, in order of opening.
///
/// What a process had open dies with it. A binding is no left-over as long as the host that it leads to
/// lives: it is there to be used. Nor is what was opened within the last 64·T1 of a run that had become quiet:
/// only background work opens anything then, and it has not had its time yet; the same goes for a connection that was
/// used since, and for a transaction that was answered since and stays to recognise repeats. Nor what a process holds
/// that is frozen to the end.
#[must_use]
pub fn left_over(evidence: &Evidence<'_>) -> Vec<LeftOver> {
    let mut open = Open::default();
    for (id, record) in evidence.trace.iter() {
        open.take(id, record.at, record.host, &record.event);
    }
    let living_target = |thing: &LeftOver| {
        let target = open
            .targets
            .get(&thing.record)
            .and_then(|to| evidence.host_at(*to));
        thing.kind == "binding" && target.is_some_and(|host| open.up.get(&host) == Some(&true))
    };
    let young = |thing: &LeftOver| {
        let used_at = open.used.get(&thing.record).copied();
        let at = used_at.map_or(thing.opened_at, |used| used.max(thing.opened_at));
        evidence.quiet && at.as_micros() + LINGER_MICROS > evidence.ended_at.as_micros()
    };
    let mut left: Vec<_> = open.things.values().cloned().collect();
    let frozen = |thing: &LeftOver| open.up.get(&thing.host) == Some(&false);
    left.retain(|thing| !living_target(thing) && !young(thing) && !frozen(thing));
    left.sort_by_key(|thing| thing.record);
    left
}

/// What a thing is known by, among those of its host.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Key {
    Reported(&'static str, u64),
    Socket(u64),
    Task(u64),
}

#[derive(Default)]
struct Open {
    things: BTreeMap<(HostId, Key), LeftOver>,
    targets: BTreeMap<RecordId, SocketAddr>,
    /// When something came over a connection last, or a transaction was answered, by the record of the opening.
    used: BTreeMap<RecordId, Instant>,
    up: BTreeMap<HostId, bool>,
}

impl Open {
    fn take(&mut self, id: RecordId, at: Instant, host: Option<HostId>, event: &Event) {
        use network::Event as N;
        let Some(host) = host else { return };
        let mut open = |key, kind, label| {
            let thing = LeftOver {
                host,
                kind,
                label,
                opened_at: at,
                record: id,
            };
            self.things.insert((host, key), thing);
        };
        match event {
            Event::Report(Report::Opened {
                kind,
                id: number,
                label,
                target,
            }) => {
                open(Key::Reported(kind, *number), kind, label.clone());
                self.targets.extend(target.map(|target| (id, target)));
            }
            Event::Report(Report::State {
                id,
                to: "Completed" | "Confirmed" | "Accepted",
                ..
            }) => self.used(host, Key::Reported("transaction", *id), at),
            Event::Report(Report::Closed { kind, id }) => {
                self.close(host, Key::Reported(kind, *id));
            }
            Event::Network(N::SocketOpened { socket, local }) => {
                open(Key::Socket(socket.0), "socket", local.to_string());
            }
            Event::Network(N::Read { socket, length, .. }) if *length > 0 => {
                self.used(host, Key::Socket(socket.0), at);
            }
            Event::Network(N::SocketClosed { socket }) => self.close(host, Key::Socket(socket.0)),
            Event::Network(N::TaskSpawned { task }) => {
                open(Key::Task(task.0), "task", format!("{}", task.0));
            }
            Event::Network(N::TaskEnded { task, .. }) => self.close(host, Key::Task(task.0)),
            Event::Network(N::HostStarted { .. } | N::HostResumed { .. }) => {
                self.up.insert(host, true);
            }
            Event::Network(N::HostFrozen { .. }) => {
                self.up.insert(host, false);
            }
            Event::Network(N::HostStopped { .. }) => {
                self.up.insert(host, false);
                self.forget(host);
            }
            // The program is over, and what it had open with it; its host's kernel goes on.
            Event::Injected(failure) if failure.panics => self.forget(host),
            Event::Settled => self.forget(host),
            _ => {}
        }
    }

    fn used(&mut self, host: HostId, key: Key, at: Instant) {
        let thing = self.things.get(&(host, key));
        self.used.extend(thing.map(|thing| (thing.record, at)));
    }

    fn close(&mut self, host: HostId, key: Key) {
        self.things.remove(&(host, key));
    }

    /// Drops all that the host has open: its process ended, or has only just started.
    fn forget(&mut self, host: HostId) {
        self.things.retain(|(owner, _), _| *owner != host);
    }
}
