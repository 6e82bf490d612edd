//! A registrar that anybody can fill.

use std::any::Any;

use linefault_actors::proxy::Proxy;

use super::{Defect, Plant};

pub(super) const DEFECT: Defect = Defect {
    name: "contacts-without-limit",
    actor: "proxy",
    doc: "An address-of-record may have any number of contacts.",
    plant: Plant::Policy(plant),
};

fn plant(actor: &mut dyn Any) {
    if let Some(proxy) = actor.downcast_mut::<Proxy>() {
        proxy.config.expiry.contacts = usize::MAX;
    }
}
