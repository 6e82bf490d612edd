//! Where a request belongs.
//!
//! Owns request validation, route information and target determination (RFC 3261 §16.3 to §16.5). Refuses DNS: of URIs
//! outside the domain only those with an address literal lead anywhere.

use std::net::SocketAddr;

use super::Identity;
use super::forward::has_looped;
use crate::sip::registrar::{Binding, Bindings};
use crate::sip::{Message, Method, NameAddr, Status, Uri};

/// Where a request belongs.
pub(super) enum Place {
    /// To the proxy itself.
    Here,
    /// To the registrar, for that address-of-record.
    Registrar(String),
    /// To these targets, best first; none if the user has no contact.
    Targets(Vec<Target>),
}

/// One URI that a request may be sent to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Target {
    /// The Request-URI.
    pub(super) uri: Uri,
    /// Where a contact behind a NAT was seen, which is where it can be reached.
    pub(super) seen_at: Option<SocketAddr>,
    /// Whether it is an outside server that this proxy reaches out to for its user.
    pub(super) outside: bool,
}

impl Target {
    fn of(binding: &Binding) -> Self {
        Self {
            uri: binding.contact.clone(),
            seen_at: binding.seen_at,
            outside: false,
        }
    }
}

/// Why a request is not proxied.
pub(super) struct Refusal {
    pub(super) status: Status,
    /// The reason phrase.
    pub(super) reason: String,
    /// The header fields that must come with it.
    pub(super) fields: Vec<(&'static str, String)>,
}

impl Refusal {
    /// The same with one more header field.
    pub(super) fn with(mut self, name: &'static str, value: &str) -> Self {
        self.fields.push((name, value.to_owned()));
        self
    }
}

impl From<Status> for Refusal {
    fn from(status: Status) -> Self {
        Self {
            status,
            reason: status.reason().to_owned(),
            fields: Vec::new(),
        }
    }
}

/// Finds the place of a request that is valid and takes its own routes out of it.
pub(super) fn place(
    identity: &Identity,
    bindings: &Bindings,
    request: &mut Message,
) -> Result<Place, Refusal> {
    take_own_routes(identity, request);
    let uri = request.request_uri().map(Uri::parse);
    let Some(Ok(uri)) = uri else {
        return Err(Status::BAD_REQUEST.into());
    };
    // A preloaded route past this proxy is followed as it is (RFC 3261 §16.6 step 6).
    if !identity.serves(&uri) {
        return outside(bindings, request, uri);
    }
    if request.method() == Method::Register {
        return registrar(identity, request).map(Place::Registrar);
    }
    let Some(user) = uri.user() else {
        return Ok(Place::Here);
    };
    let aor = identity.aor_of(user);
    if !identity.knows(&aor) {
        return Err(Status::NOT_FOUND.into());
    }
    let recent = bindings.targets(&aor).into_iter();
    Ok(Place::Targets(recent.map(Target::of).collect()))
}

/// The other contacts with an address of the user whose contact that target is, most recent first.
pub(super) fn siblings(bindings: &Bindings, target: &Target) -> Vec<Target> {
    let Some((aor, failed)) = bindings.of_contact(&target.uri) else {
        return Vec::new();
    };
    let others = bindings.targets(aor).into_iter();
    others
        .filter(|binding| binding.id != failed.id && binding.destination().is_some())
        .map(Target::of)
        .collect()
}

impl Identity {
    /// Whether a URI is in the domain, or is the proxy's own address.
    pub(super) fn serves(&self, uri: &Uri) -> bool {
        uri.host().eq_ignore_ascii_case(&self.domain) || self.is_self(uri)
    }

    /// Whether a URI leads to the proxy's own socket.
    pub(super) fn is_self(&self, uri: &Uri) -> bool {
        uri.socket_address() == Some(self.address)
    }

    fn aor_of(&self, user: &str) -> String {
        let uri = Uri::parse(&["sip:", user, "@", &self.domain].concat());
        uri.map_or_else(|_| String::new(), |uri| uri.address_of_record())
    }

