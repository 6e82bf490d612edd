//! A service that trusts its peers to close.

use std::any::Any;

use linefault_actors::audio_service::AudioService;

use super::{Defect, Plant};

pub(super) const DEFECT: Defect = Defect {
    name: "no-close-deadline",
    actor: "audio-service",
    doc: "A hang-up waits for the peer's close for ever.",
    plant: Plant::Policy(plant),
};

fn plant(actor: &mut dyn Any) {
    if let Some(service) = actor.downcast_mut::<AudioService>() {
        service.config.timing.close = None;
    }
}
