//! `slow`: a bandwidth limit with a queue before it.

use std::collections::BTreeMap;
use std::time::Duration;

use super::{
    Acts, ArgError, Args, Entry, Fault, Lane, Occasion, Param, ParamKind, Phase, Rule, Verdict,
};
use crate::Instant;
use crate::draw::Key;
use crate::packet::Packet;

/// A thousand full Ethernet frames, as Linux queues (`txqueuelen`).
const QUEUE_BYTES: u64 = 1_500_000;
const QUEUE_TIME: Duration = Duration::from_secs(1);
/// Beyond any link; keeps the arithmetic far from its ends.
const RATE_MAX: u64 = 1_000_000_000_000;
const MICROS: u128 = 1_000_000;

pub(super) const ENTRY: Entry = Entry {
    name: "slow",
    doc: "A bandwidth limit: packets queue for their turn, and those that find the queue full are lost.",
    acts: Acts::Packets,
    params: &[
        Param {
            name: "bytes-per-second",
            kind: ParamKind::Count,
            default: None,
            doc: "How fast packets leave, counted with their IP headers; from 1.",
        },
        Param {
            name: "queue-bytes",
            kind: ParamKind::Count,
            default: Some("1500000"),
            doc: "How many bytes may be queued.",
        },
        Param {
            name: "queue-time",
            kind: ParamKind::Duration,
            default: Some("1s"),
            doc: "How long a packet may wait for its turn.",
        },
    ],
    build,
};

fn build(args: &Args) -> Result<Fault, ArgError> {
    let rate = args
        .count("bytes-per-second", 1, RATE_MAX)?
        .ok_or_else(|| ArgError::missing("bytes-per-second"))?;
    let bytes = args.count("queue-bytes", 0, u64::MAX)?;
    let queue = QueueLimit {
        bytes: bytes.unwrap_or(QUEUE_BYTES),
        time: args.duration("queue-time").unwrap_or(QUEUE_TIME),
    };
    Ok(slow(rate, queue))
}

/// How much may wait before a slow link; whichever is reached first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct QueueLimit {
    /// Bytes that are queued, the packet on its way out and the one that wants to join included.
    pub bytes: u64,
    /// How long a packet waits before its own way out begins.
    pub time: Duration,
}

/// As many bytes as a thousand full Ethernet frames (Linux's `txqueuelen`), and 1 s.
impl Default for QueueLimit {
    fn default() -> Self {
        Self {
            bytes: QUEUE_BYTES,
            time: QUEUE_TIME,
        }
    }
}

/// Packets leave one after the other at `bytes_per_second` (0 counts as 1, and 10¹² is the most), each counted with
/// its IP and transport headers; on top of that comes the link's latency. One that would exceed the queue's limit is
/// lost ([`LossReason::QueueFull`](crate::LossReason::QueueFull)); one that finds the queue empty always goes.
///
/// Each direction of the scope has a queue of its own: of a host, what it sends and what it is sent, whoever its peers
/// are; everywhere, each link. What is queued when the fault ends still leaves as it would have.
#[must_use]
pub fn slow(bytes_per_second: u64, queue: QueueLimit) -> Fault {
    let slow = Slow {
        rate: bytes_per_second.clamp(1, RATE_MAX),
        limit: queue,
        queues: BTreeMap::new(),
    };
    Fault::new(ENTRY.name, slow)
}

struct Slow {
    rate: u64,
    limit: QueueLimit,
    queues: BTreeMap<Lane, Backlog>,
}

/// What has not left yet, in bytes times 10⁶, so that a microsecond drains exactly `rate` of it.
#[derive(Default)]
struct Backlog {
    amount: u128,
    seen: Instant,
}

impl Slow {
    /// When a packet of this length is out; `None` if the queue does not take it.
    fn enqueue(&mut self, now: Instant, lane: Lane, length: usize) -> Option<Duration> {
        let rate = u128::from(self.rate);
        let backlog = self.queues.entry(lane).or_default();
        let drained = (now - backlog.seen).as_micros() * rate;
        *backlog = Backlog {
            amount: backlog.amount.saturating_sub(drained),
            seen: now,
        };
        let more = length as u128 * MICROS;
        let full = backlog.amount + more > u128::from(self.limit.bytes) * MICROS
            || backlog.amount > self.limit.time.as_micros().saturating_mul(rate);
        if full && backlog.amount > 0 {
            return None;
        }
        backlog.amount += more;
        let micros = backlog.amount.div_ceil(rate);
        Some(Duration::from_micros(
            u64::try_from(micros).unwrap_or(u64::MAX),
        ))
    }
}

impl Rule for Slow {
    fn concerns(&self, phase: Phase) -> bool {
        phase == Phase::Wire
    }

    fn judge_at(&mut self, occasion: Occasion, _: Phase, packet: &Packet, _: Key) -> Verdict {
        match self.enqueue(occasion.now, occasion.lane, packet.length()) {
            Some(Duration::ZERO) => Verdict::Pass,
            Some(delay) => Verdict::Delay(delay),
            None => Verdict::Overflow,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    // 3 bytes at 7 bytes a second is no whole number of microseconds: a thousand packets must not gather an error.
    #[test]
    fn rounding_does_not_add_up() {
        let limit = QueueLimit {
            bytes: u64::MAX,
            time: Duration::MAX,
        };
        let mut slow = Slow {
            rate: 7,
            limit,
            queues: BTreeMap::new(),
        };
        let lane = Lane::Forth;
        let last = (0..1000)
            .filter_map(|_| slow.enqueue(Instant::START, lane, 3))
            .last();
        assert_eq!(
            last,
            Some(Duration::from_micros(428_571_429)),
            "3,000 bytes / 7"
        );
        let later = Instant::START + Duration::from_micros(428_571_428);
        let next = slow.enqueue(later, lane, 7);
        assert_eq!(
            next,
            Some(Duration::from_micros(1_000_001)),
            "4/7 µs were left"
        );
    }

    // Extreme settings may neither overflow nor divide by zero; both are refused or bounded by the constructor.
    #[test]
    fn extremes_saturate() {
        let limit = QueueLimit {
            bytes: u64::MAX,
            time: Duration::MAX,
        };
        let mut slow = Slow {
            rate: RATE_MAX,
            limit,
            queues: BTreeMap::new(),
        };
        assert_eq!(
            slow.enqueue(Instant::FAR_FUTURE, Lane::Back, 65_535),
            Some(Duration::from_micros(1))
        );
        slow.rate = 1;
        assert!(slow.enqueue(Instant::START, Lane::Back, 65_535).is_some());
    }
}
