//! Address prefixes.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::str::FromStr;

/// An IPv4 or IPv6 prefix such as `192.168.8.0/24`; the bits after it are zero.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Subnet {
    address: IpAddr,
    length: u8,
}

/// Why a prefix cannot be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SubnetError {
    /// Not of the form `address/length`.
    Malformed(String),
    /// Longer than the address.
    TooLong(u8),
}

impl Subnet {
    /// The prefix of this length around `address`.
    ///
    /// # Errors
    /// [`SubnetError::TooLong`] above 32 (IPv4) or 128 (IPv6).
    pub fn new(address: IpAddr, length: u8) -> Result<Self, SubnetError> {
        let address = match address {
            IpAddr::V4(v4) if length <= 32 => IpAddr::V4((u32::from(v4) & mask_v4(length)).into()),
            IpAddr::V6(v6) if length <= 128 => {
                IpAddr::V6((u128::from(v6) & mask_v6(length)).into())
            }
            _ => return Err(SubnetError::TooLong(length)),
        };
        Ok(Self { address, length })
    }

    /// Whether the address lies within; never across families.
    #[must_use]
    pub fn contains(&self, address: IpAddr) -> bool {
        Self::new(address, self.length).is_ok_and(|other| other == *self)
    }

    /// Whether this is the directed broadcast address of an IPv4 prefix (RFC 919 §7; none in a /31, RFC 3021 §2.1).
    #[must_use]
    pub fn is_broadcast(&self, address: IpAddr) -> bool {
        let (IpAddr::V4(base), IpAddr::V4(v4)) = (self.address, address) else {
            return false;
        };
        self.length < 31 && u32::from(v4) == u32::from(base) | !mask_v4(self.length)
    }

    /// The first address after the prefix itself: where a LAN's router is said to be.
    #[must_use]
    pub fn first_address(&self) -> IpAddr {
        match self.address {
            IpAddr::V4(v4) => Ipv4Addr::from(u32::from(v4).wrapping_add(1)).into(),
            IpAddr::V6(v6) => Ipv6Addr::from(u128::from(v6).wrapping_add(1)).into(),
        }
    }
}

const fn mask_v4(length: u8) -> u32 {
    if length == 0 {
        0
    } else {
        u32::MAX << (32 - length)
    }
}

const fn mask_v6(length: u8) -> u128 {
    if length == 0 {
        0
    } else {
        u128::MAX << (128 - length)
    }
}

impl FromStr for Subnet {
    type Err = SubnetError;

    fn from_str(text: &str) -> Result<Self, SubnetError> {
        let malformed = || SubnetError::Malformed(text.to_owned());
        let (address, length) = text.split_once('/').ok_or_else(malformed)?;
        let address = address.parse().map_err(|_| malformed())?;
        Self::new(address, length.parse().map_err(|_| malformed())?)
    }
}

impl fmt::Display for Subnet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.address, self.length)
    }
}

impl fmt::Display for SubnetError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Malformed(text) => {
                write!(f, "`{text}` is no address prefix such as 192.168.8.0/24")
            }
            Self::TooLong(length) => {
                write!(f, "a prefix of {length} bits is longer than the address")
            }
        }
    }
}

impl std::error::Error for SubnetError {}

#[cfg(test)]
mod tests {
    use super::*;

    fn holds(subnet: &str, address: &str) -> bool {
        subnet
            .parse::<Subnet>()
            .expect("valid")
            .contains(address.parse().expect("valid"))
    }

    #[test]
    fn contains_by_prefix_and_family() {
        assert!(
            holds("192.168.8.0/24", "192.168.8.255") && !holds("192.168.8.0/24", "192.168.9.0")
        );
        assert!(
            holds("10.1.2.3/8", "10.200.0.1"),
            "host bits of the prefix do not count"
        );
        assert!(holds("fd00:8::/64", "fd00:8::1") && !holds("fd00:8::/64", "fd00:9::1"));
        assert!(holds("0.0.0.0/0", "1.2.3.4") && !holds("0.0.0.0/0", "::1"));
    }

    #[test]
    fn refuses_what_is_no_prefix() {
        assert_eq!(
            "10.0.0.0/33".parse::<Subnet>(),
            Err(SubnetError::TooLong(33))
        );
        for text in ["10.0.0.0", "10.0.0/8", "10.0.0.0/x", "/8", ""] {
            assert_eq!(
                text.parse::<Subnet>(),
                Err(SubnetError::Malformed(text.to_owned()))
            );
        }
    }

    #[test]
    fn broadcast_is_the_last_address_of_an_ipv4_prefix() {
        let subnet = Subnet::from_str("192.168.8.0/24").expect("valid");
        assert!(subnet.is_broadcast("192.168.8.255".parse().expect("valid")));
        assert!(!subnet.is_broadcast("192.168.8.254".parse().expect("valid")));
        let pair = Subnet::from_str("10.0.0.0/31").expect("valid");
        assert!(!pair.is_broadcast("10.0.0.1".parse().expect("valid")));
    }
}
