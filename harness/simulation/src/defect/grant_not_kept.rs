//! A registrar whose answer and whose table disagree.

use linefault_actors::Output;

use super::rewrite::rewrite_with;
use super::{Defect, Edit, Plant};
use crate::evidence::SipMessage;

pub(super) const DEFECT: Defect = Defect {
    name: "grant-not-kept",
    actor: "proxy",
    doc: "A registration is confirmed as one for 3600 s, and removed when the time is over for which it was made.",
    plant: Plant::Edit(|| Box::new(Planted)),
};

struct Planted;

impl Edit for Planted {
    fn output(&mut self, output: Output) -> Vec<Output> {
        let is_grant = |it: &SipMessage| it.summary() == "200 REGISTER";
        vec![rewrite_with(output, is_grant, |text| {
            let Some((head, granted)) = text.split_once("expires=") else {
                return text.to_owned();
            };
            let rest = granted.trim_start_matches(|c: char| c.is_ascii_digit());
            [head, "expires=3600", rest].concat()
        })]
    }
}
