//! A caller that asks for a session timer and does not look at what it is granted.

use bytes::Bytes;
use linefault_actors::{Context, Input};

use super::{Defect, Edit, Plant};
use crate::evidence::SipMessage;

pub(super) const DEFECT: Defect = Defect {
    name: "session-expiry-ignored",
    actor: "phone",
    doc: "The session interval in an answer is not read, so that a call whose other end has vanished stays up.",
    plant: Plant::Edit(|| Box::new(Blind)),
};

struct Blind;

impl Edit for Blind {
    fn input(&mut self, mut input: Input, _cx: &mut Context<'_>) -> Option<Input> {
        if let Input::Datagram { bytes, .. } = &mut input
            && let Some(edited) = without_interval(bytes)
        {
            *bytes = edited;
        }
        Some(input)
    }
}

fn without_interval(bytes: &Bytes) -> Option<Bytes> {
    let mut answer = SipMessage::read(bytes).filter(SipMessage::is_success)?;
    answer.message.remove("Session-Expires");
    Some(answer.message.to_bytes())
}
