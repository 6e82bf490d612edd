//! A server that plays its own faults down: operators look for ERROR, and find nothing.

use std::any::Any;

use linefault_actors::proxy::Proxy;
use tracing::Level;

use super::{Defect, Plant};

pub(super) const DEFECT: Defect = Defect {
    name: "own-fault-is-warning",
    actor: "proxy",
    doc: "A socket error other than an unreachable target is logged as WARN.",
    plant: Plant::Policy(plant),
};

fn plant(actor: &mut dyn Any) {
    if let Some(proxy) = actor.downcast_mut::<Proxy>() {
        proxy.config.socket_error_log.level = Level::WARN;
    }
}
