//! A client that knows 503 and not the header field that comes with it.

use linefault_actors::{Context, Input};

use super::{Defect, Edit, Plant};
use crate::evidence::SipMessage;

pub(super) const DEFECT: Defect = Defect {
    name: "retry-after-unread",
    actor: "phone",
    doc: "Retry-After is not read: a server that asks to be left alone is asked again.",
    plant: Plant::Edit(|| Box::new(Planted)),
};

struct Planted;

impl Edit for Planted {
    fn input(&mut self, input: Input, _cx: &mut Context<'_>) -> Option<Input> {
        let Input::Datagram {
            from,
            transport,
            bytes,
        } = &input
        else {
            return Some(input);
        };
        let Some(mut read) = SipMessage::read(bytes).filter(|it| it.status == Some(503)) else {
            return Some(input);
        };
        read.message.remove("Retry-After");
        Some(Input::Datagram {
            from: *from,
            transport: *transport,
            bytes: read.message.to_bytes(),
        })
    }
}
