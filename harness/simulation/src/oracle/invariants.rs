//! What an actor's own program says must always hold.

use linefault_actors::{Report, checkpoint};

use super::{Finding, Holds, Oracle};
use crate::evidence::Evidence;
use crate::trace::Event;

pub(super) const ORACLE: Oracle = Oracle {
    name: "invariants-hold",
    doc: "A condition that an actor's program marks with `always!` holds whenever it comes by.",
    source: "the actor's own claim",
    holds: Holds::Always,
    judge,
};

fn judge(evidence: &Evidence<'_>) -> Vec<Finding> {
    let broken = evidence.off_the_wire().filter_map(|(id, record)| {
        let Event::Report(Report::Checkpoint {
            place,
            holds: false,
        }) = &record.event
        else {
            return None;
        };
        let (_, point) = checkpoint::all().nth(usize::from(*place))?;
        Some(Finding {
            host: record.host,
            record: Some(id),
            at: record.at,
            text: format!("does not hold: {}", point.name),
        })
    });
    broken.collect()
}
