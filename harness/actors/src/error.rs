//! What a socket call can fail with, as the actors see it.
//!
//! The *kind* is what decisions are made on; the number is for log lines, since it differs between
//! platforms (65 is EHOSTUNREACH on macOS and another error on Linux).

use std::fmt;

/// A failed socket call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct SocketError {
    /// What happened, independent of the platform.
    pub kind: SocketErrorKind,
    /// The number that this platform gives it.
    pub errno: i32,
}

impl SocketError {
    /// Whether the target cannot be reached: EHOSTUNREACH, ENETUNREACH or EHOSTDOWN, never a number.
    #[must_use]
    pub const fn is_unreachable(self) -> bool {
        use SocketErrorKind::{HostDown, HostUnreachable, NetworkUnreachable};
        matches!(self.kind, HostUnreachable | NetworkUnreachable | HostDown)
    }
}

impl fmt::Display for SocketError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "[Errno {}] {}", self.errno, self.kind.description())
    }
}

impl std::error::Error for SocketError {}

macro_rules! kinds {
    ($($(#[$doc:meta])* $kind:ident = $text:literal,)*) => {
        /// The kinds of failure, named after what happened.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum SocketErrorKind { $($(#[$doc])* $kind,)* }

        impl SocketErrorKind {
            /// The words of the C library for it.
            #[must_use]
            pub const fn description(self) -> &'static str {
                match self { $(Self::$kind => $text,)* }
            }
        }
    };
}

kinds! {
    /// EHOSTUNREACH.
    HostUnreachable = "No route to host",
    /// ENETUNREACH.
    NetworkUnreachable = "Network is unreachable",
    /// EHOSTDOWN.
    HostDown = "Host is down",
    /// ENETDOWN.
    NetworkDown = "Network is down",
    /// ECONNREFUSED.
    ConnectionRefused = "Connection refused",
    /// ECONNRESET.
    ConnectionReset = "Connection reset by peer",
    /// EPIPE.
    BrokenPipe = "Broken pipe",
    /// ETIMEDOUT.
    TimedOut = "Connection timed out",
    /// EMSGSIZE.
    MessageTooLong = "Message too long",
    /// ENOPROTOOPT.
    NoProtocolOption = "Protocol not available",
    /// EINVAL.
    InvalidArgument = "Invalid argument",
    /// EACCES.
    AccessDenied = "Permission denied",
    /// EPERM.
    NotPermitted = "Operation not permitted",
    /// EADDRINUSE.
    AddressInUse = "Address already in use",
    /// EADDRNOTAVAIL.
    AddressNotAvailable = "Cannot assign requested address",
    /// ENOTCONN.
    NotConnected = "Transport endpoint is not connected",
    /// Anything that this list has no name for.
    Other = "Unknown error",
}
