//! The sending half of a connection: what is queued, what is under way, what the peer takes.

use std::borrow::Cow;
use std::collections::VecDeque;
use std::time::Duration;

use bytes::Bytes;

use super::rtt::RoundTrip;
use super::{Offset, SEND_BUFFER};
use crate::Instant;

/// Three duplicates say that a segment was lost (RFC 5681 §3.2).
const DUPLICATES: u32 = 3;

pub(super) struct Sender {
    initial: u32,
    /// The first offset not acknowledged.
    una: Offset,
    /// The next to send; below `max` while sending again.
    nxt: Offset,
    /// One beyond the last that was ever sent.
    max: Offset,
    /// One beyond the last that the peer takes.
    edge: Offset,
    /// One beyond the last byte queued.
    end: Offset,
    /// Data from the first byte not acknowledged up to `end`.
    buffer: VecDeque<u8>,
    /// The data of the latest segment.
    latest: Bytes,
    finished: bool,
    /// Whether the connection is over: its data is gone, and nothing more is sent.
    abandoned: bool,
    mss: usize,
    round_trip: RoundTrip,
    timed: Option<(Offset, Instant)>,
    duplicates: u32,
    /// Holes below this are filled one by one as acknowledgements reveal them (RFC 6582 §3.2).
    recover: Option<Offset>,
    /// After a time-out: how many segments may be sent again before the next acknowledgement.
    quota: Option<u32>,
    /// When to send again, or to probe a closed window.
    pub(super) due: Option<Instant>,
    pub(super) retries: u32,
    /// How many probes of a closed window the peer has not answered.
    pub(super) unanswered: u32,
    /// Since when the peer has acknowledged nothing although it should.
    pub(super) waiting_since: Option<Instant>,
}

/// A piece of the stream on its way into a segment.
pub(super) struct Piece {
    pub(super) offset: Offset,
    pub(super) data: Bytes,
    pub(super) fin: bool,
}

/// What an acknowledgement came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Acknowledged {
    /// Something new.
    Advanced,
    Nothing,
    /// It says that a segment is missing.
    Missing,
}

impl Sender {
    pub(super) fn new(initial: u32, mss: usize) -> Self {
        Self {
            initial,
            una: 0,
            nxt: 0,
            max: 0,
            edge: 1,
            end: 1,
            buffer: VecDeque::new(),
            latest: Bytes::new(),
            finished: false,
            abandoned: false,
            mss,
            round_trip: RoundTrip::default(),
            timed: None,
            duplicates: 0,
            recover: None,
            quota: None,
            due: None,
            retries: 0,
            unanswered: 0,
            waiting_since: None,
        }
    }

