//! Bad input for a client: an event stream of 10 MB without a line break.

use std::any::Any;

use linefault_actors::token_service::{Tap, TokenService};

use super::{Defect, Plant};

/// How long the line is, in bytes.
const LENGTH: usize = 10_000_000;

pub(super) const DEFECT: Defect = Defect {
    name: "line-without-end",
    actor: "token-service",
    doc: "Sends 10 MB without a line break in place of its first token.",
    plant: Plant::Policy(plant),
};

fn plant(actor: &mut dyn Any) {
    if let Some(service) = actor.downcast_mut::<TokenService>() {
        service.tap = Some(|| Box::new(Endless));
    }
}

struct Endless;

impl Tap for Endless {
    fn sent(&mut self, event: String) -> String {
        if event.contains("event: init") {
            return event;
        }
        format!("data: {}", "x".repeat(LENGTH))
    }
}
