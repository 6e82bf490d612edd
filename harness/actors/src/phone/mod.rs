//! A phone with one line.
//!
//! Owns what a user sees: the commands, the log lines, who is found under which name. Refuses the rules of the protocol;
//! they are `linefault_protocol`'s.

mod audio;
mod entry;
mod extensions;
mod life;
mod log;

use std::net::SocketAddr;
use std::time::Duration;

use linefault_protocol::sip::Transport;
pub use linefault_protocol::sip::user_agent::{
    Answer, Body, Extensions, Glare, Media, Refresh, Refusal,
};

use crate::catalogue::{Actor, Directory};
use crate::{Behaviour, Host};
use audio::Audio;
use life::Life;

pub(crate) use entry::CHECKPOINTS;
pub use entry::ENTRY;

/// A configured phone.
#[derive(Clone, Debug)]
pub struct Phone {
    /// Its configuration.
    pub config: Config,
    directory: Directory,
}

/// What a phone is and how it behaves.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Config {
    /// The user part of its address-of-record.
    pub user: String,
    /// What it answers challenges with.
    pub password: Option<String>,
    /// The domain of its address-of-record.
    pub domain: String,
    /// Where every request goes that has no route.
    pub proxy: SocketAddr,
    /// The registration lifetime that it asks for.
    pub expires: Duration,
    /// How it takes calls.
    pub answer: Answer,
    /// The extensions that it takes part in.
    pub extensions: Extensions,
    /// What it says of its sessions.
    pub media: Media,
    /// How long it waits when two re-INVITEs have crossed.
    pub glare: Glare,
    /// The option tags that its callers must support.
    pub required: Vec<String>,
    /// Where it goes when its registrar asks to be left alone.
    pub other_servers: Vec<SocketAddr>,
    /// How often it sends two line breaks to the proxy, so that a NAT before it keeps its mapping (RFC 5626 §3.5.1); never
    /// if `None`.
    pub keep_alive: Option<Duration>,
    /// What carries its requests to the proxy, and what its contact asks for.
    pub transport: Transport,
    /// Whether it accepts TCP connections.
    pub tcp: bool,
    /// The audio service that its calls are bridged to.
    pub audio: Option<SocketAddr>,
}

impl Phone {
    /// A phone that finds others by name in that directory.
    #[must_use]
    pub fn new(config: Config, directory: Directory) -> Self {
        Self { config, directory }
    }
}

impl Actor for Phone {
    fn start(&self, host: &Host) -> Behaviour {
        let audio = self.config.audio;
        let audio = audio.map(|service| Audio::beside(host, service));
        let (config, directory) = (self.config.clone(), self.directory.clone());
        Behaviour::Machine(Box::new(Life::new(config, directory, audio)))
    }
}

#[cfg(test)]
mod tests;
