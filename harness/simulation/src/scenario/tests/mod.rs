//! Whole files: what is made of them.

mod fixture;
mod mistakes;
mod tables;

use std::path::{Path, PathBuf};
use std::time::Duration;

use linefault_actors::Instant;
use linefault_actors::catalogue::Value;
use tracing::Level;

use self::fixture::{FULL, HOSTS, read, scenario};
use super::*;

/// The folder of scenarios, from this crate's own.
fn scenarios() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../scenarios")
}

fn resolved(text: &str, combination: usize, overrides: &[&str]) -> Scenario {
    let overrides: Vec<Override> = overrides
        .iter()
        .map(|text| Override::parse(text).unwrap())
        .collect();
    let file = read(text).unwrap();
    file.resolve(&file.combinations()[combination], &overrides)
        .unwrap()
}

#[test]
fn every_part_of_a_file_reaches_the_model() {
    let scenario = resolved(FULL, 0, &[]);
    let s = |seconds: u64| Instant::from_micros(seconds * 1_000_000);
    assert_eq!(scenario.run.seed, 7);
    assert_eq!(
        (scenario.run.platform, scenario.run.time_max),
        (Platform::Macos, s(120))
    );
    assert_eq!(scenario.latency.max, Duration::from_millis(8));
    assert_eq!(scenario.links.len(), 2, "both ways is the default");
    let addresses: Vec<String> = scenario
        .hosts
        .iter()
        .map(|host| host.address.to_string())
        .collect();
    assert_eq!(
        addresses,
        [
            "192.168.8.2:5070",
            "192.168.8.129:57446",
            "[fd00:9::2]:5062"
        ]
    );
    assert_eq!(scenario.hosts[2].platform, Platform::Windows);
    assert_eq!(
        scenario.hosts[0].platform,
        Platform::Macos,
        "the run's, from the matrix"
    );
    let shown: Vec<String> = scenario.faults.iter().map(ToString::to_string).collect();
    assert_eq!(
        shown,
        [
            "power-off bob",
            "drop 4xx BYE",
            "delay alice → proxy",
            "partition alice → proxy, bob"
        ]
    );
    assert_eq!(scenario.faults[0].lasts, Some(Duration::from_secs(5)));
    assert_eq!(scenario.faults[2].selection.probability, Some(5_000));
    let When::Seen { trigger, delay } = &scenario.faults[1].when else {
        panic!("has a trigger")
    };
    let text = Some("target unreachable".to_owned());
    assert_eq!(
        trigger.subject,
        Subject::Log {
            level: Level::WARN,
            message: text
        }
    );
    assert_eq!(*delay, Duration::ZERO);
    let StepAction::SendRaw { to, raw } = &scenario.steps[3].action else {
        panic!("is raw")
    };
    assert_eq!(
        (scenario.host(*to).name.as_str(), raw.as_slice()),
        ("proxy", &b"OPTIONS sip:sim.test SIP/2.0\r\n\r\n"[..])
    );
    let StepAction::Command(call) = &scenario.steps[1].action else {
        panic!("is a command")
    };
    assert_eq!(
        (call.name, call.arguments.text("to")),
        ("call", Some("bob"))
    );
    assert_eq!(
        scenario.known_bads[0].must_fail,
        ["bye-answered", "nobody-waits"]
    );
}

#[test]
fn settings_are_completed_with_the_actors_defaults() {
    let scenario = scenario(HOSTS);
    let proxy = &scenario.hosts[0].settings;
    assert_eq!(
        proxy.get("users"),
        Some(&Value::List(vec![
            Value::Text("1001".into()),
            Value::Text("1002".into())
        ]))
    );
    assert_eq!(
        (proxy.integer("limit"), proxy.switch("strict")),
        (Some(3), true)
    );
    let answer = scenario.hosts[1].settings.table("answer").unwrap();
    assert_eq!(answer.duration("pick_up"), Some(Duration::from_secs(1)));
    assert_eq!(scenario.hosts[1].settings.get("registrar"), None);
}

