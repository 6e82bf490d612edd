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

#[cfg(test)]
mod tests {
    use std::cell::{Cell, RefCell};
    use std::net::{Ipv4Addr, SocketAddr};
    use std::rc::Rc;
    use std::task::Waker;
    use std::time::Duration;

    use linefault_protocol::audiosocket::Rate;

    use super::*;
    use crate::TcpStreamBackend;

    /// A kernel that takes as many bytes as there is room for.
    #[derive(Default)]
    struct Kernel {
        room: Cell<usize>,
        taken: RefCell<Vec<u8>>,
    }

    impl TcpStreamBackend for Kernel {
        fn local_address(&self) -> SocketAddr {
            SocketAddr::from((Ipv4Addr::LOCALHOST, 9092))
        }

        fn peer_address(&self) -> SocketAddr {
            SocketAddr::from((Ipv4Addr::LOCALHOST, 40_000))
        }

        fn poll_read(&self, _: &mut Context<'_>, _: &mut [u8]) -> Poll<Result<usize, SocketError>> {
            Poll::Pending
        }

        fn poll_write(&self, _: &mut Context<'_>, data: &[u8]) -> Poll<Result<usize, SocketError>> {
            let count = data.len().min(self.room.get());
            if count == 0 {
                return Poll::Pending;
            }
            self.room.set(self.room.get() - count);
            self.taken.borrow_mut().extend_from_slice(&data[..count]);
            Poll::Ready(Ok(count))
        }

        fn shutdown(&self) -> Result<(), SocketError> {
            Ok(())
        }

        fn abort_on_close(&self) {}

        fn set_user_timeout(&self, _: Duration) {}
    }

    fn sound() -> Bytes {
        let (rate, samples) = (Rate::Khz8, Rate::Khz8.tone());
        Frame::Audio { rate, samples }.encode()
    }

    fn write(outbox: &mut Outbox, kernel: &Rc<Kernel>, room: usize) -> bool {
        kernel.room.set(room);
        let stream = TcpStream::new(kernel.clone());
        let mut cx = Context::from_waker(Waker::noop());
        outbox.poll_write(&stream, &mut cx).is_ready()
    }

    // A hang-up in the middle of a frame would be taken for sound: the frame is finished, what waited behind it is not sent.
    #[test]
    fn a_hang_up_comes_behind_the_frame_that_has_begun_and_before_all_others() {
        let (mut outbox, kernel) = (Outbox::default(), Rc::<Kernel>::default());
        outbox.push(sound());
        outbox.push(sound());
        assert!(!write(&mut outbox, &kernel, 100));
        outbox.hang_up();
        assert!(
            !write(&mut outbox, &kernel, 224),
            "one byte of the hang-up has left"
        );
        assert!(write(&mut outbox, &kernel, 1000));
        let wanted = [sound(), Frame::HangUp.encode()].concat();
        assert_eq!(*kernel.taken.borrow(), wanted);
        assert!(!write(&mut outbox, &kernel, 1000), "and is told once");
    }

    #[test]
    fn a_peer_that_does_not_read_costs_a_second_of_sound_at_most() {
        let (mut outbox, kernel) = (Outbox::default(), Rc::<Kernel>::default());
        for _ in 0..1000 {
            outbox.push(sound());
            assert!(!write(&mut outbox, &kernel, 0));
        }
        write(&mut outbox, &kernel, usize::MAX);
        // What is about to leave, and what waits behind it.
        assert_eq!(kernel.taken.borrow().len(), (MOST + 1) * sound().len());
    }
}
