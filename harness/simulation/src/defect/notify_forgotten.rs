//! A phone that accepts a transfer and keeps to itself what becomes of it.

use linefault_actors::Output;
use linefault_protocol::sip::Method;

use super::rewrite::sent;
use super::{Defect, Edit, Plant};

pub(super) const DEFECT: Defect = Defect {
    name: "notify-forgotten",
    actor: "phone",
    doc: "No NOTIFY is ever sent, so that who asked for a transfer never hears of it.",
    plant: Plant::Edit(|| Box::new(Silent)),
};

struct Silent;

impl Edit for Silent {
    fn output(&mut self, output: Output) -> Vec<Output> {
        let is_notify = sent(&output).is_some_and(|message| message.asks(&Method::Notify));
        if is_notify { Vec::new() } else { vec![output] }
    }
}
