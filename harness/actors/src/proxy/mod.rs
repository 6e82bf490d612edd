//! A proxy and registrar for one domain.
//!
//! Owns the policies of a deployment: who is known, which failure is logged how, which binding goes when. Refuses the
//! rules of the protocol; they are `linefault_protocol`'s.

mod accounts;
mod config;
mod entry;
mod failure;
mod life;
pub(crate) mod location;
pub(crate) mod probe;

use crate::catalogue::Actor;
use crate::{Behaviour, Host};
use life::Life;

pub use config::{Config, LogLine, Removal, Wording};
pub(crate) use entry::CHECKPOINTS;
pub use entry::ENTRY;
pub(crate) use entry::{DOMAIN, HEALTH_CHECK, USERS, health_check, users_of};

/// A configured proxy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Proxy {
    /// Its configuration, policies included.
    pub config: Config,
}

impl Actor for Proxy {
    fn start(&self, _host: &Host) -> Behaviour {
        Behaviour::Machine(Box::new(Life::new(self.config.clone())))
    }
}

#[cfg(test)]
mod tests;
