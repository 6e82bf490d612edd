//! A client that knows 503 and not the header field that comes with it.

use bytes::Bytes;
use linefault_actors::{Context, Input};

use super::rewrite::reread;
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
        let without = |bytes: &Bytes| {
            let mut read = SipMessage::read(bytes).filter(|it| it.status == Some(503))?;
            read.message.remove("Retry-After");
            Some(read.message.to_bytes())
        };
        Some(reread(input, without))
    }
}
