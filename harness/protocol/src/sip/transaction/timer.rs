//! The timers of the transaction machines.
//!
//! Owns their names and lengths. Refuses to run them: a machine notes when one is due, and is told the time.

use std::fmt;
use std::time::Duration;

/// A timer, by its letter in RFC 3261 (Table 4), RFC 6026 (L, M) or by the response that it sends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Timer {
    /// INVITE retransmission, over UDP only: T1, doubling.
    A,
    /// INVITE transaction time-out: 64·T1.
    B,
    /// Proxy INVITE time-out, over 3 minutes. A proxy's own; no machine here sets it.
    C,
    /// Wait for repeated failures to an INVITE: over 32 s over UDP, zero otherwise.
    D,
    /// Non-INVITE retransmission, over UDP only: T1, doubling up to T2.
    E,
    /// Non-INVITE transaction time-out: 64·T1.
    F,
    /// Retransmission of a failure to an INVITE, over UDP only: T1, doubling up to T2.
    G,
    /// Wait for the ACK: 64·T1.
    H,
    /// Wait for repeated ACKs: T4 over UDP, zero otherwise.
    I,
    /// Wait for repeated non-INVITE requests: 64·T1 over UDP, zero otherwise.
    J,
    /// Wait for repeated responses to a non-INVITE: T4 over UDP, zero otherwise.
    K,
    /// Wait for repeated INVITEs after a 2xx: 64·T1 (RFC 6026 §8.7).
    L,
    /// Wait for more 2xx to an INVITE: 64·T1 (RFC 6026 §8.4).
    M,
    /// Time for the transaction user to answer an INVITE before a 100 is sent: 200 ms (RFC 3261 §17.2.1).
    Trying,
}

impl Timer {
    /// All of them, in the order of their letters.
    pub const ALL: [Self; 14] = [
        Self::A,
        Self::B,
        Self::C,
        Self::D,
        Self::E,
        Self::F,
        Self::G,
        Self::H,
        Self::I,
        Self::J,
        Self::K,
        Self::L,
        Self::M,
        Self::Trying,
    ];

    /// Its letter, or `Trying`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::A => "A",
            Self::B => "B",
            Self::C => "C",
            Self::D => "D",
            Self::E => "E",
            Self::F => "F",
            Self::G => "G",
            Self::H => "H",
            Self::I => "I",
            Self::J => "J",
            Self::K => "K",
            Self::L => "L",
            Self::M => "M",
            Self::Trying => "Trying",
        }
    }

    /// Whether a transaction that runs no other timer has done its work, and only stays to recognise repeats.
    #[must_use]
    pub const fn only_lingers(self) -> bool {
        matches!(
            self,
            Self::D | Self::I | Self::J | Self::K | Self::L | Self::M
        )
    }
}

/// The lengths that all timers derive from. The defaults are those of RFC 3261, for the public Internet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Timers {
    /// Estimated round-trip time: 500 ms.
    pub t1: Duration,
    /// Longest interval between retransmissions of non-INVITE requests and INVITE responses: 4 s.
    pub t2: Duration,
    /// How long a message stays in the network: 5 s.
    pub t4: Duration,
    /// Timer D over UDP: 32 s, and no less (RFC 3261 §17.1.1.2, RFC 6026 §8.4).
    pub d: Duration,
    /// How long an INVITE server transaction waits before it sends 100: 200 ms.
    pub trying: Duration,
}

impl Default for Timers {
    fn default() -> Self {
        Self {
            t1: Duration::from_millis(500),
            t2: Duration::from_secs(4),
            t4: Duration::from_secs(5),
            d: Duration::from_secs(32),
            trying: Duration::from_millis(200),
        }
    }
}

impl Timers {
    /// 64·T1: how long a transaction may last before somebody gives up.
    #[must_use]
    pub fn patience(&self) -> Duration {
        self.t1.saturating_mul(64)
    }

    /// How long `timer` runs when it is first set; `None` if it never runs over this transport.
    // RFC 3261 Table 4; RFC 6026 §8.4 and §8.7 for L and M, which do not depend on the transport.
    #[must_use]
    pub fn length(&self, timer: Timer, reliable: bool) -> Option<Duration> {
        match timer {
            Timer::A | Timer::E | Timer::G => (!reliable).then_some(self.t1),
            Timer::B | Timer::F | Timer::H | Timer::L | Timer::M => Some(self.patience()),
            Timer::C => None,
            Timer::D => Some(if reliable { Duration::ZERO } else { self.d }),
            Timer::I | Timer::K => Some(if reliable { Duration::ZERO } else { self.t4 }),
            Timer::J => Some(if reliable {
                Duration::ZERO
            } else {
                self.patience()
            }),
            Timer::Trying => Some(self.trying),
        }
    }

    /// The interval after `last` of a timer that retransmits. Only A grows without end (RFC 3261 §17.1.1.2).
    #[must_use]
    pub(crate) fn doubled(&self, timer: Timer, last: Duration) -> Duration {
        let next = last.saturating_mul(2);
        if timer == Timer::A {
            next
        } else {
            next.min(self.t2)
        }
    }
}

impl fmt::Display for Timer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
