//! Request methods.
//!
//! Owns the registered names. Refuses nothing that is a token: an unknown method is `Other`, and what to do with it is
//! the element's decision (RFC 3261 §8.2.1).

use std::fmt;

/// A request method. Methods are case-sensitive (RFC 3261 §7.1): `invite` is `Other("invite")`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Method {
    /// RFC 3261 §13.
    Invite,
    /// RFC 3261 §13.2.2.4 and §17.1.1.3.
    Ack,
    /// RFC 3261 §15.
    Bye,
    /// RFC 3261 §9.
    Cancel,
    /// RFC 3261 §11.
    Options,
    /// RFC 3261 §10.
    Register,
    /// RFC 3262.
    Prack,
    /// RFC 3311.
    Update,
    /// RFC 6086.
    Info,
    /// RFC 6665.
    Subscribe,
    /// RFC 6665.
    Notify,
    /// RFC 3515.
    Refer,
    /// RFC 3428.
    Message,
    /// RFC 3903.
    Publish,
    /// Any other token.
    Other(Box<str>),
}

/// Gives each registered method its name, both ways.
macro_rules! names {
    ($($method:ident $name:literal,)*) => {
        impl Method {
            /// The name as it goes on the wire.
            #[must_use]
            pub fn as_str(&self) -> &str {
                match self {
                    $(Self::$method => $name,)*
                    Self::Other(name) => name,
                }
            }
        }

        impl From<&str> for Method {
            fn from(name: &str) -> Self {
                match name {
                    $($name => Self::$method,)*
                    other => Self::Other(other.into()),
                }
            }
        }

        #[cfg(test)]
        const NAMES: &[(Method, &str)] = &[$((Method::$method, $name)),*];
    };
}

names! {
    Invite "INVITE",
    Ack "ACK",
    Bye "BYE",
    Cancel "CANCEL",
    Options "OPTIONS",
    Register "REGISTER",
    Prack "PRACK",
    Update "UPDATE",
    Info "INFO",
    Subscribe "SUBSCRIBE",
    Notify "NOTIFY",
    Refer "REFER",
    Message "MESSAGE",
    Publish "PUBLISH",
}

impl fmt::Display for Method {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_reads_back_and_case_matters() {
        for (method, name) in NAMES {
            assert_eq!(Method::from(*name), *method);
            assert_eq!(method.to_string(), *name);
        }
        assert_eq!(Method::from("invite"), Method::Other("invite".into()));
    }
}
