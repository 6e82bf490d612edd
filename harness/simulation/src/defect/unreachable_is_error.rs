//! Report A, broken column: an expected network condition is logged like a fault of the server's own.

use std::any::Any;

use linefault_actors::proxy::{LogLine, Proxy, Wording};
use tracing::Level;

use super::{Defect, Plant};

pub(super) const DEFECT: Defect = Defect {
    name: "unreachable-is-error",
    actor: "proxy",
    doc: "An unreachable target is logged as ERROR \"UDP server error\" instead of WARN \"target unreachable\".",
    plant: Plant::Policy(plant),
};

fn plant(actor: &mut dyn Any) {
    if let Some(proxy) = actor.downcast_mut::<Proxy>() {
        proxy.config.unreachable_log = LogLine {
            level: Level::ERROR,
            wording: Wording::ServerError,
        };
    }
}
