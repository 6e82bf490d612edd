//! The times of RFC 3261, Table 4, over UDP, in microseconds.

use linefault_network::Instant;

/// Round-trip time estimate.
pub(super) const T1: u64 = 500_000;
/// The longest interval between repeats.
pub(super) const T2: u64 = 4_000_000;
/// How long a message may stay in the network.
pub(super) const T4: u64 = 5_000_000;
/// Timers B, F, H and J, and the least of Timer D: 64·T1.
pub(super) const GIVE_UP: u64 = 64 * T1;

/// So much later.
pub(super) fn later(at: Instant, by: u64) -> Instant {
    Instant::from_micros(at.as_micros().saturating_add(by))
}
