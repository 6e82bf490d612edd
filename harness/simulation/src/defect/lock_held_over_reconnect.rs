//! A server that makes a lost connection again with the lock in hand that every message needs.

use std::time::Duration;

use linefault_actors::{Context, Input, Instant};

use super::{Defect, Edit, Plant};

pub(super) const DEFECT: Defect = Defect {
    name: "lock-held-over-reconnect",
    actor: "proxy",
    doc: "For 5 s after a connection was lost nothing is heard of anybody: what comes meanwhile is thrown away.",
    plant: Plant::Edit(|| Box::<Planted>::default()),
};

const HELD: Duration = Duration::from_secs(5);

#[derive(Default)]
struct Planted {
    until: Option<Instant>,
}

impl Edit for Planted {
    fn input(&mut self, input: Input, cx: &mut Context<'_>) -> Option<Input> {
        match &input {
            Input::Closed { .. } => self.until = Some(cx.now() + HELD),
            Input::Datagram { .. } if self.until.is_some_and(|until| cx.now() < until) => {
                return None;
            }
            _ => {}
        }
        Some(input)
    }
}
