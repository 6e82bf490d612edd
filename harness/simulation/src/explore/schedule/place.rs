//! What faults do, and to whom.

use std::sync::Arc;

use proptest::prelude::{Just, Strategy};
use proptest::sample::select;
use proptest::strategy::BoxedStrategy;

use crate::explore::aims::Aims;

/// A fault but for its time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Struck {
    /// The keys of its table: what and where.
    pub(super) fault: String,
    /// Whether it lasts, or is over as soon as it has begun.
    pub(super) lasts: bool,
}

/// A kind of fault, as exploration draws it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Kind {
    name: &'static str,
    strikes: Strikes,
}

/// What a kind of fault strikes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Strikes {
    /// Packets on a way between two hosts, some or all; or messages of one kind.
    Packets,
    /// Everything between one host and another, or all others.
    Groups,
    /// A host.
    Host,
    /// The connections between two hosts.
    Connections,
    /// A NAT's mappings of a host, once.
    Mappings,
    /// A point of an actor's program.
    Program,
}

/// Every kind that is drawn. Missing on purpose: `corrupt` and `truncate`, after which what was sent is no longer what
/// arrived, so that no oracle can hold either end to it; and `heal`, `restart` and `resume`, which only undo.
const KINDS: [Kind; 24] = {
    const fn kind(name: &'static str, strikes: Strikes) -> Kind {
        Kind { name, strikes }
    }
    [
        kind("drop", Strikes::Packets),
        kind("delay", Strikes::Packets),
        kind("duplicate", Strikes::Packets),
        kind("reorder", Strikes::Packets),
        kind("host-unreachable", Strikes::Packets),
        kind("net-unreachable", Strikes::Packets),
        kind("port-unreachable", Strikes::Packets),
        kind("prohibited", Strikes::Packets),
        kind("ttl-exceeded", Strikes::Packets),
        kind("slow", Strikes::Packets),
        kind("partition", Strikes::Groups),
        kind("route-lost", Strikes::Host),
        kind("interface-down", Strikes::Host),
        kind("firewall-block", Strikes::Host),
        kind("neighbour-gone", Strikes::Host),
        kind("kill", Strikes::Host),
        kind("crash", Strikes::Host),
        kind("power-off", Strikes::Host),
        kind("freeze", Strikes::Host),
        kind("stall", Strikes::Connections),
        kind("reset", Strikes::Connections),
        kind("nat-expire", Strikes::Mappings),
        kind("nat-rebind", Strikes::Mappings),
        kind("inject", Strikes::Program),
    ]
};

#[cfg(test)]
impl Kind {
    pub(super) const fn name(self) -> &'static str {
        self.name
    }
}

/// The kinds that can strike something here.
pub(super) fn kinds(aims: &Aims) -> Vec<Kind> {
    let possible = |kind: &Kind| match kind.strikes {
        Strikes::Packets | Strikes::Groups | Strikes::Host => !aims.links.is_empty(),
        Strikes::Connections => aims.tcp && !aims.links.is_empty(),
        Strikes::Mappings => aims.hosts.iter().any(|host| host.behind_nat),
        Strikes::Program => aims.hosts.iter().any(|host| !host.points.is_empty()),
    };
    KINDS.into_iter().filter(possible).collect()
}

/// A fault of that kind, somewhere.
pub(super) fn struck(kind: Kind, aims: &Arc<Aims>) -> BoxedStrategy<Struck> {
    let (name, aims) = (kind.name, Arc::clone(aims));
    match kind.strikes {
        Strikes::Packets => packets(name, &aims),
        Strikes::Groups => groups(name, &aims),
        Strikes::Host => host(name, &aims),
        Strikes::Connections => connections(name, &aims),
        Strikes::Mappings => mappings(name, &aims),
        Strikes::Program => program(name, &aims),
    }
}

/// On every packet of a way, on some, or on one or more messages of a kind.
fn packets(name: &'static str, aims: &Aims) -> BoxedStrategy<Struck> {
    let shares = ["", ", probability = \"10%\"", ", probability = \"40%\""];
    let way = (select(ways(aims)), select(shares.to_vec()))
        .prop_map(|(way, share)| format!("{way}{share}"));
    let which = [
        "",
        ", nth = 1",
        ", nth = 1, retransmission = 0",
        ", nth = 2",
        ", retransmission = 1",
        ", probability = \"50%\"",
    ];
    let message = (select(messages(aims)), select(which.to_vec()))
        .prop_map(|(message, which)| format!("{message}{which}"));
    (proptest::prop_oneof![way, message], arguments(name))
        .prop_map(move |(place, arguments)| lasting(name, &format!("{place}{arguments}")))
        .boxed()
}

