//! The TCP connections of a machine: SIP messages in, SIP messages out.
//!
//! Owns framing, queues and what becomes of messages when a connection ends. Refuses policy: which connection a message
//! takes and how long an idle one stays is [`crate::element`]'s.

use std::collections::{BTreeMap, VecDeque};
use std::net::SocketAddr;
use std::task::{Context as TaskContext, Poll};

use bytes::{Buf, Bytes, BytesMut};
use linefault_protocol::sip::framing::{Frame, Framer};
use linefault_protocol::sip::{Limits, Transport};

use crate::{Host, Input, LocalFuture, SocketError, TcpListener, TcpStream};

/// All connections of one machine, by the address of the other side.
pub(crate) struct Connections {
    host: Host,
    listener: Option<TcpListener>,
    open: BTreeMap<SocketAddr, Connection>,
    /// What has happened and was not told yet.
    news: VecDeque<Input>,
}

struct Connection {
    stage: Stage,
    framer: Framer,
    /// Nothing more is understood of what comes. It is read all the same, since closing before would reset the connection
    /// and with it the answer (RFC 2525 §2.17).
    refusing: bool,
    /// What the socket has not taken yet.
    outgoing: BytesMut,
    /// The tickets of what is in there, in order, each with how many bytes end with it.
    waiting: VecDeque<(u64, Option<u64>)>,
    /// Bytes that the socket has taken so far.
    taken: u64,
    /// The tickets of what the socket took last.
    written: VecDeque<u64>,
}

enum Stage {
    Connecting(LocalFuture<Result<TcpStream, SocketError>>),
    Open(TcpStream),
}

/// More connections than that are reset as they come.
const MOST_CONNECTIONS: usize = 1024;
/// More than that is not queued for a peer that does not read.
const MOST_OUTGOING: usize = 262_144;
/// So many messages that the socket has taken are reported when their connection fails.
const MOST_WRITTEN: usize = 64;

impl Connections {
    pub(crate) fn new(host: Host, listener: Option<TcpListener>) -> Self {
        Self {
            host,
            listener,
            open: BTreeMap::new(),
            news: VecDeque::new(),
        }
    }

    /// Queues a message; connects first where there is no connection.
    pub(crate) fn send(&mut self, to: SocketAddr, bytes: &Bytes, ticket: Option<u64>) {
        let host = &self.host;
        let connection = self.open.entry(to).or_insert_with(|| {
            let host = host.clone();
            let connecting = Box::pin(async move { host.connect_tcp(to).await });
            Connection::new(
                Stage::Connecting(connecting),
                Framer::of_answers(Limits::default()),
            )
        });
        if connection.outgoing.len() + bytes.len() > MOST_OUTGOING {
            tracing::warn!(peer = %to, "peer does not read: message thrown away");
            return;
        }
        connection.outgoing.extend_from_slice(bytes);
        let end = connection.taken + connection.outgoing.len() as u64;
        connection.waiting.push_back((end, ticket));
    }

    /// Closes a connection, with RST if the peer has not taken everything.
    pub(crate) fn close(&mut self, peer: SocketAddr) {
        if let Some(connection) = self.open.remove(&peer)
            && let Stage::Open(stream) = &connection.stage
            && !connection.outgoing.is_empty()
        {
            stream.abort_on_close();
        }
    }

    /// Hands the sockets what is queued, as much as they take; what was queued together leaves together.
    pub(crate) fn flush(&mut self, cx: &mut TaskContext<'_>) {
        let all_told = self.news.is_empty();
        let flush = |(peer, connection): (&SocketAddr, &mut Connection)| {
            Some((*peer, connection.flush(cx, all_told).err()?))
        };
        let failed: Vec<_> = self.open.iter_mut().filter_map(flush).collect();
        for (peer, error) in failed {
            self.fail(peer, error);
        }
    }

    /// What has happened already.
    pub(crate) fn take_news(&mut self) -> Option<Input> {
        self.news.pop_front()
    }

    /// The next thing to tell the machine, peers in the order of their addresses.
    pub(crate) fn poll(&mut self, cx: &mut TaskContext<'_>) -> Poll<Input> {
        self.accept(cx);
        self.flush(cx);
        let mut ended = None;
        for (peer, connection) in &mut self.open {
            match connection.read(cx, *peer, &mut self.news) {
                Poll::Pending => {}
                Poll::Ready(Ok(())) => break,
                Poll::Ready(Err(error)) => {
                    ended = Some((*peer, error));
                    break;
                }
            }
        }
        match ended {
            Some((peer, Some(error))) => self.fail(peer, error),
            Some((peer, None)) => {
                self.close(peer);
                self.news.push_back(Input::Closed { peer, error: None });
            }
            None => {}
        }
        self.take_news().map_or(Poll::Pending, Poll::Ready)
    }

