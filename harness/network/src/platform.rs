//! What a socket error is called: its kind, and the number and words that each platform gives it.

use std::fmt;

/// Whose kernel a host runs: it decides error numbers, words, and how errors reach a socket.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Platform {
    /// Linux 6.18, measured.
    Linux,
    /// macOS, from documentation and the BSD sources.
    Macos,
    /// Windows, from documentation.
    Windows,
}

/// What went wrong, independent of the platform's number for it: 65 is `HostUnreachable` on macOS only.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum SocketErrorKind {
    /// `EHOSTUNREACH`.
    HostUnreachable,
    /// `ENETUNREACH`.
    NetUnreachable,
    /// `ECONNREFUSED`.
    ConnectionRefused,
    /// `ECONNRESET`.
    ConnectionReset,
    /// `ETIMEDOUT`.
    TimedOut,
    /// `EHOSTDOWN`.
    HostDown,
    /// `ENETDOWN`.
    NetDown,
    /// `ENETRESET`: what Windows makes of a TTL that ran out.
    NetReset,
    /// `EMSGSIZE`.
    MessageTooLong,
    /// `ENOPROTOOPT`.
    ProtocolNotAvailable,
    /// `EINVAL`.
    InvalidArgument,
    /// `EACCES`.
    PermissionDenied,
    /// `EPERM`.
    NotPermitted,
    /// `EPIPE`.
    BrokenPipe,
    /// `EADDRINUSE`.
    AddressInUse,
    /// `EADDRNOTAVAIL`.
    AddressNotAvailable,
    /// `EAFNOSUPPORT`: an IPv6 destination for an IPv4 socket.
    FamilyNotSupported,
    /// `EDESTADDRREQ`: a send without destination on a socket that is not connected.
    DestinationRequired,
    /// `EISCONN`: a destination given for a connected socket, where the platform minds.
    AlreadyConnected,
    /// `ENOTCONN`: the connection has ended.
    NotConnected,
    /// `EBADF`: the handle's process is gone, or its socket is closed.
    BadDescriptor,
}

use SocketErrorKind as Kind;

/// Every kind with its number on Linux, macOS and Windows, and the words of the Unix `strerror`.
const TABLE: [(Kind, [i32; 3], &str); 21] = [
    (Kind::HostUnreachable, [113, 65, 10065], "No route to host"),
    (
        Kind::NetUnreachable,
        [101, 51, 10051],
        "Network is unreachable",
    ),
    (
        Kind::ConnectionRefused,
        [111, 61, 10061],
        "Connection refused",
    ),
    (
        Kind::ConnectionReset,
        [104, 54, 10054],
        "Connection reset by peer",
    ),
    (Kind::TimedOut, [110, 60, 10060], "Connection timed out"),
    (Kind::HostDown, [112, 64, 10064], "Host is down"),
    (Kind::NetDown, [100, 50, 10050], "Network is down"),
    (
        Kind::NetReset,
        [102, 52, 10052],
        "Network dropped connection on reset",
    ),
    (Kind::MessageTooLong, [90, 40, 10040], "Message too long"),
    (
        Kind::ProtocolNotAvailable,
        [92, 42, 10042],
        "Protocol not available",
    ),
    (Kind::InvalidArgument, [22, 22, 10022], "Invalid argument"),
    (Kind::PermissionDenied, [13, 13, 10013], "Permission denied"),
    (Kind::NotPermitted, [1, 1, 10013], "Operation not permitted"),
    (Kind::BrokenPipe, [32, 32, 10058], "Broken pipe"),
    (
        Kind::AddressInUse,
        [98, 48, 10048],
        "Address already in use",
    ),
    (
        Kind::AddressNotAvailable,
        [99, 49, 10049],
        "Cannot assign requested address",
    ),
    (
        Kind::FamilyNotSupported,
        [97, 47, 10047],
        "Address family not supported by protocol",
    ),
    (
        Kind::DestinationRequired,
        [89, 39, 10039],
        "Destination address required",
    ),
    (
        Kind::AlreadyConnected,
        [106, 56, 10056],
        "Transport endpoint is already connected",
    ),
    (
        Kind::NotConnected,
        [107, 57, 10057],
        "Transport endpoint is not connected",
    ),
    (Kind::BadDescriptor, [9, 9, 10009], "Bad file descriptor"),
];

impl Platform {
    /// The platform's number for this kind of error.
    #[must_use]
    pub fn errno(self, kind: SocketErrorKind) -> i32 {
        let numbers = row(kind).map_or([0; 3], |(_, numbers, _)| *numbers);
        match self {
            Self::Linux => numbers[0],
            Self::Macos => numbers[1],
            Self::Windows => numbers[2],
        }
    }

