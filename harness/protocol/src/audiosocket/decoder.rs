//! Bytes as they arrive, cut into frames.

use bytes::{Buf, Bytes, BytesMut};

use super::{Frame, FrameError, HEADER, Header};

/// Cuts a byte stream into frames, however reads have split it.
///
/// Never holds more than what was pushed since the last [`Decoder::next`] that gave nothing, and one frame of at most
/// 65,538 bytes before that.
#[derive(Clone, Debug, Default)]
pub struct Decoder {
    buffer: BytesMut,
    failed: Option<FrameError>,
}

impl Decoder {
    /// One that has seen nothing.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes bytes. After an error they are thrown away.
    pub fn push(&mut self, bytes: &[u8]) {
        if self.failed.is_none() {
            self.buffer.extend_from_slice(bytes);
        }
    }

    /// The next whole frame; nothing until more bytes have come.
    ///
    /// # Errors
    /// What comes next is no frame. There is no way to find the next one, so that this is the answer from then on.
    #[expect(
        clippy::should_implement_trait,
        reason = "an iterator that gives nothing is over; this goes on after the next push"
    )]
    pub fn next(&mut self) -> Result<Option<Frame>, FrameError> {
        if let Some(error) = self.failed {
            return Err(error);
        }
        let Some(header) = Header::read(&self.buffer) else {
            return Ok(None);
        };
        if let Err(error) = header.check() {
            self.failed = Some(error);
            self.buffer = BytesMut::new();
            return Err(error);
        }
        Ok(self
            .payload(header)
            .map(|payload| Frame::read(header.kind, payload)))
    }

    /// How many bytes of a frame that is not whole yet are here.
    #[must_use]
    pub fn pending(&self) -> usize {
        self.buffer.len()
    }

    fn payload(&mut self, header: Header) -> Option<Bytes> {
        let length = HEADER + usize::from(header.length);
        if self.buffer.len() < length {
            return None;
        }
        let mut frame = self.buffer.split_to(length);
        frame.advance(HEADER);
        Some(frame.freeze())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::{Rate, Uuid};
    use super::*;

    /// All that a decoder makes of those pieces, to the first error.
    fn decode(pieces: &[&[u8]]) -> Vec<Result<Frame, FrameError>> {
        let mut decoder = Decoder::new();
        let mut decoded = Vec::new();
        for piece in pieces {
            decoder.push(piece);
            loop {
                match decoder.next() {
                    Ok(None) => break,
                    Ok(Some(frame)) => decoded.push(Ok(frame)),
                    Err(error) => {
                        decoded.push(Err(error));
                        return decoded;
                    }
                }
            }
        }
        decoded
    }

    fn frames() -> Vec<Frame> {
        let audio = Rate::ALL.map(|rate| Frame::Audio {
            rate,
            samples: rate.tone(),
        });
        let others = [
            Frame::Uuid(Uuid([7; 16])),
            Frame::Dtmf(b'#'),
            Frame::Error(0x04),
            Frame::Unknown {
                kind: 0x42,
                payload: Bytes::from_static(b"?"),
            },
            Frame::HangUp,
        ];
        others.into_iter().chain(audio).collect()
    }

    // Two cuts are enough to split a header, a payload, and a frame from the next in every way.
    #[test]
    fn every_frame_reads_back_however_it_is_split() {
        for frame in frames() {
            let bytes = frame.encode();
            let places = (0..=bytes.len().min(6)).chain([bytes.len()]);
            for first in places {
                for second in first..=bytes.len().min(first + 4) {
                    let pieces = [&bytes[..first], &bytes[first..second], &bytes[second..]];
                    assert_eq!(decode(&pieces), [Ok(frame.clone())], "{first} {second}");
                }
            }
        }
    }

    #[test]
    fn a_length_that_its_kind_cannot_have_is_an_error_before_the_payload_comes() {
        for (kind, length) in [(0x00, 1), (0x01, 15), (0x03, 0), (0x10, 321), (0xff, 2)] {
            let [high, low] = u16::to_be_bytes(length);
            let error = FrameError::Length(Header { kind, length });
            assert_eq!(decode(&[&[kind, high, low]]), [Err(error)]);
        }
    }

    #[test]
    fn after_an_error_nothing_is_kept() {
        let mut decoder = Decoder::new();
        decoder.push(&[0, 0, 1]);
        assert!(decoder.next().is_err());
        decoder.push(&[0; 100]);
        assert!(decoder.next().is_err());
        assert_eq!(decoder.pending(), 0);
    }

    fn stream() -> impl Strategy<Value = Vec<u8>> {
        let known = prop::sample::select(frames()).prop_map(|frame| frame.encode().to_vec());
        let piece = prop_oneof![4 => known, 1 => prop::collection::vec(any::<u8>(), 0..40)];
        prop::collection::vec(piece, 0..6).prop_map(|pieces| pieces.concat())
    }

    proptest! {
        /// What comes out depends on the bytes alone: not on where reads have cut them, and never on luck.
        #[test]
        fn a_split_changes_nothing(bytes in stream(), mut cuts in prop::collection::vec(any::<prop::sample::Index>(), 0..12)) {
            cuts.sort_by_key(|cut| cut.index(bytes.len() + 1));
            let mut rest = &bytes[..];
            let mut pieces = Vec::new();
            let mut from = 0;
            for cut in cuts {
                let at = cut.index(bytes.len() + 1);
                let (piece, after) = rest.split_at(at - from);
                pieces.push(piece);
                (rest, from) = (after, at);
            }
            pieces.push(rest);
            prop_assert_eq!(decode(&pieces), decode(&[&bytes]));
        }

        /// Two ways to read the same.
        #[test]
        fn bytes_in_one_place_read_the_same(bytes in stream()) {
            let mut rest = Bytes::copy_from_slice(&bytes);
            let mut read = Vec::new();
            loop {
                match Frame::first(&rest) {
                    Ok(Some((frame, length))) => {
                        read.push(Ok(frame));
                        rest.advance(length);
                    }
                    Ok(None) => break,
                    Err(error) => {
                        read.push(Err(error));
                        break;
                    }
                }
            }
            prop_assert_eq!(read, decode(&[&bytes]));
        }

        /// Bounded: a decoder that is drained after each push holds less than one frame.
        #[test]
        fn less_than_a_frame_is_kept(pieces in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..3000), 0..60)) {
            let mut decoder = Decoder::new();
            for piece in &pieces {
                decoder.push(piece);
                while let Ok(Some(_)) = decoder.next() {}
                prop_assert!(decoder.pending() < HEADER + usize::from(u16::MAX));
            }
        }

        /// What can be said is understood.
        #[test]
        fn bytes_and_frames_are_the_same(bytes in stream()) {
            let decoded = decode(&[&bytes]);
            let again: Vec<u8> = decoded.iter().flatten().flat_map(Frame::encode).collect();
            prop_assert!(bytes.starts_with(&again));
        }
    }
}
