//! Requests on their way out.
//!
//! Owns request forwarding (RFC 3261 §16.6): what is changed in the copy for one target, and where it goes.

use std::net::SocketAddr;

use super::Identity;
use super::route::Target;
use crate::fnv;
use crate::sip::uri::read_ip;
use crate::sip::{MAGIC_COOKIE, Message, Method, NameAddr, Transport, Uri, Via};

/// The copy of a request for one target and where it goes; `None` if its next hop has no address.
pub(super) fn prepare(
    identity: &Identity,
    request: &Message,
    target: &Target,
    via: &str,
) -> Option<(SocketAddr, Message)> {
    let mut copy = request.clone();
    // Step 2
    copy.set_request_uri(target.uri.as_str());
    // Step 3: 70 where there is none.
    let left = copy
        .max_forwards()
        .ok()
        .flatten()
        .map_or(70, |left| left.saturating_sub(1));
    copy.set("Max-Forwards", &left.to_string());
    let routed = copy.values("Route").next().is_some();
    let next_hop = next_hop(&mut copy)?;
    // Step 4: on the path of what may create a dialog, and of what may move one.
    if matches!(
        copy.method(),
        Method::Invite | Method::Subscribe | Method::Refer
    ) {
        let goes = next_hop.transport().unwrap_or_default();
        record_route(&mut copy, identity.address, request.transport(), goes);
    }
    // Step 8
    copy.prepend("Via", via);
    let seen_at = target.seen_at.filter(|_| !routed);
    Some((seen_at.or_else(|| next_hop.socket_address())?, copy))
}

/// Names this proxy as each side reaches it: once where both use the same transport, else the sender's side below the
/// receiver's.
// RFC 3261 §16.6 step 4, RFC 5658 §5
fn record_route(copy: &mut Message, local: SocketAddr, came: Transport, goes: Transport) {
    let route = |transport: Transport| match transport {
        Transport::Udp => format!("<sip:{local};lr>"),
        other => format!("<sip:{local};transport={};lr>", other.parameter()),
    };
    copy.prepend("Record-Route", &route(came));
    if came != goes {
        copy.prepend("Record-Route", &route(goes));
    }
}

/// The Via of a copy: its branch is a fresh token and, apart from it, the mark of what decides its way.
// RFC 3261 §16.6 step 8
pub(super) fn via(local: SocketAddr, token: &str, mark: u64) -> String {
    format!("SIP/2.0/UDP {local};rport;branch={MAGIC_COOKIE}{token}.{mark:016x}")
}

/// A Via for a request without a transaction; retransmissions get the same.
// RFC 3261 §16.11: the branch must be a function of what identifies the request.
pub(super) fn stateless_via(local: SocketAddr, request: &Message, mark: u64) -> String {
    let branch = request.values("Via").next().unwrap_or_default();
    let call_id = request.call_id().unwrap_or_default();
    let cseq = request.header("CSeq").unwrap_or_default();
    let hash = fnv([branch, call_id, cseq].into_iter().flat_map(str::bytes));
    via(local, &format!("{hash:016x}"), mark)
}

/// A hash of everything in a request, as it arrived, that decides where it goes.
// RFC 3261 §16.6 step 8, less the topmost Via: with its branch in it, which is fresh on every round, no loop through
// another element would ever be found.
pub(super) fn mark(request: &Message) -> u64 {
    let number = request.cseq().map_or(0, |cseq| cseq.number).to_string();
    let single = [
        request.to_tag(),
        request.from_tag(),
        request.call_id().ok(),
        request.request_uri(),
        Some(number.as_str()),
    ];
    let repeated = ["Proxy-Require", "Proxy-Authorization", "Route"];
    let repeated = repeated
        .into_iter()
        .flat_map(|name| request.fields_of(name).map(|field| field.value()));
    let parts = single.into_iter().map(Option::unwrap_or_default);
    fnv(parts
        .chain(repeated)
        .flat_map(|part| part.bytes().chain(std::iter::once(0))))
}

/// Whether a request was here before with the same mark: then it would go the same way again. One with another mark is a
/// spiral, and welcome.
// RFC 3261 §16.3 step 4; RFC 5393 §4.2 demands it of every proxy that forks.
pub(super) fn has_looped(identity: &Identity, request: &Message, mark: u64) -> bool {
    let own_mark = format!(".{mark:016x}");
    let mut own = own_vias(identity, request);
    own.any(|via| {
        via.branch()
            .is_some_and(|branch| branch.ends_with(&own_mark))
    })
}

/// Whether a request was here before, with whatever mark.
pub(super) fn was_here(identity: &Identity, request: &Message) -> bool {
    own_vias(identity, request).next().is_some()
}

fn own_vias<'a>(identity: &Identity, request: &'a Message) -> impl Iterator<Item = Via<'a>> {
    let address = identity.address;
    request
        .values("Via")
        .filter_map(Via::parse)
        .filter(move |via| {
            let sent_by = via.sent_by();
            read_ip(sent_by.host) == Some(address.ip())
                && sent_by.port_or_default(via.transport()) == address.port()
        })
}

// Steps 6 and 7: the topmost route decides, or else the Request-URI. A route without `lr` is a strict router: it becomes
// the Request-URI, which moves to the end of the route.
fn next_hop(copy: &mut Message) -> Option<Uri> {
    let uri = Uri::parse(copy.request_uri()?).ok()?;
    let Some(route) = copy.values("Route").next() else {
        return Some(uri);
    };
    let router = NameAddr::parse(route)?.uri();
    if !router.params().has("lr") {
        copy.append("Route", &format!("<{uri}>"));
        copy.remove_first_value("Route");
        copy.set_request_uri(router.as_str());
    }
    Some(router)
}
