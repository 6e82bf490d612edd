//! A proxy that takes a 6xx for the last word.

use std::collections::BTreeSet;

use linefault_actors::{Context, Input};
use linefault_protocol::sip::Method;

use super::{Defect, Edit, Plant};
use crate::evidence::SipMessage;

pub(super) const DEFECT: Defect = Defect {
    name: "answer-after-global-failure-lost",
    actor: "proxy",
    doc: "A 2xx to an INVITE is thrown away if another branch has answered 6xx before.",
    plant: Plant::Edit(|| Box::new(Planted::default())),
};

#[derive(Default)]
struct Planted {
    /// Call-ID and CSeq of what was answered 6xx.
    over: BTreeSet<(String, u32)>,
}

impl Edit for Planted {
    fn input(&mut self, input: Input, _cx: &mut Context<'_>) -> Option<Input> {
        let Input::Datagram { bytes, .. } = &input else {
            return Some(input);
        };
        let Some(answer) = SipMessage::read(bytes).filter(|it| it.method == Method::Invite) else {
            return Some(input);
        };
        let status = answer.status.unwrap_or_default();
        let call = (answer.call_id, answer.cseq);
        if status >= 600 {
            self.over.insert(call);
        } else if (200..300).contains(&status) && self.over.contains(&call) {
            return None;
        }
        Some(input)
    }
}
