//! The retransmission time-out, estimated as Linux does: RFC 6298, with a variance of at least 200 ms.

use std::time::Duration;

/// RFC 6298 §2.1, and Linux's `TCP_TIMEOUT_INIT`.
pub(super) const INITIAL: Duration = Duration::from_secs(1);
/// Linux's `TCP_RTO_MAX`.
pub(super) const MAX: Duration = Duration::from_secs(120);
/// Linux's `TCP_RTO_MIN`, which bounds the variance and not the sum.
const VARIANCE_MIN: u64 = 200_000;

/// Smoothed round-trip time and its variance, in microseconds.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct RoundTrip {
    smoothed: Option<(u64, u64)>,
}

impl RoundTrip {
    /// RFC 6298 §2.2 and §2.3.
    pub(super) fn sample(&mut self, measured: Duration) {
        let measured = u64::try_from(measured.as_micros()).unwrap_or(u64::MAX / 16);
        self.smoothed = Some(match self.smoothed {
            None => (measured, measured / 2),
            Some((smoothed, variance)) => (
                (7 * smoothed + measured) / 8,
                (3 * variance + smoothed.abs_diff(measured)) / 4,
            ),
        });
    }

    /// The time-out before the retransmission of this number, from 0: it doubles with each.
    pub(super) fn timeout(&self, retries: u32) -> Duration {
        let base = self.smoothed.map_or(INITIAL, |(smoothed, variance)| {
            Duration::from_micros(smoothed + (4 * variance).max(VARIANCE_MIN))
        });
        base.saturating_mul(1 << retries.min(16)).min(MAX)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    // 10 ms of round trip give 210 ms, doubled nine times; then two minutes each: 934.8 s until Linux gives up, which
    // is the 15.6 minutes measured.
    #[test]
    fn fifteen_retries_take_as_long_as_measured() {
        let mut round_trip = RoundTrip::default();
        assert_eq!(round_trip.timeout(0), INITIAL);
        round_trip.sample(Duration::from_millis(10));
        let total: Duration = (0..=15).map(|retry| round_trip.timeout(retry)).sum();
        assert_eq!(total, Duration::from_micros(934_830_000));
    }

    // A sample far above the average must move average and variance by an eighth and a quarter of the difference.
    #[test]
    fn a_late_answer_raises_the_time_out() {
        let mut round_trip = RoundTrip::default();
        round_trip.sample(Duration::from_millis(80));
        round_trip.sample(Duration::from_millis(880));
        assert_eq!(round_trip.smoothed, Some((180_000, 230_000)));
        assert_eq!(round_trip.timeout(0), Duration::from_millis(1_100));
    }
}
