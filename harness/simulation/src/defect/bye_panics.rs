//! A phone with a bug: it panics when a BYE arrives.

use linefault_actors::{Context, Input};

use super::bye_ignored::is_bye;
use super::{Defect, Edit, Plant};

pub(super) const DEFECT: Defect = Defect {
    name: "bye-panics",
    actor: "phone",
    doc: "A BYE makes it panic.",
    plant: Plant::Edit(|| Box::new(Bug)),
};

struct Bug;

impl Edit for Bug {
    fn input(&mut self, input: Input, _cx: &mut Context<'_>) -> Option<Input> {
        assert!(!is_bye(&input), "no call to end");
        Some(input)
    }
}
