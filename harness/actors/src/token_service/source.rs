//! Where tokens come from: a generator that gives the same answer for the same seed and session.

use std::fmt;

/// What an answer is generated from, besides the seed. Its text form travels in event ids, and says by itself whether it
/// is one of this service's: nothing has to be remembered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Session {
    nonce: u32,
    check: u32,
}

/// The words of all answers.
const WORDS: [&str; 16] = [
    "packets", "leave", "the", "quiet", "host", "and", "nobody", "hears", "them", "arrive",
    "until", "a", "router", "speaks", "of", "silence",
];

impl Session {
    /// A new one for a prompt; `chance` makes it unlike others.
    pub(super) fn new(seed: u64, prompt: &str, chance: u64) -> Self {
        let nonce = (chance >> 32) as u32;
        Self {
            nonce,
            check: check(seed, nonce, prompt),
        }
    }

    /// Reads the id of an event of an answer to that prompt: its session, and how many tokens it is behind.
    /// Nothing if this service cannot have sent it.
    pub(super) fn read(seed: u64, prompt: &str, id: &str) -> Option<(Self, u64)> {
        let (session, position) = id.split_once('-')?;
        let hex = |range| u32::from_str_radix(session.get(range)?, 16).ok();
        let nonce = hex(0..8)?;
        let known = Self {
            nonce,
            check: check(seed, nonce, prompt),
        };
        let same = known.id(position.parse().ok()?) == id;
        same.then_some((known, position.parse().ok()?))
    }

    /// The id of the event behind so many tokens.
    pub(super) fn id(self, position: u64) -> String {
        format!("{self}-{position}")
    }

    /// The token of that number, from 1. Some begin with a space, some with a line break.
    pub(super) fn token(self, seed: u64, number: u64) -> String {
        let draw = mix(mix(seed, u64::from(self.nonce)), number);
        let word = WORDS.get(draw as usize % WORDS.len()).unwrap_or(&WORDS[0]);
        match (number, draw >> 60) {
            (1, _) => (*word).to_owned(),
            (_, 0..=1) => format!("\n{word}"),
            _ => format!(" {word}"),
        }
    }
}

impl fmt::Display for Session {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:08x}{:08x}", self.nonce, self.check)
    }
}

fn check(seed: u64, nonce: u32, prompt: &str) -> u32 {
    let start = mix(seed, u64::from(nonce));
    let hash = prompt
        .bytes()
        .fold(start, |hash, byte| mix(hash, u64::from(byte)));
    (hash >> 32) as u32
}

/// SplitMix64's output function over a running state: cheap, and the same on every machine.
fn mix(state: u64, value: u64) -> u64 {
    let mut z =
        state.wrapping_add(0x9e37_79b9_7f4a_7c15) ^ value.wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_known_to_the_service_that_could_have_sent_it_and_to_no_other() {
        let session = Session::new(7, "hello", 0x1234_5678_9abc_def0);
        let id = session.id(5);
        assert_eq!(Session::read(7, "hello", &id), Some((session, 5)));
        // Another seed, another prompt, another form: none of these can have come from there.
        assert_eq!(Session::read(8, "hello", &id), None);
        assert_eq!(Session::read(7, "hullo", &id), None);
        for wrong in [
            "",
            "5",
            "12345678-5",
            "zz345678aaaaaaaa-5",
            &id.replace('-', "-0"),
            "é-1",
        ] {
            assert_eq!(Session::read(7, "hello", wrong), None, "{wrong}");
        }
    }

    #[test]
    fn tokens_are_the_same_each_time_and_have_what_is_easily_lost() {
        let session = Session::new(1, "hello", 1 << 40);
        let text = || (1..=64).map(|number| session.token(1, number));
        assert_eq!(text().collect::<String>(), text().collect::<String>());
        assert!(text().any(|token| token.starts_with('\n')));
        assert!(text().any(|token| token.starts_with(' ')));
    }
}
