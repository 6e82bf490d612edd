//! A stream whose `done` stands where everything passes by, also what has failed.

use std::any::Any;

use linefault_actors::token_service::{Tap, TokenService};

use super::{Defect, Plant};

pub(super) const DEFECT: Defect = Defect {
    name: "done-after-error",
    actor: "token-service",
    doc: "Says `done` behind every error event.",
    plant: Plant::Policy(plant),
};

fn plant(actor: &mut dyn Any) {
    if let Some(service) = actor.downcast_mut::<TokenService>() {
        service.tap = Some(|| Box::new(Finally));
    }
}

struct Finally;

impl Tap for Finally {
    fn sent(&mut self, event: String) -> String {
        if event.contains("event: error") {
            return event + "event: done\ndata: {\"token_count\":0}\n\n";
        }
        event
    }
}
