//! Faults: rules that judge packets and sends in the order of their arming, and changes to hosts.
//!
//! A new fault is one file in this folder and one line in [`CATALOGUE`]; the errors that routers send share a file, and so
//! do the two faults of a NAT.

mod args;
mod armed;
mod corrupt;
mod crash;
mod delay;
mod drop;
mod duplicate;
mod firewall_block;
mod freeze;
mod heal;
mod icmp;
mod injection;
mod interface_down;
mod kill;
mod nat;
mod neighbour_gone;
mod partition;
mod power_off;
mod reorder;
mod reset;
mod restart;
mod resume;
mod route_lost;
mod rule;
mod scope;
mod slow;
mod stall;
mod truncate;

pub use self::args::{Acts, ArgError, ArgProblem, ArgValue, Args, Entry, Param, ParamKind};
pub(crate) use self::armed::{Armed, Disarmed, Faults};
pub use self::corrupt::corrupt;
pub use self::crash::crash;
pub use self::delay::delay;
pub use self::drop::drop;
pub use self::duplicate::duplicate;
pub use self::firewall_block::{Direction, Rejection, firewall_block, firewall_reject};
pub use self::freeze::freeze;
pub use self::heal::heal;
pub use self::icmp::{
    Prohibited, fragmentation_needed, host_unreachable, net_unreachable, port_unreachable,
    prohibited, protocol_unreachable, ttl_exceeded,
};
pub use self::injection::{FaultReport, Injection, Matching};
pub use self::interface_down::interface_down;
pub use self::kill::kill;
pub use self::nat::{nat_expire, nat_rebind};
pub use self::neighbour_gone::neighbour_gone;
pub use self::partition::partition;
pub use self::power_off::power_off;
pub use self::reorder::reorder;
pub use self::reset::{Sides, reset};
pub use self::restart::restart;
pub use self::resume::resume;
pub use self::route_lost::{LostRoute, route_lost};
pub use self::rule::{Fault, HostChange, Occasion, Phase, Rule, Verdict};
pub use self::scope::{Lane, Scope};
pub use self::slow::{QueueLimit, slow};
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
    slow::ENTRY,
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
    nat::EXPIRE,
    nat::REBIND,
    kill::ENTRY,
    crash::ENTRY,
    power_off::ENTRY,
    freeze::ENTRY,
    restart::ENTRY,
    resume::ENTRY,
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
