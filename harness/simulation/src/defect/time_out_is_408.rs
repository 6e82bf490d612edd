//! A proxy that treats every request as it does an INVITE: RFC 4320 was written against it.

use std::any::Any;

use linefault_actors::proxy::Proxy;
use linefault_protocol::sip::Status;

use super::{Defect, Plant};

pub(super) const DEFECT: Defect = Defect {
    name: "time-out-is-408",
    actor: "proxy",
    doc: "A request other than INVITE that nobody answered is answered 408 after Timer F.",
    plant: Plant::Policy(plant),
};

fn plant(actor: &mut dyn Any) {
    if let Some(proxy) = actor.downcast_mut::<Proxy>() {
        proxy.config.statuses.silent_non_invite = Some(Status::REQUEST_TIMEOUT);
    }
}
