//! A phone that leaves all acknowledging to its transactions.

use std::collections::BTreeSet;

use linefault_actors::Output;
use linefault_protocol::sip::Method;

use super::rewrite::sent;
use super::{Defect, Edit, Plant};

pub(super) const DEFECT: Defect = Defect {
    name: "success-not-acknowledged",
    actor: "phone",
    doc: "A 200 to an INVITE is not acknowledged, so that its sender repeats it for 64·T1 and gives the call up.",
    plant: Plant::Edit(|| Box::<Planted>::default()),
};

/// The branches of the INVITEs so far: the ACK of a failure has its INVITE's, that of a 200 one of its own.
#[derive(Default)]
struct Planted {
    branches: BTreeSet<String>,
}

impl Edit for Planted {
    fn output(&mut self, output: Output) -> Vec<Output> {
        match sent(&output) {
            Some(it) if it.asks(&Method::Invite) => {
                self.branches.insert(it.branch);
                vec![output]
            }
            Some(it) if it.asks(&Method::Ack) && !self.branches.contains(&it.branch) => Vec::new(),
            _ => vec![output],
        }
    }
}
