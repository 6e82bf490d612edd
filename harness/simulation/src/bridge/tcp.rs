//! TCP connections of turmoil as the actors see them.
//!
//! turmoil has no reset on demand and never gives an unacknowledged segment up: asking for either changes nothing.

use std::cell::RefCell;
use std::net::{IpAddr, SocketAddr};
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, Waker, ready};
use std::time::Duration;

use linefault_actors::{LocalFuture, SocketError, TcpListenerBackend, TcpStreamBackend};
use tokio::io::{AsyncRead as _, AsyncWrite as _, ReadBuf};
use turmoil::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use turmoil::net::{TcpListener, TcpStream};

use super::error::translate;
use super::recording::Recording;

type Accepted = std::io::Result<(TcpStream, SocketAddr)>;

pub(super) struct Listener {
    socket: Rc<TcpListener>,
    local: SocketAddr,
    accepting: RefCell<Option<LocalFuture<Accepted>>>,
    recording: Option<Recording>,
}

impl Listener {
    /// Listens at `to` on the host of that address.
    pub(super) async fn bind(
        to: SocketAddr,
        ip: IpAddr,
        recording: Option<Recording>,
    ) -> Result<Self, SocketError> {
        let socket = TcpListener::bind(to).await.map_err(translate)?;
        let port = socket.local_addr().map_err(translate)?.port();
        Ok(Self {
            socket: Rc::new(socket),
            local: (ip, port).into(),
            accepting: RefCell::default(),
            recording,
        })
    }
}

impl TcpListenerBackend for Listener {
    fn local_address(&self) -> SocketAddr {
        self.local
    }

    fn poll_accept(
        &self,
        cx: &mut Context<'_>,
    ) -> Poll<Result<Rc<dyn TcpStreamBackend>, SocketError>> {
        let mut accepting = self.accepting.borrow_mut();
        let next = accepting.get_or_insert_with(|| {
            let socket = Rc::clone(&self.socket);
            Box::pin(async move { socket.accept().await })
        });
        let accepted = ready!(next.as_mut().poll(cx)).map_err(translate);
        *accepting = None;
        Poll::Ready(accepted.and_then(|(stream, _)| {
            let stream = Stream::new(stream, self.recording.clone())?;
            if let Some(recording) = &self.recording {
                recording.accepted(stream.peer, stream.local);
            }
            Ok(Rc::new(stream) as Rc<dyn TcpStreamBackend>)
        }))
    }
}

pub(super) struct Stream {
    reader: RefCell<OwnedReadHalf>,
    writer: RefCell<OwnedWriteHalf>,
    local: SocketAddr,
    peer: SocketAddr,
    recording: Option<Recording>,
}

impl Stream {
    pub(super) async fn connect(
        to: SocketAddr,
        recording: Option<Recording>,
    ) -> Result<Self, SocketError> {
        let stream = TcpStream::connect(to).await.map_err(translate)?;
        let stream = Self::new(stream, recording)?;
        if let Some(recording) = &stream.recording {
            recording.connected(stream.local, stream.peer);
        }
        Ok(stream)
    }

    fn new(stream: TcpStream, recording: Option<Recording>) -> Result<Self, SocketError> {
        let local = stream.local_addr().map_err(translate)?;
        let peer = stream.peer_addr().map_err(translate)?;
        let (reader, writer) = stream.into_split();
        Ok(Self {
            reader: RefCell::new(reader),
            writer: RefCell::new(writer),
            local,
            peer,
            recording,
        })
    }

    fn note_end(&self) {
        if let Some(recording) = &self.recording {
            recording.finished(self.local, self.peer);
        }
    }
}

impl TcpStreamBackend for Stream {
    fn local_address(&self) -> SocketAddr {
        self.local
    }

    fn peer_address(&self) -> SocketAddr {
        self.peer
    }

    fn poll_read(
        &self,
        cx: &mut Context<'_>,
        buffer: &mut [u8],
    ) -> Poll<Result<usize, SocketError>> {
        let mut buffer = ReadBuf::new(buffer);
        let mut reader = self.reader.borrow_mut();
        ready!(Pin::new(&mut *reader).poll_read(cx, &mut buffer)).map_err(translate)?;
        let length = buffer.filled().len();
        if let Some(recording) = &self.recording {
            recording.read(self.local, self.peer, length);
        }
        Poll::Ready(Ok(length))
    }

    fn poll_write(&self, cx: &mut Context<'_>, data: &[u8]) -> Poll<Result<usize, SocketError>> {
        let mut writer = self.writer.borrow_mut();
        let length = ready!(Pin::new(&mut *writer).poll_write(cx, data)).map_err(translate)?;
        if let (Some(recording), Some(written)) = (&self.recording, data.get(..length)) {
            recording.wrote(self.local, self.peer, written);
        }
        Poll::Ready(Ok(length))
    }

    fn shutdown(&self) -> Result<(), SocketError> {
        let mut cx = Context::from_waker(Waker::noop());
        let mut writer = self.writer.borrow_mut();
        // turmoil's never waits.
        match Pin::new(&mut *writer).poll_shutdown(&mut cx) {
            Poll::Ready(ended) => ended.map_err(translate)?,
            Poll::Pending => {}
        }
        self.note_end();
        Ok(())
    }

    fn abort_on_close(&self) {}

    fn set_user_timeout(&self, _timeout: Duration) {}
}

impl Drop for Stream {
    fn drop(&mut self) {
        self.note_end();
    }
}
