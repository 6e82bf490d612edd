//! The hash of a trace.
//!
//! The canonical bytes of a record are what its derived `Hash` feeds to a hasher, with every integer
//! written little-endian and every size as 64 bits: the same on any machine that runs the same binary.

use std::fmt;
use std::hash::{Hash, Hasher};

use xxhash_rust::xxh3::Xxh3;

use super::Trace;

/// The XXH3-128 of a trace's canonical bytes, shown as 32 hexadecimal digits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TraceHash(u128);

impl TraceHash {
    pub(super) fn of(trace: &Trace) -> Self {
        let mut hasher = Canonical(Xxh3::new());
        trace.hosts.hash(&mut hasher);
        trace.records.hash(&mut hasher);
        Self(hasher.0.digest128())
    }
}

impl fmt::Display for TraceHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:032x}", self.0)
    }
}

struct Canonical(Xxh3);

macro_rules! little_endian {
    ($($method:ident: $type:ty as $wide:ty,)*) => {
        $(fn $method(&mut self, value: $type) {
            self.0.update(&(value as $wide).to_le_bytes());
        })*
    };
}

impl Hasher for Canonical {
    fn finish(&self) -> u64 {
        self.0.digest()
    }

    fn write(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }

    little_endian! {
        write_u8: u8 as u8,
        write_u16: u16 as u16,
        write_u32: u32 as u32,
        write_u64: u64 as u64,
        write_u128: u128 as u128,
        write_usize: usize as u64,
        write_i8: i8 as i8,
        write_i16: i16 as i16,
        write_i32: i32 as i32,
        write_i64: i64 as i64,
        write_i128: i128 as i128,
        write_isize: isize as i64,
    }
}
