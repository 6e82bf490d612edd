//! turmoil's errors in the actors' words, with Linux's numbers: turmoil has none of its own.

use std::io;

use linefault_actors::{SocketError, SocketErrorKind as Kind};

/// Another host's address, or none.
pub(super) const NOT_AVAILABLE: SocketError = SocketError {
    kind: Kind::AddressNotAvailable,
    errno: 99,
};

#[expect(clippy::needless_pass_by_value, reason = "it is what `map_err` calls")]
pub(super) fn translate(error: io::Error) -> SocketError {
    let (kind, errno) = match error.kind() {
        io::ErrorKind::ConnectionRefused => (Kind::ConnectionRefused, 111),
        io::ErrorKind::ConnectionReset => (Kind::ConnectionReset, 104),
        io::ErrorKind::BrokenPipe => (Kind::BrokenPipe, 32),
        io::ErrorKind::NotConnected => (Kind::NotConnected, 107),
        io::ErrorKind::AddrInUse => (Kind::AddressInUse, 98),
        io::ErrorKind::AddrNotAvailable => (Kind::AddressNotAvailable, 99),
        // EIO.
        _ => (Kind::Other, 5),
    };
    SocketError { kind, errno }
}
