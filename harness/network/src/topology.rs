//! Who is where: LANs, hosts, their addresses, and which way a packet goes.
//!
//! Hosts on one LAN are neighbours; one router joins all LANs.

use std::collections::BTreeMap;
use std::fmt;
use std::net::{IpAddr, Ipv4Addr};

use crate::draw::Key;
use crate::platform::Platform;
use crate::subnet::Subnet;

/// A LAN of one network.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LanId(pub(crate) u32);

/// A host of one network, numbered from 0 in the order of adding.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct HostId(pub(crate) u32);

impl HostId {
    /// The number.
    #[must_use]
    pub const fn index(self) -> usize {
        self.0 as usize
    }
}

/// What a host is to be.
#[derive(Clone, Debug)]
pub struct HostOptions {
    /// Unique; it keys the host's draws, so that other hosts' coming and going does not shift them.
    pub name: String,
    /// The one LAN that it is attached to.
    pub lan: LanId,
    /// Its addresses, each within one of the LAN's subnets; the first of a family is the source of what it sends.
    pub addresses: Vec<IpAddr>,
    /// Whose kernel it runs.
    pub platform: Platform,
}

/// Why a LAN or a host cannot be added: always the author's mistake.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the fields are what Display puts into words")]
pub enum TopologyError {
    /// Two LANs or two hosts of one name.
    DuplicateName { name: String },
    /// Two LANs whose prefixes overlap: the router could not tell them apart.
    OverlappingSubnets { subnet: Subnet, other: Subnet },
    /// Two hosts with one address.
    DuplicateAddress { address: IpAddr, holder: String },
    /// An address outside the LAN's subnets.
    AddressOutsideLan { address: IpAddr, lan: String },
    /// A multicast, broadcast, loopback or unspecified address.
    AddressNotUnicast { address: IpAddr },
    /// A host without any address.
    NoAddress { name: String },
    /// The LAN belongs to another network.
    UnknownLan { lan: LanId },
}

pub(crate) struct Lan {
    name: String,
    subnets: Vec<Subnet>,
}

pub(crate) struct Site {
    pub(crate) options: HostOptions,
    pub(crate) key: u64,
}

/// The map of a network.
#[derive(Default)]
pub(crate) struct Topology {
    lans: Vec<Lan>,
    hosts: Vec<Site>,
    addresses: BTreeMap<IpAddr, HostId>,
    names: BTreeMap<String, HostId>,
}

/// Which way a destination lies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Route {
    Loopback,
    /// On the sender's LAN.
    Neighbour,
    /// On another LAN, behind the router.
    Routed,
    /// On no LAN.
    Nowhere,
    Multicast,
    Broadcast,
}

impl Topology {
    pub(crate) fn add_lan(
        &mut self,
        name: &str,
        subnets: &[Subnet],
    ) -> Result<LanId, TopologyError> {
        if self.lans.iter().any(|lan| lan.name == name) {
            return Err(TopologyError::DuplicateName {
                name: name.to_owned(),
            });
        }
        for subnet in subnets {
            let overlaps = |other: &&Subnet| {
                other.contains(subnet.first_address()) || subnet.contains(other.first_address())
            };
            if let Some(other) = self.lans.iter().flat_map(|lan| &lan.subnets).find(overlaps) {
                return Err(TopologyError::OverlappingSubnets {
                    subnet: *subnet,
                    other: *other,
                });
            }
        }
        self.lans.push(Lan {
            name: name.to_owned(),
            subnets: subnets.to_vec(),
        });
        Ok(LanId(
            u32::try_from(self.lans.len() - 1).unwrap_or(u32::MAX),
        ))
    }

    pub(crate) fn add_host(
        &mut self,
        options: HostOptions,
        root: Key,
    ) -> Result<HostId, TopologyError> {
        self.check(&options)?;
        let id = HostId(u32::try_from(self.hosts.len()).unwrap_or(u32::MAX));
        for address in &options.addresses {
            self.addresses.insert(*address, id);
        }
        self.names.insert(options.name.clone(), id);
        let key = root.with_text(&options.name).bits();
        self.hosts.push(Site { options, key });
        Ok(id)
    }

    fn check(&self, options: &HostOptions) -> Result<(), TopologyError> {
        let name = &options.name;
        if self.names.contains_key(name) {
            return Err(TopologyError::DuplicateName { name: name.clone() });
        }
        if options.addresses.is_empty() {
            return Err(TopologyError::NoAddress { name: name.clone() });
        }
        let lan = self
            .lans
            .get(options.lan.0 as usize)
            .ok_or(TopologyError::UnknownLan { lan: options.lan })?;
        let mut seen = Vec::new();
        for address in &options.addresses {
            self.check_address(*address, lan)?;
            if seen.contains(address) {
                return Err(TopologyError::DuplicateAddress {
                    address: *address,
                    holder: name.clone(),
                });
            }
            seen.push(*address);
        }
        Ok(())
    }

