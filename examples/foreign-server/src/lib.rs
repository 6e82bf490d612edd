//! A service that streams an answer word by word, as server-sent events: axum, `tokio::spawn`, `tokio::time`.
//!
//! It stands for the server that you have. Nothing here knows of linefault; `main.rs` runs it over real sockets, and
//! `tests/scenarios.rs` over simulated ones.

use std::convert::Infallible;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use axum::Router;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, header};
use axum::middleware::map_response;
use axum::response::Response;
use axum::response::sse::{Event, Sse};
use axum::routing::post;
use tokio::sync::mpsc::{Sender, channel};
use tokio::time::{Instant, interval_at, timeout};
use tokio_stream::wrappers::ReceiverStream;

/// What it answers, whatever it is asked.
const ANSWER: [&str; 8] = [
    "It", " takes", " a", " while", " to", " say", " all", " this.",
];
/// How long each word takes.
const PACE: Duration = Duration::from_millis(100);
/// How long a client may take to read one.
const PATIENCE: Duration = Duration::from_secs(5);

/// The routes of the service.
pub fn app() -> Router {
    Router::new()
        .route("/stream", post(stream))
        .layer(map_response(undated))
        .with_state(Arc::default())
}

type Words = ReceiverStream<Result<Event, Infallible>>;

/// Starts an answer, or goes on behind the event that the client has got last.
async fn stream(answers: State<Arc<AtomicU64>>, headers: HeaderMap) -> Sse<Words> {
    let last = headers.get("last-event-id").and_then(|id| id.to_str().ok());
    let (answer, from) = last.and_then(place).unwrap_or_else(|| {
        let begun = answers.fetch_add(1, Ordering::Relaxed);
        (begun + 1, 0)
    });
    let (sender, words) = channel(1);
    tokio::spawn(say(answer, from, sender));
    Sse::new(ReceiverStream::new(words))
}

/// Which answer, and how many words of it: "3-4".
fn place(id: &str) -> Option<(u64, usize)> {
    let (answer, words) = id.split_once('-')?;
    Some((answer.parse().ok()?, words.parse().ok()?))
}

/// Says the words behind that many, each at its time.
async fn say(answer: u64, from: usize, client: Sender<Result<Event, Infallible>>) {
    tracing::info!(answer, from, "answering");
    let mut pace = interval_at(Instant::now() + PACE, PACE);
    for (number, word) in ANSWER.iter().enumerate().skip(from) {
        pace.tick().await;
        let id = format!("{answer}-{}", number + 1);
        let event = Event::default().id(id).data(word);
        match timeout(PATIENCE, client.send(Ok(event))).await {
            Ok(Ok(())) => {}
            Ok(Err(_)) => return tracing::warn!(number, "the client has gone"),
            Err(_) => return tracing::error!(number, "the client does not read"),
        }
    }
    let count = format!("{{\"token_count\":{}}}", ANSWER.len());
    let id = format!("{answer}-{}", ANSWER.len());
    let done = Event::default().event("done").id(id).data(count);
    if client.send(Ok(done)).await.is_ok() {
        tracing::info!(answer, "answered");
    }
}

/// Keeps hyper from putting the wall clock's date on an answer: two runs would differ by it.
async fn undated(mut response: Response) -> Response {
    let date = HeaderValue::from_static("Thu, 01 Jan 1970 00:00:00 GMT");
    response.headers_mut().insert(header::DATE, date);
    response
}
