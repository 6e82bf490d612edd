//! A B2BUA whose call records outlive their calls.

use linefault_actors::{Output, Report};

use super::{Defect, Edit, Plant};

pub(super) const DEFECT: Defect = Defect {
    name: "call-record-kept",
    actor: "b2bua",
    doc: "The record of a call is never closed.",
    plant: Plant::Edit(|| Box::new(Planted)),
};

struct Planted;

impl Edit for Planted {
    fn output(&mut self, output: Output) -> Vec<Output> {
        match output {
            Output::Report(Report::Closed { kind: "call", .. }) => Vec::new(),
            other => vec![other],
        }
    }
}
