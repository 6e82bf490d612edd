//! The receiving half of a connection: what the program may read, what came early, how much more fits.

use std::collections::{BTreeMap, VecDeque};

use bytes::{Buf, Bytes};

use super::sender::{distance, offset_of};
use super::{Offset, RECEIVE_BUFFER};
use crate::event::RecordId;

pub(super) struct Receiver {
    initial: u32,
    nxt: Offset,
    /// One beyond the last offset that the peer was told it may send.
    edge: Offset,
    ready: VecDeque<Chunk>,
    ready_bytes: usize,
    early: BTreeMap<Offset, Chunk>,
    early_bytes: usize,
    /// FIN's offset.
    fin: Option<Offset>,
    /// The delivery after which nothing is missing.
    finished_by: Option<RecordId>,
    /// What a window must grow by to be worth telling (RFC 9293 §3.8.6.2.2).
    mss: usize,
}

/// Bytes and the record of their delivery.
struct Chunk {
    data: Bytes,
    cause: RecordId,
}

/// What became of a segment's data.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Taken {
    /// It was next.
    InOrder,
    /// It was next, and what had come early follows it.
    FilledHole,
    /// It is kept, or was there already.
    OutOfOrder,
}

impl Receiver {
    pub(super) const fn new(initial: u32, mss: usize) -> Self {
        Self {
            initial,
            nxt: 1,
            edge: 1,
            ready: VecDeque::new(),
            ready_bytes: 0,
            early: BTreeMap::new(),
            early_bytes: 0,
            fin: None,
            finished_by: None,
            mss,
        }
    }

