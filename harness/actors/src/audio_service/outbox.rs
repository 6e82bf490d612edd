//! What waits to be written to one leg: bounded, and ended by the hang-up.

use std::collections::VecDeque;
use std::task::{Context, Poll};

use bytes::{Buf, Bytes};
use linefault_protocol::audiosocket::Frame;

use crate::{SocketError, TcpStream};

/// Frames that may wait for a peer that reads too slowly: a second of them. Sound that is later than that is worth nothing.
const MOST: usize = 50;

#[derive(Default)]
pub(super) struct Outbox {
    /// The rest of a frame that is partly gone.
    begun: Bytes,
    waiting: VecDeque<Bytes>,
    hang_up: HangUp,
}

#[derive(Clone, Copy, Default, PartialEq, Eq)]
enum HangUp {
    #[default]
    Unwanted,
    Waiting,
    Gone,
}

impl Outbox {
    /// Queues a frame; of too many, the oldest that has not begun to leave is dropped.
    pub(super) fn push(&mut self, frame: Bytes) {
        if self.waiting.len() >= MOST {
            self.waiting.pop_front();
        }
        self.waiting.push_back(frame);
    }

    /// Replaces what waits by the hang-up. The rest of a frame that is partly gone stays, or the peer would take the hang-up
    /// for sound.
    pub(super) fn hang_up(&mut self) {
        self.waiting.clear();
        self.waiting.push_back(Frame::HangUp.encode());
        self.hang_up = HangUp::Waiting;
    }

    /// Writes until nothing is left or the kernel takes no more. Ready, once, when the hang-up is gone.
    pub(super) fn poll_write(
        &mut self,
        stream: &TcpStream,
        cx: &mut Context<'_>,
    ) -> Poll<Result<(), SocketError>> {
        loop {
            if self.begun.is_empty() {
                match self.waiting.pop_front() {
                    Some(frame) => self.begun = frame,
                    None if self.hang_up == HangUp::Waiting => {
                        self.hang_up = HangUp::Gone;
                        return Poll::Ready(Ok(()));
                    }
                    None => return Poll::Pending,
                }
            }
            match stream.poll_write(cx, &self.begun) {
                Poll::Pending => return Poll::Pending,
                Poll::Ready(Err(error)) => return Poll::Ready(Err(error)),
                Poll::Ready(Ok(written)) => self.begun.advance(written),
            }
        }
    }
}
