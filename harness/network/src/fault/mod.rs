//! Faults: rules that judge packets and sends in the order of their arming, and changes to hosts.
//!
//! A new fault is one file in this folder and one line in [`CATALOGUE`]; the errors that routers send share a file.

mod args;
mod armed;
mod corrupt;
mod delay;
mod drop;
mod duplicate;
mod firewall_block;
mod heal;
mod icmp;
mod injection;
mod interface_down;
mod kill;
mod neighbour_gone;
mod partition;
mod power_off;
mod reorder;
mod reset;
mod restart;
mod route_lost;
mod rule;
mod scope;
mod stall;
mod truncate;

pub use self::args::{Acts, ArgError, ArgProblem, ArgValue, Args, Entry, Param, ParamKind};
pub(crate) use self::armed::{Armed, Disarmed, Faults};
pub use self::corrupt::corrupt;
pub use self::delay::delay;
pub use self::drop::drop;
pub use self::duplicate::duplicate;
pub use self::firewall_block::{Direction, firewall_block};
pub use self::heal::heal;
pub use self::icmp::{
    Prohibited, fragmentation_needed, host_unreachable, net_unreachable, port_unreachable,
    prohibited, protocol_unreachable, ttl_exceeded,
};
pub use self::injection::{FaultReport, Injection, Matching};
pub use self::interface_down::interface_down;
pub use self::kill::kill;
pub use self::neighbour_gone::neighbour_gone;
pub use self::partition::partition;
pub use self::power_off::power_off;
pub use self::reorder::reorder;
pub use self::reset::{Sides, reset};
pub use self::restart::restart;
pub use self::route_lost::{LostRoute, route_lost};
pub use self::rule::{Fault, HostChange, Phase, Rule, Verdict};
pub use self::scope::Scope;
pub use self::stall::stall;
pub use self::truncate::truncate;

/// Every fault there is.
pub const CATALOGUE: &[Entry] = &[
    drop::ENTRY,
    delay::ENTRY,
    duplicate::ENTRY,
    reorder::ENTRY,
    corrupt::ENTRY,
    truncate::ENTRY,
    partition::ENTRY,
    heal::ENTRY,
    icmp::HOST_UNREACHABLE,
    icmp::NET_UNREACHABLE,
    icmp::PORT_UNREACHABLE,
    icmp::PROTOCOL_UNREACHABLE,
    icmp::PROHIBITED,
    icmp::TTL_EXCEEDED,
    icmp::FRAGMENTATION_NEEDED,
    route_lost::ENTRY,
    interface_down::ENTRY,
    firewall_block::ENTRY,
    neighbour_gone::ENTRY,
    kill::ENTRY,
    power_off::ENTRY,
    restart::ENTRY,
    reset::ENTRY,
    stall::ENTRY,
];

/// The catalogue's entry of this name.
#[must_use]
pub fn find(name: &str) -> Option<&'static Entry> {
    CATALOGUE.iter().find(|entry| entry.name == name)
}

/// An injected fault, numbered from 0 in the order of injection.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FaultId(pub(crate) u32);

impl FaultId {
    /// The number.
    #[must_use]
    pub const fn index(self) -> usize {
        self.0 as usize
    }
}
