//! The nonces that a server has given out.
//!
//! Owns their age and how often each was used. Refuses to grow: the oldest goes when there are too many, and whoever comes
//! with it is told that it is stale.

use std::collections::BTreeMap;
use std::time::Duration;

use super::Protection;
use crate::Instant;

/// Nonces with the highest count that was seen of each.
#[derive(Clone, Debug)]
pub(super) struct Nonces {
    lifetime: Duration,
    issued: u64,
    known: BTreeMap<String, Issued>,
    /// By order of issue, which is that of age.
    order: BTreeMap<u64, String>,
}

#[derive(Clone, Copy, Debug)]
struct Issued {
    at: Instant,
    highest: u32,
}

const CAPACITY: usize = 4096;

impl Nonces {
    pub(super) fn new(lifetime: Duration) -> Self {
        Self {
            lifetime,
            issued: 0,
            known: BTreeMap::new(),
            order: BTreeMap::new(),
        }
    }

    /// Remembers a fresh nonce, and forgets those whose time is over.
    pub(super) fn issue(&mut self, now: Instant, nonce: &str) {
        while let Some((_, oldest)) = self.order.first_key_value()
            && (self.known.len() >= CAPACITY || !self.is_alive(now, oldest))
        {
            self.known.remove(oldest);
            self.order.pop_first();
        }
        self.issued += 1;
        self.order.insert(self.issued, nonce.to_owned());
        let issued = Issued {
            at: now,
            highest: 0,
        };
        self.known.insert(nonce.to_owned(), issued);
    }

    /// Whether a nonce may be used so; notes that it was.
    // RFC 7616 §3.4: the count shows a replay. Retransmissions never come here: they are the transaction's.
    pub(super) fn use_up(
        &mut self,
        now: Instant,
        nonce: &str,
        use_of: Option<&Protection>,
    ) -> bool {
        if !self.is_alive(now, nonce) {
            return false;
        }
        let (Some(issued), Some(Protection { count, .. })) = (self.known.get_mut(nonce), use_of)
        else {
            return true;
        };
        let rises = *count > issued.highest;
        issued.highest = issued.highest.max(*count);
        rises
    }

    fn is_alive(&self, now: Instant, nonce: &str) -> bool {
        let issued = self.known.get(nonce);
        issued.is_some_and(|issued| now.since(issued.at) <= self.lifetime)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn used(count: u32) -> Protection {
        Protection {
            cnonce: "c".to_owned(),
            count,
        }
    }

    #[test]
    fn a_count_that_does_not_rise_is_a_replay() {
        let mut nonces = Nonces::new(Duration::from_secs(10));
        nonces.issue(Instant::START, "a");
        let mut outcome = |count| nonces.use_up(Instant::START, "a", Some(&used(count)));
        // Skipping is no replay: a request may have been lost.
        assert_eq!(
            [1, 1, 3, 2, 4].map(&mut outcome),
            [true, false, true, false, true]
        );
    }

    #[test]
    fn a_nonce_dies_of_age_and_of_crowding() {
        let mut nonces = Nonces::new(Duration::from_secs(10));
        let at = |seconds: u64| Instant::from_micros(seconds * 1_000_000);
        nonces.issue(at(0), "old");
        assert!(nonces.use_up(at(10), "old", None));
        assert!(!nonces.use_up(at(11), "old", None));
        for number in 0..=CAPACITY {
            nonces.issue(at(12), &number.to_string());
        }
        assert_eq!(
            (nonces.known.len(), nonces.order.len()),
            (CAPACITY, CAPACITY)
        );
        assert!(
            !nonces.use_up(at(12), "0", None),
            "the first was pushed out"
        );
        assert!(nonces.use_up(at(12), "1", None));
    }
}
