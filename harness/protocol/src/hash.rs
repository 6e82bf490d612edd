//! The one hash of this crate: for loop detection, and to search among many texts quickly.

/// FNV-1a, 64 bits: a hash whose value is pinned by its definition.
pub(crate) fn fnv(bytes: impl Iterator<Item = u8>) -> u64 {
    bytes.fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    })
}
