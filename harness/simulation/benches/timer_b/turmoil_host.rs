//! The Timer B scenario's actors on `turmoil::Sim`.

use std::time::Duration;

use linefault::bridge::Cast;
use linefault::scenario::Scenario;

/// Alice calls bob, whom nothing reaches from the proxy, and hears 408 when the proxy's Timer B fires.
pub(crate) fn timer_b(scenario: &Scenario, until: Duration) {
    let cast = Cast::of(scenario).expect("turmoil can express it");
    let mut sim = turmoil::Builder::new()
        .tick_duration(Duration::from_millis(1))
        .simulation_duration(until + Duration::from_secs(1))
        .min_message_latency(Duration::from_millis(5))
        .max_message_latency(Duration::from_millis(5))
        .build();
    for actor in cast.actors() {
        sim.host(actor.ip(), move || actor.run());
    }
    let ip = |name| cast.actor(name).expect("it is in the scenario").ip();
    let (proxy, bob) = (ip("proxy"), ip("bob"));
    let mut cut = false;
    while sim.elapsed() < until {
        if !cut && sim.elapsed() >= Duration::from_millis(500) {
            sim.partition_oneway(proxy, bob);
            cut = true;
        }
        sim.step().expect("nobody fails");
    }
    let codes = cast.recording().status_codes().join("\n");
    assert!(codes.contains("408 INVITE"), "{codes}");
}
