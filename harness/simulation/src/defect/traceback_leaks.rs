//! Report D, broken form: it leaks the traceback.

use std::any::Any;

use linefault_actors::token_service::{TokenService, Traceback};

use super::{Defect, Plant};

pub(super) const DEFECT: Defect = Defect {
    name: "traceback-leaks",
    actor: "token-service",
    doc: "Shows everybody where in the program it failed.",
    plant: Plant::Policy(plant),
};

fn plant(actor: &mut dyn Any) {
    if let Some(service) = actor.downcast_mut::<TokenService>() {
        service.config.traceback = Traceback::Always;
    }
}
