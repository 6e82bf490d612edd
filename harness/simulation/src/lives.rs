//! When each host's process began, ended, was frozen and went on.

use linefault_network::{Event as N, HostId, Instant};

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
        if let (Some(host), Event::Network(event)) = (record.host, &record.event)
            && let Some(life) = self.hosts.get_mut(host.index())
        {
            life.take(record.at, event);
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
            N::HostStarted { .. } => self.starts.push(at),
            N::HostResumed { .. } => {}
            N::HostStopped { .. } => self.stops.push(at),
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
