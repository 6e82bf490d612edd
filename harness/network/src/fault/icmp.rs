//! The faults in which a router answers with an ICMP error: one rule, and an entry for each error.

use super::{Acts, ArgError, Args, Entry, Fault, Param, ParamKind, Phase, Rule, Verdict};
use crate::draw::Key;
use crate::neighbour::may_be_answered;
use crate::packet::{IcmpKind, Packet};

pub(super) const HOST_UNREACHABLE: Entry = Entry {
    name: "host-unreachable",
    doc: "A router drops datagrams and answers with ICMP host unreachable, as often as Linux lets it.",
    acts: Acts::Packets,
    params: &[],
    build: |_| Ok(host_unreachable()),
};

pub(super) const NET_UNREACHABLE: Entry = Entry {
    name: "net-unreachable",
    doc: "A router drops datagrams and answers with ICMP net unreachable.",
    params: &[],
    build: |_| Ok(net_unreachable()),
    ..HOST_UNREACHABLE
};

pub(super) const PORT_UNREACHABLE: Entry = Entry {
    name: "port-unreachable",
    doc: "A router drops datagrams and answers with ICMP port unreachable, as a rejecting firewall does.",
    params: &[],
    build: |_| Ok(port_unreachable()),
    ..HOST_UNREACHABLE
};

pub(super) const PROTOCOL_UNREACHABLE: Entry = Entry {
    name: "protocol-unreachable",
    doc: "A router drops datagrams and answers with ICMP protocol unreachable.",
    params: &[],
    build: |_| Ok(protocol_unreachable()),
    ..HOST_UNREACHABLE
};

pub(super) const PROHIBITED: Entry = Entry {
    name: "prohibited",
    doc: "A router drops datagrams and answers with ICMP administratively prohibited.",
    params: &[Param {
        name: "what",
        kind: ParamKind::Choice(&["communication", "host", "net"]),
        default: Some("communication"),
        doc: "Code 13, 10 or 9.",
    }],
    build: build_prohibited,
    ..HOST_UNREACHABLE
};

pub(super) const TTL_EXCEEDED: Entry = Entry {
    name: "ttl-exceeded",
    doc: "A router drops datagrams and answers with ICMP time exceeded, as in a routing loop.",
    params: &[],
    build: |_| Ok(ttl_exceeded()),
    ..HOST_UNREACHABLE
};

pub(super) const FRAGMENTATION_NEEDED: Entry = Entry {
    name: "fragmentation-needed",
    doc: "A router drops packets that are longer than an MTU and sent whole, and says so; later ones come fragmented.",
    params: &[Param {
        name: "mtu",
        kind: ParamKind::Count,
        default: Some("1280"),
        doc: "In bytes, from 68 to 65535.",
    }],
    build: build_fragmentation_needed,
    ..HOST_UNREACHABLE
};

fn build_prohibited(args: &Args) -> Result<Fault, ArgError> {
    Ok(prohibited(match args.choice("what") {
        Some("net") => Prohibited::Net,
        Some("host") => Prohibited::Host,
        _ => Prohibited::Communication,
    }))
}

fn build_fragmentation_needed(args: &Args) -> Result<Fault, ArgError> {
    // RFC 791 §3.2: every module must forward 68 bytes without further fragmentation.
    let mtu = args
        .count("mtu", 68, 65_535)?
        .and_then(|mtu| u16::try_from(mtu).ok());
    Ok(fragmentation_needed(mtu.unwrap_or(1280)))
}

/// What a router says is prohibited (RFC 1812 §5.2.7.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Prohibited {
    /// Code 9.
    Net,
    /// Code 10.
    Host,
    /// Code 13.
    Communication,
}

/// A router answers 3/1.
#[must_use]
pub fn host_unreachable() -> Fault {
    answering(HOST_UNREACHABLE.name, IcmpKind::HostUnreachable)
}

/// A router answers 3/0.
#[must_use]
pub fn net_unreachable() -> Fault {
    answering(NET_UNREACHABLE.name, IcmpKind::NetUnreachable)
}

/// A router answers 3/3.
#[must_use]
pub fn port_unreachable() -> Fault {
    answering(PORT_UNREACHABLE.name, IcmpKind::PortUnreachable)
}

/// A router answers 3/2.
#[must_use]
pub fn protocol_unreachable() -> Fault {
    answering(PROTOCOL_UNREACHABLE.name, IcmpKind::ProtocolUnreachable)
}

/// A router answers 3/9, 3/10 or 3/13.
#[must_use]
pub fn prohibited(what: Prohibited) -> Fault {
    let kind = match what {
        Prohibited::Net => IcmpKind::NetProhibited,
        Prohibited::Host => IcmpKind::HostProhibited,
        Prohibited::Communication => IcmpKind::CommunicationProhibited,
    };
    answering(PROHIBITED.name, kind)
}

/// A router answers 11/0.
#[must_use]
pub fn ttl_exceeded() -> Fault {
    answering(TTL_EXCEEDED.name, IcmpKind::TtlExceeded)
}

/// A router answers 3/4 (in IPv6, packet too big) to packets that are longer than `mtu` bytes and not to be fragmented.
#[must_use]
pub fn fragmentation_needed(mtu: u16) -> Fault {
    answering(
        FRAGMENTATION_NEEDED.name,
        IcmpKind::FragmentationNeeded { mtu },
    )
}

fn answering(name: &'static str, kind: IcmpKind) -> Fault {
    Fault::new(name, Answering { kind })
}

struct Answering {
    kind: IcmpKind,
}

impl Rule for Answering {
    fn concerns(&self, phase: Phase) -> bool {
        phase == Phase::Wire
    }

    fn judge(&mut self, _: Phase, packet: &Packet, _: Key) -> Verdict {
        let fits = match self.kind {
            IcmpKind::FragmentationNeeded { mtu } => {
                !packet.dont_fragment || packet.length() <= usize::from(mtu)
            }
            _ => false,
        };
        if fits || !may_be_answered(packet) {
            Verdict::Pass
        } else {
            Verdict::Answer(self.kind)
        }
    }
}
