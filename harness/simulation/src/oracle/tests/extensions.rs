//! Reliable provisional answers, session timers and transfers, under faults that no element is to blame for.

use super::*;

const CALL: &str = r#"title = "A call with everything"
HEAD
[lan.office]
subnet = "10.0.0.0/24"

[host.proxy]
actor = "proxy"
domain = "sim.test"

[host.alice]
actor = "phone"
user = "alice"
registrar = "proxy"
reliable_provisional = "supported"
session_expires = "90s"
refresh = "REFRESH"

[host.bob]
actor = "phone"
user = "bob"
registrar = "proxy"
reliable_provisional = "supported"
session_expires = "90s"
refresher = "uas"
refresh = "REFRESH"
answer = { ring = "300ms", early_media = "200ms", pick_up = "2s" }

[host.carol]
actor = "phone"
user = "carol"
registrar = "proxy"
reliable_provisional = "supported"
answer = { ring = "300ms", pick_up = "2s" }

[timeline]
steps = [
  { at = "0s", host = "alice", do = "register" },
  { at = "0s", host = "bob", do = "register" },
  { at = "0s", host = "carol", do = "register" },
  { at = "1s", host = "alice", do = "call", to = "bob" },
  { at = "8s", host = "alice", do = "ACT" },
  { at = "150s", host = "alice", do = "hang-up" },
  { at = "155s", host = "bob", do = "hang-up" },
]
faults = [
  FAULT
]
"#;

const TRANSFER: &str = "transfer\", to = \"carol";

fn run(head: &str, refresh: &str, act: &str, fault: &str) -> Simulation {
    let text = CALL.replace("HEAD", head).replace("REFRESH", refresh);
    let text = text.replace("ACT", act).replace("FAULT", fault);
    let file =
        File::read("call.toml", &text, &names()).unwrap_or_else(|mistakes| panic!("{mistakes}"));
    let scenario = file.resolve(&file.combinations()[0], &[]).unwrap();
    simulate(&scenario, Setup::default())
}

/// What the oracles find, but for a binding or a call of somebody who is gone.
fn objections(run: &Simulation) -> Vec<(&'static str, Finding)> {
    let mut found = findings(run);
    found.retain(|(name, _)| *name != "nothing-left-over");
    found
}

#[test]
fn faults_of_network_and_hosts_meet_no_objection() {
    let faults = [
        "",
        r#"{ at = "0s", fault = "reorder", from = "proxy", to = "bob", times = 3 },"#,
        r#"{ at = "0s", fault = "duplicate", from = "bob", to = "proxy", apart = "700ms" },"#,
        r#"{ at = "0s", fault = "duplicate", from = "proxy", to = "alice" },"#,
        r#"{ at = "1400ms", fault = "drop", message = "PRACK" },"#,
        r#"{ at = "1400ms", fault = "drop", message = "200 PRACK" },"#,
        r#"{ at = "0s", fault = "drop", message = "180 INVITE" },"#,
        r#"{ at = "0s", fault = "drop", message = "ACK" },"#,
        r#"{ at = "0s", fault = "drop", message = "200 INVITE", times = 4 },"#,
        r#"{ at = "5s", fault = "drop", message = "any NOTIFY" },"#,
        r#"{ at = "5s", fault = "drop", message = "any REFER" },"#,
        r#"{ at = "20s", fault = "drop", message = "any UPDATE" },"#,
        r#"{ at = "20s", fault = "drop", message = "any INVITE" },"#,
        r#"{ at = "1500ms", for = "20s", fault = "partition", between = [["proxy"], ["alice"]] },"#,
        r#"{ at = "30s", for = "60s", fault = "partition", between = [["proxy"], ["bob"]] },"#,
        r#"{ at = "9s", for = "70s", fault = "partition", between = [["proxy"], ["bob"]] },"#,
        r#"{ at = "2s", for = "1s", fault = "kill", host = "proxy" },"#,
        r#"{ at = "2s", for = "1s", fault = "power-off", host = "bob" },"#,
        r#"{ at = "9s", for = "1s", fault = "kill", host = "bob" },"#,
        r#"{ at = "20s", fault = "power-off", host = "bob" },"#,
        r#"{ at = "20s", fault = "power-off", host = "alice" },"#,
        r#"{ at = "9s", for = "40s", fault = "freeze", host = "bob" },"#,
        r#"{ at = "1400ms", for = "40s", fault = "freeze", host = "alice" },"#,
        r#"{ at = "3200ms", for = "1s", fault = "route-lost", host = "bob" },"#,
        r#"{ at = "0s", for = "30s", fault = "delay", from = "proxy", to = "bob", by = "600ms" },"#,
    ];
    for fault in faults {
        for refresh in ["re-invite", "update"] {
            for act in ["info", TRANSFER] {
                let run = run("", refresh, act, fault);
                assert_eq!(objections(&run), [], "{fault} {refresh} {act}");
            }
        }
    }
}

#[test]
fn slow_and_lossy_networks_meet_no_objection() {
    let lossy = r#"{ at = "500ms", fault = "drop", from = "proxy", to = "bob", probability = "20%" },
  { at = "500ms", fault = "drop", from = "alice", to = "proxy", probability = "20%" },"#;
    for latency in ["5ms", "600ms", "100ms..1500ms", "1ms..12s"] {
        for seed in 1..=4 {
            for refresh in ["re-invite", "update"] {
                for act in ["info", TRANSFER] {
                    let head =
                        format!("[run]\nseed = {seed}\n[network]\nlatency = \"{latency}\"\n");
                    let run = run(&head, refresh, act, lossy);
                    assert_eq!(objections(&run), [], "{latency} {seed} {refresh} {act}");
                }
            }
        }
    }
}

#[test]
fn each_rule_blames_who_broke_it() {
    let call = || run("", "update", "info", "");
    caught(
        &unsent(call(), "alice", "PRACK"),
        "reliable-provisionals",
        "alice",
    );
    caught(
        &unsent(call(), "bob", "UPDATE"),
        "sessions-refreshed",
        "bob",
    );
    let transfer = run("", "update", TRANSFER, "");
    caught(&unsent(transfer, "bob", "NOTIFY"), "transfers-told", "bob");
}
