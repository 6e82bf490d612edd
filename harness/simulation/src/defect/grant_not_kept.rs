//! A registrar whose answer and whose table disagree.

use linefault_actors::Output;

use super::rewrite::rewrite;
use super::{Defect, Edit, Plant};

pub(super) const DEFECT: Defect = Defect {
    name: "grant-not-kept",
    actor: "proxy",
    doc: "A registration for 60 s is confirmed as one for 3600 s, and removed after 60 s.",
    plant: Plant::Edit(|| Box::new(Planted)),
};

struct Planted;

impl Edit for Planted {
    fn output(&mut self, output: Output) -> Vec<Output> {
        vec![rewrite(
            output,
            |it| it.summary() == "200 REGISTER",
            "expires=60",
            "expires=3600",
        )]
    }
}
