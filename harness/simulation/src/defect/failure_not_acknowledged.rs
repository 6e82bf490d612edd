//! A server that processes failures outside of the transaction that would acknowledge them.

use linefault_actors::Output;
use linefault_protocol::sip::Method;

use super::rewrite::sent;
use super::{Defect, Edit, Plant};

pub(super) const DEFECT: Defect = Defect {
    name: "failure-not-acknowledged",
    actor: "proxy",
    doc: "A final answer of 300 to 699 to an INVITE is not acknowledged, so that its sender repeats it until Timer H.",
    plant: Plant::Edit(|| Box::new(Planted)),
};

struct Planted;

impl Edit for Planted {
    fn output(&mut self, output: Output) -> Vec<Output> {
        // The ACK for a 2xx is the caller's, and has its Via below the proxy's.
        let own_ack = sent(&output).is_some_and(|it| it.asks(&Method::Ack) && it.vias == 1);
        if own_ack { Vec::new() } else { vec![output] }
    }
}
