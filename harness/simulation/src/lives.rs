//! When each host's process began, ended, was frozen and went on.
//!
//! Its first task is its program: a panic there that a fault asks for ends it, though nobody stops the host. One that nobody
//! asked for is no excuse for what is not done afterwards.

use linefault_network::{Event as N, HostId, Instant, TaskEnd, TaskId};

use crate::trace::{Event, Record, Trace};

/// What became of every host's processes, in order of time.
#[derive(Debug, Default)]
pub(crate) struct Lives {
    hosts: Vec<Life>,
}

#[derive(Debug, Default)]
struct Life {
    starts: Vec<Instant>,
    /// Ends and freezes.
    stops: Vec<Instant>,
    freezes: Vec<Instant>,
    program: Option<TaskId>,
    /// Whether a fault had the program panic, and whether that was its end.
    panics: bool,
    is_over: bool,
    /// From when on it runs, or does not.
    running: Vec<(Instant, bool)>,
}

impl Lives {
    pub(crate) fn of(trace: &Trace) -> Self {
        let mut lives = Self::among(trace.hosts().len());
        trace.records().iter().for_each(|record| lives.take(record));
        lives
    }

    /// Of so many hosts, before anything has happened.
    pub(crate) fn among(hosts: usize) -> Self {
        let mut lives = Self::default();
        lives.hosts.resize_with(hosts, Default::default);
        lives
    }

    /// Takes the next record.
    pub(crate) fn take(&mut self, record: &Record) {
        let host = record.host.map(HostId::index);
        let life = host.and_then(|host| self.hosts.get_mut(host));
        match (life, &record.event) {
            (Some(life), Event::Network(event)) => life.take(record.at, event),
            (Some(life), Event::Injected(failure)) => life.panics |= failure.panics,
            _ => {}
        }
    }

    pub(crate) fn starts(&self, host: HostId) -> &[Instant] {
        self.hosts.get(host.index()).map_or(&[], |it| &it.starts)
    }

    pub(crate) fn stops(&self, host: HostId) -> &[Instant] {
        self.hosts.get(host.index()).map_or(&[], |it| &it.stops)
    }

    pub(crate) fn freezes(&self, host: HostId) -> &[Instant] {
        self.hosts.get(host.index()).map_or(&[], |it| &it.freezes)
    }

    pub(crate) fn is_running(&self, host: HostId, at: Instant) -> bool {
        let running = self.running(host);
        let until = running.partition_point(|(since, _)| *since <= at);
        running[..until].last().is_some_and(|(_, running)| *running)
    }

    pub(crate) fn runs_from(&self, host: HostId, at: Instant) -> Option<Instant> {
        if self.is_running(host, at) {
            return Some(at);
        }
        let mut changes = self.running(host).iter();
        let next = changes.find(|(since, running)| *since > at && *running)?;
        Some(next.0)
    }

    fn running(&self, host: HostId) -> &[(Instant, bool)] {
        let life = self.hosts.get(host.index());
        life.map_or(&[], |life| &life.running)
    }
}

impl Life {
    fn take(&mut self, at: Instant, event: &N) {
        match event {
            N::HostStarted { .. } => {
                self.starts.push(at);
                (self.program, self.panics, self.is_over) = (None, false, false);
            }
            N::HostResumed { .. } if self.is_over => return,
            N::HostResumed { .. } => {}
            N::HostStopped { .. } => self.stops.push(at),
            N::TaskSpawned { task } => {
                self.program.get_or_insert(*task);
                return;
            }
            N::TaskEnded {
                task,
                how: TaskEnd::Panicked,
            } if self.panics && self.program == Some(*task) => {
                self.is_over = true;
                self.stops.push(at);
            }
            N::HostFrozen { .. } => {
                self.stops.push(at);
                self.freezes.push(at);
            }
            _ => return,
        }
        let runs = matches!(event, N::HostStarted { .. } | N::HostResumed { .. });
        self.running.push((at, runs));
    }
}
