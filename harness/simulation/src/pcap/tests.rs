//! Captures of whole runs, read back with pcap-file's reader.

use std::collections::BTreeMap;

use linefault_network::{self as network, Alteration};
use pcap_file::pcapng::{Block, PcapNgReader};

use super::*;
use crate::run::{Setup, simulate};
use crate::scenario::File;
use crate::suite::names;
use crate::trace::Event;

/// Each fault that touches packets, over UDP and TCP; a NAT; and a title that is hostile to readers of lines.
const BUSY: &str = r#"
title = "<b>\u0007 \n\u0000 a title"

[lan.home]
subnet = "192.168.1.0/24"
nat = { outside = "203.0.113.1" }

[lan.office]
subnet = "10.0.0.0/24"

[host.proxy]
actor = "proxy"
lan = "office"
domain = "sim.test"

[host.alice]
actor = "phone"
lan = "home"
user = "alice"
registrar = "proxy"

[host.bob]
actor = "phone"
lan = "office"
user = "bob"
registrar = "proxy"

[timeline]
steps = [
  { at = "0s", host = "alice", do = "register" },
  { at = "0s", host = "bob", do = "register" },
  { at = "2s", host = "alice", do = "call", to = "bob" },
  { at = "9s", host = "alice", do = "hang-up" },
]
faults = [
  { at = "1s", fault = "drop", message = "INVITE", from = "alice", to = "proxy", times = 1 },
  { at = "1s", fault = "delay", by = "30ms", message = "100 INVITE", from = "proxy", to = "alice" },
  { at = "1s", fault = "duplicate", message = "180 INVITE", from = "bob", to = "proxy" },
  { at = "1s", fault = "corrupt", message = "ACK", from = "proxy", to = "bob", times = 1 },
  { at = "8s", fault = "host-unreachable", message = "BYE", from = "proxy", to = "bob", times = 1 },
]
"#;

struct Read {
    title: String,
    interfaces: Vec<String>,
    names: BTreeMap<Vec<u8>, String>,
    frames: Vec<EnhancedPacketBlock<'static>>,
}

fn run(text: &str) -> (Scenario, Simulation) {
    let file = File::read("busy.toml", text, &names()).unwrap_or_else(|wrong| panic!("{wrong}"));
    let combination = &file.combinations()[0];
    let scenario = file
        .resolve(combination, &[])
        .unwrap_or_else(|wrong| panic!("{wrong}"));
    let simulation = simulate(&scenario, Setup::default());
    (scenario, simulation)
}

fn capture(scenario: &Scenario, simulation: &Simulation) -> Vec<u8> {
    let mut out = Vec::new();
    write(scenario, simulation, &mut out).expect("memory can be written to");
    out
}

fn read(bytes: &[u8]) -> Read {
    let mut reader = PcapNgReader::new(bytes).expect("it begins as a capture");
    let mut read = Read {
        title: format!("{:?}", reader.section().options),
        interfaces: Vec::new(),
        names: BTreeMap::new(),
        frames: Vec::new(),
    };
    while let Some(block) = reader.next_block() {
        match block.expect("each block can be read").into_owned() {
            Block::InterfaceDescription(block) => read.interfaces.push(
                block
                    .options
                    .iter()
                    .find_map(|option| match option {
                        InterfaceDescriptionOption::IfName(name) => Some(name.to_string()),
                        _ => None,
                    })
                    .expect("it has a name"),
            ),
            Block::NameResolution(block) => {
                for record in block.records {
                    if let Record::Ipv4(record) = record {
                        read.names
                            .insert(record.ip_addr.to_vec(), record.names[0].to_string());
                    }
                }
            }
            Block::EnhancedPacket(block) => read.frames.push(block),
            other => panic!("unexpected: {other:?}"),
        }
    }
    read
}

fn comment(frame: &EnhancedPacketBlock<'_>) -> String {
    let found = frame.options.iter().find_map(|option| match option {
        EnhancedPacketOption::Comment(text) => Some(text.to_string()),
        _ => None,
    });
    found.unwrap_or_default()
}

fn on(read: &Read, interface: Interface) -> Vec<&EnhancedPacketBlock<'static>> {
    read.frames
        .iter()
        .filter(|frame| frame.interface_id == interface.id())
        .collect()
}

// One frame a transmission, at the transmission's own time: else a capture's reader counts what never was.
#[test]
fn each_packet_that_left_is_one_frame_at_its_time() {
    let (scenario, simulation) = run(BUSY);
    let read = read(&capture(&scenario, &simulation));
    let sent = simulation
        .trace
        .records()
        .iter()
        .filter_map(|record| match &record.event {
            Event::Network(network::Event::Sent { packet }) => {
                Some((record.at.as_micros(), packet.length()))
            }
            _ => None,
        });
    let frames = on(&read, Interface::Sent).into_iter();
    let frames = frames.map(|frame| (frame.timestamp.as_micros() as u64, frame.data.len()));
    assert_eq!(frames.collect::<Vec<_>>(), sent.collect::<Vec<_>>());
}

