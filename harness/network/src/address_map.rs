//! What is known by IP address.

use std::collections::BTreeMap;
use std::net::IpAddr;

/// A map from IP addresses. Every packet is looked up several times, and numbers compare faster than addresses.
#[derive(Clone, Debug)]
pub struct AddressMap<V>(BTreeMap<(bool, u128), V>);

impl<V> AddressMap<V> {
    /// What is known by that address.
    #[must_use]
    pub fn get(&self, address: IpAddr) -> Option<&V> {
        self.0.get(&number(address))
    }

    /// Makes something known by an address, in place of what was.
    pub fn insert(&mut self, address: IpAddr, value: V) {
        self.0.insert(number(address), value);
    }
}

impl<V> Default for AddressMap<V> {
    fn default() -> Self {
        Self(BTreeMap::new())
    }
}

impl<V> FromIterator<(IpAddr, V)> for AddressMap<V> {
    fn from_iter<I: IntoIterator<Item = (IpAddr, V)>>(known: I) -> Self {
        let known = known.into_iter();
        Self(
            known
                .map(|(address, value)| (number(address), value))
                .collect(),
        )
    }
}

fn number(address: IpAddr) -> (bool, u128) {
    match address {
        IpAddr::V4(address) => (false, address.to_bits().into()),
        IpAddr::V6(address) => (true, address.to_bits()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    // ::1.2.3.4 and 1.2.3.4 have the same bits, and are two addresses.
    #[test]
    fn families_are_apart() {
        let four: IpAddr = "1.2.3.4".parse().expect("an address");
        let six: IpAddr = "::1.2.3.4".parse().expect("an address");
        let map: AddressMap<u8> = [(four, 4)].into_iter().collect();
        assert_eq!((map.get(four), map.get(six)), (Some(&4), None));
    }
}
