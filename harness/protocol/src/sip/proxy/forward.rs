//! Requests on their way out.
//!
//! Owns request forwarding (RFC 3261 §16.6): what is changed in the copy for one target, and where it goes.

use std::net::SocketAddr;

use super::Identity;
use super::route::Target;
use crate::sip::{MAGIC_COOKIE, Message, Method, NameAddr, Uri};

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
    // Step 4: on the path of what may create a dialog, and of what may move one.
    if matches!(
        copy.method(),
        Method::Invite | Method::Subscribe | Method::Refer
    ) {
        copy.prepend("Record-Route", &format!("<sip:{};lr>", identity.address));
    }
    let next_hop = next_hop(&mut copy)?;
    // Step 8
    copy.prepend("Via", via);
    Some((next_hop.socket_address()?, copy))
}

/// A Via for a request without a transaction; retransmissions get the same.
// RFC 3261 §16.11: the branch must be a function of what identifies the request.
pub(super) fn stateless_via(local: SocketAddr, request: &Message) -> String {
    let branch = request.values("Via").next().unwrap_or_default();
    let call_id = request.call_id().unwrap_or_default();
    let cseq = request.header("CSeq").unwrap_or_default();
    let hash = fnv([branch, call_id, cseq].into_iter().flat_map(str::bytes));
    format!("SIP/2.0/UDP {local};rport;branch={MAGIC_COOKIE}{hash:016x}")
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

/// FNV-1a, 64 bits: a hash whose value is pinned by its definition.
fn fnv(bytes: impl Iterator<Item = u8>) -> u64 {
    bytes.fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    })
}
