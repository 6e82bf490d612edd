//! Requests: which there are, what is refused before a stream begins, where one begins.

use crate::checkpoint::reached;
use std::net::SocketAddr;
use std::rc::Rc;

use bytes::Bytes;
use http_body_util::{BodyExt as _, Either, Full, Limited};
use hyper::body::Incoming;
use hyper::header::{ACCEPT, CACHE_CONTROL, CONTENT_TYPE, HeaderValue};
use hyper::{Method, Request, StatusCode};
use linefault_protocol::sse::{Failure, FailureKind};
use serde_json::Value;

use super::config::{Resume, Validation};
use super::connection::Watch;
use super::entry::STARTING;
use super::reply::{REQUEST_ID, Reply, failure, head, json, not_allowed, refusal, with_type};
use super::running::Running;
use super::service::Service;
use super::source::Session;
use super::stream::{TokenStream, generate};

/// The most bytes of a request's body.
const BODY_MAX: usize = 64 * 1024;
/// The longest `X-Request-ID` that is taken over.
const REQUEST_ID_MAX: usize = 128;
/// The content type of metrics.
const OPEN_METRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// A request for tokens, as far as it was understood.
struct Question {
    request_id: String,
    prompt: String,
    last_id: Option<String>,
    wants_stream: bool,
}

/// Answers one request.
pub(super) async fn answer(
    service: Rc<Service>,
    watch: Rc<Watch>,
    peer: SocketAddr,
    request: Request<Incoming>,
) -> Reply {
    let request_id = request_id(&service, &request);
    match (request.uri().path(), request.method()) {
        ("/metrics", &Method::GET) => metrics(&service, &request_id),
        ("/metrics", _) => not_allowed(&request_id, "GET"),
        ("/stream", &Method::GET | &Method::POST) => match question(&request_id, request).await {
            Ok(question) => tokens(&service, &watch, peer, &question),
            Err((status, why)) => refusal(status, &request_id, why),
        },
        ("/stream", _) => not_allowed(&request_id, "GET, POST"),
        _ => {
            let why = failure(FailureKind::Validation, "not found");
            refusal(StatusCode::NOT_FOUND, &request_id, why)
        }
    }
}

fn request_id(service: &Service, request: &Request<Incoming>) -> String {
    let given = request.headers().get(REQUEST_ID);
    let given = given.and_then(|value| value.to_str().ok());
    let short = given.filter(|id| !id.is_empty() && id.len() <= REQUEST_ID_MAX);
    short.map_or_else(|| service.next_request(), str::to_owned)
}

fn metrics(service: &Service, request_id: &str) -> Reply {
    match service.metrics.text() {
        Ok(text) => with_type(StatusCode::OK, request_id, OPEN_METRICS, text),
        Err(_) => {
            let why = failure(FailureKind::System, "metrics cannot be written");
            refusal(StatusCode::INTERNAL_SERVER_ERROR, request_id, why)
        }
    }
}

/// Reads what is asked for; what the bytes themselves forbid is refused here.
async fn question(
    request_id: &str,
    request: Request<Incoming>,
) -> Result<Question, (StatusCode, Failure)> {
    let header = |name: &str| {
        let value = request.headers().get(name)?.to_str().ok()?;
        Some(value.to_owned())
    };
    let last_id = header("last-event-id").filter(|id| !id.is_empty());
    let accepts = header(ACCEPT.as_str());
    let query = request.uri().query().unwrap_or_default().to_owned();
    let invalid = |why| {
        (
            StatusCode::BAD_REQUEST,
            failure(FailureKind::Validation, why),
        )
    };
    let prompt = if request.method() == Method::GET {
        let pairs = query.split('&');
        let prompt = pairs.filter_map(|pair| pair.strip_prefix("prompt=")).next();
        percent_decoded(prompt.unwrap_or_default())
            .ok_or_else(|| invalid("the query is no UTF-8 in percent encoding"))?
    } else {
        let body = Limited::new(request.into_body(), BODY_MAX).collect().await;
        let body = body.map_err(|_| {
            let why = failure(
                FailureKind::Validation,
                "the body is too large or incomplete",
            );
            (StatusCode::PAYLOAD_TOO_LARGE, why)
        })?;
        let value: Option<Value> = serde_json::from_slice(&body.to_bytes()).ok();
        let prompt = value
            .as_ref()
            .and_then(|value| value.get("prompt")?.as_str());
        prompt
            .ok_or_else(|| invalid("the body is no JSON object with a prompt"))?
            .to_owned()
    };
    Ok(Question {
        request_id: request_id.to_owned(),
        prompt,
        last_id,
        wants_stream: accepts
            .is_none_or(|types| types.contains("text/event-stream") || types.contains("*/*")),
    })
}

/// The bytes behind `%41` and `+`, if they are UTF-8.
fn percent_decoded(text: &str) -> Option<String> {
    let mut bytes = text.bytes();
    let mut decoded = Vec::with_capacity(text.len());
    while let Some(byte) = bytes.next() {
        decoded.push(match byte {
            b'+' => b' ',
            b'%' => {
                let mut digit = || char::from(bytes.next()?).to_digit(16);
                u8::try_from(digit()? * 16 + digit()?).ok()?
            }
            other => other,
        });
    }
    String::from_utf8(decoded).ok()
}

