//! What a phone writes down.
//!
//! Owns the words and the levels: what the user did or the peer said is INFO, what the network did WARN.

use linefault_protocol::sip::user_agent::{Ending, Event, Failure};

/// Writes the line for what the core lets its user know; what is no news to a reader has none.
pub(super) fn write(event: Event) {
    match event {
        Event::Registered(lifetime) => {
            tracing::info!(expires = lifetime.as_secs(), "registered");
        }
        Event::Unregistered => tracing::info!("unregistered"),
        Event::NotRegistered(failure, retry) => not_registered(&failure, retry),
        Event::Ringing(_, peer) => tracing::info!(peer, "ringing"),
        Event::RingingThere(_, peer) => tracing::info!(peer, "ringing at the other end"),
        Event::CallFailed(_, peer, Failure::Refused(status, reason)) => {
            tracing::info!(peer, status = status.code(), "call failed: {reason}");
        }
        Event::CallFailed(_, peer, Failure::TimedOut) => tracing::warn!(peer, "call timed out"),
        Event::Redirected(_, target) => tracing::info!(to = target, "call redirected"),
        Event::CallFailed(_, peer, Failure::NotSent | Failure::NoServer) => {
            tracing::warn!(peer, "call not sent");
        }
        Event::CallEnded(_, peer, Ending::Here) => tracing::info!(peer, "call ended: hung up"),
        Event::CallEnded(_, peer, Ending::There) => {
            tracing::info!(peer, "call ended: the other end hung up");
        }
        Event::CallEnded(_, peer, Ending::Lost) => {
            tracing::warn!(peer, "call ended: the other end has lost it");
        }
        Event::CallEnded(_, peer, Ending::NoSession) => {
            tracing::info!(peer, "call ended: no session in common");
        }
        Event::OfferRefused(peer, why) => tracing::info!(peer, "offer refused: {why}"),
        Event::Changed(_, peer) => tracing::info!(peer, "session changed"),
        Event::NotChanged(_, peer, Failure::Refused(status, reason)) => {
            tracing::info!(
                peer,
                status = status.code(),
                "session not changed: {reason}"
            );
        }
        Event::NotChanged(_, peer, _) => tracing::warn!(peer, "session not changed"),
        Event::CallEnded(_, peer, Ending::NotAcknowledged) => {
            tracing::warn!(peer, "call ended: the answer was never acknowledged");
        }
        Event::CallEnded(_, peer, Ending::Expired) => {
            tracing::warn!(peer, "call ended: the session was not refreshed");
        }
        Event::Referred(_, target) => tracing::info!(target, "referred: calling"),
        Event::Transferred(_, target) => tracing::info!(target, "call transferred"),
        Event::NotTransferred(_, target, Failure::Refused(status, reason)) => {
            tracing::info!(
                target,
                status = status.code(),
                "call not transferred: {reason}"
            );
        }
        Event::NotTransferred(_, target, Failure::TimedOut) => {
            tracing::warn!(target, "call not transferred: nothing was heard of it");
        }
        Event::NotTransferred(_, target, Failure::NotSent | Failure::NoServer) => {
            tracing::warn!(target, "call not transferred: not sent");
        }
        Event::Done(method, peer, status) => {
            tracing::info!(peer, %method, status = status.code(), "request answered");
        }
        Event::NotDone(method, peer, Failure::Refused(status, reason)) => {
            tracing::info!(peer, %method, status = status.code(), "request refused: {reason}");
        }
        Event::NotDone(method, peer, Failure::TimedOut) => {
            tracing::warn!(peer, %method, "request timed out");
        }
        Event::NotDone(method, peer, Failure::NoServer) => {
            tracing::warn!(peer, %method, "request not sent: no server may be asked now");
        }
        Event::NotDone(method, peer, Failure::NotSent) => {
            tracing::warn!(peer, %method, "request not sent");
        }
        Event::Text(peer, bytes) => tracing::info!(peer, bytes, "text received"),
        Event::ByeUnanswered(_, peer) => tracing::warn!(peer, "BYE was not answered"),
        Event::Send { .. } | Event::CallOpened(..) | Event::CallUp(..) | Event::CallClosed(_) => {}
        Event::SubscriptionOpened(..) | Event::SubscriptionClosed(_) => {}
    }
}

fn not_registered(failure: &Failure, retry: Option<std::time::Duration>) {
    let retry = retry.map(|wait| wait.as_millis());
    match failure {
        Failure::Refused(status, reason) => {
            tracing::warn!(
                status = status.code(),
                retry_ms = retry,
                "not registered: {reason}"
            );
        }
        Failure::TimedOut => tracing::warn!(retry_ms = retry, "not registered: timed out"),
        Failure::NotSent => tracing::warn!(retry_ms = retry, "not registered: not sent"),
        Failure::NoServer => {
            tracing::warn!(
                retry_ms = retry,
                "not registered: no server may be asked now"
            );
        }
    }
}
