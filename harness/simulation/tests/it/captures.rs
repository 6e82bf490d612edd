//! `--pcap`: which files are written, what is refused, and what tshark makes of them.

use std::env;
use std::fs;
use std::path::Path;
use std::process::Command;

use linefault::evidence::Evidence;
use linefault::suite::Suite;

use crate::support::{CALL, folder_with, linefault, scenarios};

/// Begins every capture.
const MAGIC: &[u8] = &[0x0a, 0x0d, 0x0d, 0x0a];

const TWO: &str = "\n[matrix]\n\"run.platform\" = [\"macos\", \"linux\"]\n";

fn two() -> String {
    CALL.replace("\n[lan.office]", &format!("{TWO}\n[lan.office]"))
}

#[test]
fn one_test_goes_to_a_file_and_replay_writes_the_same() {
    let folder = folder_with("call.toml", CALL);
    let file = |name: &str| fs::read(folder.path().join(name)).expect("it was written");
    let ran = linefault(folder.path(), &["run", "call.toml", "--pcap", "run.pcapng"]);
    assert_eq!((ran.code, ran.err.as_str()), (Some(0), "1 passed\n"));
    assert!(file("run.pcapng").starts_with(MAGIC));
    // A second run replaces a capture, as a compiler does its output.
    fs::write(folder.path().join("again.pcapng"), MAGIC).expect("it can be written");
    let again = linefault(
        folder.path(),
        &["replay", "call.toml", "--pcap", "again.pcapng"],
    );
    assert_eq!(again.code, Some(0), "{}", again.err);
    assert_eq!(file("again.pcapng"), file("run.pcapng"));
}

#[test]
fn several_tests_go_to_a_folder_with_a_file_each() {
    let folder = folder_with("call.toml", &two());
    let ran = linefault(
        folder.path(),
        &["run", "call.toml", "--pcap", "deep/traffic"],
    );
    assert_eq!(ran.code, Some(0), "{}", ran.err);
    for platform in ["macos", "linux"] {
        let name = format!("deep/traffic/call@run.platform={platform}.pcapng");
        let bytes = fs::read(folder.path().join(&name)).expect(&name);
        assert!(bytes.starts_with(MAGIC), "{name}");
    }
}

// Each is known before a test runs: nothing may be printed as passed, and nothing that was there may change.
#[test]
fn what_cannot_be_written_is_a_mistake_before_anything_runs() {
    let folder = folder_with("call.toml", &two());
    fs::write(folder.path().join("notes.pcapng"), "my notes").expect("it can be written");
    fs::write(folder.path().join("notes"), "my notes").expect("it can be written");
    let one = ["--set", "run.platform=linux"];
    let mistakes = [
        (
            &["--pcap", "out.pcapng"][..],
            "out.pcapng takes the traffic of one test, and these are 2: name a folder",
        ),
        (
            &["--pcap", "out.pcap"],
            "out.pcap is neither a capture, whose name ends in .pcapng, nor a folder",
        ),
        (
            &["--pcap", "notes.pcapng", one[0], one[1]],
            "notes.pcapng is there already and no capture: it stays as it is",
        ),
        (&["--pcap", "notes"], "cannot write notes/call@"),
    ];
    for (arguments, expected) in mistakes {
        let all: Vec<_> = ["run", "call.toml"]
            .iter()
            .chain(arguments)
            .copied()
            .collect();
        let ran = linefault(folder.path(), &all);
        assert_eq!((ran.code, ran.out.as_str()), (Some(2), ""), "{arguments:?}");
        assert!(ran.err.contains(expected), "{arguments:?}\n{}", ran.err);
    }
    for name in ["notes", "notes.pcapng"] {
        let text = fs::read_to_string(folder.path().join(name)).expect("it is there still");
        assert_eq!(text, "my notes", "{name}");
    }
    assert!(!folder.path().join("out.pcapng").exists());
}

// The test passes, but the user asked for a file and has none: the exit code says so.
#[test]
fn a_folder_that_cannot_be_made_is_a_mistake_and_the_result_is_still_told() {
    let folder = folder_with("call.toml", CALL);
    let ran = linefault(
        folder.path(),
        &["run", "call.toml", "--pcap", "/dev/null/nowhere/out.pcapng"],
    );
    assert_eq!(ran.code, Some(2), "{}", ran.err);
    assert!(
        ran.err
            .contains("cannot write /dev/null/nowhere/out.pcapng"),
        "{}",
        ran.err
    );
}

/// The lines of tshark about a scenario's capture: these fields of the frames that a filter lets through.
fn frames(
    tshark: &Tshark,
    scenario: &str,
    set: &[&str],
    filter: &str,
    fields: &[&str],
) -> Vec<String> {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let capture = folder.path().join("out.pcapng");
    let path = capture.to_str().expect("it is UTF-8").to_owned();
    let mut arguments = vec!["replay", scenario, "--pcap", path.as_str()];
    arguments.extend(set.iter().flat_map(|set| ["--set", set]));
    let ran = linefault(&scenarios(), &arguments);
    assert_eq!(ran.code, Some(0), "{}", ran.err);
    tshark.read(&capture, filter, fields)
}

