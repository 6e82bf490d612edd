//! Report D, broken form: it resumes with a gap.

use std::any::Any;

use linefault_actors::token_service::{Resume, TokenService};

use super::{Defect, Plant};

pub(super) const DEFECT: Defect = Defect {
    name: "resumes-too-late",
    actor: "token-service",
    doc: "Leaves out one token when it resumes.",
    plant: Plant::Policy(plant),
};

fn plant(actor: &mut dyn Any) {
    if let Some(service) = actor.downcast_mut::<TokenService>() {
        service.config.resume = Resume::SkipOne;
    }
}
