//! Which ICMP error becomes which socket error, on which socket: one table per platform.

use crate::packet::IcmpKind;
use crate::platform::{Platform, SocketErrorKind};

use IcmpKind as Icmp;
use SocketErrorKind as Kind;

/// What a socket is told of an ICMP error; `None` if nothing.
pub(super) fn reported(
    platform: Platform,
    icmp: IcmpKind,
    v6: bool,
    connected: bool,
    recverr: bool,
) -> Option<Kind> {
    match platform {
        Platform::Linux => linux(icmp, v6, connected, recverr),
        Platform::Macos => connected.then(|| bsd(icmp)),
        Platform::Windows => windows(icmp),
    }
}

/// `udp_err`, `icmp_err_convert` and `icmpv6_err_convert`: a soft error reaches only a socket with `IP_RECVERR`, a hard
/// one a connected socket as well.
fn linux(icmp: IcmpKind, v6: bool, connected: bool, recverr: bool) -> Option<Kind> {
    let (kind, hard) = match icmp {
        Icmp::NetUnreachable => (Kind::NetUnreachable, false),
        Icmp::HostUnreachable | Icmp::TtlExceeded => (Kind::HostUnreachable, false),
        Icmp::ProtocolUnreachable => (Kind::ProtocolNotAvailable, true),
        Icmp::PortUnreachable => (Kind::ConnectionRefused, true),
        Icmp::FragmentationNeeded { .. } => (Kind::MessageTooLong, true),
        // ICMPv6 knows one prohibition (type 1 code 1), and Linux makes EACCES of it.
        Icmp::NetProhibited | Icmp::HostProhibited | Icmp::CommunicationProhibited if v6 => {
            (Kind::PermissionDenied, true)
        }
        Icmp::NetProhibited => (Kind::NetUnreachable, true),
        Icmp::HostProhibited | Icmp::CommunicationProhibited => (Kind::HostUnreachable, true),
    };
    (recverr || (hard && connected)).then_some(kind)
}

/// The BSD map from ICMP to errors (`icmp_errmap`), which macOS shares as far as documentation goes.
fn bsd(icmp: IcmpKind) -> Kind {
    match icmp {
        Icmp::NetUnreachable | Icmp::HostUnreachable | Icmp::TtlExceeded => Kind::HostUnreachable,
        Icmp::FragmentationNeeded { .. } => Kind::MessageTooLong,
        Icmp::ProtocolUnreachable
        | Icmp::PortUnreachable
        | Icmp::NetProhibited
        | Icmp::HostProhibited
        | Icmp::CommunicationProhibited => Kind::ConnectionRefused,
    }
}

/// Microsoft's documentation of `recvfrom`: `WSAECONNRESET` after a port unreachable, `WSAENETRESET` after a TTL that
/// ran out, connected or not, and nothing else.
fn windows(icmp: IcmpKind) -> Option<Kind> {
    match icmp {
        Icmp::PortUnreachable => Some(Kind::ConnectionReset),
        Icmp::TtlExceeded => Some(Kind::NetReset),
        _ => None,
    }
}
