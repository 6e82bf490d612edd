//! A B2BUA that writes its own name into the session description that it should pass on.

use linefault_actors::Output;
use linefault_protocol::sip::Method;

use super::rewrite::rewrite;
use super::{Defect, Edit, Plant};

pub(super) const DEFECT: Defect = Defect {
    name: "offer-altered",
    actor: "b2bua",
    doc: "The session description that goes to the callee says that it is from somebody else.",
    plant: Plant::Edit(|| Box::new(Planted)),
};

struct Planted;

impl Edit for Planted {
    fn output(&mut self, output: Output) -> Vec<Output> {
        vec![rewrite(
            output,
            |it| it.asks(&Method::Invite),
            "\r\no=-",
            "\r\no=x",
        )]
    }
}