#[test]
fn only_keeps_what_applies_to_the_combination() {
    let expects = |scenario: Scenario| {
        scenario
            .expects
            .into_iter()
            .map(|expect| expect.name)
            .collect::<Vec<_>>()
    };
    assert_eq!(
        expects(resolved(FULL, 0, &[])),
        ["bye-answered", "warned", "no-false-alarm"]
    );
    let linux = resolved(FULL, 1, &[]);
    assert_eq!(linux.known_bads.len(), 0);
    assert_eq!(expects(linux), ["warned", "no-false-alarm"]);
    // An override is what counts, not the combination.
    assert_eq!(
        expects(resolved(FULL, 1, &["run.platform=windows"])),
        ["warned"]
    );
}

#[test]
fn within_counts_from_after_or_else_from_the_last_step_or_fault_with_a_time() {
    let expects = resolved(FULL, 0, &["outcome.expect.1.within=500ms"]).expects;
    assert_eq!(expects[0].opens, Instant::START);
    assert_eq!(
        expects[0].closes,
        Some(Instant::from_micros(14_000_000)),
        "13 s, the last step, and 1 s"
    );
    assert_eq!(expects[1].opens, Instant::from_micros(10_000_000));
    assert_eq!(expects[1].closes, Some(Instant::from_micros(10_500_000)));
    assert_eq!(expects[2].closes, None);
}

#[test]
fn a_matrix_is_every_combination_with_the_last_axis_fastest() {
    let text = format!(
        "{HOSTS}[matrix]\n\"run.platform\" = [\"linux\", \"macos\"]\n\"run.seed\" = [1, 2]\n"
    );
    let file = read(&text).unwrap();
    let shown: Vec<String> = file
        .combinations()
        .iter()
        .map(ToString::to_string)
        .collect();
    let expected = [
        "run.platform=linux, run.seed=1",
        "run.platform=linux, run.seed=2",
        "run.platform=macos, run.seed=1",
        "run.platform=macos, run.seed=2",
    ];
    assert_eq!(shown, expected);
    let last = file.resolve(&file.combinations()[3], &[]).unwrap();
    assert_eq!((last.run.platform, last.run.seed), (Platform::Macos, 2));
    assert_eq!(
        file.combinations()[3].slug(),
        "run.platform=macos,run.seed=2"
    );
    let plain = read(HOSTS).unwrap().combinations();
    assert!(plain.len() == 1 && plain[0].is_empty());
}

#[test]
fn overrides_reach_every_kind_of_place() {
    let overrides = [
        "run.seed=18446744073709551615",
        "network.latency=1ms",
        "host.bob.answer.ring=3s",
        "timeline.faults.0.at=11s",
        "host.proxy.limit=9",
    ];
    let scenario = resolved(FULL, 0, &overrides);
    assert_eq!(scenario.run.seed, u64::MAX);
    assert_eq!(scenario.latency.max, Duration::from_millis(1));
    assert_eq!(
        scenario.hosts[2]
            .settings
            .table("answer")
            .unwrap()
            .duration("ring"),
        Some(Duration::from_secs(3))
    );
    assert_eq!(
        scenario.faults[0].when,
        When::At(Instant::from_micros(11_000_000))
    );
    assert_eq!(scenario.hosts[0].settings.integer("limit"), Some(9));
}

#[test]
fn addresses_are_given_out_in_file_order_around_the_taken_ones() {
    let text = "title = \"x\"\n[host.a]\nactor = \"proxy\"\n[host.b]\nactor = \"proxy\"\naddress = \"10.0.0.3\"\n[host.c]\nactor = \"proxy\"\n";
    let addresses: Vec<String> = scenario(text)
        .hosts
        .iter()
        .map(|host| host.address.to_string())
        .collect();
    assert_eq!(
        addresses,
        ["10.0.0.2:5070", "10.0.0.3:5070", "10.0.0.4:5070"]
    );
}

#[test]
fn byte_order_mark_and_carriage_returns_change_nothing() {
    let plain = resolved(FULL, 0, &[]);
    let windows = format!("\u{feff}{}", FULL.replace('\n', "\r\n"));
    let other = resolved(&windows, 0, &[]);
    assert_eq!(format!("{:?}", plain.hosts), format!("{:?}", other.hosts));
    assert_eq!(plain.expects.len(), other.expects.len());
}
