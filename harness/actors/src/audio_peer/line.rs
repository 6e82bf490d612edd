//! One connection of a peer.

use std::collections::VecDeque;
use std::future::poll_fn;
use std::task::{Context, Poll};

use bytes::{Buf, Bytes};
use linefault_protocol::Instant;
use linefault_protocol::audiosocket::{Decoder, Frame, Rate};

use super::{Audio, Config, OnHangUp, bytes_of};
use crate::catalogue::Command;
use crate::checkpoint::{reached, sometimes};
use crate::{Host, Report, SocketError, TcpStream, Timer, TimerClass};

/// Frames that may wait to be written: what a channel driver drops beyond that nobody misses.
const MOST: usize = 50;

const CHUNK: usize = 1024;

pub(crate) struct Line<'a> {
    host: &'a Host,
    /// What its connections are called among the things that its host has open.
    kind: &'static str,
    config: &'a Config,
    number: u64,
    stream: TcpStream,
    timer: Timer,
    decoder: Decoder,
    buffer: [u8; CHUNK],
    outbox: VecDeque<Bytes>,
    /// When the next frame is due, while it talks.
    next_frame: Option<Instant>,
    /// When the next piece of a frame may be written.
    next_piece: Option<Instant>,
    frame: Bytes,
    /// How many frames of sound came.
    heard: u64,
    hung_up: bool,
    over: bool,
}

enum Happened {
    Command(Command),
    Read(Result<usize, SocketError>),
    Failed(SocketError),
    Timer,
}

impl<'a> Line<'a> {
    pub(crate) fn new(
        host: &'a Host,
        kind: &'static str,
        config: &'a Config,
        number: u64,
        stream: TcpStream,
    ) -> Self {
        let rate = config.rate;
        let samples = match config.audio {
            Audio::Tone => rate.tone(),
            Audio::Silence | Audio::None => rate.silence(),
        };
        Self {
            host,
            kind,
            config,
            number,
            stream,
            timer: host.timer(TimerClass::Foreground),
            decoder: Decoder::new(),
            buffer: [0; CHUNK],
            outbox: VecDeque::new(),
            next_frame: None,
            next_piece: None,
            frame: Frame::Audio { rate, samples }.encode(),
            heard: 0,
            hung_up: false,
            over: false,
        }
    }

