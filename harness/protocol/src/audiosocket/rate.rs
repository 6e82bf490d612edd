//! How many samples a second an audio frame carries, and a tone to fill one with.

use std::time::Duration;

use bytes::{BufMut, Bytes, BytesMut};

/// The sample rates that a frame's kind can say (Asterisk, `res_audiosocket`): signed linear, 16 bits, mono, little-endian.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[expect(missing_docs, reason = "the names are the rates")]
pub enum Rate {
    #[default]
    Khz8,
    Khz12,
    Khz16,
    Khz24,
    Khz32,
    Khz44,
    Khz48,
    Khz96,
    Khz192,
}

/// One period of a sine in eight steps, at a quarter of full scale: rounded once, so that no run computes with floats.
const SINE: [i16; 8] = [0, 5793, 8192, 5793, 0, -5793, -8192, -5793];

impl Rate {
    /// All of them, in the order of their kinds.
    pub const ALL: [Self; 9] = [
        Self::Khz8,
        Self::Khz12,
        Self::Khz16,
        Self::Khz24,
        Self::Khz32,
        Self::Khz44,
        Self::Khz48,
        Self::Khz96,
        Self::Khz192,
    ];

    /// What one frame carries as a rule.
    pub const FRAME: Duration = Duration::from_millis(20);

    /// Samples a second.
    #[must_use]
    pub const fn hertz(self) -> u32 {
        match self {
            Self::Khz8 => 8_000,
            Self::Khz12 => 12_000,
            Self::Khz16 => 16_000,
            Self::Khz24 => 24_000,
            Self::Khz32 => 32_000,
            Self::Khz44 => 44_100,
            Self::Khz48 => 48_000,
            Self::Khz96 => 96_000,
            Self::Khz192 => 192_000,
        }
    }

    /// Samples in 20 ms: a whole number at every rate.
    #[must_use]
    pub const fn samples(self) -> u32 {
        self.hertz() / 50
    }

    /// The kind byte of its frames.
    #[must_use]
    pub const fn kind(self) -> u8 {
        0x10 + self as u8
    }

    /// The rate that a kind byte stands for.
    #[must_use]
    pub fn of_kind(kind: u8) -> Option<Self> {
        Self::ALL.into_iter().find(|rate| rate.kind() == kind)
    }

    /// 20 ms of a tone of 1 kHz: twenty whole periods, so that one can follow another without a click.
    #[must_use]
    pub fn tone(self) -> Bytes {
        let mut samples = BytesMut::with_capacity(2 * self.samples() as usize);
        for sample in 0..self.samples() {
            let phase = sample * 8 * 1000 / self.hertz() % 8;
            samples.put_i16_le(SINE[phase as usize]);
        }
        samples.freeze()
    }

    /// 20 ms of silence.
    #[must_use]
    pub fn silence(self) -> Bytes {
        Bytes::from(vec![0; 2 * self.samples() as usize])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    // The report gives the kinds and rates; 20 ms at 8 kHz is 320 bytes.
    #[test]
    fn kinds_and_lengths_are_the_reports() {
        let kinds: Vec<_> = Rate::ALL.map(|rate| (rate.kind(), rate.hertz())).into();
        assert_eq!(kinds[0], (0x10, 8_000));
        assert_eq!(kinds[5], (0x15, 44_100));
        assert_eq!(kinds[8], (0x18, 192_000));
        assert_eq!(Rate::Khz8.silence().len(), 320);
        assert_eq!(Rate::of_kind(0x19), None);
        assert!(
            Rate::ALL
                .iter()
                .all(|rate| rate.samples() * 50 == rate.hertz())
        );
    }

    // Eight samples a period at 8 kHz: what comes 160 samples later is the beginning of a period again.
    #[test]
    fn a_tone_is_whole_periods_at_every_rate() {
        assert_eq!(&Rate::Khz8.tone()[..4], &[0, 0, 0xa1, 0x16]);
        assert_eq!(Rate::Khz8.tone()[..16], Rate::Khz8.tone()[304..]);
        for rate in Rate::ALL {
            assert_eq!(rate.tone().len(), 2 * rate.samples() as usize);
            assert_eq!(rate.tone()[..2], [0, 0], "{rate}");
        }
    }
}
