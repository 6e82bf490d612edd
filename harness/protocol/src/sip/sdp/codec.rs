//! Audio codecs.
//!
//! Owns their names, clock rates and static payload types. Refuses format parameters: two codecs of one name and rate
//! are one codec.

/// A codec as `a=rtpmap` names it (RFC 4566 §6).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Codec {
    /// The encoding name; compared without case (RFC 4855 §3).
    pub name: &'static str,
    /// The RTP clock rate, in Hz.
    pub clock_rate: u32,
    /// How many channels of sound.
    pub channels: u8,
    /// The payload type that always means it (RFC 3551 §6).
    pub payload_type: Option<u8>,
}

/// The names of the codecs that there are, as in [`Codec::find`].
pub const NAMES: &[&str] = &[
    "PCMU", "PCMA", "G722", "G723", "G728", "G729", "GSM", "iLBC", "AMR", "AMR-WB", "opus",
];

// RFC 3551 §6, table 4; RFC 3952 §5 (iLBC), RFC 4867 §8 (AMR, AMR-WB), RFC 7587 §6.1 (opus). G722 samples at 16 kHz, but
// its RTP clock has always run at 8 kHz (RFC 3551 §4.5.2).
const CODECS: [Codec; 11] = [
    with_type("PCMU", 0),
    with_type("PCMA", 8),
    with_type("G722", 9),
    with_type("G723", 4),
    with_type("G728", 15),
    with_type("G729", 18),
    with_type("GSM", 3),
    without_type("iLBC", 8000, 1),
    without_type("AMR", 8000, 1),
    without_type("AMR-WB", 16_000, 1),
    without_type("opus", 48_000, 2),
];

const fn with_type(name: &'static str, payload_type: u8) -> Codec {
    Codec {
        name,
        clock_rate: 8000,
        channels: 1,
        payload_type: Some(payload_type),
    }
}

const fn without_type(name: &'static str, clock_rate: u32, channels: u8) -> Codec {
    Codec {
        name,
        clock_rate,
        channels,
        payload_type: None,
    }
}

impl Codec {
    /// G.711 µ-law, which everybody has.
    pub const PCMU: Self = CODECS[0];

    /// The codec of that name, without case; `None` if it is not one of [`NAMES`].
    #[must_use]
    pub fn find(name: &str) -> Option<Self> {
        CODECS
            .into_iter()
            .find(|codec| codec.name.eq_ignore_ascii_case(name))
    }

    /// Its `a=rtpmap` value for that payload type.
    // RFC 4566 §6: channels are left out where there is one.
    pub(super) fn mapping(self, payload_type: u8) -> String {
        let Self {
            name, clock_rate, ..
        } = self;
        match self.channels {
            1 => format!("{payload_type} {name}/{clock_rate}"),
            channels => format!("{payload_type} {name}/{clock_rate}/{channels}"),
        }
    }

    /// Whether that `name/rate` or `name/rate/channels` means it.
    pub(super) fn is_mapped_as(self, encoding: &str) -> bool {
        let mut parts = encoding.trim().split('/');
        let name = parts.next().unwrap_or_default();
        let rate = parts.next().and_then(|rate| rate.parse::<u32>().ok());
        let channels = parts.next().map_or(Some(1), |text| text.parse::<u8>().ok());
        name.eq_ignore_ascii_case(self.name)
            && rate == Some(self.clock_rate)
            && channels == Some(self.channels)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The settings' names lead to codecs, and each payload type to one codec alone: an offer could not be read otherwise.
    #[test]
    fn every_name_is_a_codec_and_no_payload_type_is_taken_twice() {
        let found: Vec<_> = NAMES
            .iter()
            .filter_map(|name| Codec::find(name))
            .map(|codec| codec.name)
            .collect();
        assert_eq!(found, NAMES);
        let mut types: Vec<_> = CODECS.iter().filter_map(|it| it.payload_type).collect();
        types.sort_unstable();
        assert!(types.windows(2).all(|pair| pair[0] != pair[1]), "{types:?}");
    }

    #[test]
    fn channels_of_one_need_not_be_written_and_names_have_no_case() {
        let opus = Codec::find("OPUS").expect("known");
        let table = [
            (Codec::PCMU, "pcmu/8000", true),
            (Codec::PCMU, "PCMU/8000/1", true),
            (Codec::PCMU, "PCMU/16000", false),
            (Codec::PCMU, "PCMU", false),
            (opus, "opus/48000/2", true),
            (opus, "opus/48000", false),
        ];
        for (codec, encoding, expected) in table {
            assert_eq!(codec.is_mapped_as(encoding), expected, "{encoding}");
        }
    }
}
