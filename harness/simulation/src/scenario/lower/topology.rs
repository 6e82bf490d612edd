//! Local networks, hosts and their addresses.

use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};

use super::super::adapter;
use super::super::diagnostic::Span;
use super::super::model::{Host, Lan, Platform};
use super::super::record::{Record, Value};
use super::super::subnet::Subnet;
use super::Lowering;

/// The subnet of the LAN that all hosts are on where a file declares none.
const IMPLICIT: &str = "10.0.0.0/24";

impl Lowering<'_, '_> {
    /// The local networks of the file, or the implicit one.
    pub(super) fn lans(&mut self, file: &Record) -> Vec<Lan> {
        let mut taken: Vec<(Subnet, String)> = Vec::new();
        let mut lans = Vec::new();
        // By the names in the file, so that places hold even where a LAN has a mistake.
        for name in self.reader.names("lan") {
            let record = file
                .named("lan")
                .iter()
                .find(|(other, ..)| other == name)
                .map(|(_, _, record)| record);
            let mut subnets = Vec::new();
            for (span, value) in record
                .map(|record| record.list("subnet"))
                .unwrap_or_default()
            {
                let Value::Subnet(subnet) = value else {
                    continue;
                };
                if let Some((other, of)) = taken.iter().find(|(other, _)| other.overlaps(subnet)) {
                    let message = format!("the subnets {subnet} and {other} overlap");
                    self.reader.mistake(
                        *span,
                        message,
                        format!("{other} is already part of the LAN `{of}`"),
                        None,
                    );
                }
                taken.push((*subnet, name.to_owned()));
                subnets.push(*subnet);
            }
            if let Some(record) = record
                && matches!(record.value("subnet"), Some(Value::List(items)) if items.is_empty())
                && !self.faulty(record, "subnet")
            {
                let label = "expected at least one subnet";
                self.reader.mistake(
                    record.place("subnet"),
                    "a LAN without addresses",
                    label,
                    None,
                );
            }
            lans.push(Lan {
                name: name.to_owned(),
                subnets,
                nat: None,
            });
        }
        if lans.is_empty() {
            let subnets = Subnet::parse(IMPLICIT).into_iter().collect();
            lans.push(Lan {
                name: "lan".to_owned(),
                subnets,
                nat: None,
            });
        }
        lans
    }

    /// The hosts of the file. Given addresses are taken first, then the others get the next free ones.
    pub(super) fn hosts(&mut self, file: &Record, lans: &[Lan], platform: Platform) -> Vec<Host> {
        let records = file.named("host");
        if let Some(Value::Named(records)) = file.value("host")
            && records.is_empty()
            && self.reader.names("host").is_empty()
        {
            self.reader.mistake(
                file.place("host"),
                "a scenario without hosts",
                "expected [host.NAME]",
                None,
            );
        }
        let places: Vec<Option<usize>> = records
            .iter()
            .map(|(_, _, record)| self.lan_of(record, lans))
            .collect();
        let mut taken: BTreeMap<IpAddr, &str> = BTreeMap::new();
        for ((name, _, record), lan) in records.iter().zip(&places) {
            if let Some(Value::Address(address, _)) = record.value("address") {
                self.given(
                    *address,
                    record.place("address"),
                    lan.map(|lan| &lans[lan]),
                    &taken,
                );
                taken.insert(*address, name);
            }
        }
        let mut hosts = Vec::new();
        for ((name, span, record), lan) in records.iter().zip(places) {
            let Some(lan) = lan else { continue };
            let address = match record.value("address") {
                Some(Value::Address(address, _)) => Some(*address),
                _ => self.next(&lans[lan], *span, &taken),
            };
            let Some(address) = address else { continue };
            if !matches!(record.value("address"), Some(Value::Address(..))) {
                taken.insert(address, name);
            }
            hosts.extend(self.host(name, *span, record, (lan, address), platform));
        }
        hosts
    }

    fn host(
        &self,
        name: &str,
        span: Span,
        record: &Record,
        (lan, address): (usize, IpAddr),
        platform: Platform,
    ) -> Option<Host> {
        let actor = *self
            .vocabulary
            .actors
            .iter()
            .find(|entry| Some(entry.name) == record.variant)?;
        let port = match record.value("address") {
            Some(Value::Address(_, Some(port))) => *port,
            _ => actor.port,
        };
        Some(Host {
            name: name.to_owned(),
            span,
            actor,
            lan,
            address: SocketAddr::new(address, port),
            platform: record
                .text("platform")
                .and_then(Platform::named)
                .unwrap_or(platform),
            settings: adapter::settings(record, &adapter::actor(actor).keys),
        })
    }

    /// The LAN that a host says, or the only one.
    fn lan_of(&mut self, record: &Record, lans: &[Lan]) -> Option<usize> {
        if let Some(Value::Lan(lan)) = record.value("lan") {
            return Some(*lan);
        }
        if lans.len() > 1 && !self.reader.names("lan").is_empty() && !record.given("lan") {
            let names: Vec<&str> = lans.iter().map(|lan| lan.name.as_str()).collect();
            let label = format!("expected `lan`: {}", super::super::suggest::one_of(names));
            self.reader.mistake(
                record.span,
                "which LAN the host is on is not said",
                label,
                None,
            );
            return None;
        }
        (lans.len() == 1).then_some(0)
    }

    fn given(
        &mut self,
        address: IpAddr,
        span: Span,
        lan: Option<&Lan>,
        taken: &BTreeMap<IpAddr, &str>,
    ) {
        if let Some(other) = taken.get(&address) {
            let label = format!("already the address of `{other}`");
            self.reader.mistake(
                span,
                format!("two hosts have the address {address}"),
                label,
                None,
            );
        }
        let Some(lan) = lan.filter(|lan| !lan.subnets.is_empty()) else {
            return;
        };
        let ranges: Vec<String> = lan.subnets.iter().map(ToString::to_string).collect();
        let ranges = ranges.join(", ");
        match lan.subnets.iter().find(|subnet| subnet.contains(address)) {
            None => {
                let message = format!("{address} is outside the LAN `{}`", lan.name);
                self.reader.mistake(
                    span,
                    message,
                    format!("expected an address in {ranges}"),
                    None,
                );
            }
            Some(subnet) if !subnet.may_host(address) => {
                let message = format!("{address} is no host's address");
                let label = format!(
                    "the first and last address of {subnet} name the network and everybody on it"
                );
                self.reader.mistake(span, message, label, None);
            }
            Some(_) => {}
        }
    }

    /// The next free address, without the first one of a subnet, which is the router's.
    fn next(&mut self, lan: &Lan, span: Span, taken: &BTreeMap<IpAddr, &str>) -> Option<IpAddr> {
        let free = |address: &IpAddr| !taken.contains_key(address);
        let found = lan
            .subnets
            .iter()
            .find_map(|subnet| subnet.assignable().find(free));
        if found.is_none() && !lan.subnets.is_empty() {
            let message = format!("the LAN `{}` is too small", lan.name);
            let label = "no address is left for this host";
            let help = Some("the first address of a subnet is the router's".to_owned());
            self.reader.mistake(span, message, label, help);
        }
        found
    }
}
