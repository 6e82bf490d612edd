//! Nothing is left over once a run is quiet.

use std::collections::BTreeMap;

use linefault_actors::Report;
use linefault_network::{Event as N, HostId, Instant, RecordId};

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
    for (id, record) in evidence.off_the_wire() {
        open.take(id, record.at, record.host, &record.event);
    }
    open.use_sockets(evidence);
    let mut left: Vec<_> = open.left(evidence).collect();
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

impl Key {
    const fn kind(self) -> &'static str {
        match self {
            Self::Reported(kind, _) => kind,
            Self::Socket(_) => "socket",
            Self::Task(_) => "task",
        }
    }
}

/// Whether that was within the last 64·T1.
fn is_late(at: Instant, evidence: &Evidence<'_>) -> bool {
    at.as_micros() + LINGER_MICROS > evidence.ended_at.as_micros()
}

#[derive(Default)]
struct Open {
    things: BTreeMap<(HostId, Key), Thing>,
    up: BTreeMap<HostId, bool>,
}

struct Thing {
    record: RecordId,
    opened_at: Instant,
    /// When something came over a connection last, or a transaction was answered; until then when it was opened.
    used_at: Instant,
}

impl Open {
    fn take(&mut self, id: RecordId, at: Instant, host: Option<HostId>, event: &Event) {
        let Some(host) = host else { return };
        let mut open = |key| {
            let thing = Thing {
                record: id,
                opened_at: at,
                used_at: at,
            };
            self.things.insert((host, key), thing);
        };
        match event {
            Event::Report(Report::Opened { kind, id, .. }) => open(Key::Reported(kind, *id)),
            Event::Report(Report::State {
                id,
                to: "Completed" | "Confirmed" | "Accepted",
                ..
            }) => self.used(host, Key::Reported("transaction", *id), at),
            Event::Report(Report::Closed { kind, id }) => {
                self.close(host, Key::Reported(kind, *id));
            }
            Event::Network(N::SocketOpened { socket, .. }) => open(Key::Socket(socket.0)),
            Event::Network(N::SocketClosed { socket }) => self.close(host, Key::Socket(socket.0)),
            Event::Network(N::TaskSpawned { task }) => open(Key::Task(task.0)),
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

    /// Notes when the sockets that are still open were last read from, as far as it is so late that it matters.
    fn use_sockets(&mut self, evidence: &Evidence<'_>) {
        let is_socket = |(_, key): &(HostId, Key)| matches!(key, Key::Socket(_));
        if !self.things.keys().any(is_socket) {
            return;
        }
        let records = evidence.trace.records().iter().rev();
        for record in records.take_while(|record| is_late(record.at, evidence)) {
            if let (
                Some(host),
                Event::Network(N::Read {
                    socket,
                    length: 1..,
                    ..
                }),
            ) = (record.host, &record.event)
            {
                self.used(host, Key::Socket(socket.0), record.at);
            }
        }
    }

    fn left<'e>(&'e self, evidence: &'e Evidence<'_>) -> impl Iterator<Item = LeftOver> + 'e {
        let things = self.things.iter();
        let old = things.filter(move |((host, _), thing)| {
            let frozen = self.up.get(host) == Some(&false);
            let young = evidence.quiet && is_late(thing.used_at, evidence);
            !frozen && !young
        });
        old.filter_map(move |((host, key), thing)| {
            let event = &evidence.trace.get(thing.record)?.event;
            let (label, target) = match event {
                Event::Report(Report::Opened { label, target, .. }) => (label.clone(), *target),
                Event::Network(N::SocketOpened { local, .. }) => (local.to_string(), None),
                Event::Network(N::TaskSpawned { task }) => (task.0.to_string(), None),
                _ => return None,
            };
            let kind = key.kind();
            let leads_to = target.and_then(|target| evidence.host_at(target));
            let lives = leads_to.is_some_and(|host| self.up.get(&host) == Some(&true));
            (kind != "binding" || !lives).then_some(LeftOver {
                host: *host,
                kind,
                label,
                opened_at: thing.opened_at,
                record: thing.record,
            })
        })
    }

    fn used(&mut self, host: HostId, key: Key, at: Instant) {
        if let Some(thing) = self.things.get_mut(&(host, key)) {
            thing.used_at = thing.used_at.max(at);
        }
    }

    fn close(&mut self, host: HostId, key: Key) {
        self.things.remove(&(host, key));
    }

    /// Drops all that the host has open: its process ended, or has only just started.
    fn forget(&mut self, host: HostId) {
        self.things.retain(|(owner, _), _| *owner != host);
    }
}
