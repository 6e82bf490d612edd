//! Frames: one byte of kind, two of length in network order, the payload.

use std::fmt;

use bytes::{BufMut, Bytes, BytesMut};

use super::{Rate, Uuid};

/// Bytes before the payload.
pub const HEADER: usize = 3;

const HANG_UP: u8 = 0x00;
const UUID: u8 = 0x01;
const DTMF: u8 = 0x03;
const ERROR: u8 = 0xff;

/// What one side says to the other.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Frame {
    /// The call is over.
    HangUp,
    /// Which call this connection is a leg of: the first frame, and only that.
    Uuid(Uuid),
    /// A key was pressed: an ASCII character.
    Dtmf(u8),
    /// Sound.
    Audio {
        /// Samples a second.
        rate: Rate,
        /// Whole samples of two bytes; at most 65,534 bytes.
        samples: Bytes,
    },
    /// Something went wrong at the sender; the code is Asterisk's.
    Error(u8),
    /// A kind that this version knows nothing of.
    Unknown {
        /// The kind byte.
        kind: u8,
        /// Its payload, at most 65,535 bytes.
        payload: Bytes,
    },
}

/// The first three bytes of a frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Header {
    /// The kind byte.
    pub kind: u8,
    /// How many bytes follow.
    pub length: u16,
}

/// A peer's bytes that are no frame. Nothing behind them can be trusted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FrameError {
    /// The length cannot be that of the kind: hang-up 0, UUID 16, DTMF 1, error 1, audio even.
    Length(Header),
}

impl Frame {
    /// The bytes of the frame. Of a payload beyond 65,535 bytes only as much as the length can say goes out.
    #[must_use]
    pub fn encode(&self) -> Bytes {
        match self {
            Self::HangUp => build(HANG_UP, &[]),
            Self::Uuid(uuid) => build(UUID, &uuid.0),
            Self::Dtmf(key) => build(DTMF, &[*key]),
            Self::Audio { rate, samples } => build(rate.kind(), samples),
            Self::Error(code) => build(ERROR, &[*code]),
            Self::Unknown { kind, payload } => build(*kind, payload),
        }
    }

    /// The frame with which those bytes begin, and how many of them it takes; nothing if it is not whole. It shares its
    /// payload with them. For who has them in one place: a [`Decoder`](super::Decoder) takes them as they come.
    ///
    /// # Errors
    /// They begin with no frame.
    pub fn first(bytes: &Bytes) -> Result<Option<(Self, usize)>, FrameError> {
        let Some(header) = Header::read(bytes) else {
            return Ok(None);
        };
        header.check()?;
        let length = HEADER + usize::from(header.length);
        let whole = bytes.len() >= length;
        Ok(whole.then(|| (Self::read(header.kind, bytes.slice(HEADER..length)), length)))
    }

    /// Reads what follows a header that [`Header::check`] has passed, `payload` being as long as it says.
    pub(super) fn read(kind: u8, payload: Bytes) -> Self {
        let unknown = |payload| Self::Unknown { kind, payload };
        match (kind, &payload[..]) {
            (HANG_UP, []) => Self::HangUp,
            (UUID, bytes) => match <[u8; 16]>::try_from(bytes) {
                Ok(bytes) => Self::Uuid(Uuid(bytes)),
                Err(_) => unknown(payload),
            },
            (DTMF, [key]) => Self::Dtmf(*key),
            (ERROR, [code]) => Self::Error(*code),
            _ => match Rate::of_kind(kind) {
                Some(rate) => Self::Audio {
                    rate,
                    samples: payload,
                },
                None => unknown(payload),
            },
        }
    }
}

fn build(kind: u8, payload: &[u8]) -> Bytes {
    let length = u16::try_from(payload.len()).unwrap_or(u16::MAX);
    let mut bytes = BytesMut::with_capacity(HEADER + usize::from(length));
    bytes.put_u8(kind);
    bytes.put_u16(length);
    bytes.put_slice(&payload[..usize::from(length)]);
    bytes.freeze()
}

impl Header {
    /// The header at the beginning of those bytes, if they are all there.
    pub(super) fn read(bytes: &[u8]) -> Option<Self> {
        let [kind, high, low] = *bytes.first_chunk()?;
        let length = u16::from_be_bytes([high, low]);
        Some(Self { kind, length })
    }

    /// Whether a frame of that kind can be that long; said before its payload is waited for.
    pub(super) fn check(self) -> Result<(), FrameError> {
        let fits = match self.kind {
            HANG_UP => self.length == 0,
            UUID => self.length == 16,
            DTMF | ERROR => self.length == 1,
            kind if Rate::of_kind(kind).is_some() => self.length.is_multiple_of(2),
            _ => true,
        };
        if fits {
            Ok(())
        } else {
            Err(FrameError::Length(self))
        }
    }
}

/// Without the payload: "hang-up", "audio 8 kHz", "kind 0x42".
impl fmt::Display for Frame {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::HangUp => f.write_str("hang-up"),
            Self::Uuid(uuid) => write!(f, "UUID {uuid}"),
            Self::Dtmf(key) => write!(f, "DTMF {}", key.escape_ascii()),
            Self::Audio { rate, .. } => write!(f, "audio {rate}"),
            Self::Error(code) => write!(f, "error 0x{code:02x}"),
            Self::Unknown { kind, payload } => {
                write!(f, "kind 0x{kind:02x} with {} bytes", payload.len())
            }
        }
    }
}

impl fmt::Display for Rate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (whole, tenths) = (self.hertz() / 1000, self.hertz() % 1000 / 100);
        match tenths {
            0 => write!(f, "{whole} kHz"),
            _ => write!(f, "{whole}.{tenths} kHz"),
        }
    }
}

impl fmt::Display for FrameError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self::Length(Header { kind, length }) = self;
        write!(f, "a frame of kind 0x{kind:02x} cannot have {length} bytes")
    }
}

impl std::error::Error for FrameError {}
