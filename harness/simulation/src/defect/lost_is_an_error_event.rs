//! Report D, broken form: a connection error parsed as an error event.

use std::any::Any;

use linefault_actors::token_client::{Tap, TokenClient};
use linefault_protocol::sse::{Heard, Input, Unreadable, UnreadableFailure};

use super::{Defect, Plant};

pub(super) const DEFECT: Defect = Defect {
    name: "lost-is-an-error-event",
    actor: "token-client",
    doc: "Takes a lost connection for an error event, finds no JSON in it, and gives up.",
    plant: Plant::Policy(plant),
};

fn plant(actor: &mut dyn Any) {
    if let Some(client) = actor.downcast_mut::<TokenClient>() {
        client.tap = Some(|| Box::new(Parsed));
    }
}

struct Parsed;

impl Tap for Parsed {
    fn input(&mut self, input: Input) -> Option<Input> {
        match input {
            Input::From(connection, Heard::Lost) => {
                let why = Unreadable::Failure(UnreadableFailure::NotJson);
                Some(Input::From(connection, Heard::Unreadable(why)))
            }
            other => Some(other),
        }
    }
}
