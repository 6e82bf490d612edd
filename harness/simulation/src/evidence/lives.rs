//! When each host's process began and ended.

use linefault_network::{self as network, HostId, Instant};

use crate::trace::{Event, Trace};

/// The starts and ends of every host's processes, in order.
#[derive(Debug, Default)]
pub(super) struct Lives {
    hosts: Vec<(Vec<Instant>, Vec<Instant>)>,
}

impl Lives {
    pub(super) fn of(trace: &Trace) -> Self {
        let mut lives = Self::default();
        lives
            .hosts
            .resize_with(trace.hosts().len(), Default::default);
        for record in trace.records() {
            let life = record
                .host
                .and_then(|host| lives.hosts.get_mut(host.index()));
            match (life, &record.event) {
                (Some((starts, _)), Event::Network(network::Event::HostStarted { .. })) => {
                    starts.push(record.at);
                }
                (Some((_, stops)), Event::Network(network::Event::HostStopped { .. })) => {
                    stops.push(record.at);
                }
                _ => {}
            }
        }
        lives
    }

    pub(super) fn starts(&self, host: HostId) -> &[Instant] {
        self.hosts
            .get(host.index())
            .map_or(&[], |(starts, _)| starts)
    }

    pub(super) fn stops(&self, host: HostId) -> &[Instant] {
        self.hosts.get(host.index()).map_or(&[], |(_, stops)| stops)
    }
}
