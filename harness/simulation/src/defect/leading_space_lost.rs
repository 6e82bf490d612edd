//! Report D, broken form: it loses a leading space inside a token.

use std::any::Any;

use linefault_actors::token_client::{Tap, TokenClient};
use linefault_protocol::sse::{Heard, Input, Item};

use super::{Defect, Plant};

pub(super) const DEFECT: Defect = Defect {
    name: "leading-space-lost",
    actor: "token-client",
    doc: "Takes away every space that a token begins with.",
    plant: Plant::Policy(plant),
};

fn plant(actor: &mut dyn Any) {
    if let Some(client) = actor.downcast_mut::<TokenClient>() {
        client.tap = Some(|| Box::new(Trim));
    }
}

struct Trim;

impl Tap for Trim {
    fn input(&mut self, mut input: Input) -> Option<Input> {
        if let Input::From(_, Heard::Item(Item::Event(event))) = &mut input {
            event.data = event.data.trim_start_matches(' ').to_owned();
        }
        Some(input)
    }
}
