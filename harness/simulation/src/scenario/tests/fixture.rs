//! Actors and faults for tests of the format, so that they do not change when the real ones do.

use linefault_actors::catalogue::{
    Actor, CommandEntry, Directory, Entry, Kind, Presence, Setting, Settings,
};

use super::super::file::File;
use super::super::keys::{self, Key};
use super::super::names::Names;
use super::super::tables::{Acts, FaultKind, Vocabulary};
use super::super::{Diagnostics, Scenario};

const fn setting(name: &'static str, kind: Kind, presence: Presence) -> Setting {
    Setting {
        name,
        kind,
        presence,
        doc: "What it says.",
    }
}

static PHONE: Entry = Entry {
    points: &[],
    name: "phone",
    doc: "A phone.",
    port: 5060,
    settings: &[
        setting("user", Kind::Text, Presence::Required),
        setting("registrar", Kind::Host, Presence::Optional),
        setting("expires", Kind::Duration, Presence::Default("60s")),
        setting(
            "answer",
            Kind::Table(&[
                setting("ring", Kind::Duration, Presence::Default("0s")),
                setting("pick_up", Kind::Duration, Presence::Default("1s")),
            ]),
            Presence::Default(""),
        ),
    ],
    commands: &[
        CommandEntry {
            name: "register",
            doc: "Registers.",
            arguments: &[],
        },
        CommandEntry {
            name: "call",
            doc: "Calls.",
            arguments: &[setting("to", Kind::HostOrUri, Presence::Required)],
        },
        CommandEntry {
            name: "hang-up",
            doc: "Hangs up.",
            arguments: &[],
        },
    ],
    build: &build,
};

static PROXY: Entry = Entry {
    points: &[],
    name: "proxy",
    doc: "A proxy.",
    port: 5070,
    settings: &[
        setting("domain", Kind::Text, Presence::Default("sim.test")),
        setting(
            "users",
            Kind::List(&Kind::Text),
            Presence::Default("1001, 1002"),
        ),
        setting("strict", Kind::Switch, Presence::Default("true")),
        setting("limit", Kind::Integer(1, 9), Presence::Default("3")),
    ],
    commands: &[CommandEntry {
        name: "stop",
        doc: "Stops.",
        arguments: &[],
    }],
    build: &build,
};

fn build(_: &Settings, _: &Directory) -> Box<dyn Actor> {
    unreachable!("tests of the format run nothing")
}

pub(in crate::scenario) fn vocabulary() -> Vocabulary {
    let fault = |name, acts, keys| FaultKind {
        name,
        doc: "Does harm.",
        acts,
        keys,
    };
    let by = Key::required("by", keys::Kind::Duration, "How much.");
    Vocabulary {
        actors: vec![&PHONE, &PROXY],
        faults: vec![
            fault("drop", Acts::Packets, vec![]),
            fault("delay", Acts::Packets, vec![by]),
            fault("partition", Acts::Packets, vec![]),
            fault("heal", Acts::Faults, vec![]),
            fault("power-off", Acts::Hosts, vec![]),
        ],
    }
}

pub(in crate::scenario) fn names() -> Names {
    Names {
        actors: Vec::new(),
        defects: vec![("unreachable-is-502", "proxy"), ("deaf", "phone")],
        verdicts: vec!["nobody-waits", "fault-without-effect"],
    }
}

/// Reads a file against these actors and faults.
pub(in crate::scenario) fn read(text: &str) -> Result<File, Diagnostics> {
    File::read_with("test.toml", text, &names(), vocabulary())
}

/// The scenario of a file without a matrix.
pub(in crate::scenario) fn scenario(text: &str) -> Scenario {
    let file = read(text).unwrap();
    file.resolve(&file.combinations()[0], &[]).unwrap()
}

/// The messages of all mistakes of a file.
pub(in crate::scenario) fn mistakes(text: &str) -> Vec<String> {
    match read(text) {
        Ok(_) => Vec::new(),
        Err(found) => found
            .iter()
            .map(|mistake| mistake.message.clone())
            .collect(),
    }
}

/// Two phones and a proxy, with room for more at the end.
pub(in crate::scenario) const HOSTS: &str = r#"
title = "Hosts"
[host.proxy]
actor = "proxy"
[host.alice]
actor = "phone"
user = "1001"
[host.bob]
actor = "phone"
user = "1002"
"#;

/// A file that uses nearly every key.
pub(in crate::scenario) const FULL: &str = r#"#:schema scenario.schema.json
title = "A BYE to a phone that lost power"
tags = ["report-a"]

[run]
seed = 7
time_max = "2min"

[matrix]
"run.platform" = ["macos", "linux"]

[network]
latency = "2ms..8ms"

[[link]]
from = "alice"
to = "bob"
latency = "20ms"

[lan.office]
subnet = "192.168.8.0/24"

[lan.home]
subnet = ["10.9.0.0/16", "fd00:9::/64"]

[host.proxy]
actor = "proxy"
lan = "office"
domain = "sim.test"

[host.alice]
actor = "phone"
lan = "office"
address = "192.168.8.129:57446"
user = "1001"
registrar = "proxy"

[host.bob]
actor = "phone"
lan = "home"
address = "[fd00:9::2]:5062"
platform = "windows"
user = "1002"
registrar = "proxy"
answer = { ring = "100ms" }

[timeline]
steps = [
  { at = "0s", host = "alice", do = "register" },
  { when = "alice receives 200 REGISTER", after = "1s", host = "alice", do = "call", to = "bob" },
  { at = "12s", host = "alice", do = "hang-up" },
  { at = "13s", host = "bob", do = "send", to = "proxy", raw = "OPTIONS sip:sim.test SIP/2.0\n\n" },
]
faults = [
  { at = "10s", fault = "power-off", host = "bob", for = "5s" },
  { when = "proxy logs WARN 'target unreachable'", fault = "drop", message = "4xx BYE", nth = 1, times = 2 },
  { at = "1s", fault = "delay", from = "alice", to = "proxy", by = "1ms", probability = "0.5%", may_miss = true },
  { at = "2s", fault = "partition", between = [["alice"], ["proxy", "bob"]], one_way = true },
]

[outcome]
expect = [
  { name = "bye-answered", host = "alice", receives = "408 BYE", within = "1s", header = { Reason = "gone" }, only = { "run.platform" = "macos" } },
  { name = "warned", host = "proxy", logs = "WARN", message = "target unreachable", after = "10s", count = 1 },
  { name = "no-false-alarm", host = "proxy", never_logs = "ERROR", only = { "run.platform" = ["macos", "linux"] } },
]

[[known_bad]]
host = "proxy"
defects = ["unreachable-is-502"]
only = { "run.platform" = "macos" }
must_fail = ["bye-answered", "nobody-waits"]
"#;
