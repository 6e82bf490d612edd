//! A caller that says it knows 100rel and does not.

use linefault_actors::Output;
use linefault_protocol::sip::Method;

use super::rewrite::sent;
use super::{Defect, Edit, Plant};

pub(super) const DEFECT: Defect = Defect {
    name: "prack-not-sent",
    actor: "phone",
    doc: "No PRACK is ever sent, so that its callee repeats its provisional answer until it gives up.",
    plant: Plant::Edit(|| Box::new(Silent)),
};

struct Silent;

impl Edit for Silent {
    fn output(&mut self, output: Output) -> Vec<Output> {
        let is_prack = sent(&output).is_some_and(|message| message.asks(&Method::Prack));
        if is_prack { Vec::new() } else { vec![output] }
    }
}
