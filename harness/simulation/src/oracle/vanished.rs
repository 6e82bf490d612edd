//! Whose peer has vanished without a word.
//!
//! Report E: a leg whose peer vanished silently may stay until its session timer. Without one it may stay for good.

use linefault_network::HostId;
use linefault_protocol::sip::Method;

use super::bridge::call_ids;
use super::{LeftOver, left_over};
use crate::evidence::Evidence;

/// Whether some host keeps a call whose end nobody has told it of: it can be busy with that for good.
pub(crate) fn keeps_a_dead_call(evidence: &Evidence<'_>) -> bool {
    let left = left_over(evidence);
    left.iter().any(|thing| untold(evidence, &left, thing))
}

/// Whether a dialog, or the record of a call, is left over because nobody told its host that it is over: the other end died,
/// or none of its BYEs got anywhere.
pub(super) fn untold(evidence: &Evidence<'_>, left: &[LeftOver], thing: &LeftOver) -> bool {
    let host = thing.host;
    match thing.kind {
        "dialog" => peer_vanished(evidence, host, &thing.label),
        "call" => match call_ids(&thing.label) {
            Some(mut legs) => legs.any(|leg| peer_vanished(evidence, host, leg)),
            // A phone's record names whom it talks to; its dialog came with it or later.
            None => left.iter().any(|dialog| {
                dialog.kind == "dialog"
                    && dialog.host == host
                    && dialog.opened_at >= thing.opened_at
                    && untold(evidence, left, dialog)
            }),
        },
        _ => false,
    }
}

fn peer_vanished(evidence: &Evidence<'_>, host: HostId, call_id: &str) -> bool {
    let messages = || {
        let sent = evidence.sent_in_call(call_id);
        sent.filter_map(|sent| Some((sent, sent.message.as_deref()?)))
    };
    let timed = messages()
        .any(|(_, it)| it.is_success() && matches!(it.message.session_expires(), Ok(Some(_))));
    let others = || messages().filter(|(sent, _)| sent.from != host);
    let died = || others().any(|(sent, _)| evidence.stops(sent.from).any(|at| at >= sent.at));
    let said = || others().any(|(_, it)| it.asks(&Method::Bye) && it.vias == 1);
    // One that a proxy has had is the proxy's to pass on.
    let heard = || {
        let mut arrived = evidence.arrived_in_call(call_id);
        arrived.any(|it| {
            it.message
                .as_deref()
                .is_some_and(|it| it.asks(&Method::Bye))
        })
    };
    !timed && (died() || said() && !heard())
}
