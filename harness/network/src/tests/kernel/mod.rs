//! The kernel's behaviour, row by row: what a program sees on each platform when a datagram cannot get through.

mod firewall;
mod icmp;
mod local;
mod neighbour;
mod socket;
mod table;
mod tcp_connect;
mod tcp_established;

use super::*;
use crate::fault::{self, Direction, Fault, LostRoute, Prohibited};
use crate::{Event, Injection, LossReason, Scope};

use SocketErrorKind as Kind;

const PLATFORMS: [Platform; 3] = [Platform::Linux, Platform::Macos, Platform::Windows];
/// Bob's port 9 is closed, Carol's as well.
const BOB: &str = "10.0.8.2:9";
const CAROL: &str = "10.0.9.3:9";

/// What happens, the fault that causes it, and what is expected of it.
type Row<Expected> = (&'static str, fn() -> Fault, Expected);

/// How Alice's socket is set up.
#[derive(Clone, Copy, Debug)]
struct Setup {
    connected: bool,
    recverr: bool,
}

const UNCONNECTED: Setup = Setup {
    connected: false,
    recverr: false,
};
const CONNECTED: Setup = Setup {
    connected: true,
    recverr: false,
};
const RECVERR: Setup = Setup {
    connected: false,
    recverr: true,
};
const CONNECTED_RECVERR: Setup = Setup {
    connected: true,
    recverr: true,
};

fn open(world: &World, setup: Setup, peer: &str) -> UdpSocket {
    let socket = bind(&world.idle(world.alice), "[::]:5060");
    let v4 = bind(&world.network.host(world.alice), "10.0.8.1:5061");
    let socket = if peer.starts_with('[') { socket } else { v4 };
    socket.set_recverr(setup.recverr);
    if setup.connected {
        socket
            .connect(peer.parse().expect("valid"))
            .expect("a remote fault lets UDP connect");
    }
    socket
}
