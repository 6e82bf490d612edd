//! A phone that looks the transaction of a CANCEL up once it has ended it.

use linefault_actors::Output;

use super::rewrite::rewrite;
use super::{Defect, Edit, Plant};

pub(super) const DEFECT: Defect = Defect {
    name: "cancel-is-481",
    actor: "phone",
    doc: "A CANCEL is answered 481 although it matches, and honoured all the same.",
    plant: Plant::Edit(|| Box::new(Planted)),
};

struct Planted;

impl Edit for Planted {
    fn output(&mut self, output: Output) -> Vec<Output> {
        let wrong = "SIP/2.0 481 Call/Transaction Does Not Exist";
        vec![rewrite(
            output,
            |it| it.summary() == "200 CANCEL",
            "SIP/2.0 200 OK",
            wrong,
        )]
    }
}