    /// The sequence number that stands for an offset.
    pub(super) fn wire(&self, offset: Offset) -> u32 {
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "sequence numbers are offsets modulo 2³² (RFC 9293 §3.4)"
        )]
        self.initial.wrapping_add(offset as u32)
    }

    /// The offset nearest to what is under way that an acknowledgement number stands for.
    pub(super) fn offset(&self, acknowledgement: u32) -> Offset {
        self.max + distance(self.wire(self.max), acknowledgement)
    }

    /// The offset that goes with a segment without data.
    pub(super) const fn position(&self) -> Offset {
        self.max
    }

    /// Whether something waits for its acknowledgement.
    pub(super) const fn outstanding(&self) -> bool {
        self.una < self.max
    }

    pub(super) const fn is_beyond(&self, acknowledged: Offset) -> bool {
        acknowledged > self.max
    }

    pub(super) fn space(&self) -> usize {
        SEND_BUFFER.saturating_sub(self.buffer.len())
    }

    pub(super) const fn is_finished(&self) -> bool {
        self.finished
    }

    /// Whether the peer has everything, FIN included.
    pub(super) const fn fin_acknowledged(&self) -> bool {
        self.finished && self.una > self.end
    }

    /// Queues what fits; how much that was.
    pub(super) fn push(&mut self, data: &[u8]) -> usize {
        let taken = data.len().min(self.space());
        self.buffer.extend(&data[..taken]);
        self.end += offset_of(taken);
        taken
    }

    /// FIN follows what is queued.
    pub(super) const fn finish(&mut self) {
        self.finished = true;
    }

    pub(super) fn abandon(&mut self) {
        self.buffer = VecDeque::new();
        self.abandoned = true;
        self.due = None;
    }

    /// SYN, or SYN and ACK, leaves.
    pub(super) fn sent_syn(&mut self, now: Instant) {
        (self.nxt, self.max) = (1, 1);
        self.timed = (self.retries == 0).then_some((1, now));
        self.waiting_since.get_or_insert(now);
        self.due = Some(now + self.timeout());
    }

    pub(super) fn limit_segment(&mut self, mss: usize) {
        self.mss = self.mss.min(mss).max(1);
    }

    pub(super) fn timeout(&self) -> Duration {
        self.round_trip.timeout(self.retries)
    }

    /// The next piece that may go, in order; FIN needs no window.
    pub(super) fn next(&mut self, now: Instant) -> Option<Piece> {
        if self.abandoned || self.quota == Some(0) {
            return None;
        }
        let (start, end) = (self.nxt, self.end);
        let length = usize::try_from(end.min(self.edge) - start).unwrap_or(0);
        let length = length.min(self.mss);
        let fin = self.finished && start <= end && start + offset_of(length) == end;
        if length == 0 && !fin {
            return None;
        }
        self.quota = self.quota.map(|left| left - 1);
        let piece = self.piece(start, length, fin);
        self.sent(&piece, now);
        Some(piece)
    }

    /// The first piece that is not acknowledged, once more.
    pub(super) fn again(&mut self) -> Option<Piece> {
        if self.abandoned || !self.outstanding() {
            return None;
        }
        let end = self.end;
        let length = usize::try_from(end.min(self.max) - self.una).unwrap_or(0);
        let length = length.min(self.mss);
        let fin = self.finished && self.una + offset_of(length) == end && self.max > end;
        self.timed = None;
        Some(self.piece(self.una, length, fin))
    }

    /// A segment's data. A recorder may keep all of them, and what is the same as before, like a tone or what is sent again,
    /// is kept once.
    fn piece(&mut self, offset: Offset, length: usize, fin: bool) -> Piece {
        let begin = self.end - offset_of(self.buffer.len());
        let from = usize::try_from(offset - begin).unwrap_or(0);
        let (front, back) = self.buffer.as_slices();
        let to = from + length;
        let data = if to <= front.len() {
            Cow::Borrowed(&front[from..to])
        } else if from >= front.len() {
            Cow::Borrowed(&back[from - front.len()..to - front.len()])
        } else {
            Cow::Owned([&front[from..], &back[..to - front.len()]].concat())
        };
        if self.latest != *data {
            self.latest = data.into_owned().into();
        }
        let data = self.latest.clone();
        Piece { offset, data, fin }
    }

    fn sent(&mut self, piece: &Piece, now: Instant) {
        let after = piece.offset + offset_of(piece.data.len()) + Offset::from(piece.fin);
        if !self.outstanding() {
            self.waiting_since = Some(now);
            self.retries = 0;
            self.due = None;
        }
        if after > self.max && self.timed.is_none() {
            self.timed = Some((after, now));
        }
        // RFC 6298 §3 (Karn): what was sent twice measures nothing.
        if piece.offset < self.max {
            self.timed = None;
        }
        self.nxt = after;
        self.max = self.max.max(after);
        if self.due.is_none() {
            self.due = Some(now + self.timeout());
        }
    }

    /// The peer has everything below `acknowledged`, and takes `window` more.
    pub(super) fn acknowledge(
        &mut self,
        acknowledged: Offset,
        window: u16,
        bare: bool,
        now: Instant,
    ) -> Acknowledged {
        let edge = acknowledged + Offset::from(window);
        let moved = edge > self.edge;
        // A receiver never takes its window back (RFC 9293 §3.8.6): an edge further left is only an older one.
        self.edge = self.edge.max(edge);
        self.unanswered = 0;
        if moved && !self.outstanding() {
            (self.due, self.retries, self.waiting_since) = (None, 0, None);
        }
        if acknowledged <= self.una {
            let duplicate = bare && acknowledged == self.una && !moved && self.outstanding();
            self.duplicates = if duplicate { self.duplicates + 1 } else { 0 };
            if self.duplicates == DUPLICATES && self.recover.is_none() && self.quota.is_none() {
                self.recover = Some(self.max);
                return Acknowledged::Missing;
            }
            return Acknowledged::Nothing;
        }
        self.measure(acknowledged, now);
        let bytes = usize::try_from(acknowledged.min(self.end) - self.una.max(1)).unwrap_or(0);
        self.buffer.drain(..bytes);
        self.una = acknowledged;
        self.nxt = self.nxt.max(acknowledged);
        (self.duplicates, self.retries) = (0, 0);
        self.waiting_since = self.outstanding().then_some(now);
        self.due = self.outstanding().then(|| now + self.timeout());
        self.recovered()
    }

    /// RFC 6298 §2, §4.
    fn measure(&mut self, acknowledged: Offset, now: Instant) {
        if let Some((_, sent)) = self.timed.take_if(|(offset, _)| *offset <= acknowledged) {
            self.round_trip.sample(now - sent);
        }
    }

    fn recovered(&mut self) -> Acknowledged {
        if self.nxt >= self.max {
            self.quota = None;
        }
        self.quota = self.quota.map(|left| left.saturating_add(2));
        match self.recover {
            Some(recover) if self.una < recover => Acknowledged::Missing,
            _ => {
                self.recover = None;
                Acknowledged::Advanced
            }
        }
    }

    /// The time-out came: everything not acknowledged goes again, one segment first (RFC 5681 §3.1).
    pub(super) const fn rewind(&mut self) {
        self.nxt = self.una;
        self.quota = Some(1);
        (self.recover, self.timed, self.duplicates) = (None, None, 0);
    }

    /// Whether something waits for the peer's window to open, with nothing under way that would tell.
    pub(super) const fn is_blocked(&self) -> bool {
        !self.outstanding() && self.nxt < self.end && self.edge <= self.nxt
    }
}

