//! Report D, broken form: a 400 inside the stream.

use std::any::Any;

use linefault_actors::token_service::{TokenService, Validation};

use super::{Defect, Plant};

pub(super) const DEFECT: Defect = Defect {
    name: "validates-in-stream",
    actor: "token-service",
    doc: "Looks at the prompt when the 200 is out, and says in the stream what was a 400.",
    plant: Plant::Policy(plant),
};

fn plant(actor: &mut dyn Any) {
    if let Some(service) = actor.downcast_mut::<TokenService>() {
        service.config.validation = Validation::InStream;
    }
}
