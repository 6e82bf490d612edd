//! A server that takes what one read gives it for one message.

use std::net::SocketAddr;

use linefault_actors::{Context, Input, Instant};
use linefault_protocol::sip::Transport;

use super::{Defect, Edit, Plant};

pub(super) const DEFECT: Defect = Defect {
    name: "second-in-segment-lost",
    actor: "proxy",
    doc: "Of several messages that one TCP segment carries, all but the first are thrown away.",
    plant: Plant::Edit(|| Box::<FirstOnly>::default()),
};

#[derive(Default)]
struct FirstOnly {
    latest: Option<(SocketAddr, Instant)>,
}

impl Edit for FirstOnly {
    fn input(&mut self, input: Input, cx: &mut Context<'_>) -> Option<Input> {
        let Input::Datagram {
            from,
            transport: Transport::Tcp,
            ..
        } = &input
        else {
            return Some(input);
        };
        let now = Some((*from, cx.now()));
        let first = std::mem::replace(&mut self.latest, now) != now;
        first.then_some(input)
    }
}
