//! Report D, broken form: an error event of a type that nobody knows.

use std::any::Any;

use linefault_actors::token_service::{Tap, TokenService};

use super::{Defect, Plant};

pub(super) const DEFECT: Defect = Defect {
    name: "error-of-no-known-type",
    actor: "token-service",
    doc: "Calls every failure of a stream a network error.",
    plant: Plant::Policy(plant),
};

fn plant(actor: &mut dyn Any) {
    if let Some(service) = actor.downcast_mut::<TokenService>() {
        service.tap = Some(|| Box::new(Mistyped));
    }
}

struct Mistyped;

impl Tap for Mistyped {
    fn sent(&mut self, event: String) -> String {
        match event.split_once("\"type\":\"") {
            Some((before, after)) => {
                let rest = after.split_once('"').map_or("", |(_, rest)| rest);
                format!("{before}\"type\":\"network\"{rest}")
            }
            None => event,
        }
    }
}
