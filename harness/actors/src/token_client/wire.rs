//! One connection of a client: a request, and what its answer says.

use std::io;
use std::net::SocketAddr;
use std::pin::pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper::client::conn::http1;
use hyper::header::{ACCEPT, CONTENT_TYPE, HOST};
use hyper::{Method, Request, Response, StatusCode};
use linefault_protocol::sse::{Connection, Decoder, Heard, Limits, Unreadable};
use serde_json::{Value, json};
use tokio::sync::mpsc::{Receiver, Sender, channel};

use crate::{Host, LocalFuture, SocketError, TcpStream};

/// How many events wait at most to be handled; what comes behind them waits in the socket.
const QUEUE: usize = 16;
/// The most bytes of a JSON answer.
const JSON_MAX: usize = 1024 * 1024;
/// The most bytes that hyper holds back.
const BUFFER: usize = 64 * 1024;

/// An end of file before the end of the answer.
const ENDED: &str = "the connection ended";

/// What is asked.
pub(super) struct Asked {
    pub(super) to: SocketAddr,
    pub(super) request_id: String,
    pub(super) last_id: String,
    pub(super) prompt: String,
}

/// What a connection says.
pub(crate) struct Word {
    pub(super) heard: Heard,
    /// Of [`Heard::Lost`]: why.
    pub(super) why: String,
}

/// An open connection, or one that is being opened. Dropping it closes it.
pub(super) struct Wire {
    pub(super) connection: Connection,
    words: Receiver<Word>,
    /// Until it is done.
    talk: Option<LocalFuture<()>>,
}

impl Wire {
    /// Connects and asks.
    pub(super) fn open(host: Host, connection: Connection, asked: Asked) -> Self {
        let (sender, words) = channel(QUEUE);
        let talk = Box::pin(talk(host, asked, sender));
        Self {
            connection,
            words,
            talk: Some(talk),
        }
    }

    /// What it says next; nothing if it has said everything.
    pub(super) fn poll_word(&mut self, cx: &mut Context<'_>) -> Poll<Option<Word>> {
        if let Poll::Ready(Some(word)) = self.words.poll_recv(cx) {
            return Poll::Ready(Some(word));
        }
        if let Some(talk) = &mut self.talk
            && talk.as_mut().poll(cx).is_ready()
        {
            self.talk = None;
        }
        self.words.poll_recv(cx)
    }
}

/// A connection from its beginning to its end.
async fn talk(host: Host, asked: Asked, words: Sender<Word>) {
    let why = match host.connect_tcp(asked.to).await {
        Ok(stream) => match speak_http(stream, asked, &words).await {
            Ok(()) => return,
            Err(why) => why,
        },
        Err(error) => error.to_string(),
    };
    let lost = Word {
        heard: Heard::Lost,
        why,
    };
    // Whoever does not listen any more does not want to know.
    let _ = words.send(lost).await;
}

/// Asks, and hands on what comes; an error is the loss of the connection.
async fn speak_http(stream: TcpStream, asked: Asked, words: &Sender<Word>) -> Result<(), String> {
    let mut http = http1::Builder::new();
    http.max_buf_size(BUFFER);
    let (mut sender, connection) = http.handshake(stream).await.map_err(|e| reason(&e))?;
    let answered = async {
        let request = request(&asked).ok_or_else(|| "no valid request".to_owned())?;
        let response = sender.send_request(request).await.map_err(|e| reason(&e))?;
        hear(response, &asked.last_id, words).await
    };
    let (mut connection, mut answered) = (pin!(connection), pin!(answered));
    let mut open = true;
    loop {
        tokio::select! {
            biased;
            // First, so that what has come is heard before any deadline; and what has come before its end is heard all the
            // same.
            _ = &mut connection, if open => open = false,
            answered = &mut answered => return answered,
        }
    }
}

fn request(asked: &Asked) -> Option<Request<Full<Bytes>>> {
    let mut request = Request::builder()
        .method(Method::POST)
        .uri("/stream")
        .header(HOST, asked.to.to_string())
        .header("x-request-id", &asked.request_id)
        .header(ACCEPT, "text/event-stream")
        .header(CONTENT_TYPE, "application/json");
    if !asked.last_id.is_empty() {
        request = request.header("last-event-id", &asked.last_id);
    }
    let body = json!({ "prompt": asked.prompt }).to_string();
    request.body(Full::new(Bytes::from(body))).ok()
}

/// Hands on what a response says.
async fn hear(
    response: Response<Incoming>,
    last_id: &str,
    words: &Sender<Word>,
) -> Result<(), String> {
    let content_type = response.headers().get(CONTENT_TYPE);
    let content_type = content_type.and_then(|value| value.to_str().ok());
    // Parameters, as in "; charset=utf-8", change nothing.
    let essence = content_type.and_then(|value| value.split(';').next());
    let status = response.status();
    match (status, essence.map(str::trim)) {
        (StatusCode::OK, Some("text/event-stream")) => {
            say(words, Heard::Stream).await;
            hear_stream(response.into_body(), last_id, words).await
        }
        (StatusCode::OK, Some("application/json")) => {
            say(words, Heard::Json).await;
            hear_json(response.into_body(), words).await
        }
        (StatusCode::NO_CONTENT, _) => {
            say(words, Heard::NoContent).await;
            Ok(())
        }
        _ => {
            let status = status.as_u16();
            say(words, Heard::Refused { status }).await;
            Ok(())
        }
    }
}

async fn hear_stream(
    mut body: Incoming,
    last_id: &str,
    words: &Sender<Word>,
) -> Result<(), String> {
    let mut decoder = Decoder::new(Limits::default(), last_id);
    let mut items = Vec::new();
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|error| reason(&error))?;
        let Ok(data) = frame.into_data() else {
            continue;
        };
        let fed = decoder.feed(&data, &mut items);
        for item in items.drain(..) {
            say(words, Heard::Item(item)).await;
        }
        if let Err(error) = fed {
            say(words, Heard::Unreadable(Unreadable::Stream(error))).await;
            return Ok(());
        }
    }
    Err("the stream ended".to_owned())
}

async fn hear_json(mut body: Incoming, words: &Sender<Word>) -> Result<(), String> {
    let mut bytes = Vec::new();
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|error| reason(&error))?;
        if let Ok(data) = frame.into_data() {
            bytes.extend_from_slice(&data);
        }
        if bytes.len() > JSON_MAX {
            say(words, Heard::Unreadable(Unreadable::TooLong)).await;
            return Ok(());
        }
    }
    let value: Option<Value> = serde_json::from_slice(&bytes).ok();
    let text = value.as_ref().and_then(|value| value.get("text")?.as_str());
    let heard = match text {
        Some(text) => Heard::Whole(text.to_owned()),
        None => Heard::Unreadable(Unreadable::Json),
    };
    say(words, heard).await;
    Ok(())
}

async fn say(words: &Sender<Word>, heard: Heard) {
    let why = String::new();
    // Whoever does not listen any more does not want to know.
    let _ = words.send(Word { heard, why }).await;
}

/// An error of hyper's in a few words: the socket's own, where there is one.
fn reason(error: &hyper::Error) -> String {
    if error.is_incomplete_message() {
        return ENDED.to_owned();
    }
    let source = std::error::Error::source(error);
    let source = source.and_then(|source| source.downcast_ref::<io::Error>());
    match source {
        Some(source) if source.kind() == io::ErrorKind::UnexpectedEof => ENDED.to_owned(),
        _ => source
            .and_then(SocketError::within)
            .map_or_else(|| error.to_string(), |socket| socket.to_string()),
    }
}