/// Answers a question, by a stream where one can begin.
fn tokens(service: &Rc<Service>, watch: &Watch, peer: SocketAddr, question: &Question) -> Reply {
    let config = &service.config;
    if service.draining.get() {
        reached!(service.host, "a client was told that there is no more");
        // Report D: 204 stops a client for good.
        return head(
            StatusCode::NO_CONTENT,
            &question.request_id,
            Either::Left(Full::new(Bytes::new())),
        );
    }
    let invalid = invalid_prompt(&question.prompt, config.limits.prompt);
    if let (Some(why), Validation::BeforeStreaming) = (&invalid, config.validation) {
        return refusal(StatusCode::BAD_REQUEST, &question.request_id, why.clone());
    }
    let fresh = Session::new(config.seed, &question.prompt, service.host.draw("session"));
    if !config.streams || !question.wants_stream || !can_start(service, question) {
        return whole(service, question, fresh);
    }
    let (refusal, session, position) = match (&question.last_id, invalid) {
        (_, Some(why)) => (Some(why), fresh, 0),
        (None, None) => (None, fresh, 0),
        (Some(id), None) => match Session::read(config.seed, &question.prompt, id) {
            Some((session, behind)) if behind <= config.tokens => {
                reached!(service.host, "a stream was resumed");
                (None, session, resumed(config.resume, behind))
            }
            _ => {
                reached!(service.host, "an event id that is none of ours was refused");
                (Some(unknown_id()), fresh, 0)
            }
        },
    };
    let running = Running::begin(
        service,
        peer,
        question.request_id.clone(),
        session,
        position,
    );
    let running = watch.stream(running);
    let body = TokenStream::new(service, &running, refusal);
    let mut reply = head(StatusCode::OK, &question.request_id, Either::Right(body));
    let headers = reply.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/event-stream"));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    reply
}

/// Whether nothing in the program itself is in the way of a stream.
fn can_start(service: &Service, question: &Question) -> bool {
    let started = service.host.at_point(STARTING);
    if let Err(error) = started {
        tracing::error!(request_id = question.request_id, %error, "cannot start a stream");
    }
    started.is_ok()
}

fn resumed(policy: Resume, behind: u64) -> u64 {
    match policy {
        Resume::AfterId => behind,
        Resume::FromStart => 0,
        Resume::SkipOne => behind + 1,
    }
}

fn unknown_id() -> Failure {
    Failure {
        recoverable: false,
        code: Some("unknown_event_id".to_owned()),
        ..failure(
            FailureKind::Validation,
            "the last event id is none of this service's",
        )
    }
}

fn invalid_prompt(prompt: &str, max: usize) -> Option<Failure> {
    if prompt.is_empty() {
        return Some(failure(FailureKind::Validation, "the prompt is empty"));
    }
    (prompt.chars().count() > max)
        .then(|| failure(FailureKind::Validation, "the prompt is too long"))
}

/// The whole answer in one JSON document: what is left when streaming cannot start.
fn whole(service: &Service, question: &Question, session: Session) -> Reply {
    reached!(service.host, "an answer was given without a stream");
    let tokens = service.config.tokens.min(service.config.limits.tokens);
    let text: Result<String, _> = (1..=tokens)
        .map(|number| generate(service, session, number))
        .collect();
    match text {
        Ok(text) => {
            tracing::info!(
                request_id = question.request_id,
                tokens,
                "answered without a stream"
            );
            let body = serde_json::json!({ "text": text, "token_count": tokens });
            json(StatusCode::OK, &question.request_id, body.to_string())
        }
        Err(failure) => {
            if failure.kind == FailureKind::System {
                tracing::error!(
                    request_id = question.request_id,
                    "cannot answer without a stream"
                );
            }
            refusal(status_of(failure.kind), &question.request_id, failure)
        }
    }
}

/// What a failure is as a status code, where there still is one.
fn status_of(kind: FailureKind) -> StatusCode {
    match kind {
        FailureKind::Validation => StatusCode::BAD_REQUEST,
        FailureKind::Business => StatusCode::UNPROCESSABLE_ENTITY,
        FailureKind::RateLimit => StatusCode::TOO_MANY_REQUESTS,
        FailureKind::Timeout => StatusCode::GATEWAY_TIMEOUT,
        FailureKind::System => StatusCode::INTERNAL_SERVER_ERROR,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percent_encoding_is_undone_and_what_is_none_is_refused() {
        assert_eq!(
            percent_decoded("a%20b+c%C3%A9").as_deref(),
            Some("a b c\u{e9}")
        );
        assert_eq!(percent_decoded("%4"), None);
        assert_eq!(percent_decoded("%zz"), None);
        assert_eq!(percent_decoded("%ff"), None, "no UTF-8");
    }

    #[test]
    fn a_prompt_is_counted_in_characters() {
        assert!(invalid_prompt("", 1000).is_some());
        assert!(invalid_prompt(&"\u{e9}".repeat(1000), 1000).is_none());
        assert!(invalid_prompt(&"a".repeat(1001), 1000).is_some());
    }
}
