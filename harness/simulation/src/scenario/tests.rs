//! Whole files: what is made of them, and that no file makes the reader panic.

use std::time::Duration;

use linefault_actors::Instant;
use linefault_actors::catalogue::Value;
use tracing::Level;

use super::file::File;
use super::fixture::{FULL, HOSTS, mistakes, names, read, scenario};
use super::*;

fn resolved(text: &str, combination: usize, overrides: &[&str]) -> Scenario {
    let overrides: Vec<Override> = overrides
        .iter()
        .map(|text| Override::parse(text).unwrap())
        .collect();
    let file = read(text).unwrap();
    file.resolve(&file.combinations()[combination], &overrides)
        .unwrap()
}

fn refused(text: &str, argument: &str) -> String {
    let file = read(text).unwrap();
    let given = Override::parse(argument).unwrap();
    file.resolve(&file.combinations()[0], &[given])
        .unwrap_err()
        .render(false)
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
fn a_mistake_in_a_value_of_the_matrix_is_reported_once_and_there() {
    let text = format!(
        "{HOSTS}[matrix]\n\"run.seed\" = [1, 2]\n\"run.platform\" = [\"linux\", \"mac\"]\n"
    );
    let found = read(&text).map(|_| ()).unwrap_err();
    assert_eq!(found.iter().count(), 1);
    assert!(found.render(false).contains("test.toml:13:28"), "{found}");
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
fn a_wrong_override_is_shown_in_its_own_text() {
    let shown = [
        "run.sed=1",
        "host.bop.user=x",
        "run.seed=one",
        "run.time_max=5",
        "run.platform=mac",
        "matrix.x=1",
        "timeline.faults.9.at=1s",
    ]
    .map(|argument| refused(FULL, argument));
    insta::assert_snapshot!(shown.join("\n"));
}

#[test]
fn an_override_without_an_equals_sign_is_none() {
    assert!(Override::parse("run.seed").is_err() && Override::parse("=1").is_err());
}

#[test]
fn all_mistakes_come_in_one_go_and_in_order() {
    let text = "titel = \"x\"\n[run]\nseed = \"one\"\n[host.a]\nactor = \"phnoe\"\n[host.b]\nactor = \"phone\"\n";
    let expected = [
        "`title` is missing",
        "there is no key `titel` here",
        "expected a whole number from 0",
        "there is no actor `phnoe`",
        "`phone` needs `user`",
    ];
    assert_eq!(mistakes(text), expected);
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

#[test]
fn a_point_shows_the_place_of_what_failed() {
    let file = read(FULL).unwrap();
    let scenario = resolved(FULL, 0, &[]);
    let text = file.point(
        scenario.expects[0].span,
        "`bye-answered` does not hold",
        "no 408 BYE by 13.000",
        None,
        false,
    );
    insta::assert_snapshot!(text);
}

#[test]
fn no_text_makes_the_reader_panic() {
    // Renders too, because a place beyond the text would panic only there.
    let survives = |text: &str| drop(read(text).map_err(|found| found.render(false)));
    survives("");
    survives("\0");
    survives("\u{feff}");
    for index in (0..FULL.len()).filter(|index| FULL.is_char_boundary(*index)) {
        survives(&FULL[..index]);
        survives(&FULL[index..]);
        for replacement in ["\"", "[", "}", "=", "\0", "9", "é", "\n"] {
            survives(&format!(
                "{}{replacement}{}",
                &FULL[..index],
                FULL.get(index + 1..).unwrap_or_default()
            ));
        }
    }
}

#[test]
fn huge_and_deep_files_are_refused_and_not_swallowed() {
    let deep = [
        "[".repeat(500_000),
        format!("a = {}", "[".repeat(500_000)),
        format!("{} = 1", "a.".repeat(250_000) + "a"),
    ];
    let wide = format!(
        "title = \"x\"\n{}",
        (0..40_000)
            .map(|n| format!("k{n} = 1\n"))
            .collect::<String>()
    );
    let hosts = format!(
        "title = \"x\"\n{}",
        (0..20_000)
            .map(|n| format!("[host.h{n}]\nactor = \"proxy\"\n"))
            .collect::<String>()
    );
    for text in deep.iter().chain([&wide, &hosts]) {
        let found = read(text).map(|_| ()).unwrap_err();
        assert!(found.render(false).len() < 200_000);
    }
}

#[test]
fn bytes_that_are_not_utf_8_are_a_diagnostic_with_a_place() {
    let bytes = b"title = \"\xff\"\n";
    let found = File::read_bytes("test.toml", bytes, &names())
        .map(|_| ())
        .unwrap_err();
    assert!(
        found.render(false).contains("test.toml:1:10") && found.render(false).contains("0xff"),
        "{found}"
    );
}
