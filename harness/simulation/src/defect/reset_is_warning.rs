//! A service that cleans up after a reset and cries wolf.

use std::any::Any;

use linefault_actors::audio_service::AudioService;
use tracing::Level;

use super::{Defect, Plant};

pub(super) const DEFECT: Defect = Defect {
    name: "reset-is-warning",
    actor: "audio-service",
    doc: "A reset after a hang-up is logged at WARN.",
    plant: Plant::Policy(plant),
};

fn plant(actor: &mut dyn Any) {
    if let Some(service) = actor.downcast_mut::<AudioService>() {
        service.config.reactions.reset.level = Level::WARN;
    }
}
