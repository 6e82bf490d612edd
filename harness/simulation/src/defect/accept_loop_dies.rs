//! A service whose error while closing ends the loop that accepts.

use std::any::Any;

use linefault_actors::audio_service::AudioService;

use super::{Defect, Plant};

pub(super) const DEFECT: Defect = Defect {
    name: "accept-loop-dies",
    actor: "audio-service",
    doc: "After a reset that answers a hang-up the port is closed for good.",
    plant: Plant::Policy(plant),
};

fn plant(actor: &mut dyn Any) {
    if let Some(service) = actor.downcast_mut::<AudioService>() {
        service.config.reactions.reset.listens = false;
    }
}
