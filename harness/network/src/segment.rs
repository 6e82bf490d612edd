//! TCP segments (RFC 9293 §3.1), as a capture would show them.

use std::fmt;
use std::ops::BitOr;

use bytes::Bytes;

/// One TCP segment without its ports, which the packet has.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Segment {
    /// Sequence number of the first byte, or of SYN or FIN.
    pub sequence: u32,
    /// The next sequence number expected; meaningful with [`Flags::ACK`].
    pub acknowledgement: u32,
    /// SYN, ACK, FIN, RST.
    pub flags: Flags,
    /// How many bytes the sender takes beyond `acknowledgement`. Never scaled.
    pub window: u16,
    /// The maximum segment size that a SYN announces (RFC 9293 §3.7.1).
    pub mss: Option<u16>,
    /// Its data.
    pub data: Bytes,
    /// Whether the checksum is right: a fault that damages a segment leaves this false, and the receiver drops it.
    pub intact: bool,
}

/// Control bits of a segment.
#[derive(Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct Flags(u8);

impl Flags {
    /// None.
    pub const NONE: Self = Self(0);
    /// No more data from the sender.
    pub const FIN: Self = Self(0x01);
    /// Synchronises sequence numbers.
    pub const SYN: Self = Self(0x02);
    /// The connection is over at once.
    pub const RST: Self = Self(0x04);
    /// The receiver should hand over what it has.
    pub const PSH: Self = Self(0x08);
    /// The acknowledgement is meaningful.
    pub const ACK: Self = Self(0x10);

    /// Whether all of these are set.
    #[must_use]
    pub const fn contains(self, flags: Self) -> bool {
        self.0 & flags.0 == flags.0
    }

    /// The bits, as they stand in the header.
    #[must_use]
    pub const fn bits(self) -> u8 {
        self.0
    }
}

impl BitOr for Flags {
    type Output = Self;

    fn bitor(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
}

/// `SYN ACK`; `-` if none is set.
impl fmt::Debug for Flags {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names = [
            (Self::SYN, "SYN"),
            (Self::FIN, "FIN"),
            (Self::RST, "RST"),
            (Self::PSH, "PSH"),
            (Self::ACK, "ACK"),
        ];
        let set: Vec<_> = names
            .iter()
            .filter(|(flag, _)| self.contains(*flag))
            .map(|(_, name)| *name)
            .collect();
        f.write_str(&if set.is_empty() {
            "-".to_owned()
        } else {
            set.join(" ")
        })
    }
}

impl Segment {
    /// Whether all of these flags are set.
    #[must_use]
    pub const fn has(&self, flags: Flags) -> bool {
        self.flags.contains(flags)
    }

    /// Header and data in bytes; a SYN carries its MSS in four more.
    #[must_use]
    pub fn length(&self) -> usize {
        20 + if self.mss.is_some() { 4 } else { 0 } + self.data.len()
    }

    /// How many sequence numbers it takes: its data, SYN and FIN.
    #[must_use]
    pub fn span(&self) -> u32 {
        let data = u32::try_from(self.data.len()).unwrap_or(u32::MAX);
        data + u32::from(self.has(Flags::SYN)) + u32::from(self.has(Flags::FIN))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    // The bits are the header's (RFC 9293 §3.1), because a capture writes them as they are.
    #[test]
    fn flags_are_the_headers_bits() {
        let flags = Flags::SYN | Flags::ACK;
        assert_eq!(
            (flags.bits(), format!("{flags:?}")),
            (0x12, "SYN ACK".to_owned())
        );
        assert!(flags.contains(Flags::ACK) && !flags.contains(Flags::ACK | Flags::FIN));
        assert_eq!(format!("{:?}", Flags::NONE), "-");
    }
}