/// tshark, where it is and somebody wants it: a start of it takes half a second.
struct Tshark;

impl Tshark {
    fn find() -> Option<Self> {
        if env::var_os("LINEFAULT_REQUIRE_ALL").is_some() {
            return Some(Self);
        }
        skipped("tshark is started only with LINEFAULT_REQUIRE_ALL=1");
        None
    }

    fn read(&self, capture: &Path, filter: &str, fields: &[&str]) -> Vec<String> {
        let mut command = Command::new("tshark");
        for checksum in ["ip", "udp", "tcp"] {
            command.args(["-o", &format!("{checksum}.check_checksum:TRUE")]);
        }
        command.args(["-N", "n", "-T", "fields", "-E", "separator=|"]);
        command.args(fields.iter().flat_map(|field| ["-e", field]));
        let ran = command.args(["-Y", filter, "-r"]).arg(capture).output();
        let ran = ran.expect("tshark is installed");
        assert!(
            ran.status.success(),
            "{}",
            String::from_utf8_lossy(&ran.stderr)
        );
        let text = String::from_utf8(ran.stdout).expect("tshark speaks UTF-8");
        text.lines().map(str::to_owned).collect()
    }
}

#[expect(clippy::print_stderr, reason = "a test that cannot run says so")]
fn skipped(why: &str) {
    eprintln!("SKIPPED: {why}");
}

// Wireshark's severities: warnings are 0x600000, errors 0x800000. Nothing was lost in these, so that any would be ours.
#[test]
fn tshark_has_no_complaint_about_a_run_without_faults() {
    let Some(tshark) = Tshark::find() else { return };
    for scenario in [
        "call/caller-hangs-up.toml",
        "call/fork.toml",
        "tcp/call.toml",
        "stream/complete.toml",
    ] {
        let complaints = frames(
            &tshark,
            scenario,
            &[],
            "_ws.malformed || _ws.expert.severity >= 0x600000 || tcp.analysis.flags",
            &["frame.number", "_ws.expert.message"],
        );
        assert_eq!(complaints, [""; 0], "{scenario}");
    }
}

// The capture is another way to say what the trace says: same codes, same order, over UDP, TCP and through a NAT.
#[test]
fn tshark_sees_the_status_codes_of_the_trace() {
    let Some(tshark) = Tshark::find() else { return };
    for scenario in [
        "call/fork.toml",
        "status/registrar-challenge.toml",
        "status/timer-c.toml",
        "field/nat-rebind.toml",
        "tcp/call.toml",
        "tcp/many-segments.toml",
        "status/bad-gateway.toml",
    ] {
        let codes = frames(
            &tshark,
            scenario,
            &[],
            "sip.Status-Code && frame.interface_name == \"sent\"",
            &["sip.Status-Code"],
        );
        let codes: Vec<_> = codes.iter().flat_map(|line| line.split(',')).collect();
        assert_eq!(codes, statuses(scenario), "{scenario}");
    }
}

/// The status codes that left a host in a run of that scenario, in order.
fn statuses(scenario: &str) -> Vec<String> {
    let suite = Suite::load(&[scenarios().join(scenario)], &[]).expect("the scenario can be read");
    let outcome = suite.tests[0].run();
    let evidence = Evidence::new(&outcome.simulation);
    let left = evidence.transmissions.iter().filter(|sent| sent.left());
    let codes = left.filter_map(|sent| sent.message.as_ref()?.status);
    let codes: Vec<_> = codes.map(|status| status.to_string()).collect();
    assert!(!codes.is_empty(), "{scenario}");
    codes
}

#[test]
fn tshark_reads_a_token_stream_as_http_with_names_of_hosts() {
    let Some(tshark) = Tshark::find() else { return };
    let fields = [
        "ip.src_host",
        "http.request.uri",
        "http.response.code",
        "http.content_type",
    ];
    let messages = frames(&tshark, "stream/complete.toml", &[], "http", &fields);
    assert_eq!(
        messages[..2],
        [
            "client|/stream||application/json",
            "service||200|text/event-stream"
        ]
    );
}

// A firewall's rejections: each lost INVITE says which fault lost it, and the router's 3/13 follows as its own frame.
#[test]
fn tshark_shows_what_faults_did_and_who_said_so() {
    let Some(tshark) = Tshark::find() else { return };
    let fields = ["icmp.type", "icmp.code", "udp.dstport", "frame.comment"];
    let (scenario, set) = ("vanish/firewall-rejects.toml", ["run.platform=linux"]);
    let errors = frames(&tshark, scenario, &set, "icmp || frame.comment", &fields);
    assert!(
        errors
            .iter()
            .any(|line| line.starts_with("||") && line.contains("|lost at ")),
        "{errors:#?}"
    );
    assert!(
        errors.iter().any(|line| line.starts_with("3|13|")),
        "{errors:#?}"
    );
}
