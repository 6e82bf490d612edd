//! The name of a call.

use std::fmt;
use std::str::FromStr;

use md5::{Digest as _, Md5};

/// The 16 bytes that the first frame of a connection carries, written as RFC 9562 §4 does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Uuid(pub [u8; 16]);

/// The text is no UUID: 32 hexadecimal digits, in groups of 8, 4, 4, 4 and 12 or in one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UuidError(pub String);

impl Uuid {
    /// The UUID of a name in a name space: the same for the same two, and no random number needed.
    // RFC 9562 §5.3: MD5 over the name space and the name; then the version, 3, and the variant, 10, in their places.
    #[must_use]
    pub fn named(space: Self, name: &str) -> Self {
        let hash = Md5::new().chain_update(space.0).chain_update(name);
        let mut bytes: [u8; 16] = hash.finalize().into();
        bytes[6] = bytes[6] & 0x0f | 0x30;
        bytes[8] = bytes[8] & 0x3f | 0x80;
        Self(bytes)
    }
}

impl FromStr for Uuid {
    type Err = UuidError;

    fn from_str(text: &str) -> Result<Self, UuidError> {
        let wrong = || UuidError(text.to_owned());
        let groups: Vec<usize> = text.split('-').map(str::len).collect();
        if groups != [8, 4, 4, 4, 12] && groups != [32] {
            return Err(wrong());
        }
        let mut digits = text.chars().filter(|c| *c != '-').map(|c| c.to_digit(16));
        let mut bytes = [0; 16];
        for byte in &mut bytes {
            let (Some(Some(high)), Some(Some(low))) = (digits.next(), digits.next()) else {
                return Err(wrong());
            };
            *byte = (high << 4 | low) as u8;
        }
        Ok(Self(bytes))
    }
}

impl fmt::Display for Uuid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (place, byte) in self.0.iter().enumerate() {
            if matches!(place, 4 | 6 | 8 | 10) {
                f.write_str("-")?;
            }
            write!(f, "{byte:02x}")?;
        }
        Ok(())
    }
}

impl fmt::Display for UuidError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}` is no UUID", self.0)
    }
}

impl std::error::Error for UuidError {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_uuid_reads_back_as_written_and_nothing_else_is_one() {
        let text = "40325ec2-5efd-4bd3-805f-53576e581d13";
        assert_eq!(
            text.parse::<Uuid>().map(|id| id.to_string()),
            Ok(text.into())
        );
        assert_eq!(text.replace('-', "").parse::<Uuid>(), text.parse::<Uuid>());
        for wrong in [
            "",
            "40325ec2",
            &text.replace('4', "g"),
            &format!("{text}0"),
            "é",
        ] {
            assert_eq!(wrong.parse::<Uuid>(), Err(UuidError(wrong.to_owned())));
        }
    }
    // The test vector of RFC 9562 appendix A.2: the name space of host names.
    #[test]
    fn a_name_has_the_uuid_that_the_rfc_computes() -> Result<(), UuidError> {
        let hosts = "6ba7b810-9dad-11d1-80b4-00c04fd430c8".parse()?;
        let wanted = "5df41881-3aed-3515-88a7-2f4a814cf09e".parse()?;
        assert_eq!(Uuid::named(hosts, "www.example.com"), wanted);
        Ok(())
    }
}
