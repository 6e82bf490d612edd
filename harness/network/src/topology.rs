//! Who is where: LANs, hosts, their addresses, and which way a packet goes.
//!
//! Hosts on one LAN are neighbours; one router joins all LANs. A LAN may have a NAT before it, which hides its hosts.

use std::collections::BTreeMap;
use std::fmt;
use std::net::{IpAddr, Ipv4Addr};

use crate::address_map::AddressMap;
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
    /// The host of that number: for records of a network that is not this crate's.
    #[must_use]
    pub const fn new(number: u32) -> Self {
        Self(number)
    }

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
    /// A NAT without any address outside.
    NoOutsideAddress { lan: String },
    /// A NAT whose outside address is one of the LAN that is inside.
    OutsideAddressInside { address: IpAddr, lan: String },
    /// A second NAT before one LAN.
    SecondNat { lan: String },
    /// The LAN belongs to another network.
    UnknownLan { lan: LanId },
}

pub(crate) struct Lan {
    name: String,
    subnets: Vec<Subnet>,
    /// The addresses of the NAT before it.
    outside: Vec<IpAddr>,
}

impl Lan {
    fn contains(&self, address: IpAddr) -> bool {
        self.subnets.iter().any(|subnet| subnet.contains(address))
    }

    /// Whether its addresses of this family lead nowhere from outside.
    fn hides(&self, like: IpAddr) -> bool {
        self.outside
            .iter()
            .any(|outside| outside.is_ipv4() == like.is_ipv4())
    }
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
    addresses: AddressMap<HostId>,
    names: BTreeMap<String, HostId>,
    nats: BTreeMap<IpAddr, LanId>,
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
            outside: Vec::new(),
        });
        Ok(LanId(
            u32::try_from(self.lans.len() - 1).unwrap_or(u32::MAX),
        ))
    }

    /// Notes the addresses of a NAT; gives the key of its draws.
    pub(crate) fn add_nat(
        &mut self,
        lan: LanId,
        outside: &[IpAddr],
        root: Key,
    ) -> Result<Key, TopologyError> {
        let inside = self
            .lans
            .get(lan.0 as usize)
            .ok_or(TopologyError::UnknownLan { lan })?;
        let name = inside.name.clone();
        if !inside.outside.is_empty() {
            return Err(TopologyError::SecondNat { lan: name });
        }
        if outside.is_empty() {
            return Err(TopologyError::NoOutsideAddress { lan: name });
        }
        for address in outside.iter().copied() {
            if inside.contains(address) {
                return Err(TopologyError::OutsideAddressInside { address, lan: name });
            }
            self.check_unicast(address)?;
            self.check_free(address)?;
        }
        let key = root.with_text(&name);
        self.lans[lan.0 as usize].outside = outside.to_vec();
        self.nats
            .extend(outside.iter().map(|address| (*address, lan)));
        Ok(key)
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
        self.check_unicast(address)?;
        if !lan.contains(address) {
            return Err(TopologyError::AddressOutsideLan {
                address,
                lan: lan.name.clone(),
            });
        }
        self.check_free(address)
    }

    fn check_unicast(&self, address: IpAddr) -> Result<(), TopologyError> {
        let mut subnets = self.lans.iter().flat_map(|lan| &lan.subnets);
        let broadcast = address == IpAddr::V4(Ipv4Addr::BROADCAST)
            || subnets.any(|subnet| subnet.is_broadcast(address));
        if address.is_multicast() || address.is_loopback() || address.is_unspecified() || broadcast
        {
            return Err(TopologyError::AddressNotUnicast { address });
        }
        Ok(())
    }

    /// Whether neither a host nor a NAT has the address.
    fn check_free(&self, address: IpAddr) -> Result<(), TopologyError> {
        let host = self
            .holder(address)
            .map(|host| self.site(host).options.name.clone());
        let nat = || {
            let lan = self.nat_at(address)?;
            Some(format!("the NAT of {}", self.lans[lan.0 as usize].name))
        };
        match host.or_else(nat) {
            Some(holder) => Err(TopologyError::DuplicateAddress { address, holder }),
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
        self.addresses.get(address).copied()
    }

    /// The LAN whose NAT holds the address.
    pub(crate) fn nat_at(&self, address: IpAddr) -> Option<LanId> {
        self.nats.get(&address).copied()
    }

    /// Whether the address is in one of the LAN's subnets.
    pub(crate) fn is_on_lan(&self, lan: LanId, address: IpAddr) -> bool {
        self.lans[lan.0 as usize].contains(address)
    }

    /// Where `address` lies as seen from `host`.
    pub(crate) fn route(&self, host: HostId, address: IpAddr) -> Route {
        let site = self.site(host);
        if address.is_loopback() || site.options.addresses.contains(&address) {
            return Route::Loopback;
        }
        // A held address is the common case, and costs no walk over LANs.
        if let Some(holder) = self.holder(address) {
            let lan = self.site(holder).options.lan;
            return if lan == site.options.lan {
                Route::Neighbour
            } else if self.lans[lan.0 as usize].hides(address) {
                Route::Nowhere
            } else {
                Route::Routed
            };
        }
        // A NAT is a router, whichever LAN its address belongs to.
        if self.nats.contains_key(&address) {
            return Route::Routed;
        }
        let own = &self.lans[site.options.lan.0 as usize];
        let directed = own
            .subnets
            .iter()
            .any(|subnet| subnet.is_broadcast(address));
        match address {
            IpAddr::V4(Ipv4Addr::BROADCAST) => Route::Broadcast,
            _ if directed => Route::Broadcast,
            _ if address.is_multicast() => Route::Multicast,
            _ if own.contains(address) => Route::Neighbour,
            _ if self
                .lans
                .iter()
                .any(|lan| lan.contains(address) && !lan.hides(address)) =>
            {
                Route::Routed
            }
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
            Self::NoOutsideAddress { lan } => {
                write!(f, "the NAT of LAN `{lan}` has no address outside")
            }
            Self::OutsideAddressInside { address, lan } => {
                write!(
                    f,
                    "{address} is inside LAN `{lan}`, and cannot be its NAT's address outside"
                )
            }
            Self::SecondNat { lan } => write!(f, "LAN `{lan}` has a NAT already"),
            Self::UnknownLan { lan } => write!(f, "LAN {} is not part of this network", lan.0),
        }
    }
}

impl std::error::Error for TopologyError {}
