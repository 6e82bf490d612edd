//! What a socket call can fail with, as the actors see it.
//!
//! The *kind* is what decisions are made on; the number is for log lines, since it differs between
//! platforms (65 is EHOSTUNREACH on macOS and another error on Linux).

use std::fmt;
use std::io;

/// A failed socket call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct SocketError {
    /// What happened, independent of the platform.
    pub kind: SocketErrorKind,
    /// The number that this platform gives it.
    pub errno: i32,
}

impl SocketError {
    /// A host that has no TCP, with Linux's number for it.
    pub(crate) const NO_TCP: Self = Self {
        kind: SocketErrorKind::ProtocolNotSupported,
        errno: 93,
    };

    /// The failed call inside an [`io::Error`], if it came from one.
    #[must_use]
    pub fn within(error: &io::Error) -> Option<Self> {
        error.get_ref()?.downcast_ref().copied()
    }

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

impl From<SocketError> for io::Error {
    fn from(error: SocketError) -> Self {
        use SocketErrorKind as Kind;
        let kind = match error.kind {
            Kind::HostUnreachable | Kind::HostDown => io::ErrorKind::HostUnreachable,
            Kind::NetworkUnreachable => io::ErrorKind::NetworkUnreachable,
            Kind::NetworkDown => io::ErrorKind::NetworkDown,
            Kind::ConnectionRefused => io::ErrorKind::ConnectionRefused,
            Kind::ConnectionReset => io::ErrorKind::ConnectionReset,
            Kind::BrokenPipe => io::ErrorKind::BrokenPipe,
            Kind::NotConnected => io::ErrorKind::NotConnected,
            Kind::TimedOut => io::ErrorKind::TimedOut,
            Kind::InvalidArgument => io::ErrorKind::InvalidInput,
            Kind::AccessDenied | Kind::NotPermitted => io::ErrorKind::PermissionDenied,
            Kind::AddressInUse => io::ErrorKind::AddrInUse,
            Kind::AddressNotAvailable => io::ErrorKind::AddrNotAvailable,
            Kind::ProtocolNotSupported => io::ErrorKind::Unsupported,
            Kind::MessageTooLong | Kind::NoProtocolOption | Kind::Other => io::ErrorKind::Other,
        };
        Self::new(kind, error)
    }
}

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
    /// EPROTONOSUPPORT.
    ProtocolNotSupported = "Protocol not supported",
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
