//! Report A, broken column: whatever cannot be delivered is answered 502.

use std::any::Any;

use linefault_actors::proxy::Proxy;
use linefault_protocol::sip::Status;

use super::{Defect, Plant};

pub(super) const DEFECT: Defect = Defect {
    name: "unreachable-is-502",
    actor: "proxy",
    doc: "Every request whose target is unreachable is answered 502, a BYE too.",
    plant: Plant::Policy(plant),
};

fn plant(actor: &mut dyn Any) {
    if let Some(proxy) = actor.downcast_mut::<Proxy>() {
        let statuses = &mut proxy.config.statuses;
        statuses.unreachable = Status::BAD_GATEWAY;
        statuses.unreachable_in_dialog = Status::BAD_GATEWAY;
        statuses.unreachable_bye = Status::BAD_GATEWAY;
    }
}
