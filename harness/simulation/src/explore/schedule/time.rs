//! When faults begin and how long they last.

use std::sync::Arc;

use proptest::prelude::Strategy;
use proptest::sample::select;

use crate::explore::aims::Aims;

/// When faults strike, in microseconds from the beginning of the run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::explore) struct Window {
    /// The last moment at which one begins.
    pub(in crate::explore) begin: u64,
    /// When the last one is over.
    pub(in crate::explore) end: u64,
}

/// How the faults of a schedule lie to each other in time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Pattern {
    /// Each where it was drawn.
    Scattered,
    /// All of them near the moment of the first.
    Burst,
    /// Each when the one before is over.
    InTurn,
    /// Each in the middle of the one before.
    Crossing,
}

pub(super) fn pattern() -> impl Strategy<Value = Pattern> {
    let all = [
        Pattern::Scattered,
        Pattern::Burst,
        Pattern::InTurn,
        Pattern::Crossing,
    ];
    select(all.to_vec())
}

/// The moments that are worth aiming at: when a message leaves, and just before.
pub(super) fn moments(aims: &Aims, window: Window) -> Vec<u64> {
    let sent = aims.messages.iter().flat_map(|message| &message.moments);
    let near = sent.flat_map(|at| [at.saturating_sub(1), *at, *at + 1_000]);
    let mut moments: Vec<u64> = near.filter(|at| *at <= window.begin).collect();
    moments.push(0);
    moments.sort_unstable();
    moments.dedup();
    moments
}

/// The moment at which a fault begins: one that is worth aiming at, or any.
pub(super) fn begin(moments: &Arc<[u64]>, window: Window) -> impl Strategy<Value = u64> + use<> {
    let any = (0..=window.begin / 1_000).prop_map(|millis| millis * 1_000);
    proptest::prop_oneof![select(moments.to_vec()), any]
}

/// How long a fault lasts.
pub(super) fn length() -> impl Strategy<Value = u64> {
    // Between them lie a retransmission (T1, T2), a registration's retry, a time-out (64·T1).
    let lengths = [
        20, 100, 400, 600, 1_000, 2_000, 4_000, 9_000, 20_000, 33_000,
    ];
    select(lengths.to_vec()).prop_map(|millis: u64| millis * 1_000)
}

/// The faults' beginnings and lengths, arranged by the pattern and cut off at the window's ends.
pub(super) fn arrange(pattern: Pattern, drawn: &[(u64, u64)], window: Window) -> Vec<(u64, u64)> {
    let mut arranged: Vec<(u64, u64)> = Vec::with_capacity(drawn.len());
    for (begin, length) in drawn {
        let begin = match (pattern, arranged.last()) {
            (Pattern::Scattered, _) | (_, None) => *begin,
            (Pattern::Burst, Some(_)) => arranged[0].0 + begin % 200_000,
            (Pattern::InTurn, Some((before, lasted))) => before + lasted,
            (Pattern::Crossing, Some((before, lasted))) => before + lasted / 2,
        };
        let begin = begin.min(window.begin);
        let length = (*length).min(window.end - begin);
        arranged.push((begin, length));
    }
    arranged
}

/// A length of time as scenario files write it, in the largest unit that holds it exactly.
pub(in crate::explore) fn duration(micros: u64) -> String {
    match micros {
        0 => "0s".to_owned(),
        _ if micros.is_multiple_of(1_000_000) => format!("{}s", micros / 1_000_000),
        _ if micros.is_multiple_of(1_000) => format!("{}ms", micros / 1_000),
        _ => format!("{micros}us"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const WINDOW: Window = Window {
        begin: 10,
        end: 100,
    };

    /// Whatever the pattern, everything is healed at the window's end.
    #[test]
    fn faults_lie_as_the_pattern_says_and_end_in_the_window() {
        let drawn = [(2, 4), (9, 500)];
        let arranged = |pattern| arrange(pattern, &drawn, WINDOW);
        assert_eq!(arranged(Pattern::Scattered), [(2, 4), (9, 91)]);
        assert_eq!(arranged(Pattern::Burst), [(2, 4), (10, 90)]);
        assert_eq!(arranged(Pattern::InTurn), [(2, 4), (6, 94)]);
        assert_eq!(arranged(Pattern::Crossing), [(2, 4), (4, 96)]);
    }

    #[test]
    fn a_length_of_time_is_written_exactly() {
        let texts = [0, 7, 1_500, 2_000, 3_000_000].map(duration);
        assert_eq!(texts, ["0s", "7us", "1500us", "2ms", "3s"]);
    }
}