/// How far `to` is ahead of `from`, modulo 2³².
pub(super) fn distance(from: u32, to: u32) -> Offset {
    Offset::from(to.wrapping_sub(from).cast_signed())
}

pub(super) fn offset_of(length: usize) -> Offset {
    Offset::try_from(length).unwrap_or(Offset::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Instant = Instant::START;

    /// A sender whose handshake is over, 1,000 bytes before its sequence numbers begin anew.
    fn sender() -> Sender {
        let mut sender = Sender::new(u32::MAX - 1_000, 100);
        sender.sent_syn(NOW);
        sender.acknowledge(1, u16::MAX, false, NOW);
        sender
    }

    fn sent(sender: &mut Sender) -> Vec<Offset> {
        std::iter::from_fn(|| sender.next(NOW))
            .map(|piece| piece.offset)
            .collect()
    }

    // Offsets go on where sequence numbers start from 0 again, in both directions of the translation.
    #[test]
    fn sequence_numbers_wrap() {
        let mut sender = sender();
        assert_eq!(sender.push(&[7; 2_000]), 2_000);
        assert_eq!(sent(&mut sender).len(), 20);
        assert_eq!((sender.wire(1_001), sender.wire(2_001)), (0, 1_000));
        assert_eq!((sender.offset(0), sender.offset(u32::MAX)), (1_001, 1_000));
        assert_eq!(
            sender.acknowledge(1_501, u16::MAX, true, NOW),
            Acknowledged::Advanced
        );
        assert!(sender.outstanding() && sender.space() == SEND_BUFFER - 500);
    }

    // After a time-out one segment goes; each acknowledgement then lets two more go, from where the holes are.
    #[test]
    fn time_out_sends_again_from_the_first_hole() {
        let mut sender = sender();
        sender.push(&[7; 500]);
        sender.finish();
        assert_eq!(sent(&mut sender), [1, 101, 201, 301, 401]);
        sender.rewind();
        assert_eq!(sent(&mut sender), [1]);
        assert_eq!(
            sender.acknowledge(201, u16::MAX, true, NOW),
            Acknowledged::Advanced
        );
        assert_eq!(sent(&mut sender), [201, 301]);
        assert_eq!(
            sender.acknowledge(502, u16::MAX, true, NOW),
            Acknowledged::Advanced
        );
        assert!(sender.fin_acknowledged() && sender.due.is_none());
    }

    // A time-out or an acknowledgement may still be under way when the connection fails: there is nothing to send then.
    #[test]
    fn what_is_abandoned_sends_nothing() {
        let mut sender = sender();
        sender.push(&[7; 500]);
        assert_eq!(sent(&mut sender).len(), 5);
        sender.abandon();
        assert!(sender.again().is_none());
        sender.rewind();
        assert!(sent(&mut sender).is_empty());
    }

    // What the window does not let go waits, and says so only once nothing is under way that would tell of an opening.
    #[test]
    fn closed_window_blocks() {
        let mut sender = sender();
        sender.acknowledge(1, 0, true, NOW);
        let mut sender = Sender {
            edge: 151,
            ..sender
        };
        sender.push(&[7; 200]);
        assert_eq!(sent(&mut sender), [1, 101]);
        assert!(!sender.is_blocked());
        sender.acknowledge(151, 0, true, NOW);
        assert!(sender.is_blocked() && sent(&mut sender).is_empty());
        sender.acknowledge(151, 10, true, NOW);
        assert_eq!(sent(&mut sender), [151]);
    }
}
