//! Who is still registered after an outage: `remove_unreachable`.

use super::*;

/// Both phones registered; the proxy itself has no network from 55 s to 65 s, over a health check at 60 s.
fn outage_of_ten_seconds(policy: Removal) -> Pump {
    let mut pump = Pump::report_a(|config| config.remove_unreachable = policy);
    pump.tell("alice", "register", None);
    pump.tell("bob", "register", None);
    pump.run(55_000);
    pump.cut_off.insert("proxy");
    pump.run(65_000);
    pump.cut_off.clear();
    // All that doubts anybody has had its 64·T1 by then.
    pump.run(119_000);
    pump
}

#[traced_test]
#[test]
fn at_once_an_outage_of_the_proxys_own_uplink_unregisters_healthy_users() {
    // The known weakness of the policy: a local fault looks like dead phones.
    let mut pump = outage_of_ten_seconds(Removal::AtOnce);
    assert_eq!(pump.open("proxy", "binding"), Vec::<&str>::new());
    logs_assert(|lines| one(lines, &["removed unreachable binding", "sip:1002@sim.test"]));
    pump.tell("alice", "call", Some("bob"));
    pump.run(121_000);
    assert_eq!(pump.seen(&["119.005 proxy → alice 480 INVITE"]).len(), 1);
}

#[traced_test]
#[test]
fn after_probes_healthy_users_survive_an_outage_of_the_proxys_own_uplink() {
    let mut pump = outage_of_ten_seconds(Removal::AfterProbes);
    assert_eq!(pump.open("proxy", "binding").len(), 2);
    assert!(!logs_contain("removed"));
    pump.tell("alice", "call", Some("bob"));
    pump.run(125_000);
    assert_eq!(pump.open("bob", "dialog").len(), 1, "{:#?}", pump.trace);
    // Nothing of the probing is left but the call itself.
    pump.tell("alice", "hang-up", None);
    pump.run(165_000);
    assert_eq!(pump.left_over("proxy"), Vec::<String>::new());
}

#[test]
fn after_probes_a_call_during_the_outage_costs_nobody_a_registration() {
    let mut pump = Pump::report_a(|config| {
        config.remove_unreachable = Removal::AfterProbes;
        config.health_check = None;
    });
    pump.tell("alice", "register", None);
    pump.tell("bob", "register", None);
    pump.run(1000);
    // Only the way to bob is gone: alice hears of it at once.
    pump.failing.insert(address(BOB), NO_NETWORK);
    pump.tell("alice", "call", Some("bob"));
    pump.run(11_000);
    assert_eq!(pump.seen(&["1.005 proxy → alice 480 INVITE"]).len(), 1);
    pump.failing.clear();
    pump.run(40_000);
    assert_eq!(pump.open("proxy", "binding").len(), 2);
    assert_eq!(pump.seen(&["bob → proxy 200 OPTIONS"]).len(), 1);
}

#[test]
fn after_probes_a_route_that_comes_back_within_64_t1_costs_no_binding() {
    let mut pump = call_to_a_dead_phone(|config| config.remove_unreachable = Removal::AfterProbes);
    pump.tell("alice", "hang-up", None);
    pump.run(22_000);
    assert_eq!(pump.open("proxy", "binding").len(), 2);
    // OPTIONS at once, then 4 s apart while they cannot even be sent.
    assert_eq!(pump.seen(&["✗", "OPTIONS"]).len(), 3);
    pump.failing.clear();
    pump.run(40_000);
    assert_eq!(
        pump.open("proxy", "binding").len(),
        2,
        "the probe that left has not timed out"
    );
    // Nobody answers it: the phone is dead after all.
    pump.run(60_000);
    assert_eq!(pump.open("proxy", "binding").len(), 1);
}

#[traced_test]
#[test]
fn after_probes_a_contact_that_stays_unreachable_goes_after_64_t1() {
    let mut pump = call_to_a_dead_phone(|config| config.remove_unreachable = Removal::AfterProbes);
    pump.tell("alice", "hang-up", None);
    pump.run(44_004);
    assert_eq!(pump.open("proxy", "binding").len(), 2);
    pump.run(44_005);
    assert_eq!(pump.open("proxy", "binding").len(), 1);
    logs_assert(|lines| one(lines, &["INFO", "removed unreachable binding"]));
}