    /// Where ephemeral ports come from: `net.ipv4.ip_local_port_range`, or IANA's range (RFC 6335 §6).
    #[must_use]
    pub const fn ephemeral_ports(self) -> (u16, u16) {
        match self {
            Self::Linux => (32768, 60999),
            Self::Macos | Self::Windows => (49152, 65535),
        }
    }
}

impl SocketErrorKind {
    /// Whether this says that the destination cannot be reached: `EHOSTUNREACH`, `ENETUNREACH` or `EHOSTDOWN`.
    #[must_use]
    pub const fn is_unreachable(self) -> bool {
        matches!(
            self,
            Self::HostUnreachable | Self::NetUnreachable | Self::HostDown
        )
    }
}

/// The words of the Unix `strerror`, without a number.
impl fmt::Display for SocketErrorKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(row(*self).map_or("Unknown error", |(_, _, words)| words))
    }
}

fn row(kind: SocketErrorKind) -> Option<&'static (Kind, [i32; 3], &'static str)> {
    TABLE.iter().find(|(candidate, ..)| *candidate == kind)
}

/// A socket call that failed: the kind to decide by, the number to show.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct SocketError {
    /// What went wrong.
    pub kind: SocketErrorKind,
    /// The number that the host's platform gives it.
    pub errno: i32,
}

impl SocketError {
    /// This kind of error as the platform numbers it.
    #[must_use]
    pub fn new(kind: SocketErrorKind, platform: Platform) -> Self {
        Self {
            kind,
            errno: platform.errno(kind),
        }
    }
}

/// As Rust's standard library words it: `No route to host (os error 113)`.
impl fmt::Display for SocketError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} (os error {})", self.kind, self.errno)
    }
}

impl std::error::Error for SocketError {}

/// Keeps the error inside: its number is the simulated platform's and would mean something else on the one that runs.
impl From<SocketError> for std::io::Error {
    fn from(error: SocketError) -> Self {
        use std::io::ErrorKind as Io;
        let kind = match error.kind {
            Kind::HostUnreachable | Kind::HostDown => Io::HostUnreachable,
            Kind::NetUnreachable => Io::NetworkUnreachable,
            Kind::NetDown => Io::NetworkDown,
            Kind::ConnectionRefused => Io::ConnectionRefused,
            Kind::ConnectionReset | Kind::NetReset => Io::ConnectionReset,
            Kind::TimedOut => Io::TimedOut,
            Kind::PermissionDenied | Kind::NotPermitted => Io::PermissionDenied,
            Kind::InvalidArgument => Io::InvalidInput,
            Kind::BrokenPipe => Io::BrokenPipe,
            Kind::AddressInUse => Io::AddrInUse,
            Kind::AddressNotAvailable => Io::AddrNotAvailable,
            Kind::NotConnected => Io::NotConnected,
            _ => Io::Other,
        };
        Self::new(kind, error)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    // Every row of the table of numbers that the measurements gave, so that a slip of one digit shows.
    #[test]
    fn numbers_are_each_platforms_own() {
        let expected = [
            (Kind::HostUnreachable, 113, 65, 10065),
            (Kind::NetUnreachable, 101, 51, 10051),
            (Kind::ConnectionRefused, 111, 61, 10061),
            (Kind::ConnectionReset, 104, 54, 10054),
            (Kind::TimedOut, 110, 60, 10060),
            (Kind::HostDown, 112, 64, 10064),
            (Kind::NetDown, 100, 50, 10050),
            (Kind::MessageTooLong, 90, 40, 10040),
            (Kind::ProtocolNotAvailable, 92, 42, 10042),
            (Kind::InvalidArgument, 22, 22, 10022),
            (Kind::PermissionDenied, 13, 13, 10013),
            (Kind::NotPermitted, 1, 1, 10013),
            (Kind::BrokenPipe, 32, 32, 10058),
        ];
        for (kind, linux, macos, windows) in expected {
            let numbers = [Platform::Linux, Platform::Macos, Platform::Windows]
                .map(|platform| platform.errno(kind));
            assert_eq!(numbers, [linux, macos, windows], "{kind}");
        }
    }

    // A kind without a row would print "Unknown error": each appears exactly once.
    #[test]
    fn every_kind_has_one_row() {
        for (kind, ..) in &TABLE {
            assert_eq!(
                TABLE.iter().filter(|(other, ..)| other == kind).count(),
                1,
                "{kind:?}"
            );
        }
        assert_eq!(TABLE.len(), Kind::BadDescriptor as usize + 1);
    }

    #[test]
    fn displays_as_the_standard_library_does() {
        let error = SocketError::new(Kind::HostUnreachable, Platform::Macos);
        assert_eq!(error.to_string(), "No route to host (os error 65)");
    }
}
