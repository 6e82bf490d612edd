//! What a UAS looks at before it takes a request.
//!
//! Owns RFC 3261 §8.2.1 to §8.2.3.

use super::request::ALLOW;
use super::transfer::FRAGMENT;
use super::{UserAgent, UserAgentTurn};
use crate::sip::transaction::TransactionId;
use crate::sip::{Message, Method, Status, Uri};

impl UserAgent {
    /// What every request is checked for first, in the order of RFC 3261 §8.2.1 to §8.2.3.
    pub(super) fn refusal(
        &self,
        turn: &mut UserAgentTurn<'_>,
        id: TransactionId,
        request: &Message,
    ) -> Option<Message> {
        let method = request.method();
        // §8.2.1
        if let Some(status) = of_unknown_method(&method) {
            let mut response = turn.response(request, status);
            response.append("Allow", ALLOW);
            return Some(response);
        }
        if self.is_for_somebody_else(request) {
            return Some(turn.response(request, Status::NOT_FOUND));
        }
        // §8.2.2.2
        if turn.layer.is_merged(id) {
            return Some(turn.response(request, Status::LOOP_DETECTED));
        }
        // §8.2.2.3: not for CANCEL.
        let required = self.unknown_extensions(request);
        if !required.is_empty() && method != Method::Cancel {
            let mut response = turn.response(request, Status::BAD_EXTENSION);
            response.append("Unsupported", &required);
            return Some(response);
        }
        if let Some(response) = self.extension_refusal(turn, request) {
            return Some(response);
        }
        let readable = media_type_of(&method)?;
        let unreadable =
            !request.body().is_empty() && request.content_type().as_deref() != Some(readable);
        unreadable.then(|| {
            let mut response = turn.response(request, Status::UNSUPPORTED_MEDIA_TYPE);
            response.append("Accept", readable);
            response
        })
    }

    // RFC 3261 §8.2.2.1
    fn is_for_somebody_else(&self, request: &Message) -> bool {
        let uri = request.request_uri().and_then(|uri| Uri::parse(uri).ok());
        uri.is_some_and(|uri| uri.user().is_some_and(|user| user != self.config.user))
    }
}

fn of_unknown_method(method: &Method) -> Option<Status> {
    match method {
        Method::Other(_) => Some(Status::NOT_IMPLEMENTED),
        Method::Invite | Method::Bye | Method::Cancel | Method::Options => None,
        Method::Message | Method::Info | Method::Update => None,
        Method::Prack | Method::Refer | Method::Notify => None,
        _ => Some(Status::METHOD_NOT_ALLOWED),
    }
}

/// The only type of body that is read (RFC 3261 §8.2.3, RFC 3428 §7); `None` if none is looked at.
fn media_type_of(method: &Method) -> Option<&'static str> {
    match method {
        Method::Invite | Method::Update => Some("application/sdp"),
        Method::Message => Some("text/plain"),
        Method::Notify => Some(FRAGMENT),
        _ => None,
    }
}
