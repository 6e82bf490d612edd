//! Report D, broken form: it replays from the start (duplicates).

use std::any::Any;

use linefault_actors::token_service::{Resume, TokenService};

use super::{Defect, Plant};

pub(super) const DEFECT: Defect = Defect {
    name: "resumes-from-start",
    actor: "token-service",
    doc: "Replays an answer from its first token, wherever the client was.",
    plant: Plant::Policy(plant),
};

fn plant(actor: &mut dyn Any) {
    if let Some(service) = actor.downcast_mut::<TokenService>() {
        service.config.resume = Resume::FromStart;
    }
}
