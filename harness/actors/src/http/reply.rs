//! Answers of a server.

use bytes::Bytes;
use http_body_util::Full;
use hyper::header::{ALLOW, CONTENT_TYPE, HeaderValue};
use hyper::{Response, StatusCode};
use serde_json::Value;

/// An answer whose body is all there.
pub(crate) struct Reply(pub(super) Response<Full<Bytes>>);

impl Reply {
    /// A JSON document.
    pub(crate) fn json(status: StatusCode, body: &Value) -> Self {
        let mut response = Response::new(Full::new(Bytes::from(body.to_string())));
        *response.status_mut() = status;
        let json = HeaderValue::from_static("application/json");
        response.headers_mut().insert(CONTENT_TYPE, json);
        Self(response)
    }

    /// 405 with the method that is allowed (RFC 9110 §15.5.6).
    pub(crate) fn not_allowed(allowed: &'static str) -> Self {
        let message = serde_json::json!({ "status": "error", "message": "method not allowed" });
        let mut reply = Self::json(StatusCode::METHOD_NOT_ALLOWED, &message);
        let allowed = HeaderValue::from_static(allowed);
        reply.0.headers_mut().insert(ALLOW, allowed);
        reply
    }
}