    fn accept(&mut self, cx: &mut TaskContext<'_>) {
        while let Some(listener) = &self.listener
            && let Poll::Ready(accepted) = listener.poll_accept(cx)
        {
            match accepted {
                Ok(stream) if self.open.len() < MOST_CONNECTIONS => {
                    let peer = stream.peer_address();
                    let connection = Connection::new(Stage::Open(stream), Framer::default());
                    self.open.insert(peer, connection);
                    self.news.push_back(Input::Opened { peer });
                }
                Ok(stream) => stream.abort_on_close(),
                Err(error) => {
                    tracing::error!(errno = error.errno, "cannot accept connections: {error}");
                    self.listener = None;
                }
            }
        }
    }

    /// Forgets a connection that has failed, and says which messages it takes along.
    fn fail(&mut self, to: SocketAddr, error: SocketError) {
        let Some(connection) = self.open.remove(&to) else {
            return;
        };
        self.news.push_back(Input::Closed {
            peer: to,
            error: Some(error),
        });
        let waiting = connection
            .waiting
            .into_iter()
            .filter_map(|(_, ticket)| ticket);
        for ticket in connection.written.into_iter().chain(waiting) {
            let ticket = Some(ticket);
            self.news.push_back(Input::SendFailed { ticket, to, error });
        }
    }
}

impl Connection {
    fn new(stage: Stage, framer: Framer) -> Self {
        Self {
            stage,
            framer,
            refusing: false,
            outgoing: BytesMut::new(),
            waiting: VecDeque::new(),
            taken: 0,
            written: VecDeque::new(),
        }
    }

    /// `all_told` says that whatever came was told, and so answered: a connection that is refused may end.
    fn flush(&mut self, cx: &mut TaskContext<'_>, all_told: bool) -> Result<(), SocketError> {
        if let Stage::Connecting(connecting) = &mut self.stage {
            let Poll::Ready(connected) = connecting.as_mut().poll(cx) else {
                return Ok(());
            };
            self.stage = Stage::Open(connected?);
        }
        while !self.outgoing.is_empty()
            && let Stage::Open(stream) = &self.stage
            && let Poll::Ready(written) = stream.poll_write(cx, &self.outgoing)
        {
            let written = written?;
            self.outgoing.advance(written);
            self.taken += written as u64;
            self.note_written();
        }
        if let Stage::Open(stream) = &self.stage
            && self.refusing
            && all_told
            && self.outgoing.is_empty()
        {
            // Once the peer has gone there is nobody to tell.
            let _gone = stream.shutdown();
        }
        Ok(())
    }

    fn note_written(&mut self) {
        while let Some((end, ticket)) = self.waiting.front().copied()
            && end <= self.taken
        {
            self.waiting.pop_front();
            self.written.extend(ticket);
        }
        let surplus = self.written.len().saturating_sub(MOST_WRITTEN);
        self.written.drain(..surplus);
    }

    /// Reads once. Ready with an error, or with none, when the connection has ended.
    fn read(
        &mut self,
        cx: &mut TaskContext<'_>,
        from: SocketAddr,
        news: &mut VecDeque<Input>,
    ) -> Poll<Result<(), Option<SocketError>>> {
        let mut buffer = [0; 4096];
        loop {
            let Stage::Open(stream) = &self.stage else {
                return Poll::Pending;
            };
            let read = match stream.poll_read(cx, &mut buffer) {
                Poll::Pending => return Poll::Pending,
                Poll::Ready(Err(error)) => return Poll::Ready(Err(Some(error))),
                Poll::Ready(Ok(0)) => return Poll::Ready(Err(None)),
                Poll::Ready(Ok(read)) => read,
            };
            self.framer.feed(&buffer[..read]);
            while let Some(frame) = self.framer.next_frame() {
                news.push_back(Input::Datagram {
                    from,
                    transport: Transport::Tcp,
                    bytes: self.take(frame),
                });
            }
            if !news.is_empty() {
                return Poll::Ready(Ok(()));
            }
        }
    }

    fn take(&mut self, frame: Frame) -> Bytes {
        match frame {
            Frame::Message(bytes) => bytes,
            Frame::LineBreak => Bytes::from_static(b"\r\n"),
            Frame::Ping => Bytes::from_static(b"\r\n\r\n"),
            Frame::Last(bytes, _) => {
                self.refusing = true;
                bytes
            }
        }
    }
}

#[cfg(test)]
mod tests;
