//! A proxy that copies a request as it is.

use linefault_actors::Output;

use super::rewrite::rewrite;
use super::{Defect, Edit, Plant};

pub(super) const DEFECT: Defect = Defect {
    name: "max-forwards-kept",
    actor: "proxy",
    doc: "Requests go on with the Max-Forwards that they came with, so that a loop would never end.",
    plant: Plant::Edit(|| Box::new(Planted)),
};

struct Planted;

impl Edit for Planted {
    fn output(&mut self, output: Output) -> Vec<Output> {
        let (right, wrong) = ("Max-Forwards: 69", "Max-Forwards: 70");
        vec![rewrite(
            output,
            |it| it.is_request() && it.vias > 1,
            right,
            wrong,
        )]
    }
}
