//! Report D, broken form: it swallows the error event.

use std::any::Any;

use linefault_actors::token_service::{Tap, TokenService};

use super::{Defect, Plant};

pub(super) const DEFECT: Defect = Defect {
    name: "error-event-not-sent",
    actor: "token-service",
    doc: "Ends a stream that fails without a word.",
    plant: Plant::Policy(plant),
};

fn plant(actor: &mut dyn Any) {
    if let Some(service) = actor.downcast_mut::<TokenService>() {
        service.tap = Some(|| Box::new(Silent));
    }
}

struct Silent;

impl Tap for Silent {
    fn sent(&mut self, event: String) -> String {
        if event.contains("event: error") {
            return String::new();
        }
        event
    }
}
