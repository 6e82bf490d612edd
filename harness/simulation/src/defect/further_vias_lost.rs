//! A phone whose parser reads only the first Via.

use linefault_actors::Output;
use linefault_protocol::sip::Method;

use super::rewrite::sent;
use super::{Defect, Edit, Plant};

pub(super) const DEFECT: Defect = Defect {
    name: "further-vias-lost",
    actor: "phone",
    doc: "A final answer to an INVITE carries only the first Via of it, so that its way back ends at the next hop.",
    plant: Plant::Edit(|| Box::new(Planted)),
};

struct Planted;

impl Edit for Planted {
    fn output(&mut self, output: Output) -> Vec<Output> {
        let wanted = sent(&output).is_some_and(|it| it.is_final() && it.method == Method::Invite);
        match output {
            Output::Send {
                to,
                transport,
                bytes,
                ticket,
            } if wanted => vec![Output::Send {
                to,
                transport,
                bytes: first_via_only(&bytes).into(),
                ticket,
            }],
            other => vec![other],
        }
    }
}

/// The message without its second and further lines of Via; the body is behind them all.
fn first_via_only(bytes: &[u8]) -> Vec<u8> {
    let mut vias = 0;
    let lines = bytes.split_inclusive(|byte| *byte == b'\n');
    let kept = lines.filter(|line| {
        let is_via = line.starts_with(b"Via:");
        vias += usize::from(is_via);
        !is_via || vias == 1
    });
    kept.flatten().copied().collect()
}
