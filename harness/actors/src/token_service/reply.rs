//! Failures in report D's words, and responses that are no stream.

use bytes::Bytes;
use http_body_util::{Either, Full};
use hyper::header::{ALLOW, CONTENT_TYPE, HeaderValue};
use hyper::{Response, StatusCode};
use linefault_protocol::sse::{Failure, FailureKind, Severity};

use super::config::{Config, Environment, Traceback};
use super::service::SourceError;
use super::stream::TokenStream;

/// What a response carries: all of itself, or a stream.
pub(super) type Reply = Response<Either<Full<Bytes>, TokenStream>>;

/// The header that names a request to both sides.
pub(super) const REQUEST_ID: &str = "x-request-id";

/// A failure after which the stream ends and may be tried again; a validation or system failure may not.
pub(super) fn failure(kind: FailureKind, message: &str) -> Failure {
    let recoverable = !matches!(kind, FailureKind::Validation | FailureKind::System);
    Failure {
        kind,
        severity: if kind == FailureKind::System {
            Severity::Fatal
        } else {
            Severity::Error
        },
        message: message.to_owned(),
        code: None,
        recoverable,
        request_id: String::new(),
        traceback: None,
    }
}

/// What a failure of the source is to a client.
pub(super) fn classify(config: &Config, error: &SourceError) -> Failure {
    match error {
        SourceError::Value => failure(FailureKind::Business, "the source has no answer to that"),
        SourceError::RateLimited => {
            failure(FailureKind::RateLimit, "the source was asked too often")
        }
        SourceError::TimedOut => failure(FailureKind::Timeout, "the source took too long"),
        SourceError::Other(what) => {
            let shown = config.traceback == Traceback::Always
                || config.environment == Environment::Development;
            Failure {
                traceback: shown.then(|| format!("generate: {what}")),
                ..failure(FailureKind::System, "internal error")
            }
        }
    }
}

/// A response with JSON.
pub(super) fn json(status: StatusCode, request_id: &str, body: String) -> Reply {
    with_type(status, request_id, "application/json", body)
}

/// A response that refuses, with the failure as its body.
pub(super) fn refusal(status: StatusCode, request_id: &str, mut failure: Failure) -> Reply {
    let status_code = status.as_u16();
    tracing::info!(
        request_id,
        status = status_code,
        why = failure.message,
        "refused"
    );
    request_id.clone_into(&mut failure.request_id);
    json(status, request_id, failure.to_json())
}

/// 405, with what is allowed instead.
pub(super) fn not_allowed(request_id: &str, allowed: &'static str) -> Reply {
    let failure = failure(FailureKind::Validation, "method not allowed");
    let mut reply = refusal(StatusCode::METHOD_NOT_ALLOWED, request_id, failure);
    // RFC 9110 §15.5.6: a 405 must come with Allow.
    let allowed = HeaderValue::from_static(allowed);
    reply.headers_mut().insert(ALLOW, allowed);
    reply
}

/// A response whose body is whole.
pub(super) fn with_type(
    status: StatusCode,
    request_id: &str,
    content_type: &'static str,
    body: String,
) -> Reply {
    let mut reply = head(
        status,
        request_id,
        Either::Left(Full::new(Bytes::from(body))),
    );
    let content_type = HeaderValue::from_static(content_type);
    reply.headers_mut().insert(CONTENT_TYPE, content_type);
    reply
}

/// A response without a content type.
pub(super) fn head(
    status: StatusCode,
    request_id: &str,
    body: Either<Full<Bytes>, TokenStream>,
) -> Reply {
    let mut reply = Response::new(body);
    *reply.status_mut() = status;
    if let Ok(value) = HeaderValue::from_str(request_id) {
        reply.headers_mut().insert(REQUEST_ID, value);
    }
    reply
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_failure_of_the_source_is_what_report_d_says() {
        use FailureKind as Kind;
        // Columns: what failed; type; severity; recoverable.
        let rows = [
            (SourceError::Value, Kind::Business, Severity::Error, true),
            (
                SourceError::RateLimited,
                Kind::RateLimit,
                Severity::Error,
                true,
            ),
            (SourceError::TimedOut, Kind::Timeout, Severity::Error, true),
            (
                SourceError::Other("x".to_owned()),
                Kind::System,
                Severity::Fatal,
                false,
            ),
        ];
        for (error, kind, severity, recoverable) in rows {
            let found = classify(&Config::default(), &error);
            assert_eq!(
                (found.kind, found.severity, found.recoverable),
                (kind, severity, recoverable)
            );
            assert_eq!(found.traceback, None, "never in production");
        }
    }

    #[test]
    fn a_service_in_development_shows_where_it_failed() {
        let config = Config {
            environment: Environment::Development,
            ..Config::default()
        };
        let found = classify(&config, &SourceError::Other("x".to_owned()));
        assert_eq!(found.traceback.as_deref(), Some("generate: x"));
    }
}
