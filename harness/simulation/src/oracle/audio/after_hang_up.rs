//! Who has hung up is silent.

use linefault_protocol::audiosocket::Frame;

use super::super::{Finding, Holds, Oracle};
use super::legs;
use crate::evidence::Evidence;
use crate::evidence::stream::Side;

pub(in crate::oracle) const ORACLE: Oracle = Oracle {
    name: "silent-after-hang-up",
    doc: "A service that has sent an AudioSocket hang-up sends no audio behind it.",
    source: "report C: audio after hang-up",
    holds: Holds::Always,
    judge,
};

fn judge(evidence: &Evidence<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    for leg in legs(evidence) {
        let Some(hang_up) = leg.hang_up else { continue };
        // One finding a leg: the first frame says it all.
        let audio = evidence.utterances.iter().find(|said| {
            let after = said.sent.record > hang_up.record || said.sent.at > hang_up.at;
            said.connection == leg.place
                && said.side == Side::Down
                && after
                && matches!(said.frame(), Some(Frame::Audio { .. }))
        });
        findings.extend(audio.map(|audio| Finding {
            host: Some(leg.server),
            record: Some(audio.sent.record),
            at: audio.sent.at,
            text: format!("sent audio after its hang-up at {}", hang_up.at),
        }));
    }
    findings
}
