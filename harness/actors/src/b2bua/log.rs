//! What a B2BUA writes down: the words and levels of report E.

use linefault_protocol::sip::Status;
use linefault_protocol::sip::b2bua::{News, Side};

/// Writes the line for what happened to the call of that caller's Call-ID.
pub(super) fn write(call_id: &str, news: News) {
    match news {
        News::Calling { from, to } => tracing::info!(call_id, from, to, "call"),
        News::Answered => tracing::info!(call_id, "call up"),
        News::Failed {
            status,
            reason,
            offer,
        } => failed(call_id, status, &reason, &offer),
        News::NoAnswer(uri) => tracing::warn!(call_id, uri, "callee did not answer"),
        News::Retrying(before) => {
            tracing::info!(
                call_id,
                retry = before + 1,
                "callee unavailable: calling again"
            );
        }
        News::Forwarding(uri) => tracing::info!(call_id, uri, "call forwarded"),
        News::Following(uri) => tracing::info!(call_id, uri, "redirect followed"),
        News::Queued(place) => tracing::info!(call_id, place, "call queued"),
        News::Cancelled => tracing::info!(call_id, "call cancelled by the caller"),
        News::Ended(side) => tracing::info!(call_id, "call ended by the {}", name(side)),
        News::Lost(side) => {
            tracing::warn!(call_id, "call ended: the {} has lost it", name(side));
        }
        News::NotAcknowledged(side) => {
            tracing::warn!(
                call_id,
                "call ended: the {} never acknowledged the answer",
                name(side)
            );
        }
    }
}

fn failed(call_id: &str, status: Status, reason: &str, offer: &str) {
    match status.code() {
        488 => {
            tracing::warn!(call_id, sdp = ?offer, "codec negotiation failed");
        }
        486 => tracing::info!(call_id, "callee busy"),
        404 => tracing::warn!(call_id, "callee not found"),
        code => tracing::info!(call_id, status = code, "call failed: {reason}"),
    }
}

fn name(side: Side) -> &'static str {
    match side {
        Side::Caller => "caller",
        Side::Callee => "callee",
    }
}
