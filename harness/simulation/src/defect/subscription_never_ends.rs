//! A phone whose last word on a transfer does not say that it is the last.

use linefault_actors::Output;
use linefault_protocol::sip::Method;

use super::rewrite::rewrite;
use super::{Defect, Edit, Plant};

pub(super) const DEFECT: Defect = Defect {
    name: "subscription-never-ends",
    actor: "phone",
    doc: "The last NOTIFY of a transfer leaves its subscription active.",
    plant: Plant::Edit(|| Box::new(Planted)),
};

struct Planted;

impl Edit for Planted {
    fn output(&mut self, output: Output) -> Vec<Output> {
        vec![rewrite(
            output,
            |it| it.asks(&Method::Notify),
            "terminated;reason=noresource",
            "active",
        )]
    }
}