// Each alteration that the trace has must be readable from a frame's comment, under the fault's own name.
#[test]
fn a_frame_says_what_a_fault_did_to_it() {
    let (scenario, simulation) = run(BUSY);
    let read = read(&capture(&scenario, &simulation));
    let comments: Vec<_> = on(&read, Interface::Sent)
        .into_iter()
        .map(comment)
        .filter(|text| !text.is_empty())
        .collect();
    assert_eq!(
        comments,
        [
            "lost at 2.000: drop INVITE alice → proxy",
            "delayed by 30ms: delay 100 INVITE proxy → alice",
            "duplicated: duplicate 180 INVITE bob → proxy",
            "corrupted: corrupt ACK proxy → bob",
            "lost at 9.005: host-unreachable BYE proxy → bob",
        ]
    );
    let changed: Vec<_> = on(&read, Interface::Changed)
        .into_iter()
        .map(comment)
        .collect();
    assert_eq!(
        changed,
        [
            "a copy: duplicate 180 INVITE bob → proxy",
            "corrupted: corrupt ACK proxy → bob",
        ]
    );
}

// The corrupted frame differs from the one that was sent; a copy does not.
#[test]
fn a_changed_frame_shows_what_the_receiver_gets() {
    let (scenario, simulation) = run(BUSY);
    let read = read(&capture(&scenario, &simulation));
    let payload = |frame: &EnhancedPacketBlock<'_>| frame.data[28..].to_vec();
    let of = |interface, word: &str| {
        let frames = on(&read, interface);
        let found = frames.iter().find(|frame| comment(frame).contains(word));
        payload(found.expect("the fault acts"))
    };
    assert_eq!(
        of(Interface::Sent, "duplicate 180"),
        of(Interface::Changed, "duplicate 180")
    );
    assert_ne!(
        of(Interface::Sent, "corrupt ACK"),
        of(Interface::Changed, "corrupt ACK")
    );
    let altered = simulation.trace.records().iter().filter(|record| {
        matches!(
            &record.event,
            Event::Network(network::Event::Altered { how, .. })
                if !matches!(how, Alteration::Delayed { .. } | Alteration::Reordered)
        )
    });
    assert_eq!(on(&read, Interface::Changed).len(), altered.count());
}

// Both sides of a NAT: a reader who follows a stream inside must not meet addresses from outside in its answers.
#[test]
fn what_a_nat_rewrites_is_there_twice() {
    let (scenario, simulation) = run(BUSY);
    let read = read(&capture(&scenario, &simulation));
    let nat = on(&read, Interface::Nat);
    let source = |frame: &EnhancedPacketBlock<'_>| frame.data[12..16].to_vec();
    let destination = |frame: &EnhancedPacketBlock<'_>| frame.data[16..20].to_vec();
    assert!(nat.iter().any(|frame| source(frame) == [203, 0, 113, 1]));
    assert!(
        nat.iter()
            .any(|frame| destination(frame)[..3] == [192, 168, 1])
    );
    assert!(
        nat.iter()
            .all(|frame| source(frame)[0] == 203 || destination(frame)[0] == 192)
    );
}

#[test]
fn hosts_and_interfaces_have_their_names_and_no_text_breaks_a_line() {
    let (scenario, simulation) = run(BUSY);
    let read = read(&capture(&scenario, &simulation));
    assert_eq!(read.interfaces, ["sent", "nat", "changed"]);
    let names: Vec<_> = read.names.values().map(String::as_str).collect();
    assert_eq!(names, ["proxy", "bob", "alice", "home-nat"]);
    assert!(
        read.title.contains(r#"Comment("<b>     a title")"#),
        "{}",
        read.title
    );
}

#[test]
fn a_text_is_cut_between_characters() {
    let long = "é".repeat(LONGEST_TEXT);
    let cut = plain(&long);
    assert_eq!(
        (cut.len(), plain("a\tb\u{7f}")),
        (LONGEST_TEXT, "a b ".to_owned())
    );
    assert_eq!(plain(&format!("a{long}")).len(), LONGEST_TEXT - 1);
}

#[test]
fn the_same_run_gives_the_same_bytes() {
    let of = || {
        let (scenario, simulation) = run(BUSY);
        capture(&scenario, &simulation)
    };
    let first = of();
    assert!(first.starts_with(&MAGIC));
    assert_eq!(first, of());
}

// A disc that is full in the middle of a block: whatever the length at which it happens, an error and no panic.
#[test]
fn a_destination_that_takes_no_more_is_an_error() {
    let (scenario, simulation) = run(BUSY);
    let whole = capture(&scenario, &simulation).len();
    for room in (0..whole).step_by(97) {
        let mut disc = vec![0; room];
        let full = write(&scenario, &simulation, disc.as_mut_slice());
        assert!(matches!(full, Err(CaptureError::Unwritable(_))), "{room}");
    }
}
