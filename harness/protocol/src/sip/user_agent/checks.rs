//! What a UAS looks at before it takes a request.
//!
//! Owns RFC 3261 §8.2.1 to §8.2.3, and whether the sender could read what would be sent back (§8.2.6, §21.4.7).

use super::offer::description_of;
use super::request::ALLOW;
use super::transfer::FRAGMENT;
use super::{UserAgent, UserAgentTurn};
use crate::sip::sdp::MEDIA_TYPE;
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
        if let Some(status) = self.of_request_uri(request) {
            return Some(turn.response(request, status));
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
        // §21.4.16
        let supported = request.supported();
        let lacking = self
            .config
            .required
            .iter()
            .filter(|it| !supported.contains(&it.as_str()));
        let lacking: Vec<_> = lacking.map(String::as_str).collect();
        if method == Method::Invite && !lacking.is_empty() {
            let mut response = turn.response(request, Status::EXTENSION_REQUIRED);
            response.append("Require", &lacking.join(", "));
            return Some(response);
        }
        if let Some(response) = self.extension_refusal(turn, request) {
            return Some(response);
        }
        let readable = media_type_of(&method)?;
        let unreadable = Unreadable::of(request, readable);
        if let Some(unreadable) = unreadable {
            let mut response = turn.response(request, Status::UNSUPPORTED_MEDIA_TYPE);
            unreadable.complete(&mut response, readable);
            return Some(response);
        }
        // §21.4.7
        let describes = method == Method::Invite || description_of(request).is_some();
        (describes && !accepts(request, MEDIA_TYPE))
            .then(|| turn.response(request, Status::NOT_ACCEPTABLE))
    }

    // RFC 3261 §8.2.2.1
    fn of_request_uri(&self, request: &Message) -> Option<Status> {
        let uri = request.request_uri().and_then(|uri| Uri::parse(uri).ok())?;
        let somebody_else = uri.user().is_some_and(|user| user != self.config.user);
        match uri.is_sip() {
            false => Some(Status::UNSUPPORTED_URI_SCHEME),
            true => somebody_else.then_some(Status::NOT_FOUND),
        }
    }
}

/// What cannot be understood of a body.
struct Unreadable {
    media_type: bool,
    encoding: bool,
}

impl Unreadable {
    // RFC 3261 §8.2.3: a body that need not be understood is none (§20.11).
    fn of(request: &Message, readable: &str) -> Option<Self> {
        if request.body().is_empty() || is_optional(request) {
            return None;
        }
        let mut encodings = request.values("Content-Encoding");
        let unreadable = Self {
            media_type: request.content_type().as_deref() != Some(readable),
            encoding: encodings.any(|encoding| !encoding.eq_ignore_ascii_case("identity")),
        };
        (unreadable.media_type || unreadable.encoding).then_some(unreadable)
    }

    // RFC 3261 §8.2.3: what would have been understood, for each of what was not.
    fn complete(&self, response: &mut Message, readable: &str) {
        if self.media_type {
            response.append("Accept", readable);
        }
        if self.encoding {
            response.append("Accept-Encoding", "identity");
        }
    }
}

fn is_optional(request: &Message) -> bool {
    let disposition = request.header("Content-Disposition").unwrap_or_default();
    let mut params = disposition.split(';').skip(1);
    params.any(|param| {
        let (name, value) = param.split_once('=').unwrap_or_default();
        name.trim().eq_ignore_ascii_case("handling")
            && value.trim().eq_ignore_ascii_case("optional")
    })
}

// RFC 3261 §20.1: without Accept session descriptions are acceptable, with an empty one nothing is; the range that says
// most counts.
fn accepts(request: &Message, media_type: &str) -> bool {
    if request.header("Accept").is_none() {
        return true;
    }
    let whole = media_type.split('/').next().unwrap_or_default();
    let ranges = [
        media_type.to_owned(),
        format!("{whole}/*"),
        "*/*".to_owned(),
    ];
    let quality = ranges.iter().find_map(|range| quality_of(request, range));
    quality.is_some_and(|q| q.bytes().any(|digit| matches!(digit, b'1'..=b'9')))
}

fn quality_of<'a>(request: &'a Message, range: &str) -> Option<&'a str> {
    let value = request.values("Accept").find(|value| {
        let media = value.split(';').next().unwrap_or_default();
        let parts: Vec<_> = media.split('/').map(str::trim).collect();
        parts.join("/").eq_ignore_ascii_case(range)
    })?;
    let params = value.split(';').skip(1).filter_map(|it| it.split_once('='));
    let mut quality = params.filter(|(name, _)| name.trim().eq_ignore_ascii_case("q"));
    Some(quality.next().map_or("1", |(_, value)| value.trim()))
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
        Method::Invite | Method::Update => Some(MEDIA_TYPE),
        Method::Message => Some("text/plain"),
        Method::Notify => Some(FRAGMENT),
        _ => None,
    }
}
