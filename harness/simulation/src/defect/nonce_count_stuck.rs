//! A client that does not count.

use linefault_actors::Output;

use super::rewrite::rewrite;
use super::{Defect, Edit, Plant};

pub(super) const DEFECT: Defect = Defect {
    name: "nonce-count-stuck",
    actor: "phone",
    doc: "The second use of a nonce says that it is the first.",
    plant: Plant::Edit(|| Box::new(Planted)),
};

struct Planted;

impl Edit for Planted {
    fn output(&mut self, output: Output) -> Vec<Output> {
        let (right, wrong) = ("nc=00000002", "nc=00000001");
        vec![rewrite(output, |it| it.is_request(), right, wrong)]
    }
}
