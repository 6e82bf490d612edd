//! Virtual time: the engine's clock, in whole microseconds.

use std::fmt;
use std::ops::{Add, Sub};
use std::time::Duration;

/// A moment, in whole microseconds since the run began.
///
/// Only the engine moves it on, from one event to the next. Arithmetic saturates at the ends of the range
/// (584,542 years), because a deadline that far away is "never" and no reason to panic.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Instant(u64);

impl Instant {
    /// The beginning of the run.
    pub const START: Self = Self(0);
    /// Later than everything else.
    pub const FAR_FUTURE: Self = Self(u64::MAX);

    /// The moment `micros` microseconds after the run began.
    #[must_use]
    pub const fn from_micros(micros: u64) -> Self {
        Self(micros)
    }

    /// Microseconds since the run began.
    #[must_use]
    pub const fn as_micros(self) -> u64 {
        self.0
    }

    /// How long after `earlier` this is; zero if it is not later.
    #[must_use]
    pub const fn since(self, earlier: Self) -> Duration {
        Duration::from_micros(self.0.saturating_sub(earlier.0))
    }
}

impl Add<Duration> for Instant {
    type Output = Self;

    fn add(self, length: Duration) -> Self {
        let micros = u64::try_from(length.as_micros()).unwrap_or(u64::MAX);
        Self(self.0.saturating_add(micros))
    }
}

impl Sub for Instant {
    type Output = Duration;

    fn sub(self, earlier: Self) -> Duration {
        self.since(earlier)
    }
}

/// Seconds with three decimals, `12.005`; six where the microseconds are not whole milliseconds.
impl fmt::Display for Instant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (seconds, micros) = (self.0 / 1_000_000, self.0 % 1_000_000);
        if micros.is_multiple_of(1000) {
            write!(f, "{seconds}.{:03}", micros / 1000)
        } else {
            write!(f, "{seconds}.{micros:06}")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arithmetic_saturates_instead_of_panicking() {
        assert_eq!(Instant::FAR_FUTURE + Duration::MAX, Instant::FAR_FUTURE);
        assert_eq!(Instant::START - Instant::FAR_FUTURE, Duration::ZERO);
    }

    #[test]
    fn displays_seconds_and_hides_empty_microseconds() {
        assert_eq!(Instant::from_micros(12_005_000).to_string(), "12.005");
        assert_eq!(Instant::from_micros(5_000_001).to_string(), "5.000001");
    }
}
