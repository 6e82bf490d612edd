//! Chance: every draw is a pure function of a key, so that no draw can shift another.
//!
//! Owns the pinned integer generator. Refuses state: there is no stream to advance, only a key made of the seed,
//! who draws, for what, and how often it has drawn for that before.

/// A draw's key, built up word by word; equal keys give equal draws on every machine and in every build.
///
/// The mixer is `SplitMix64`'s finaliser (Steele, Lea, Flood: Fast Splittable Pseudorandom Number Generators, 2014,
/// variant 13 of Stafford). It is pinned by a known-answer test: changing it changes every recorded run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Key(u64);

/// `SplitMix64`'s increment: the golden ratio in 64 bits.
const GOLDEN: u64 = 0x9e37_79b9_7f4a_7c15;

impl Key {
    /// The key from which all draws of a run with this seed descend.
    #[must_use]
    pub const fn new(seed: u64) -> Self {
        Self(mix(seed.wrapping_add(GOLDEN)))
    }

    /// The key below this one that `word` names; the order of words matters.
    #[must_use]
    pub const fn with(self, word: u64) -> Self {
        Self(mix(self.0 ^ mix(word.wrapping_add(GOLDEN))))
    }

    /// The key below this one that `text` names: its bytes eight at a time, then its length.
    #[must_use]
    pub fn with_text(self, text: &str) -> Self {
        let words = text.as_bytes().chunks(8).map(|chunk| {
            let mut word = [0; 8];
            word[..chunk.len()].copy_from_slice(chunk);
            u64::from_le_bytes(word)
        });
        words.fold(self, Self::with).with(text.len() as u64)
    }

    /// The draw: all 64 bits uniform.
    #[must_use]
    pub const fn bits(self) -> u64 {
        mix(self.0.wrapping_add(GOLDEN))
    }

    /// A draw from `0..bound`; 0 when `bound` is 0. The bias of multiply-and-shift is below `bound` / 2⁶⁴.
    #[must_use]
    pub fn below(self, bound: u64) -> u64 {
        let product = u128::from(self.bits()) * u128::from(bound);
        u64::try_from(product >> 64).unwrap_or(0)
    }
}

const fn mix(mut word: u64) -> u64 {
    word = (word ^ (word >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    word = (word ^ (word >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    word ^ (word >> 31)
}

/// A probability in parts per million, 0 to 1,000,000: an integer, because a float may round differently elsewhere.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct PartsPerMillion(u32);

impl PartsPerMillion {
    /// Never.
    pub const NEVER: Self = Self(0);
    /// Always.
    pub const ALWAYS: Self = Self(1_000_000);

    /// `None` above 1,000,000.
    #[must_use]
    pub const fn new(parts: u32) -> Option<Self> {
        if parts <= 1_000_000 {
            Some(Self(parts))
        } else {
            None
        }
    }

    /// The number of parts.
    #[must_use]
    pub const fn get(self) -> u32 {
        self.0
    }

    /// Whether the draw of this key falls within the probability.
    #[must_use]
    pub fn hits(self, key: Key) -> bool {
        key.below(1_000_000) < u64::from(self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    // The first outputs of SplitMix64 seeded with 0 are published; `mix(n · GOLDEN)` must be those numbers.
    #[test]
    fn mixer_gives_splitmix64s_published_numbers() {
        assert_eq!(mix(GOLDEN), 0xe220_a839_7b1d_cdaf);
        assert_eq!(mix(GOLDEN.wrapping_mul(2)), 0x6e78_9e6a_a1b9_65f4);
        assert_eq!(mix(GOLDEN.wrapping_mul(3)), 0x06c4_5d18_8009_454f);
    }

    // Order, text boundaries and length all reach the key: none of these pairs may collide.
    #[test]
    fn keys_separate_what_they_are_built_from() {
        let key = Key::new(1);
        assert_ne!(key.with(1).with(2).bits(), key.with(2).with(1).bits());
        assert_ne!(
            key.with_text("ab").with_text("c").bits(),
            key.with_text("a").with_text("bc").bits()
        );
        assert_ne!(key.with_text("a").bits(), key.with_text("a\0").bits());
        assert_ne!(key.bits(), Key::new(2).bits());
    }

    // 100,000 draws at 25 % must land near 25,000: the standard deviation is 137, so 1,000 is beyond seven of them.
    #[test]
    fn probability_hits_as_often_as_it_says() {
        let quarter = PartsPerMillion::new(250_000).expect("in range");
        let hits = (0..100_000)
            .filter(|index| quarter.hits(Key::new(7).with(*index)))
            .count();
        assert!((24_000..26_000).contains(&hits), "{hits}");
        assert!(
            PartsPerMillion::ALWAYS.hits(Key::new(7)) && !PartsPerMillion::NEVER.hits(Key::new(7))
        );
        assert_eq!(PartsPerMillion::new(1_000_001), None);
    }
}
