//! A transaction whose retransmission timer is lost once.

use std::collections::BTreeMap;

use bytes::Bytes;
use linefault_actors::Output;
use linefault_protocol::sip::Method;

use super::{Defect, Edit, Plant};
use crate::evidence::SipMessage;

pub(super) const DEFECT: Defect = Defect {
    name: "skipped-retransmission",
    actor: "proxy",
    doc: "The third transmission of every INVITE is left out.",
    plant: Plant::Edit(|| Box::<Skip>::default()),
};

#[derive(Default)]
struct Skip {
    sent: BTreeMap<Bytes, u32>,
}

impl Edit for Skip {
    fn output(&mut self, output: Output) -> Vec<Output> {
        let third = match &output {
            Output::Send { bytes, .. } if is_invite(bytes) => {
                let count = self.sent.entry(bytes.clone()).or_insert(0);
                *count += 1;
                *count == 3
            }
            _ => false,
        };
        if third { Vec::new() } else { vec![output] }
    }
}

fn is_invite(bytes: &Bytes) -> bool {
    SipMessage::read(bytes)
        .is_some_and(|message| message.is_request() && message.method == Method::Invite)
}
