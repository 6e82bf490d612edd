use std::time::Duration;

use super::*;
use crate::evidence::Evidence;
use crate::run::{Setup, Simulation, simulate};
use crate::scenario::{File, Scenario};
use crate::snapshot;
use crate::suite::names;

const CALL: &str = r#"
title = "A call"
[lan.office]
subnet = "10.0.0.0/24"
[host.proxy]
actor = "proxy"
domain = "sim.test"
[host.alice]
actor = "phone"
user = "alice"
registrar = "proxy"
[host.bob]
actor = "phone"
user = "bob"
registrar = "proxy"
[timeline]
steps = [
  { at = "0s", host = "alice", do = "register" },
  { at = "0s", host = "bob", do = "register" },
  { at = "100ms", host = "alice", do = "call", to = "bob" },
  { at = "3s", host = "alice", do = "hang-up" },
]
"#;

fn scenario(text: &str) -> Scenario {
    let file = File::read("call.toml", text, &names()).expect("no mistake in it");
    let combination = file.combinations().remove(0);
    file.resolve(&combination, &[]).expect("as it stands")
}

fn sim(cast: &Cast) -> turmoil::Sim<'_> {
    let mut sim = turmoil::Builder::new()
        .min_message_latency(Duration::from_millis(5))
        .max_message_latency(Duration::from_millis(5))
        .build();
    for actor in cast.actors() {
        sim.host(actor.ip(), move || actor.run());
    }
    sim
}

fn step_until(sim: &mut turmoil::Sim<'_>, seconds: u64) {
    while sim.elapsed() < Duration::from_secs(seconds) {
        sim.step().expect("nobody fails");
    }
}

fn summary(simulation: &Simulation) -> (Vec<String>, Vec<String>) {
    let codes = snapshot::status_codes(&Evidence::new(simulation));
    (codes, snapshot::log_levels(&simulation.trace))
}

/// The Call-IDs of a run, in order of appearance: drawn by the phones.
fn calls(simulation: &Simulation) -> Vec<String> {
    let evidence = Evidence::new(simulation);
    evidence.calls().map(str::to_owned).collect()
}

fn connections(simulation: &Simulation) -> usize {
    Evidence::new(simulation).connections.len()
}

// The same actors with the same luck on two simulators that share no code below the host: what they say must not differ.
// Over TCP nothing is a datagram, so that the second half shows the recorded segments being read: from as many connections
// as our own simulator saw, and over UDP from none.
#[test]
fn a_call_gives_the_same_codes_levels_and_call_ids_as_on_our_own_simulator() {
    let over_tcp = CALL.replace("registrar", "transport = \"tcp\"\nregistrar");
    for (text, is_tcp) in [(CALL, false), (over_tcp.as_str(), true)] {
        let scenario = scenario(text);
        let cast = Cast::of(&scenario).expect("nothing special in it");
        step_until(&mut sim(&cast), 5);
        let (theirs, ours) = (
            cast.recording().simulation(),
            simulate(&scenario, Setup::default()),
        );
        assert_eq!(summary(&theirs), summary(&ours));
        assert_eq!(calls(&theirs), calls(&ours));
        assert_eq!(connections(&theirs), connections(&ours));
        assert_eq!(connections(&theirs) > 0, is_tcp);
        let codes = cast.recording().status_codes().join("\n");
        assert!(codes.contains("200 INVITE · 200 BYE"), "{codes}");
    }
}

// Told from outside, a phone registers without any step; after a crash it is told in vain, and after a bounce it listens
// again: one REGISTER each time that it lives.
#[test]
fn a_remote_reaches_the_life_that_runs() {
    let (quiet, _) = CALL.split_once("[timeline]").expect("it has steps");
    let scenario = scenario(quiet);
    let cast = Cast::of(&scenario).expect("nothing special in it");
    let alice = cast.actor("alice").expect("she is in the scenario");
    let register = || Command {
        name: "register",
        arguments: Settings::default(),
    };
    let registered = || cast.recording().status_codes().join("\n");
    let mut sim = sim(&cast);
    step_until(&mut sim, 1);
    assert_eq!(registered(), "");
    alice.remote().tell(register());
    step_until(&mut sim, 2);
    assert_eq!(registered(), "proxy → alice   200 REGISTER");
    sim.crash(alice.ip());
    alice.remote().tell(register());
    step_until(&mut sim, 3);
    sim.bounce(alice.ip());
    step_until(&mut sim, 4);
    assert_eq!(registered(), "proxy → alice   200 REGISTER");
    alice.remote().tell(register());
    step_until(&mut sim, 5);
    assert_eq!(registered(), "proxy → alice   200×2 REGISTER");
}

// Each mistake names what it is about.
#[test]
fn what_turmoil_cannot_give_is_refused_by_name() {
    let behind = CALL.replace(
        "subnet = \"10.0.0.0/24\"",
        "subnet = \"10.0.0.0/24\"\nnat = { outside = \"203.0.113.1\" }",
    );
    let error = Cast::of(&scenario(&behind)).expect_err("it has a NAT");
    let lan = "office".to_owned();
    assert_eq!(error, Inexpressible::Nat { lan });
    let proxy = linefault_actors::catalogue::find("proxy").expect("in the catalogue");
    let error = Actor::new("prxy", proxy, &directory_of_proxy(), 1).expect_err("not listed");
    assert_eq!(
        error.to_string(),
        "no host is called \"prxy\": did you mean \"proxy\"?"
    );
}

fn directory_of_proxy() -> Directory {
    crate::run::directory(&scenario(CALL))
}
