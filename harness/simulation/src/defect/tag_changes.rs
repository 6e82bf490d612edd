//! A phone that makes a new To tag for every answer, also within a dialog.

use linefault_actors::Output;

use super::rewrite::{rewrite, sent};
use super::{Defect, Edit, Plant};

pub(super) const DEFECT: Defect = Defect {
    name: "tag-changes",
    actor: "phone",
    doc: "The 200 to a BYE carries another To tag than the BYE.",
    plant: Plant::Edit(|| Box::new(Planted)),
};

struct Planted;

impl Edit for Planted {
    fn output(&mut self, output: Output) -> Vec<Output> {
        let tag = sent(&output).map(|it| format!("tag={}", it.to_tag));
        let Some(tag) = tag else {
            return vec![output];
        };
        vec![rewrite(
            output,
            |it| it.summary() == "200 BYE",
            &tag,
            "tag=another",
        )]
    }
}
