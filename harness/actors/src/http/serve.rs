//! One request of one connection.

use std::convert::Infallible;
use std::time::Duration;

use hyper::Request;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;

use super::Reply;
use crate::{Host, SocketError, TcpStream};

/// The longest head of a request, in bytes; the least that hyper can be told.
const LONGEST_HEAD: usize = 8192;

/// Reads one request, answers it and closes; gives up at the deadline.
pub(crate) async fn serve<F>(
    host: Host,
    stream: TcpStream,
    deadline: Duration,
    answer: impl Fn(&Request<Incoming>) -> F,
) where
    F: Future<Output = Reply>,
{
    let peer = stream.peer_address();
    let service = service_fn(|request| {
        let reply = answer(&request);
        async move { Ok::<_, Infallible>(reply.await.0) }
    });
    let mut builder = http1::Builder::new();
    // Neither date nor deadlines of hyper's own: they would be the wall clock's.
    builder.auto_date_header(false).header_read_timeout(None);
    builder.keep_alive(false).max_buf_size(LONGEST_HEAD);
    tokio::select! {
        biased;
        served = builder.serve_connection(stream, service) => {
            if let Err(error) = served {
                log(&error, peer);
            }
        }
        () = host.sleep(deadline) => tracing::warn!(%peer, "no request in time"),
    }
}

/// What is no HTTP is the peer's mistake, a broken connection the network's doing.
fn log(error: &hyper::Error, peer: std::net::SocketAddr) {
    if error.is_parse() || error.is_parse_too_large() {
        tracing::info!(%peer, "refused what is no HTTP: {error}");
    } else if error.is_incomplete_message() {
        tracing::info!(%peer, "the peer closed before its request was whole");
    } else {
        let error = socket_error(error).map_or(error.to_string(), |error| error.to_string());
        tracing::warn!(%peer, error, "connection lost during a request");
    }
}

/// The socket's error inside hyper's.
pub(super) fn socket_error(error: &hyper::Error) -> Option<SocketError> {
    let source = std::error::Error::source(error)?;
    SocketError::within(source.downcast_ref::<std::io::Error>()?)
}
