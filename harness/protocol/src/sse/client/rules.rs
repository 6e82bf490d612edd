//! The numbers of a client, each a policy with report D's value.

use std::time::Duration;

use super::table::On;

/// What a client goes by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rules {
    /// How long it waits before it reconnects.
    pub backoff: Backoff,
    /// How often it reconnects without getting on; `None` is without end.
    pub attempts: Option<u32>,
    /// When it has got on, and the counter goes back to zero.
    pub counter: ResetCounter,
    /// How long it goes without an event before it gives up; `None` is for ever.
    pub idle: Option<Duration>,
    /// Whether it says on a reconnect where it was.
    pub resumes: bool,
}

impl Default for Rules {
    /// Report D's numbers.
    fn default() -> Self {
        Self {
            backoff: Backoff::default(),
            attempts: Some(5),
            counter: ResetCounter::OnNewToken,
            idle: Some(Duration::from_secs(30)),
            resumes: true,
        }
    }
}

/// min(base·2ⁿ, ceiling), all in milliseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Backoff {
    /// The base, as long as no `retry:` came.
    pub first: u64,
    /// The ceiling.
    pub ceiling: u64,
}

impl Default for Backoff {
    fn default() -> Self {
        Self {
            first: 1000,
            ceiling: 30_000,
        }
    }
}

impl Backoff {
    /// How long to wait before the try with that number, from 0.
    #[must_use]
    pub fn delay(self, base: u64, attempt: u32) -> Duration {
        let factor = 1_u64.checked_shl(attempt).unwrap_or(u64::MAX);
        Duration::from_millis(base.saturating_mul(factor).min(self.ceiling))
    }
}

/// When the counter of attempts goes back to zero.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ResetCounter {
    /// At the first new token after an `init`.
    OnNewToken,
    /// At an `init`: an error after each then reconnects for ever.
    OnInit,
    /// At every try: it never counts.
    OnEveryTry,
    /// Never: the fifth break in a long answer is its end.
    Never,
}

impl ResetCounter {
    pub(super) fn is_reset_by(self, event: On) -> bool {
        match self {
            Self::OnNewToken => event == On::Token,
            Self::OnInit => event == On::Init || event == On::Token,
            // What is reset all the time needs no event.
            Self::OnEveryTry | Self::Never => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn delays_double_up_to_the_ceiling_and_never_overflow() {
        let backoff = Backoff::default();
        let delays = |base| [0, 1, 2, 3, 4].map(|n| backoff.delay(base, n).as_millis());
        assert_eq!(delays(1000), [1000, 2000, 4000, 8000, 16_000]);
        assert_eq!(delays(5000), [5000, 10_000, 20_000, 30_000, 30_000]);
        assert_eq!(backoff.delay(0, 4), Duration::ZERO);
        assert_eq!(backoff.delay(u64::MAX, u32::MAX).as_millis(), 30_000);
    }
}
