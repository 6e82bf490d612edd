//! A service that gives its peers more time to close than is theirs.

use std::any::Any;
use std::time::Duration;

use linefault_actors::audio_service::AudioService;

use super::{Defect, Plant};

pub(super) const DEFECT: Defect = Defect {
    name: "close-deadline-too-long",
    actor: "audio-service",
    doc: "A hang-up waits 10 s for the peer's close, and not 2 s.",
    plant: Plant::Policy(plant),
};

fn plant(actor: &mut dyn Any) {
    if let Some(service) = actor.downcast_mut::<AudioService>() {
        service.config.timing.close = Some(Duration::from_secs(10));
    }
}
