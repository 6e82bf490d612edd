//! A phone that takes every answer for the first of its kind.

use std::collections::BTreeSet;

use bytes::Bytes;
use linefault_actors::{Context, Input};

use super::{Defect, Edit, Plant};
use crate::evidence::SipMessage;

pub(super) const DEFECT: Defect = Defect {
    name: "repeated-answer-panics",
    actor: "phone",
    doc: "An answer that comes a second time makes it panic.",
    plant: Plant::Edit(|| Box::<Bug>::default()),
};

#[derive(Default)]
struct Bug {
    answers: BTreeSet<Bytes>,
}

impl Edit for Bug {
    fn input(&mut self, input: Input, _cx: &mut Context<'_>) -> Option<Input> {
        if let Input::Datagram { bytes, .. } = &input
            && SipMessage::read(bytes).is_some_and(|it| !it.is_request())
        {
            assert!(self.answers.insert(bytes.clone()), "no such request");
        }
        Some(input)
    }
}
