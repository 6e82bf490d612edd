//! A back-to-back user agent and registrar for one domain.
//!
//! Owns what a deployment decides: who is known, where a user is called, which outcome is logged how, and the call
//! records that whoever watches can count. Refuses the rules of the protocol; they are `linefault_protocol`'s.
//!
//! A call record is open from the INVITE until neither leg owes anything. It is labelled with both Call-IDs, the caller's
//! first, as the records of real exchanges are: nothing on the wire says which two legs belong together.

mod config;
mod entry;
mod life;
mod log;

use crate::catalogue::Actor;
use crate::{Behaviour, Host};
use life::Life;

pub use config::Config;
pub(crate) use entry::CHECKPOINTS;
pub use entry::ENTRY;

/// Stands between the two Call-IDs in the label of a call record.
pub const BETWEEN_LEGS: &str = " ⇄ ";

/// A configured B2BUA.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct B2bua {
    /// Its configuration, policies included.
    pub config: Config,
}

impl Actor for B2bua {
    fn start(&self, _host: &Host) -> Behaviour {
        Behaviour::Machine(Box::new(Life::new(self.config.clone())))
    }
}

#[cfg(test)]
mod tests;