    fn knows(&self, aor: &str) -> bool {
        let user = aor
            .strip_prefix("sip:")
            .and_then(|rest| rest.rsplit_once('@'));
        user.is_some_and(|(user, _)| self.users.contains(user))
    }
}

// RFC 3261 §16.3
pub(super) fn validate(identity: &Identity, mark: u64, request: &Message) -> Result<(), Refusal> {
    let scheme = request.request_uri().and_then(|uri| uri.split(':').next());
    // Without TLS a `sips` URI cannot be honoured (§26.2.2), so that its scheme is as good as unknown.
    if !scheme.is_some_and(|scheme| scheme.eq_ignore_ascii_case("sip")) {
        return Err(Status::UNSUPPORTED_URI_SCHEME.into());
    }
    match request.max_forwards() {
        Ok(Some(0)) => return Err(Status::TOO_MANY_HOPS.into()),
        Ok(_) => {}
        Err(fault) => {
            return Err(Refusal {
                reason: fault.to_string(),
                ..Status::BAD_REQUEST.into()
            });
        }
    }
    // §16.3 step 4
    if has_looped(identity, request, mark) {
        return Err(Status::LOOP_DETECTED.into());
    }
    // §16.3 step 5; not in ACK and CANCEL (§20.29 by way of §8.2.2.3).
    if request.method() == Method::Ack {
        return Ok(());
    }
    refuse_extensions(&request.proxy_require())
}

/// No extension is understood here.
fn refuse_extensions(required: &[&str]) -> Result<(), Refusal> {
    if required.is_empty() {
        return Ok(());
    }
    Err(Refusal::from(Status::BAD_EXTENSION).with("Unsupported", &required.join(", ")))
}

// RFC 3261 §16.4
fn take_own_routes(identity: &Identity, request: &mut Message) {
    let uri = request.request_uri().and_then(|uri| Uri::parse(uri).ok());
    if let Some(uri) = uri.filter(|uri| uri.params().has("maddr") && identity.is_self(uri)) {
        request.set_request_uri(&uri.without_way());
    }
    let own = |value: &str| {
        NameAddr::parse(value).is_some_and(|route| {
            let uri = route.uri();
            identity.is_self(&uri) || (uri.user().is_none() && identity.serves(&uri))
        })
    };
    // A strict router before us put our Record-Route into the Request-URI and the real one at the end of the route.
    let is_ours = request
        .request_uri()
        .and_then(|uri| Uri::parse(uri).ok())
        .is_some_and(|uri| {
            uri.user().is_none() && uri.params().has("lr") && identity.is_self(&uri)
        });
    if is_ours {
        let mut routes: Vec<_> = request.values("Route").map(str::to_owned).collect();
        if let Some(last) = routes.pop()
            && let Some(target) = NameAddr::parse(&last)
        {
            request.set_request_uri(target.uri_str());
            request.remove("Route");
            for route in &routes {
                request.append("Route", route);
            }
        }
    }
    // RFC 5658 §5: a proxy that bridges two transports has put itself there once for each.
    while request.values("Route").next().is_some_and(own) {
        request.remove_first_value("Route");
    }
}

// RFC 3261 §16.5: outside of the domain the Request-URI is the only target.
fn outside(bindings: &Bindings, request: &Message, uri: Uri) -> Result<Place, Refusal> {
    let routed = request.values("Route").next().is_some();
    if uri.socket_address().is_none() && !routed {
        return Err(Status::NOT_FOUND.into());
    }
    let known = bindings.of_contact(&uri).map(|(_, binding)| binding);
    let in_dialog = request.to().is_ok_and(|to| to.tag().is_some());
    Ok(Place::Targets(vec![Target {
        seen_at: known.and_then(|binding| binding.seen_at),
        outside: known.is_none() && !routed && !in_dialog,
        uri,
    }]))
}

// RFC 3261 §10.3 steps 2 and 5: what the client requires, and the address-of-record, which is in To.
fn registrar(identity: &Identity, request: &Message) -> Result<String, Refusal> {
    refuse_extensions(&request.require())?;
    let to = request.to().map_err(|_| Status::BAD_REQUEST)?.uri();
    let aor = to.user().map(|user| identity.aor_of(user));
    match aor {
        Some(aor) if identity.serves(&to) && identity.knows(&aor) => Ok(aor),
        _ => Err(Status::NOT_FOUND.into()),
    }
}