    /// Serves the connection to its end, and obeys what comes from `commands`.
    pub(crate) async fn run(
        mut self,
        speaks: bool,
        mut commands: impl FnMut(&mut Context<'_>) -> Poll<Command>,
    ) {
        self.host.report(Report::Opened {
            kind: self.kind,
            id: self.number,
            label: self.config.call.to_string(),
            target: None,
        });
        if speaks {
            self.send(Frame::Uuid(self.config.call).encode());
            self.talk();
        }
        while !self.over {
            let happened = poll_fn(|cx| self.poll(&mut commands, cx)).await;
            self.take(happened);
        }
        self.host.report(Report::Closed {
            kind: self.kind,
            id: self.number,
        });
    }

    fn poll(
        &mut self,
        commands: &mut impl FnMut(&mut Context<'_>) -> Poll<Command>,
        cx: &mut Context<'_>,
    ) -> Poll<Happened> {
        if let Poll::Ready(command) = commands(cx) {
            return Poll::Ready(Happened::Command(command));
        }
        if let Poll::Ready(error) = self.poll_write(cx) {
            return Poll::Ready(Happened::Failed(error));
        }
        if let Poll::Ready(read) = self.stream.poll_read(cx, &mut self.buffer) {
            return Poll::Ready(Happened::Read(read));
        }
        self.timer
            .set(self.next_frame.into_iter().chain(self.next_piece).min());
        self.timer.poll_fired(cx).map(|()| Happened::Timer)
    }

    /// Writes as much as it may. Ready only with an error.
    fn poll_write(&mut self, cx: &mut Context<'_>) -> Poll<SocketError> {
        while let Some(front) = self.outbox.front_mut() {
            if self.next_piece.is_some() {
                return Poll::Pending;
            }
            let piece = self.config.pieces.map_or(front.len(), |(most, _)| most);
            let piece = &front[..piece.min(front.len())];
            match self.stream.poll_write(cx, piece) {
                Poll::Pending => return Poll::Pending,
                Poll::Ready(Err(error)) => return Poll::Ready(error),
                Poll::Ready(Ok(written)) => {
                    let part = written < piece.len();
                    sometimes!(self.host, part, "the kernel took a part of a frame");
                    front.advance(written);
                }
            }
            if front.is_empty() {
                self.outbox.pop_front();
            }
            let pause = self.config.pieces.map(|(_, pause)| self.host.now() + pause);
            self.next_piece = pause;
        }
        Poll::Pending
    }

    fn take(&mut self, happened: Happened) {
        match happened {
            Happened::Command(command) => self.obey(&command),
            Happened::Read(Ok(0)) => {
                if !self.hung_up {
                    reached!(self.host, "the service closed without a word");
                }
                self.end("the service closed");
            }
            Happened::Read(Ok(count)) => {
                self.decoder.push(&self.buffer[..count]);
                self.listen();
            }
            Happened::Read(Err(error)) | Happened::Failed(error) => {
                reached!(self.host, "the connection to the service was lost");
                tracing::warn!(%error, heard = self.heard, "connection lost");
                self.over = true;
            }
            Happened::Timer => self.wake(),
        }
    }

    fn wake(&mut self) {
        let now = self.host.now();
        self.next_piece = self.next_piece.filter(|due| *due > now);
        if let Some(due) = self.next_frame.filter(|due| *due <= now) {
            // From what was due, not from now, so that nothing drifts.
            self.next_frame = Some(due + Rate::FRAME);
            self.send(self.frame.clone());
        }
    }

    fn talk(&mut self) {
        if self.config.audio != Audio::None {
            self.next_frame = Some(self.host.now() + Rate::FRAME);
        }
    }

    fn send(&mut self, bytes: Bytes) {
        if self.outbox.len() < MOST {
            self.outbox.push_back(bytes);
        }
    }

    fn listen(&mut self) {
        loop {
            match self.decoder.next() {
                Ok(Some(Frame::Audio { .. })) => self.heard += 1,
                Ok(Some(Frame::HangUp)) => self.hear_hang_up(),
                Ok(Some(frame)) => tracing::info!(%frame, "the service says"),
                Ok(None) => return,
                Err(error) => {
                    reached!(self.host, "the service sent what is no frame");
                    tracing::info!(%error, "what the service sent is no frame");
                    self.stream.abort_on_close();
                    self.over = true;
                    return;
                }
            }
        }
    }

    fn hear_hang_up(&mut self) {
        reached!(self.host, "the service hung up");
        tracing::info!(heard = self.heard, "the service hung up");
        self.hung_up = true;
        match self.config.on_hang_up {
            OnHangUp::Close => self.end("closed"),
            OnHangUp::Reset => {
                self.stream.abort_on_close();
                self.end("reset");
            }
            OnHangUp::Silent => {
                self.next_frame = None;
                self.outbox.clear();
            }
            OnHangUp::TalkOn => {}
        }
    }

    fn obey(&mut self, command: &Command) {
        match command.name {
            "hang-up" => {
                self.next_frame = None;
                self.send(Frame::HangUp.encode());
            }
            "dtmf" => {
                let key = command.arguments.text("key").unwrap_or_default();
                for key in key.bytes() {
                    self.send(Frame::Dtmf(key).encode());
                }
            }
            "say-uuid" => self.send(Frame::Uuid(self.config.call).encode()),
            "send-bytes" => match bytes_of(command) {
                Some(bytes) => self.send(bytes.into()),
                None => tracing::warn!("nothing sent: no hexadecimal digits in pairs"),
            },
            "mute" => self.next_frame = None,
            "talk" => self.talk(),
            "close" => self.end("closed"),
            "reset" => {
                self.stream.abort_on_close();
                self.end("reset");
            }
            _ => tracing::info!(command = command.name, "connected already"),
        }
    }

    fn end(&mut self, how: &'static str) {
        if !self.over {
            let (heard, hung_up) = (self.heard, self.hung_up);
            tracing::info!(heard, hung_up, "connection over: {how}");
        }
        self.over = true;
    }
}
