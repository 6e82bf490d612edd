//! Report A, broken column: any other network error is answered 502.

use std::any::Any;

use linefault_actors::proxy::Proxy;
use linefault_protocol::sip::Status;

use super::{Defect, Plant};

pub(super) const DEFECT: Defect = Defect {
    name: "network-error-is-502",
    actor: "proxy",
    doc: "A request that cannot be delivered for another reason than an unreachable target is answered 502, not 503.",
    plant: Plant::Policy(plant),
};

fn plant(actor: &mut dyn Any) {
    if let Some(proxy) = actor.downcast_mut::<Proxy>() {
        proxy.config.statuses.network = Status::BAD_GATEWAY;
    }
}
