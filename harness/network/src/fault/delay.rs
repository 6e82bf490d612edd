//! `delay`: packets take longer.

use std::time::Duration;

use super::{Acts, ArgError, Args, Entry, Fault, Param, ParamKind, Phase, Rule, Verdict};
use crate::draw::Key;
use crate::packet::Packet;

pub(super) const ENTRY: Entry = Entry {
    name: "delay",
    doc: "Packets take longer than the link's latency; with jitter, each by its own draw.",
    acts: Acts::Packets,
    params: &[
        Param {
            name: "by",
            kind: ParamKind::Duration,
            default: None,
            doc: "How much longer at least.",
        },
        Param {
            name: "jitter",
            kind: ParamKind::Duration,
            default: Some("0s"),
            doc: "How much more at most.",
        },
    ],
    build,
};

fn build(args: &Args) -> Result<Fault, ArgError> {
    let jitter = args.duration("jitter").unwrap_or_default();
    Ok(delay(args.required_duration("by")?, jitter))
}

/// Packets take longer by `by`, and by up to `jitter` more, drawn for each.
#[must_use]
pub fn delay(by: Duration, jitter: Duration) -> Fault {
    Fault::new(ENTRY.name, Delay { by, jitter })
}

struct Delay {
    by: Duration,
    jitter: Duration,
}

impl Rule for Delay {
    fn concerns(&self, phase: Phase) -> bool {
        phase == Phase::Wire
    }

    fn judge(&mut self, _: Phase, _: &Packet, key: Key) -> Verdict {
        let spread = u64::try_from(self.jitter.as_micros())
            .unwrap_or(u64::MAX)
            .saturating_add(1);
        let more = Duration::from_micros(key.with_text("jitter").below(spread));
        Verdict::Delay(self.by.saturating_add(more))
    }
}
