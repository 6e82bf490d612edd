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

#[cfg(test)]
mod tests {
    use std::fmt::Write;

    use super::*;

    const KINDS: [IcmpKind; 9] = [
        Icmp::NetUnreachable,
        Icmp::HostUnreachable,
        Icmp::ProtocolUnreachable,
        Icmp::PortUnreachable,
        Icmp::FragmentationNeeded { mtu: 1280 },
        Icmp::NetProhibited,
        Icmp::HostProhibited,
        Icmp::CommunicationProhibited,
        Icmp::TtlExceeded,
    ];

    /// One line an error: unconnected, connected, with `IP_RECVERR` unconnected and connected.
    fn table(platform: Platform, v6: bool) -> String {
        let mut text = String::new();
        for kind in KINDS {
            let setups = [(false, false), (true, false), (false, true), (true, true)];
            let cells = setups.map(|(connected, recverr)| {
                let told = reported(platform, kind, v6, connected, recverr);
                told.map_or("-".to_owned(), |kind| platform.errno(kind).to_string())
            });
            let name = format!("{kind:?}");
            writeln!(
                text,
                "{name:36} {}",
                cells.map(|cell| format!("{cell:>6}")).join("")
            )
            .expect("a string takes all");
        }
        text
    }

    // Every cell at once, to be read beside the measured table: a changed number shows in the diff.
    #[test]
    fn every_cell_of_every_platform() {
        let platforms = [Platform::Linux, Platform::Macos, Platform::Windows];
        let tables = platforms.map(|platform| {
            format!(
                "{platform:?} IPv4\n{}\n{platform:?} IPv6\n{}",
                table(platform, false),
                table(platform, true)
            )
        });
        insta::assert_snapshot!(tables.join("\n"));
    }
}
