//! Report D, broken form: it loses a line break inside a token.

use std::any::Any;

use linefault_actors::token_client::{Tap, TokenClient};
use linefault_protocol::sse::{Heard, Input, Item};

use super::{Defect, Plant};

pub(super) const DEFECT: Defect = Defect {
    name: "line-break-lost",
    actor: "token-client",
    doc: "Joins the lines of a token without the breaks between them.",
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
            event.data = event.data.replace('\n', "");
        }
        Some(input)
    }
}
