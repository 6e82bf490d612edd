//! A callee that numbers its provisional answers and then leaves them to luck.

use std::collections::BTreeSet;

use bytes::Bytes;
use linefault_actors::Output;

use super::rewrite::sent;
use super::{Defect, Edit, Plant};

pub(super) const DEFECT: Defect = Defect {
    name: "provisional-not-repeated",
    actor: "phone",
    doc: "A reliable provisional answer is sent once, and not again until its PRACK comes.",
    plant: Plant::Edit(|| Box::<Once>::default()),
};

#[derive(Default)]
struct Once {
    sent: BTreeSet<Bytes>,
}

impl Edit for Once {
    fn output(&mut self, output: Output) -> Vec<Output> {
        let reliable =
            sent(&output).is_some_and(|it| it.is_provisional() && it.message.requires("100rel"));
        let again = match &output {
            Output::Send { bytes, .. } => reliable && !self.sent.insert(bytes.clone()),
            _ => false,
        };
        if again { Vec::new() } else { vec![output] }
    }
}
