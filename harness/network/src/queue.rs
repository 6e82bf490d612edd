//! What is going to happen, in order: by time, control events first, then as scheduled.
//!
//! Cancelling is O(1): the entry stays in the heap without its content, and the heap is rebuilt once such entries
//! are the larger half.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use crate::Instant;

/// Where an entry stands among those of one instant.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Rank {
    /// Steps and faults: what happens at t concerns every packet that arrives at t.
    Control,
    Ordinary,
}

/// A scheduled entry; valid until it is taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Ticket {
    slot: u32,
    sequence: u64,
}

type Position = Reverse<(Instant, Rank, u64, u32)>;

pub(crate) struct Queue<T> {
    heap: BinaryHeap<Position>,
    slots: Vec<Option<(u64, T)>>,
    free: Vec<u32>,
    sequence: u64,
    live: usize,
}

/// Below this many entries a rebuild is not worth it.
const REBUILD_FROM: usize = 64;

impl<T> Queue<T> {
    pub(crate) fn new() -> Self {
        Self {
            heap: BinaryHeap::new(),
            slots: Vec::new(),
            free: Vec::new(),
            sequence: 0,
            live: 0,
        }
    }

    pub(crate) fn push(&mut self, at: Instant, rank: Rank, content: T) -> Ticket {
        self.sequence += 1;
        let sequence = self.sequence;
        let slot = self.free.pop().unwrap_or_else(|| {
            self.slots.push(None);
            u32::try_from(self.slots.len() - 1).unwrap_or(u32::MAX)
        });
        self.slots[slot as usize] = Some((sequence, content));
        self.heap.push(Reverse((at, rank, sequence, slot)));
        self.live += 1;
        Ticket { slot, sequence }
    }

    /// Takes an entry out before its time; `None` if it has gone already.
    pub(crate) fn cancel(&mut self, ticket: Ticket) -> Option<T> {
        let content = self.take(ticket.slot, ticket.sequence)?;
        if self.heap.len() > REBUILD_FROM && self.live * 2 < self.heap.len() {
            let slots = &self.slots;
            self.heap
                .retain(|Reverse((.., sequence, slot))| is_live(slots, *slot, *sequence));
        }
        self.drop_stale();
        Some(content)
    }

    /// When the next entry is due.
    pub(crate) fn next(&self) -> Option<Instant> {
        self.heap.peek().map(|Reverse((at, ..))| *at)
    }

    /// The next entry if it is due by `now`.
    pub(crate) fn pop(&mut self, now: Instant) -> Option<T> {
        self.next().filter(|at| *at <= now)?;
        let Reverse((.., sequence, slot)) = self.heap.pop()?;
        let content = self.take(slot, sequence);
        self.drop_stale();
        content
    }

    fn take(&mut self, slot: u32, sequence: u64) -> Option<T> {
        let entry = self.slots.get_mut(slot as usize)?;
        let (_, content) = entry.take_if(|(own, _)| *own == sequence)?;
        self.free.push(slot);
        self.live -= 1;
        Some(content)
    }

    /// Keeps the top of the heap alive, so that [`Self::next`] never names a cancelled entry.
    fn drop_stale(&mut self) {
        while let Some(Reverse((.., sequence, slot))) = self.heap.peek() {
            if is_live(&self.slots, *slot, *sequence) {
                return;
            }
            self.heap.pop();
        }
    }
}

fn is_live<T>(slots: &[Option<(u64, T)>], slot: u32, sequence: u64) -> bool {
    matches!(&slots[slot as usize], Some((own, _)) if *own == sequence)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(micros: u64) -> Instant {
        Instant::from_micros(micros)
    }

    // The three keys of the order, each decisive once.
    #[test]
    fn orders_by_time_then_rank_then_sequence() {
        let mut queue = Queue::new();
        queue.push(at(2), Rank::Ordinary, "late");
        queue.push(at(1), Rank::Ordinary, "first packet");
        queue.push(at(1), Rank::Ordinary, "second packet");
        queue.push(at(1), Rank::Control, "fault");
        let order: Vec<_> = std::iter::from_fn(|| queue.pop(at(2))).collect();
        assert_eq!(order, ["fault", "first packet", "second packet", "late"]);
    }

    #[test]
    fn cancelled_entries_neither_come_nor_count() {
        let mut queue = Queue::new();
        let first = queue.push(at(1), Rank::Ordinary, 'a');
        queue.push(at(5), Rank::Ordinary, 'b');
        assert_eq!(queue.cancel(first), Some('a'));
        assert_eq!(queue.cancel(first), None);
        assert_eq!(queue.next(), Some(at(5)));
        assert_eq!(
            (queue.pop(at(4)), queue.pop(at(5)), queue.next()),
            (None, Some('b'), None)
        );
    }

    // A receive loop that sets and drops a far timer for every packet must not grow the heap.
    #[test]
    fn cancelling_keeps_memory_bounded() {
        let mut queue = Queue::new();
        queue.push(at(0), Rank::Ordinary, 0);
        for n in 0..10_000 {
            let ticket = queue.push(at(1_000_000 + n), Rank::Ordinary, n);
            queue.cancel(ticket);
        }
        assert!(
            queue.heap.len() <= REBUILD_FROM * 2 && queue.slots.len() <= 4,
            "{}",
            queue.heap.len()
        );
    }
}
