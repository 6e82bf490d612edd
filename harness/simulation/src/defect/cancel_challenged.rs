//! A proxy that asks everybody who they are.

use linefault_actors::Output;

use super::rewrite::rewrite;
use super::{Defect, Edit, Plant};

pub(super) const DEFECT: Defect = Defect {
    name: "cancel-challenged",
    actor: "proxy",
    doc: "A CANCEL is challenged, though it cannot be sent again.",
    plant: Plant::Edit(|| Box::new(Planted)),
};

struct Planted;

impl Edit for Planted {
    fn output(&mut self, output: Output) -> Vec<Output> {
        let wrong = "SIP/2.0 407 Proxy Authentication Required";
        vec![rewrite(
            output,
            |it| it.summary() == "200 CANCEL",
            "SIP/2.0 200 OK",
            wrong,
        )]
    }
}
