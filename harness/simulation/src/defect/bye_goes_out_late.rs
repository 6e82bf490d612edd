//! A B2BUA that leaves the end of the other leg to its retransmissions.

use std::collections::BTreeSet;

use bytes::Bytes;
use linefault_actors::Output;
use linefault_protocol::sip::Method;

use super::rewrite::sent;
use super::{Defect, Edit, Plant};

pub(super) const DEFECT: Defect = Defect {
    name: "bye-goes-out-late",
    actor: "b2bua",
    doc: "The first transmission of every BYE is left out, so that the other leg ends T1 late.",
    plant: Plant::Edit(|| Box::<Planted>::default()),
};

#[derive(Default)]
struct Planted {
    held: BTreeSet<Bytes>,
}

impl Edit for Planted {
    fn output(&mut self, output: Output) -> Vec<Output> {
        let bye = sent(&output).is_some_and(|it| it.asks(&Method::Bye));
        let first = match &output {
            Output::Send { bytes, .. } if bye => self.held.insert(bytes.clone()),
            _ => false,
        };
        if first { Vec::new() } else { vec![output] }
    }
}
