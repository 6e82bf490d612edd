//! A phone that makes a new branch for every request, CANCEL included.

use bytes::Bytes;
use linefault_actors::{Context, Input, Output};
use linefault_protocol::sip::Method;

use super::rewrite::{reread, rewrite};
use super::{Defect, Edit, Plant};
use crate::evidence::SipMessage;

pub(super) const DEFECT: Defect = Defect {
    name: "cancel-branch-differs",
    actor: "phone",
    doc: "A CANCEL has another branch than its INVITE, so that it matches nothing.",
    plant: Plant::Edit(|| Box::new(Planted)),
};

/// How every branch begins (RFC 3261 §8.1.1.7), and how that of a CANCEL does here.
const COOKIE: &str = "branch=z9hG4bK";
const OWN: &str = "branch=z9hG4bK-cancel-";

struct Planted;

impl Edit for Planted {
    // The answers find their transaction.
    fn input(&mut self, input: Input, _cx: &mut Context<'_>) -> Option<Input> {
        let own = |bytes: &Bytes| {
            let text = std::str::from_utf8(bytes).ok()?;
            text.contains(OWN)
                .then(|| text.replacen(OWN, COOKIE, 1).into())
        };
        Some(reread(input, own))
    }

    fn output(&mut self, output: Output) -> Vec<Output> {
        let cancel = |it: &SipMessage| it.asks(&Method::Cancel);
        vec![rewrite(output, cancel, COOKIE, OWN)]
    }
}
