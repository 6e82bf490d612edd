//! Address ranges of local networks.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// An address range in CIDR notation, `192.168.8.0/24` or `fd00::/64` (RFC 4632, RFC 4291 §2.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Subnet {
    network: IpAddr,
    prefix: u8,
}

/// What is wrong with the text of a subnet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum SubnetError {
    /// No `/`.
    NoPrefix,
    /// What stands before the `/` is no address.
    NoAddress,
    /// What stands after the `/` is no number up to this.
    PrefixRange(u8),
    /// Bits beyond the prefix are set; the range meant is probably this.
    HostBits(Subnet),
    /// Loopback or multicast: no LAN has such addresses.
    NotUnicast,
}

impl Subnet {
    /// Reads CIDR notation.
    pub(super) fn parse(text: &str) -> Result<Self, SubnetError> {
        let (address, prefix) = text.split_once('/').ok_or(SubnetError::NoPrefix)?;
        let network: IpAddr = address.parse().map_err(|_| SubnetError::NoAddress)?;
        let width = width(network);
        let digits = !prefix.is_empty() && prefix.bytes().all(|b| b.is_ascii_digit());
        let prefix = match prefix.parse::<u8>() {
            Ok(prefix) if digits && prefix <= width => prefix,
            _ => return Err(SubnetError::PrefixRange(width)),
        };
        let start = Self {
            network: masked(network, prefix),
            prefix,
        };
        if !is_unicast(network) && !network.is_unspecified() {
            return Err(SubnetError::NotUnicast);
        }
        if start.network == network {
            Ok(start)
        } else {
            Err(SubnetError::HostBits(start))
        }
    }

    /// The first address of the range, which names it.
    #[must_use]
    pub const fn network(&self) -> IpAddr {
        self.network
    }

    /// How many leading bits all its addresses share.
    #[must_use]
    pub const fn prefix(&self) -> u8 {
        self.prefix
    }

    /// Whether an address is in the range.
    #[must_use]
    pub fn contains(&self, address: IpAddr) -> bool {
        self.network.is_ipv4() == address.is_ipv4() && masked(address, self.prefix) == self.network
    }

    /// Whether two ranges share an address.
    #[must_use]
    pub fn overlaps(&self, other: &Self) -> bool {
        self.contains(other.network) || other.contains(self.network)
    }

    /// Whether a host may have that address: in the range, of one host only, and neither its first nor, in IPv4, its last
    /// one, which name the network and everybody on it (RFC 1122 §3.2.1.3; RFC 4291 §2.6.1). Ranges of one
    /// or two addresses have no such names (RFC 3021, RFC 6164).
    #[must_use]
    pub fn may_host(&self, address: IpAddr) -> bool {
        let (first, last) = self.bounds();
        let number = to_bits(address);
        let pair = last - first <= 1;
        self.contains(address)
            && is_unicast(address)
            && (pair || (number != first && !(address.is_ipv4() && number == last)))
    }

    /// The addresses that hosts may have, in order.
    pub(super) fn hosts(&self) -> impl Iterator<Item = IpAddr> {
        let (first, last) = self.bounds();
        let is_ipv4 = self.network.is_ipv4();
        let subnet = *self;
        (first..=last)
            .map(move |bits| from_bits(bits, is_ipv4))
            .filter(move |address| subnet.may_host(*address))
    }

    /// The addresses that hosts may be given: without the first, which is the router's, where there is room.
    pub(super) fn assignable(&self) -> impl Iterator<Item = IpAddr> {
        let (first, last) = self.bounds();
        self.hosts().skip(usize::from(last - first > 1))
    }

    fn bounds(&self) -> (u128, u128) {
        let first = to_bits(self.network);
        let free = u32::from(width(self.network) - self.prefix);
        let size = 1u128.checked_shl(free).map_or(u128::MAX, |size| size - 1);
        (first, first | size)
    }
}

impl fmt::Display for Subnet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.network, self.prefix)
    }
}

pub(super) fn is_unicast(address: IpAddr) -> bool {
    !address.is_loopback() && !address.is_multicast() && !address.is_unspecified()
}

const fn width(address: IpAddr) -> u8 {
    if address.is_ipv4() { 32 } else { 128 }
}

fn masked(address: IpAddr, prefix: u8) -> IpAddr {
    let free = u32::from(width(address) - prefix.min(width(address)));
    let mask = u128::MAX.checked_shl(free).unwrap_or(0);
    from_bits(to_bits(address) & mask, address.is_ipv4())
}

fn to_bits(address: IpAddr) -> u128 {
    match address {
        IpAddr::V4(address) => u128::from(address.to_bits()),
        IpAddr::V6(address) => address.to_bits(),
    }
}

fn from_bits(bits: u128, is_ipv4: bool) -> IpAddr {
    match u32::try_from(bits) {
        Ok(bits) if is_ipv4 => IpAddr::V4(Ipv4Addr::from_bits(bits)),
        _ => IpAddr::V6(Ipv6Addr::from_bits(bits)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn subnet(text: &str) -> Subnet {
        Subnet::parse(text).unwrap()
    }

    #[test]
    fn ranges_contain_exactly_their_addresses() {
        let office = subnet("192.168.8.0/24");
        assert!(office.contains("192.168.8.255".parse().unwrap()));
        assert!(!office.contains("192.168.9.0".parse().unwrap()));
        assert!(!subnet("::/0").contains("10.0.0.1".parse().unwrap()));
        assert!(subnet("0.0.0.0/0").contains("255.255.255.255".parse().unwrap()));
    }

    #[test]
    fn the_network_and_broadcast_addresses_are_nobodys() {
        let hosts: Vec<_> = subnet("10.0.0.0/30")
            .hosts()
            .map(|a| a.to_string())
            .collect();
        assert_eq!(hosts, ["10.0.0.1", "10.0.0.2"]);
        assert_eq!(subnet("10.0.0.0/31").hosts().count(), 2);
        assert_eq!(subnet("10.0.0.7/32").hosts().count(), 1);
        assert_eq!(
            subnet("fd00::/64").hosts().next().unwrap().to_string(),
            "fd00::1"
        );
    }

    #[test]
    fn mistakes_are_told_apart() {
        assert_eq!(Subnet::parse("10.0.0.0"), Err(SubnetError::NoPrefix));
        assert_eq!(Subnet::parse("10.0.0/8"), Err(SubnetError::NoAddress));
        assert_eq!(
            Subnet::parse("10.0.0.0/33"),
            Err(SubnetError::PrefixRange(32))
        );
        assert_eq!(
            Subnet::parse("10.0.0.0/+8"),
            Err(SubnetError::PrefixRange(32))
        );
        assert_eq!(Subnet::parse("127.0.0.0/8"), Err(SubnetError::NotUnicast));
        assert_eq!(Subnet::parse("ff02::/16"), Err(SubnetError::NotUnicast));
        assert_eq!(
            Subnet::parse("10.0.0.9/24"),
            Err(SubnetError::HostBits(subnet("10.0.0.0/24")))
        );
    }

    #[test]
    fn overlap_means_one_holds_the_other() {
        assert!(subnet("10.0.0.0/8").overlaps(&subnet("10.9.0.0/16")));
        assert!(!subnet("10.0.0.0/24").overlaps(&subnet("10.0.1.0/24")));
        assert!(!subnet("0.0.0.0/0").overlaps(&subnet("::/0")));
    }
}
