//! Deadlines of many things, and which of them comes first.
//!
//! Owns the order. Refuses to look at all of them: setting, clearing and asking for the first cost the logarithm of
//! their number, so that a machine may ask after every input.

use std::collections::{BTreeMap, BTreeSet};

use crate::Instant;

/// One deadline at most for every key.
#[derive(Clone, Debug)]
pub struct Schedule<K> {
    by_key: BTreeMap<K, Instant>,
    by_time: BTreeSet<(Instant, K)>,
}

impl<K: Copy + Ord> Schedule<K> {
    /// Without deadlines.
    #[must_use]
    pub fn new() -> Self {
        Self {
            by_key: BTreeMap::new(),
            by_time: BTreeSet::new(),
        }
    }

    /// Sets the deadline of a key in place of an earlier one, or clears it.
    pub fn set(&mut self, key: K, at: Option<Instant>) {
        if let Some(before) = self.by_key.remove(&key) {
            self.by_time.remove(&(before, key));
        }
        if let Some(at) = at {
            self.by_key.insert(key, at);
            self.by_time.insert((at, key));
        }
    }

    /// The deadline of a key.
    #[must_use]
    pub fn get(&self, key: K) -> Option<Instant> {
        self.by_key.get(&key).copied()
    }

    /// The first deadline of all.
    #[must_use]
    pub fn first(&self) -> Option<Instant> {
        self.by_time.first().map(|(at, _)| *at)
    }

    /// The keys whose deadline is not after `now`, by time and then by key. They keep it until it is set anew.
    #[must_use]
    pub fn due(&self, now: Instant) -> Vec<K> {
        let due = self.by_time.iter().take_while(|(at, _)| *at <= now);
        due.map(|(_, key)| *key).collect()
    }
}

impl<K: Copy + Ord> Default for Schedule<K> {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(micros: u64) -> Instant {
        Instant::from_micros(micros)
    }

    #[test]
    fn a_key_has_one_deadline_and_the_first_of_all_is_known() {
        let mut schedule = Schedule::new();
        schedule.set('a', Some(at(5)));
        schedule.set('b', Some(at(3)));
        schedule.set('b', Some(at(7)));
        // Were the earlier deadline of b still there, 3 would come first.
        assert_eq!(schedule.first(), Some(at(5)));
        assert_eq!(schedule.due(at(7)), ['a', 'b']);
        schedule.set('a', None);
        assert_eq!((schedule.first(), schedule.get('a')), (Some(at(7)), None));
        assert_eq!(schedule.due(at(6)), []);
    }
}
