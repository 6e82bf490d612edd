//! One request of a client, on a connection of its own.

use std::fmt;
use std::net::SocketAddr;

use bytes::Bytes;
use http_body_util::{BodyExt as _, Full, Limited};
use hyper::client::conn::http1;
use hyper::header::HOST;
use hyper::{Method, Request};

use super::serve::socket_error;
use crate::{Host, SocketError};

/// The longest answer that is read, in bytes.
const LONGEST_ANSWER: usize = 65_536;

/// What is asked for.
#[derive(Clone, Debug)]
pub(super) struct Question {
    pub(super) to: SocketAddr,
    pub(super) method: Method,
    pub(super) path: String,
    pub(super) body: Bytes,
}

/// What came back.
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) body: String,
}

/// Why nothing did.
pub(super) enum AskError {
    /// The path cannot stand in a request.
    Path,
    /// The connection could not be made, or broke.
    Socket(SocketError),
    /// What came is no HTTP, or was cut off.
    Answer(hyper::Error),
    /// The answer is longer than is read.
    TooLong,
}

/// Connects, asks, reads the whole answer, closes.
pub(super) async fn ask(host: &Host, question: Question) -> Result<Answer, AskError> {
    let request = Request::builder()
        .method(question.method)
        .uri(question.path)
        .header(HOST, question.to.to_string())
        .body(Full::new(question.body))
        .map_err(|_| AskError::Path)?;
    let stream = host
        .connect_tcp(question.to)
        .await
        .map_err(AskError::Socket)?;
    let (mut sender, connection) = http1::handshake(stream).await?;
    host.spawn(async move {
        // What went wrong with it is what the request is told.
        let _ = connection.await;
    });
    let response = sender.send_request(request).await?;
    let status = response.status().as_u16();
    let body = Limited::new(response.into_body(), LONGEST_ANSWER);
    let body = body.collect().await.map_err(|error| {
        let broken = error.downcast::<hyper::Error>();
        broken.map_or(AskError::TooLong, |error| AskError::from(*error))
    })?;
    let body = String::from_utf8_lossy(&body.to_bytes()).into_owned();
    Ok(Answer { status, body })
}

impl From<hyper::Error> for AskError {
    fn from(error: hyper::Error) -> Self {
        socket_error(&error).map_or(Self::Answer(error), Self::Socket)
    }
}

impl fmt::Display for AskError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Path => f.write_str("the path is none of a URI"),
            Self::Socket(error) => error.fmt(f),
            Self::Answer(error) => error.fmt(f),
            Self::TooLong => write!(f, "the answer is longer than {LONGEST_ANSWER} bytes"),
        }
    }
}
