//! The network that a scenario describes.

use linefault_network::{HostId, HostOptions, Latency, Network, Platform, Subnet};

use crate::scenario::{self, Scenario};
use crate::trace::TracedHost;

/// Adds LANs, hosts and latencies to an empty network.
///
/// # Panics
/// If the network objects to what the reader has accepted.
pub(super) fn build(scenario: &Scenario, network: &Network) -> Vec<HostId> {
    const CHECKED: &str = "the reader checks names, subnets and addresses";
    network.set_default_latency(latency(scenario.latency));
    let add_lan = |lan: &scenario::Lan| {
        let subnet =
            |range: &scenario::Subnet| Subnet::new(range.network(), range.prefix()).expect(CHECKED);
        let subnets: Vec<_> = lan.subnets.iter().map(subnet).collect();
        let id = network.add_lan(&lan.name, &subnets).expect(CHECKED);
        if let Some(nat) = &lan.nat {
            network.add_nat(id, nat.clone()).expect(CHECKED);
        }
        id
    };
    let lans: Vec<_> = scenario.lans.iter().map(add_lan).collect();
    let add_host = |host: &scenario::Host| {
        let options = HostOptions {
            name: host.name.clone(),
            lan: lans[host.lan],
            addresses: vec![host.address.ip()],
            platform: platform(host.platform),
        };
        network.add_host(options).expect(CHECKED)
    };
    let ids: Vec<_> = scenario.hosts.iter().map(add_host).collect();
    for link in &scenario.links {
        network.set_latency(ids[link.from.0], ids[link.to.0], latency(link.latency));
    }
    ids
}

fn latency(latency: scenario::Latency) -> Latency {
    Latency {
        min: latency.min,
        max: latency.max,
    }
}

/// The hosts as readers of the trace know them.
pub(super) fn traced(scenario: &Scenario, ids: &[HostId]) -> Vec<TracedHost> {
    let traced = scenario.hosts.iter().zip(ids).map(|(host, id)| TracedHost {
        id: *id,
        name: host.name.clone(),
        address: host.address,
    });
    traced.collect()
}

fn platform(platform: scenario::Platform) -> Platform {
    match platform {
        scenario::Platform::Linux => Platform::Linux,
        scenario::Platform::Macos => Platform::Macos,
        scenario::Platform::Windows => Platform::Windows,
    }
}