/// The parameters of a kind of fault. What delays stays below T4 (RFC 3261 §17.1.1.1: 5 s) together with the latency.
fn arguments(name: &'static str) -> BoxedStrategy<String> {
    let texts: &'static [&'static str] = match name {
        "delay" => &[
            ", by = \"30ms\"",
            ", by = \"600ms\"",
            ", by = \"3500ms\"",
            ", by = \"0s\", jitter = \"2s\"",
        ],
        "duplicate" => &["", ", copies = 3", ", apart = \"700ms\""],
        "reorder" => &["", ", behind = 3", ", at-most = \"3s\""],
        "slow" => &[", bytes-per-second = 2000", ", bytes-per-second = 20000"],
        _ => &[""],
    };
    select(texts).prop_map(str::to_owned).boxed()
}

fn groups(name: &'static str, aims: &Arc<Aims>) -> BoxedStrategy<Struck> {
    let names: Vec<String> = aims
        .hosts
        .iter()
        .map(|host| format!("{:?}", host.name))
        .collect();
    let aims = Arc::clone(aims);
    let two = select(aims.links.clone()).prop_map({
        let names = names.clone();
        move |(from, to)| format!("between = [[{}], [{}]]", names[from], names[to])
    });
    let alone = (0..names.len()).prop_map(move |one| {
        let others = names.iter().enumerate().filter(|(other, _)| *other != one);
        let others: Vec<&str> = others.map(|(_, name)| name.as_str()).collect();
        format!("between = [[{}], [{}]]", names[one], others.join(", "))
    });
    let ways = select(["", ", one_way = true"].as_slice());
    (proptest::prop_oneof![two, alone], ways)
        .prop_map(move |(groups, one_way)| lasting(name, &format!("{groups}{one_way}")))
        .boxed()
}

fn host(name: &'static str, aims: &Aims) -> BoxedStrategy<Struck> {
    let arguments: &'static [&'static str] = match name {
        "route-lost" => &["", ", kind = \"blackhole\"", ", kind = \"prohibit\""],
        "firewall-block" => &[
            "",
            ", direction = \"in\"",
            ", direction = \"both\"",
            ", direction = \"in\", answer = \"port-unreachable\"",
        ],
        _ => &[""],
    };
    (select(names(aims)), select(arguments))
        .prop_map(move |(host, arguments)| lasting(name, &format!("host = \"{host}\"{arguments}")))
        .boxed()
}

/// `stall` is a host's; `reset` strikes a way now, after some bytes, or where a message is said.
fn connections(name: &'static str, aims: &Aims) -> BoxedStrategy<Struck> {
    if name == "stall" {
        return host(name, aims);
    }
    let now = (
        select(ways(aims)),
        select(["", ", side = \"sender\"", ", side = \"receiver\""].as_slice()),
    )
        .prop_map(move |(way, side)| Struck {
            fault: format!("fault = \"{name}\", {way}{side}"),
            lasts: false,
        });
    let places = [", after-bytes = 700", ", after-bytes = 3"];
    let later = (select(ways(aims)), select(places.to_vec()))
        .prop_map(move |(way, bytes)| lasting(name, &format!("{way}{bytes}")));
    let said = select(messages(aims)).prop_map(move |message| lasting(name, &message));
    proptest::prop_oneof![now, later, said].boxed()
}

fn mappings(name: &'static str, aims: &Aims) -> BoxedStrategy<Struck> {
    let behind = aims.hosts.iter().filter(|host| host.behind_nat);
    let hosts: Vec<String> = behind.map(|host| host.name.clone()).collect();
    select(hosts)
        .prop_map(move |host| Struck {
            fault: format!("fault = \"{name}\", host = \"{host}\""),
            lasts: false,
        })
        .boxed()
}

fn program(name: &'static str, aims: &Aims) -> BoxedStrategy<Struck> {
    let points = aims.hosts.iter().flat_map(|host| {
        let point = |point: &&str| format!("host = \"{}\", point = \"{point}\"", host.name);
        host.points.iter().map(point).collect::<Vec<_>>()
    });
    let ways = select(["", ", as = \"panic\""].as_slice());
    (
        select(points.collect::<Vec<_>>()),
        ways,
        Just(", times = 1"),
    )
        .prop_map(move |(point, way, times)| lasting(name, &format!("{point}{way}{times}")))
        .boxed()
}

fn lasting(name: &str, place: &str) -> Struck {
    Struck {
        fault: format!("fault = \"{name}\", {place}"),
        lasts: true,
    }
}

fn names(aims: &Aims) -> Vec<String> {
    aims.hosts.iter().map(|host| host.name.clone()).collect()
}

fn ways(aims: &Aims) -> Vec<String> {
    let way = |(from, to): &(usize, usize)| {
        format!(
            "from = \"{}\", to = \"{}\"",
            aims.hosts[*from].name, aims.hosts[*to].name
        )
    };
    aims.links.iter().map(way).collect()
}

fn messages(aims: &Aims) -> Vec<String> {
    let message = |aimed: &crate::explore::aims::Aimed| {
        let (from, to) = (&aims.hosts[aimed.from].name, &aims.hosts[aimed.to].name);
        format!(
            "from = \"{from}\", to = \"{to}\", message = \"{}\"",
            aimed.pattern
        )
    };
    aims.messages.iter().map(message).collect()
}
