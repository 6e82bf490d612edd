//! Asterisk's side of AudioSocket: connects, says which call it is, talks, and reacts to a hang-up.
//!
//! Owns one connection at a time, with every habit that field reports tell of: what comes after a hang-up, frames in
//! pieces, bytes that are no frame.

mod entry;
mod line;

use std::net::SocketAddr;
use std::time::Duration;

use linefault_protocol::audiosocket::{Rate, Uuid};

use crate::catalogue::{Actor, Command, Listing};
use crate::{Behaviour, Host, LocalFuture};
pub(crate) use line::Line;

pub(crate) use entry::CHECKPOINTS;
pub use entry::ENTRY;

/// A configured peer.
#[derive(Clone, Debug)]
pub struct AudioPeer {
    /// Its configuration.
    pub config: Config,
}

/// What a peer is and how it behaves.
#[derive(Clone, Debug)]
pub struct Config {
    /// Where it connects to.
    pub service: SocketAddr,
    /// Which call it is a leg of.
    pub call: Uuid,
    /// What it says.
    pub audio: Audio,
    /// How many samples a second it speaks.
    pub rate: Rate,
    /// How it takes a hang-up.
    pub on_hang_up: OnHangUp,
    /// How many bytes it writes at once, and the pause between two writes; `None` writes whole frames.
    pub pieces: Option<(usize, Duration)>,
}

/// What a peer says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Audio {
    /// 1 kHz.
    Tone,
    /// Frames of silence.
    Silence,
    /// Not a frame.
    None,
}

/// How a peer takes a hang-up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OnHangUp {
    /// Closes.
    Close,
    /// Resets the connection.
    Reset,
    /// Says nothing more, and leaves the connection open.
    Silent,
    /// Goes on as if nothing had been said.
    TalkOn,
}

impl Actor for AudioPeer {
    fn start(&self, host: &Host) -> Behaviour {
        Behaviour::Task(live(host.clone(), self.config.clone()))
    }
}

fn live(host: Host, config: Config) -> LocalFuture<()> {
    Box::pin(async move {
        let mut calls = 0;
        loop {
            let command = host.next_command().await;
            let speaks = match command.name {
                "call" => true,
                "connect" => false,
                _ => {
                    tracing::info!(command = command.name, "not connected");
                    continue;
                }
            };
            calls += 1;
            connect(&host, &config, calls, speaks).await;
        }
    })
}

/// One connection, from connect to close.
async fn connect(host: &Host, config: &Config, number: u64, speaks: bool) {
    let peer = config.service;
    let stream = match host.connect_tcp(peer).await {
        Ok(stream) => stream,
        Err(error) => return tracing::warn!(%peer, %error, "not connected"),
    };
    tracing::info!(%peer, "connected");
    let line = Line::new(host, "call", config, number, stream);
    line.run(speaks, |cx| host.poll_command(cx)).await;
}

/// The port of that service's leg.
fn port_of(listing: &Listing, leg: &str) -> u16 {
    let resident = listing.settings.integer("resident_port");
    let resident = resident.and_then(|port| u16::try_from(port).ok());
    match (leg, resident) {
        ("resident", Some(port)) => port,
        _ => listing.address.port(),
    }
}

/// The bytes that a command spells in hexadecimal digits; blanks may stand between them.
fn bytes_of(command: &Command) -> Option<Vec<u8>> {
    let text = command.arguments.text("hex")?;
    let digits: Option<Vec<u32>> = text
        .chars()
        .filter(|c| !c.is_ascii_whitespace())
        .map(|c| c.to_digit(16))
        .collect();
    let pairs = digits?;
    let (pairs, rest) = pairs.as_chunks();
    let bytes = pairs.iter().map(|[high, low]| (high << 4 | low) as u8);
    rest.is_empty().then(|| bytes.collect())
}
