//! Report A, broken column: an ACK is answered, against RFC 3261 §17.

use std::any::Any;

use linefault_actors::proxy::Proxy;
use linefault_protocol::sip::Status;

use super::{Defect, Plant};

pub(super) const DEFECT: Defect = Defect {
    name: "undeliverable-ack-is-502",
    actor: "proxy",
    doc: "An ACK that cannot be forwarded is answered 502.",
    plant: Plant::Policy(plant),
};

fn plant(actor: &mut dyn Any) {
    if let Some(proxy) = actor.downcast_mut::<Proxy>() {
        proxy.config.statuses.undeliverable_ack = Some(Status::BAD_GATEWAY);
    }
}