    /// The acknowledgement number.
    pub(super) fn wire(&self) -> u32 {
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "sequence numbers are offsets modulo 2³² (RFC 9293 §3.4)"
        )]
        self.initial.wrapping_add(self.nxt as u32)
    }

    /// The offset nearest to what is expected that a sequence number stands for.
    pub(super) fn offset(&self, sequence: u32) -> Offset {
        self.nxt + distance(self.wire(), sequence)
    }

    pub(super) const fn nxt(&self) -> Offset {
        self.nxt
    }

    pub(super) const fn edge(&self) -> Offset {
        self.edge
    }

    pub(super) fn is_empty(&self) -> bool {
        self.ready.is_empty()
    }

    /// Whether FIN has come, and everything before it.
    pub(super) const fn is_finished(&self) -> bool {
        self.finished_by.is_some()
    }

    /// The delivery that completed the stream.
    pub(super) const fn finished_by(&self) -> Option<RecordId> {
        self.finished_by
    }

    /// Takes a segment that begins within the window.
    pub(super) fn take(
        &mut self,
        offset: Offset,
        data: &Bytes,
        fin: bool,
        cause: RecordId,
    ) -> Taken {
        let end = offset + offset_of(data.len());
        if fin && self.fin.is_none() {
            self.fin = Some(end);
        }
        let skip = usize::try_from(self.nxt - offset)
            .unwrap_or(0)
            .min(data.len());
        // What lies beyond the window was not asked for, and the sender keeps it.
        let fits = usize::try_from(self.edge - offset)
            .unwrap_or(0)
            .min(data.len());
        let data = data.slice(skip.min(fits)..fits);
        if offset > self.nxt {
            self.keep(offset, Chunk { data, cause });
            return Taken::OutOfOrder;
        }
        self.append(Chunk { data, cause });
        let filled = self.append_early();
        if self.fin == Some(self.nxt) {
            self.nxt += 1;
            self.finished_by = Some(cause);
        }
        if filled {
            Taken::FilledHole
        } else {
            Taken::InOrder
        }
    }

    /// Copies what is ready, without taking it.
    pub(super) fn peek(&self, buffer: &mut [u8]) -> (usize, Option<RecordId>) {
        let (mut copied, mut cause) = (0, None);
        for chunk in &self.ready {
            let length = chunk.data.len().min(buffer.len() - copied);
            if length == 0 {
                break;
            }
            buffer[copied..copied + length].copy_from_slice(&chunk.data[..length]);
            (copied, cause) = (copied + length, Some(chunk.cause));
        }
        (copied, cause)
    }

    /// Takes what is ready; the record is that of the last byte's delivery.
    pub(super) fn read(&mut self, buffer: &mut [u8]) -> (usize, Option<RecordId>) {
        let (copied, cause) = self.peek(buffer);
        let mut left = copied;
        while left > 0
            && let Some(chunk) = self.ready.front_mut()
        {
            let length = chunk.data.len().min(left);
            chunk.data.advance(length);
            left -= length;
            if chunk.data.is_empty() {
                self.ready.pop_front();
            }
        }
        self.ready_bytes -= copied;
        (copied, cause)
    }

    /// The window to announce now; from here on the peer may rely on it.
    pub(super) fn announce(&mut self) -> u16 {
        let fresh = self.fresh_edge();
        let free = usize::try_from(fresh - self.nxt).unwrap_or(0);
        // RFC 9293 §3.8.6.2.2: the edge moves by a segment or by half the buffer, or not at all.
        if free >= self.mss.min(RECEIVE_BUFFER / 2) {
            self.edge = self.edge.max(fresh);
        }
        u16::try_from((self.edge - self.nxt).max(0)).unwrap_or(u16::MAX)
    }

    /// Whether reading has opened the window so far that the peer should hear of it, as `tcp_cleanup_rbuf` decides.
    pub(super) fn has_opened(&self) -> bool {
        let remaining = (self.edge - self.nxt).max(0);
        let fresh = self.fresh_edge() - self.nxt;
        2 * remaining <= offset_of(RECEIVE_BUFFER)
            && fresh >= offset_of(self.mss).max(2 * remaining)
    }

    fn fresh_edge(&self) -> Offset {
        self.nxt + offset_of(RECEIVE_BUFFER - self.ready_bytes.min(RECEIVE_BUFFER))
    }

    fn append(&mut self, chunk: Chunk) {
        self.nxt += offset_of(chunk.data.len());
        self.ready_bytes += chunk.data.len();
        if !chunk.data.is_empty() {
            self.ready.push_back(chunk);
        }
    }

    fn append_early(&mut self) -> bool {
        let mut appended = false;
        while let Some(entry) = self.early.first_entry()
            && *entry.key() <= self.nxt
        {
            let (offset, mut chunk) = entry.remove_entry();
            self.early_bytes -= chunk.data.len();
            let skip = usize::try_from(self.nxt - offset).unwrap_or(0);
            chunk.data.advance(skip.min(chunk.data.len()));
            self.append(chunk);
            appended = true;
        }
        appended
    }

    /// Keeps what came early, unless overlapping pieces would take more memory than a whole window.
    fn keep(&mut self, offset: Offset, chunk: Chunk) {
        let known = self.early.get(&offset).map_or(0, |known| known.data.len());
        if chunk.data.len() <= known || self.early_bytes + chunk.data.len() > RECEIVE_BUFFER {
            return;
        }
        self.early_bytes += chunk.data.len() - known;
        self.early.insert(offset, chunk);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CAUSE: RecordId = RecordId(1);

    fn take(receiver: &mut Receiver, offset: Offset, data: &'static str, fin: bool) -> Taken {
        receiver.take(offset, &Bytes::from_static(data.as_bytes()), fin, CAUSE)
    }

    fn read(receiver: &mut Receiver) -> String {
        let mut buffer = [0; 64];
        let (length, _) = receiver.read(&mut buffer);
        String::from_utf8_lossy(&buffer[..length]).into_owned()
    }

    // Every overlap of what is there: before, across, within, beyond; and FIN that comes first.
    #[test]
    fn pieces_in_any_order_make_one_stream() {
        let mut receiver = Receiver::new(u32::MAX, 1460);
        assert_eq!(receiver.announce(), u16::MAX);
        assert_eq!(take(&mut receiver, 9, "ij", true), Taken::OutOfOrder);
        assert_eq!(take(&mut receiver, 5, "ef", false), Taken::OutOfOrder);
        assert_eq!(take(&mut receiver, 5, "efgh", false), Taken::OutOfOrder);
        assert_eq!(take(&mut receiver, 1, "abc", false), Taken::InOrder);
        assert!(!receiver.is_finished());
        assert_eq!(take(&mut receiver, 2, "bcde", false), Taken::FilledHole);
        assert_eq!(read(&mut receiver), "abcdefghij");
        assert_eq!(
            (receiver.is_finished(), receiver.nxt(), receiver.wire()),
            (true, 12, 11)
        );
        assert_eq!(receiver.early_bytes, 0);
    }

    // A window that has closed is told only once a whole segment fits again.
    #[test]
    fn window_opens_by_a_segment_or_not_at_all() {
        let mut receiver = Receiver::new(0, 1460);
        receiver.announce();
        let data = Bytes::from(vec![7; RECEIVE_BUFFER]);
        receiver.take(1, &data, false, CAUSE);
        assert_eq!((receiver.announce(), receiver.has_opened()), (0, false));
        let mut buffer = vec![0; 1_459];
        receiver.read(&mut buffer);
        assert_eq!((receiver.announce(), receiver.has_opened()), (0, false));
        receiver.read(&mut buffer[..1]);
        assert_eq!((receiver.has_opened(), receiver.announce()), (true, 1_460));
    }
}
