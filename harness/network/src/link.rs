//! Directed links: how long a packet takes from one host to another.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::HostId;
use crate::draw::Key;

/// One-way latency, drawn uniformly for each packet between two bounds, both included, in whole microseconds.
///
/// With a range, a later packet may overtake an earlier one, as on a real network.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Latency {
    /// The shortest.
    pub min: Duration,
    /// The longest; anything below `min` counts as `min`.
    pub max: Duration,
}

impl Latency {
    /// Always the same.
    #[must_use]
    pub const fn fixed(latency: Duration) -> Self {
        Self {
            min: latency,
            max: latency,
        }
    }

    fn draw(self, key: Key) -> Duration {
        let spread =
            u64::try_from(self.max.saturating_sub(self.min).as_micros()).unwrap_or(u64::MAX);
        if spread == 0 {
            return self.min;
        }
        self.min
            .saturating_add(Duration::from_micros(key.below(spread.saturating_add(1))))
    }
}

/// 5 ms each way.
impl Default for Latency {
    fn default() -> Self {
        Self::fixed(Duration::from_millis(5))
    }
}

/// Sender and receiver; `None` is a router, or an address that nobody holds.
pub(crate) type Ends = (Option<HostId>, Option<HostId>);

#[derive(Default)]
pub(crate) struct Links {
    pub(crate) default: Latency,
    links: BTreeMap<Ends, Link>,
}

#[derive(Default)]
struct Link {
    latency: Option<Latency>,
    packets: u64,
}

impl Links {
    pub(crate) fn set(&mut self, ends: Ends, latency: Latency) {
        self.links.entry(ends).or_default().latency = Some(latency);
    }

    /// Counts a packet on the link; gives its latency and the key of everything else that is drawn for it.
    pub(crate) fn enter(&mut self, ends: Ends, root: Key) -> (Duration, Key) {
        let link = self.links.entry(ends).or_default();
        link.packets += 1;
        let key = root.with(link.packets);
        (
            link.latency
                .unwrap_or(self.default)
                .draw(key.with_text("latency")),
            key,
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    // 1,000 draws of eleven values: all occur, none beyond the bounds.
    #[test]
    fn latency_stays_within_and_reaches_its_bounds() {
        let latency = Latency {
            min: Duration::from_micros(10),
            max: Duration::from_micros(20),
        };
        let mut drawn: Vec<_> = (0..1000)
            .map(|index| latency.draw(Key::new(1).with(index)).as_micros())
            .collect();
        drawn.sort_unstable();
        drawn.dedup();
        assert_eq!(drawn, (10..=20).collect::<Vec<_>>());
    }
}
