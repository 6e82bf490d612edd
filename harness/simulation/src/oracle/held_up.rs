//! Whether TCP between two hosts has trouble.
//!
//! What a program writes leaves later then, or never: segments wait for the window, for a retransmission, or for a
//! connection. So the moments of what leaves are not the program's.

use std::collections::BTreeMap;
use std::ops::RangeInclusive;

use linefault_network::{Event as N, Flags, HostId, Instant, Packet, SocketCall};

use crate::evidence::Evidence;
use crate::trace::Event;

/// Whether a segment between the two got lost or was sent again before the end of `when`, or a connection between them was
/// begun or reset within, or could not be made.
pub(super) fn held_up(
    evidence: &Evidence<'_>,
    one: HostId,
    other: HostId,
    when: RangeInclusive<Instant>,
) -> bool {
    let ends = [Some(one), Some(other)];
    let between = |packet: &Packet| {
        let (from, to) = (packet.sender, packet.receiver);
        ends == [from, to] || ends == [to, from]
    };
    let mut ahead = BTreeMap::new();
    let records = evidence.trace.records();
    let records = &records[..records.partition_point(|record| record.at <= *when.end())];
    records.iter().any(|record| {
        let Event::Network(event) = &record.event else {
            return false;
        };
        match event {
            N::Lost { packet, .. } => packet.segment().is_some() && between(packet),
            N::Sent { packet } if between(packet) => packet.segment().is_some_and(|segment| {
                let marked = segment.has(Flags::SYN) || segment.has(Flags::RST);
                if marked || segment.data.is_empty() {
                    return marked && when.contains(&record.at);
                }
                let begins = segment.sequence;
                let ends =
                    begins.wrapping_add(u32::try_from(segment.data.len()).unwrap_or(u32::MAX));
                let known = ahead.insert((packet.from, packet.to), ends);
                // Sequence numbers wrap: what lies behind is less than half the circle away.
                known.is_some_and(|known: u32| begins.wrapping_sub(known) > u32::MAX / 2)
            }),
            N::CallFailed {
                call: SocketCall::Connect,
                address: Some(address),
                ..
            } => {
                let ways = [record.host, evidence.host_at(*address)];
                let between = ends == ways || ends == [ways[1], ways[0]];
                between && when.contains(&record.at)
            }
            _ => false,
        }
    })
}

/// Whether that host could not make a connection within that time: over TCP nothing shows then of what it had to say.
pub(super) fn found_nobody(
    evidence: &Evidence<'_>,
    host: HostId,
    when: RangeInclusive<Instant>,
) -> bool {
    let mut records = evidence.trace.records().iter();
    records.any(|record| {
        let failed = matches!(
            record.event,
            Event::Network(N::CallFailed {
                call: SocketCall::Connect,
                ..
            })
        );
        failed && record.host == Some(host) && when.contains(&record.at)
    })
}
