//! What a scenario file can say about an AudioSocket peer.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::time::Duration;

use linefault_protocol::audiosocket::{Rate, Uuid};

use crate::catalogue::{Actor, CommandEntry, Directory, Entry, Kind, Presence, Setting, Settings};
use crate::checkpoint::Checkpoint;

use super::{Audio, AudioPeer, Config, OnHangUp, port_of};

/// Where a peer should come by in some run.
pub(crate) const CHECKPOINTS: &[Checkpoint] = &[
    Checkpoint::reached("the service sent what is no frame"),
    Checkpoint::reached("the connection to the service was lost"),
    Checkpoint::reached("the service hung up"),
    Checkpoint::reached("the service closed without a word"),
    Checkpoint::sometimes("the kernel took a part of a frame"),
];

/// The peer in the catalogue.
pub static ENTRY: Entry = Entry {
    name: "audio-peer",
    doc: "Asterisk's side of AudioSocket: one leg of a call at a time, sending a frame each 20 ms.",
    port: 9092,
    settings: SETTINGS,
    commands: COMMANDS,
    points: &[],
    build: &build,
};

const SETTINGS: &[Setting] = &[
    Setting {
        name: "service",
        kind: Kind::Host,
        presence: Presence::Required,
        doc: "The audio service that it connects to.",
    },
    Setting {
        name: "leg",
        kind: Kind::Choice(&["visitor", "resident"]),
        presence: Presence::Default("visitor"),
        doc: "Which leg of the call it is, and so to which port it connects.",
    },
    Setting {
        name: "port",
        kind: Kind::Integer(1, 65_535),
        presence: Presence::Optional,
        doc: "Connects to this port, whatever its leg's is.",
    },
    Setting {
        name: "uuid",
        kind: Kind::Text,
        presence: Presence::Default("40325ec2-5efd-4bd3-805f-53576e581d13"),
        doc: "The call; what is no UUID stands for the one of zeros.",
    },
    Setting {
        name: "audio",
        kind: Kind::Choice(&["tone", "silence", "none"]),
        presence: Presence::Default("tone"),
        doc: "What it says: 1 kHz, frames of silence, or not a frame.",
    },
    Setting {
        name: "rate",
        kind: Kind::Choice(&[
            "8000", "12000", "16000", "24000", "32000", "44100", "48000", "96000", "192000",
        ]),
        presence: Presence::Default("8000"),
        doc: "Samples a second.",
    },
    Setting {
        name: "on_hang_up",
        kind: Kind::Choice(&["close", "reset", "silent", "talk-on"]),
        presence: Presence::Default("close"),
        doc: "What it does when the service hangs up: closes, resets, falls silent, or goes on talking.",
    },
    Setting {
        name: "piece",
        kind: Kind::Integer(0, 65_535),
        presence: Presence::Default("0"),
        doc: "How many bytes it writes at once; 0 writes whole frames.",
    },
    Setting {
        name: "piece_pause",
        kind: Kind::Duration,
        presence: Presence::Default("2ms"),
        doc: "How long it waits between two pieces.",
    },
];

const COMMANDS: &[CommandEntry] = &[
    CommandEntry {
        name: "call",
        doc: "Connects, says its UUID and talks.",
        arguments: &[],
    },
    CommandEntry {
        name: "connect",
        doc: "Connects and says nothing.",
        arguments: &[],
    },
    CommandEntry {
        name: "say-uuid",
        doc: "Says its UUID on the connection that is up.",
        arguments: &[],
    },
    CommandEntry {
        name: "talk",
        doc: "Begins to send frames.",
        arguments: &[],
    },
    CommandEntry {
        name: "mute",
        doc: "Sends no more frames.",
        arguments: &[],
    },
    CommandEntry {
        name: "dtmf",
        doc: "Presses keys.",
        arguments: &[Setting {
            name: "key",
            kind: Kind::Text,
            presence: Presence::Required,
            doc: "The keys, a frame each.",
        }],
    },
    CommandEntry {
        name: "send-bytes",
        doc: "Sends bytes as they stand, behind what waits to be sent.",
        arguments: &[Setting {
            name: "hex",
            kind: Kind::Text,
            presence: Presence::Required,
            doc: "Pairs of hexadecimal digits; blanks may stand between them.",
        }],
    },
    CommandEntry {
        name: "hang-up",
        doc: "Sends a hang-up and waits for the service to close.",
        arguments: &[],
    },
    CommandEntry {
        name: "close",
        doc: "Closes without a hang-up.",
        arguments: &[],
    },
    CommandEntry {
        name: "reset",
        doc: "Resets the connection.",
        arguments: &[],
    },
];

/// For settings that were not checked against the directory.
const NOWHERE: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::UNSPECIFIED), 0);

fn build(settings: &Settings, directory: &Directory) -> Box<dyn Actor> {
    let leg = settings.text("leg").unwrap_or("visitor");
    let listing = settings
        .text("service")
        .and_then(|name| directory.find(name));
    let service = listing.map_or(NOWHERE, |listing| {
        let port = settings.integer("port");
        let port = port.and_then(|port| u16::try_from(port).ok());
        let port = port.unwrap_or_else(|| port_of(listing, leg));
        SocketAddr::new(listing.address.ip(), port)
    });
    let call = settings.text("uuid").and_then(|text| text.parse().ok());
    let hertz = settings.text("rate").and_then(|text| text.parse().ok());
    let piece = settings
        .integer("piece")
        .and_then(|it| usize::try_from(it).ok());
    let pause = settings.duration("piece_pause");
    Box::new(AudioPeer {
        config: Config {
            service,
            call: call.unwrap_or(Uuid([0; 16])),
            audio: match settings.text("audio") {
                Some("silence") => Audio::Silence,
                Some("none") => Audio::None,
                _ => Audio::Tone,
            },
            rate: Rate::ALL
                .into_iter()
                .find(|rate| Some(rate.hertz()) == hertz)
                .unwrap_or_default(),
            on_hang_up: match settings.text("on_hang_up") {
                Some("reset") => OnHangUp::Reset,
                Some("silent") => OnHangUp::Silent,
                Some("talk-on") => OnHangUp::TalkOn,
                _ => OnHangUp::Close,
            },
            pieces: piece
                .filter(|piece| *piece > 0)
                .zip(pause.or(Some(Duration::from_millis(2)))),
        },
    })
}
