//! Report D, broken form: its metrics say that all is well.

use std::any::Any;

use linefault_actors::token_service::TokenService;

use super::{Defect, Plant};

pub(super) const DEFECT: Defect = Defect {
    name: "errors-not-counted",
    actor: "token-service",
    doc: "Does not count the streams that fail.",
    plant: Plant::Policy(plant),
};

fn plant(actor: &mut dyn Any) {
    if let Some(service) = actor.downcast_mut::<TokenService>() {
        service.config.counts_errors = false;
    }
}
