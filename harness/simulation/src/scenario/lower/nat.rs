//! NAT routers in front of local networks.

use std::net::IpAddr;

use linefault_network::{NatBehaviour, NatOptions};

use super::super::diagnostic::Span;
use super::super::model::{Host, Lan};
use super::super::record::{Record, Value};
use super::super::subnet::is_unicast;
use super::Lowering;

impl Lowering<'_, '_> {
    /// Puts the file's NATs in front of their LANs.
    pub(super) fn nats(&mut self, file: &Record, lans: &mut [Lan], hosts: &[Host]) {
        let mut taken: Vec<(IpAddr, String)> = Vec::new();
        for host in hosts {
            taken.push((host.address.ip(), format!("the host `{}`", host.name)));
        }
        for (name, _, record) in file.named("lan") {
            let lan = lans.iter_mut().find(|lan| lan.name == *name);
            if let (Some(lan), Some(nat)) = (lan, record.table("nat")) {
                let outside = self.outside(lan, nat, &mut taken);
                lan.nat = options(nat, outside);
            }
        }
    }

    /// The NAT's addresses outside, none of which anybody else may have.
    fn outside(
        &mut self,
        lan: &Lan,
        nat: &Record,
        taken: &mut Vec<(IpAddr, String)>,
    ) -> Vec<IpAddr> {
        let mut outside = Vec::new();
        for (span, value) in nat.list("outside") {
            let Value::Address(address, port) = value else {
                continue;
            };
            if let Some((message, label)) = objection(lan, *address, *port, taken) {
                self.reader.mistake(*span, message, label, None);
            }
            taken.push((*address, format!("the NAT of `{}`", lan.name)));
            outside.push(*address);
        }
        if outside.is_empty() && !self.faulty(nat, "outside") {
            self.no_outside(nat.place("outside"));
        }
        outside
    }

    fn no_outside(&mut self, span: Span) {
        let label = "expected at least one address";
        self.reader
            .mistake(span, "a NAT without an address outside", label, None);
    }
}

/// What is wrong with an address outside, and what would be right.
fn objection(
    lan: &Lan,
    address: IpAddr,
    port: Option<u16>,
    taken: &[(IpAddr, String)],
) -> Option<(String, String)> {
    if port.is_some() {
        return Some((
            "a NAT's address outside has no port".to_owned(),
            format!("expected {address}: the NAT chooses ports itself"),
        ));
    }
    if !is_unicast(address) {
        return Some((
            format!("{address} is no host's address"),
            "expected a unicast address".to_owned(),
        ));
    }
    if lan.subnets.iter().any(|subnet| subnet.contains(address)) {
        return Some((
            format!("{address} is inside the LAN `{}`", lan.name),
            "expected an address outside of it".to_owned(),
        ));
    }
    let (_, owner) = taken.iter().find(|(other, _)| *other == address)?;
    Some((
        format!("two have the address {address}"),
        format!("already the address of {owner}"),
    ))
}

fn options(nat: &Record, outside: Vec<IpAddr>) -> Option<NatOptions> {
    Some(NatOptions {
        outside,
        mapping: behaviour(nat.text("mapping")?),
        filtering: behaviour(nat.text("filtering")?),
        udp_lifetime: nat.duration("udp_lifetime")?,
        tcp_lifetime: nat.duration("tcp_lifetime")?,
        inbound_refresh: nat.switch("inbound_refresh"),
    })
}

fn behaviour(word: &str) -> NatBehaviour {
    match word {
        "endpoint-independent" => NatBehaviour::EndpointIndependent,
        "address-dependent" => NatBehaviour::AddressDependent,
        _ => NatBehaviour::AddressAndPortDependent,
    }
}