    fn check_address(&self, address: IpAddr, lan: &Lan) -> Result<(), TopologyError> {
        let broadcast = lan
            .subnets
            .iter()
            .any(|subnet| subnet.is_broadcast(address));
        if address.is_multicast() || address.is_loopback() || address.is_unspecified() || broadcast
        {
            return Err(TopologyError::AddressNotUnicast { address });
        }
        if !lan.subnets.iter().any(|subnet| subnet.contains(address)) {
            return Err(TopologyError::AddressOutsideLan {
                address,
                lan: lan.name.clone(),
            });
        }
        match self.holder(address) {
            Some(holder) => {
                let holder = self.site(holder).options.name.clone();
                Err(TopologyError::DuplicateAddress { address, holder })
            }
            None => Ok(()),
        }
    }

    pub(crate) fn hosts(&self) -> impl Iterator<Item = HostId> + use<> {
        (0..u32::try_from(self.hosts.len()).unwrap_or(u32::MAX)).map(HostId)
    }

    pub(crate) fn site(&self, host: HostId) -> &Site {
        &self.hosts[host.index()]
    }

    pub(crate) fn by_name(&self, name: &str) -> Option<HostId> {
        self.names.get(name).copied()
    }

    /// Who holds the address.
    pub(crate) fn holder(&self, address: IpAddr) -> Option<HostId> {
        self.addresses.get(&address).copied()
    }

    /// Where `address` lies as seen from `host`.
    pub(crate) fn route(&self, host: HostId, address: IpAddr) -> Route {
        let site = self.site(host);
        if address.is_loopback() || site.options.addresses.contains(&address) {
            return Route::Loopback;
        }
        // A held address is the common case, and costs no walk over LANs.
        if let Some(holder) = self.holder(address) {
            let near = self.site(holder).options.lan == site.options.lan;
            return if near {
                Route::Neighbour
            } else {
                Route::Routed
            };
        }
        let own = &self.lans[site.options.lan.0 as usize];
        let within = |lan: &Lan| lan.subnets.iter().any(|subnet| subnet.contains(address));
        let directed = own
            .subnets
            .iter()
            .any(|subnet| subnet.is_broadcast(address));
        match address {
            IpAddr::V4(Ipv4Addr::BROADCAST) => Route::Broadcast,
            _ if directed => Route::Broadcast,
            _ if address.is_multicast() => Route::Multicast,
            _ if within(own) => Route::Neighbour,
            _ if self.lans.iter().any(within) => Route::Routed,
            _ => Route::Nowhere,
        }
    }

    /// The address from which `host` sends to `to`; `None` without an address of that family.
    pub(crate) fn source(&self, host: HostId, to: IpAddr) -> Option<IpAddr> {
        let own = &self.site(host).options.addresses;
        if to.is_loopback() || own.contains(&to) {
            return Some(to);
        }
        own.iter()
            .copied()
            .find(|address| address.is_ipv4() == to.is_ipv4())
    }

    /// The router's address on the host's LAN, in the family of `like`; that of the host itself if there is none.
    pub(crate) fn router(&self, host: HostId, like: IpAddr) -> IpAddr {
        let lan = &self.lans[self.site(host).options.lan.0 as usize];
        let gateways = lan.subnets.iter().map(Subnet::first_address);
        gateways
            .into_iter()
            .find(|gateway| gateway.is_ipv4() == like.is_ipv4())
            .unwrap_or(like)
    }
}

impl fmt::Display for TopologyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::DuplicateName { name } => write!(f, "the name `{name}` is taken"),
            Self::OverlappingSubnets { subnet, other } => {
                write!(f, "{subnet} overlaps {other} of another LAN")
            }
            Self::DuplicateAddress { address, holder } => {
                write!(f, "{address} belongs to `{holder}`")
            }
            Self::AddressOutsideLan { address, lan } => {
                write!(f, "{address} is in no subnet of LAN `{lan}`")
            }
            Self::AddressNotUnicast { address } => {
                write!(f, "{address} is not an address that one host can hold")
            }
            Self::NoAddress { name } => write!(f, "host `{name}` has no address"),
            Self::UnknownLan { lan } => write!(f, "LAN {} is not part of this network", lan.0),
        }
    }
}

impl std::error::Error for TopologyError {}
