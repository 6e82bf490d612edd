//! Report D, broken form: it keeps generating after the client left.

use std::any::Any;

use linefault_actors::token_service::{Leaving, TokenService};

use super::{Defect, Plant};

pub(super) const DEFECT: Defect = Defect {
    name: "generates-for-nobody",
    actor: "token-service",
    doc: "Generates an answer to its end when its client has gone.",
    plant: Plant::Policy(plant),
};

fn plant(actor: &mut dyn Any) {
    if let Some(service) = actor.downcast_mut::<TokenService>() {
        service.config.leaving = Leaving::GenerateOn;
    }
}
