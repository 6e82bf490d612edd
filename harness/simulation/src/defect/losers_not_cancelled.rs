//! A proxy that forgets the other branches once one has answered.

use linefault_actors::Output;
use linefault_protocol::sip::Method;

use super::rewrite::sent;
use super::{Defect, Edit, Plant};

pub(super) const DEFECT: Defect = Defect {
    name: "losers-not-cancelled",
    actor: "proxy",
    doc: "No CANCEL is ever sent: what lost a fork rings on.",
    plant: Plant::Edit(|| Box::new(Planted)),
};

struct Planted;

impl Edit for Planted {
    fn output(&mut self, output: Output) -> Vec<Output> {
        let cancel = sent(&output).is_some_and(|it| it.asks(&Method::Cancel));
        if cancel { Vec::new() } else { vec![output] }
    }
}
