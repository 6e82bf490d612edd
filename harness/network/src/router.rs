//! ICMP errors: who sends them, and how few.

use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use crate::event::{Event, RecordId};
use crate::neighbour::{Asker, icmp_about, may_be_answered};
use crate::packet::{IcmpKind, Packet, Payload};
use crate::platform::Platform;
use crate::state::{Arrival, State};
use crate::{HostId, Instant};

/// Linux's limit on ICMP errors (`inet_peer_xrlim_allow`, `icmp_ratelimit` = 1 s): per destination a burst of six,
/// then one a second.
#[derive(Default)]
pub(crate) struct Limiter {
    buckets: BTreeMap<(Asker, IpAddr), Bucket>,
}

struct Bucket {
    tokens: Duration,
    filled: Instant,
}

const COST: Duration = Duration::from_secs(1);
const BURST: Duration = Duration::from_secs(6);

impl Limiter {
    fn allows(&mut self, emitter: Asker, destination: IpAddr, now: Instant) -> bool {
        let fresh = || Bucket {
            tokens: BURST,
            filled: now,
        };
        let bucket = self
            .buckets
            .entry((emitter, destination))
            .or_insert_with(fresh);
        bucket.tokens = bucket.tokens.saturating_add(now - bucket.filled).min(BURST);
        bucket.filled = now;
        let Some(rest) = bucket.tokens.checked_sub(COST) else {
            return false;
        };
        bucket.tokens = rest;
        true
    }
}

impl State {
    /// A router between the ends answers a packet, unless it has answered its sender too often. The answer arrives
    /// after one latency of the link: half the way there, half the way back.
    pub(crate) fn router_answers(&mut self, kind: IcmpKind, about: &Packet, cause: RecordId) {
        let Some(host) = about.sender else {
            return;
        };
        if !may_be_answered(about)
            || !self
                .limiter
                .allows(Asker::Router, about.from.ip(), self.now)
        {
            return;
        }
        let from = self.topology.router(host, about.from.ip());
        self.send_icmp(None, SocketAddr::new(from, 0), kind, about, Some(cause));
    }

    /// A host answers a datagram for a port that is closed (RFC 1122 §4.1.3.1), or that its firewall rejects. Only
    /// Linux is known to limit that, and not on its loopback.
    pub(crate) fn host_answers(
        &mut self,
        host: HostId,
        kind: IcmpKind,
        about: &Packet,
        cause: Option<RecordId>,
    ) {
        let limited = self.machine(host).platform == Platform::Linux && about.sender != Some(host);
        if !may_be_answered(about)
            || (limited
                && !self
                    .limiter
                    .allows(Asker::Host(host), about.from.ip(), self.now))
        {
            return;
        }
        self.send_icmp(
            Some(host),
            SocketAddr::new(about.to.ip(), 0),
            kind,
            about,
            cause,
        );
    }

    fn send_icmp(
        &mut self,
        sender: Option<HostId>,
        from: SocketAddr,
        kind: IcmpKind,
        about: &Packet,
        cause: Option<RecordId>,
    ) {
        // A host knows nothing of the NAT before it; a router is that NAT.
        let quoted = match sender {
            Some(_) => about.clone(),
            None => self.as_sender_knows(about),
        };
        // What was forged on the way has no sender; the error goes to whoever has the address.
        let holder = || self.topology.holder(about.from.ip());
        let receiver = about.sender.or_else(holder);
        let packet = Arc::new(Packet {
            id: self.next_packet(),
            from,
            to: SocketAddr::new(about.from.ip(), 0),
            sender,
            receiver,
            payload: Payload::Icmp(icmp_about(kind, &quoted)),
            dont_fragment: false,
        });
        let cause = self.record_caused(
            sender,
            cause,
            Event::Sent {
                packet: Arc::clone(&packet),
            },
        );
        let arrival = Arrival { packet, cause };
        if sender.is_some() && sender == about.sender {
            self.schedule(self.now, arrival);
        } else {
            self.enter_wire(arrival);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    // The measured pattern: six at once, then one for each second that passes, per destination.
    #[test]
    fn limit_is_a_burst_of_six_then_one_a_second() {
        let mut limiter = Limiter::default();
        let [near, far] = [IpAddr::from([10, 0, 0, 1]), IpAddr::from([10, 0, 0, 2])];
        let mut burst = |destination, second: u64| {
            let now = Instant::from_micros(second * 1_000_000);
            (0..10)
                .filter(|_| limiter.allows(Asker::Router, destination, now))
                .count()
        };
        assert_eq!(
            (
                burst(near, 0),
                burst(near, 1),
                burst(near, 3),
                burst(far, 3)
            ),
            (6, 1, 2, 6)
        );
        assert_eq!(burst(near, 60), 6, "idle time refills no more than a burst");
    }
}
