//! Reports: what they hold, where they go, and what they refuse.

use std::fs;
use std::path::Path;

use quick_xml::Reader;
use quick_xml::events::Event;

use crate::support::{CALL, folder_with, linefault, scenarios};

/// Markup that must come out as text wherever it goes.
pub(crate) const NASTY: &str = "</title></script><script>alert(1)</script> & ]]> %%{init}%% ; #";

/// A scenario with markup in its title, in what it sends, and so in what is logged of it.
pub(crate) fn nasty() -> String {
    let raw = format!(
        "OPTIONS sip:sim.test SIP/2.0\nVia: SIP/2.0/UDP 10.0.0.3:5060;branch=z9hG4bK-<b>bold</b>\nMax-Forwards: 70\n\
         From: <sip:bob@sim.test>;tag=1\nTo: <sip:sim.test>\nCall-ID: {NASTY}\nCSeq: 1 OPTIONS\nContent-Length: 0\n\n"
    );
    let raw = format!("\"\"\"\n{}\"\"\"", raw.replace('\\', "\\\\"));
    let step = format!(
        "{{ at = \"2s\", host = \"bob\", do = \"send\", to = \"proxy\", raw = {raw} }},\n]\n\n[outcome]"
    );
    CALL.replace("\"A call\"", &format!("'{NASTY}'"))
        .replace("]\n\n[outcome]", &step)
}

/// The texts of elements and the values of attributes, if it is XML.
fn xml_texts(xml: &str) -> Result<Vec<String>, String> {
    let mut reader = Reader::from_str(xml);
    let mut texts = Vec::new();
    let mut open = String::new();
    loop {
        let event = reader.read_event().map_err(|error| error.to_string())?;
        match event {
            Event::Eof => return Ok(texts),
            Event::Start(start) | Event::Empty(start) => {
                for attribute in start.attributes() {
                    let attribute = attribute.map_err(|error| error.to_string())?;
                    let value = String::from_utf8_lossy(&attribute.value).into_owned();
                    texts.push(
                        quick_xml::escape::unescape(&value)
                            .map_err(|error| error.to_string())?
                            .into_owned(),
                    );
                }
                texts.push(std::mem::take(&mut open));
            }
            Event::End(_) => texts.push(std::mem::take(&mut open)),
            Event::Text(text) => open.push_str(&String::from_utf8_lossy(&text)),
            Event::CData(text) => open.push_str(&String::from_utf8_lossy(&text)),
            Event::GeneralRef(name) => {
                let reference = format!("&{};", String::from_utf8_lossy(&name));
                open.push_str(
                    &quick_xml::escape::unescape(&reference).map_err(|error| error.to_string())?,
                );
            }
            _ => {}
        }
    }
}

fn read(folder: &Path, name: &str) -> String {
    let path = folder.join(name);
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

#[test]
fn a_page_is_one_file_with_all_tests_that_loads_nothing() {
    let folder = folder_with("call.toml", CALL);
    let ran = linefault(folder.path(), &["report", "call.toml", "--out", "report"]);
    assert_eq!((ran.code, ran.err.as_str()), (Some(0), ""), "{}", ran.out);
    let page = read(folder.path(), "report/index.html");
    for part in [
        "<title>linefault: 1 test passes</title>",
        "data-name=\"call\"",
        "200 REGISTER",
    ] {
        assert!(page.contains(part), "{part}");
    }
    // The namespace of SVG is a name and no address to load from.
    let others = page.replace("http://www.w3.org/2000/svg", "");
    for loads in [
        "http:", "https:", "src=", "url(", "@import", "<link", "onclick",
    ] {
        assert!(!others.contains(loads), "{loads}");
    }
}

// The same run gives the same page, byte for byte: nothing in it depends on the machine or the clock.
#[test]
fn reports_of_the_same_tests_are_the_same_and_replace_each_other() {
    let folder = folder_with("call.toml", CALL);
    let report = |name: &str| {
        let arguments = ["report", "call.toml", "--out", "report", "--format", name];
        assert_eq!(linefault(folder.path(), &arguments).code, Some(0), "{name}");
    };
    report("html");
    let first = read(folder.path(), "report/index.html");
    report("svg");
    report("html");
    assert_eq!(read(folder.path(), "report/index.html"), first);
    assert!(folder.path().join("report/call.svg").exists());
}

#[test]
fn every_format_has_the_test_and_its_call() {
    let folder = folder_with("call.toml", CALL);
    let formats = ["svg", "text", "mermaid", "junit", "json"];
    let mut arguments = vec!["report", "call.toml", "--out", "report"];
    formats
        .iter()
        .for_each(|format| arguments.extend(["--format", *format]));
    let ran = linefault(folder.path(), &arguments);
    assert_eq!((ran.code, ran.err.as_str()), (Some(0), ""));
    let files = [
        ("call.svg", "INVITE sip:bob@sim.test"),
        ("call.txt", "alice ──▶ proxy   INVITE sip:bob@sim.test"),
        ("call.mmd", "h0->>h1: 1.000 INVITE sip:bob@sim.test"),
        ("call.json", "\"label\":\"INVITE sip:bob@sim.test\""),
        (
            "junit.xml",
            "<testcase name=\"call\" classname=\"call.toml\"",
        ),
    ];
    for (name, part) in files {
        let text = read(&folder.path().join("report"), name);
        assert!(text.contains(part), "{name}: {part} is missing in\n{text}");
        // Without --out the same goes to standard output; only JUnit tells real time.
        let format = formats.iter().zip(["svg", "txt", "mmd", "xml", "json"]);
        let format = format
            .filter(|(_, ending)| name.ends_with(ending))
            .map(|(format, _)| *format);
        for format in format.filter(|format| *format != "junit") {
            let ran = linefault(folder.path(), &["report", "call.toml", "--format", format]);
            assert_eq!(ran.out.trim_end(), text.trim_end(), "{format}");
        }
    }
}

// Mermaid draws nothing at all of a text of more than 50,000 characters: what does not fit is said to be missing.
#[test]
fn a_diagram_fits_into_mermaid_and_says_what_does_not() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let out = folder.path().display().to_string();
    let file = "stream/too-many-tokens.toml";
    let ran = linefault(
        &scenarios(),
        &["report", file, "--format", "mermaid", "--out", &out],
    );
    assert_eq!((ran.code, ran.err.as_str()), (Some(0), ""));
    let diagram = read(folder.path(), "stream/too-many-tokens+known-bad-1.mmd");
    assert!(diagram.encode_utf16().count() <= 50_000);
    let last = diagram.lines().last().expect("it has lines");
    assert!(
        last.starts_with("  Note over h0,h1: ⋯ ") && last.contains(" more rows are too many"),
        "{last}"
    );
    let whole = read(folder.path(), "stream/too-many-tokens.mmd");
    assert!(!whole.contains("more rows are too many"));
}

#[test]
fn markup_in_names_and_messages_stays_text_in_every_format() {
    let folder = folder_with("<b>&call.toml", &nasty());
    let formats = ["html", "svg", "mermaid", "junit"];
    let mut arguments = vec!["report", "<b>&call.toml", "--out", "report"];
    formats
        .iter()
        .for_each(|format| arguments.extend(["--format", *format]));
    let ran = linefault(folder.path(), &arguments);
    let report = folder.path().join("report");
    assert!(report.join("index.html").exists(), "{}", ran.err);
    let page = read(&report, "index.html");
    assert!(!page.contains("<script>alert") && !page.contains("<b>"));
    for name in ["<b>&call.svg", "junit.xml"] {
        let xml = read(&report, name);
        let texts = xml_texts(&xml).unwrap_or_else(|error| panic!("{name}: {error}\n{xml}"));
        assert!(
            texts.iter().any(|text| text.contains(NASTY)),
            "{name}: {texts:#?}"
        );
    }
    let diagram = read(&report, "<b>&call.mmd");
    let syntax = ["<", "%%", "{", ";\n"];
    assert!(
        syntax
            .iter()
            .all(|syntax| !diagram.replace("#59;\n", "\n").contains(syntax)),
        "{diagram}"
    );
}

#[test]
fn a_folder_with_other_files_is_refused_with_exit_2_before_anything_is_run() {
    let folder = folder_with("call.toml", CALL);
    fs::create_dir(folder.path().join("mine")).expect("it can be made");
    fs::write(folder.path().join("mine/index.html"), "my page").expect("it can be written");
    let ran = linefault(folder.path(), &["report", "call.toml", "--out", "mine"]);
    assert_eq!((ran.code, ran.out.as_str()), (Some(2), ""));
    assert!(
        ran.err
            .starts_with("error: mine holds `index.html`, which no report has written"),
        "{}",
        ran.err
    );
    assert_eq!(read(folder.path(), "mine/index.html"), "my page");
}

// Not even root may write below /proc, or below a file.
#[test]
fn a_folder_that_cannot_be_written_to_is_a_mistake_and_no_crash() {
    let folder = folder_with("call.toml", CALL);
    let mut places = vec!["call.toml/report", "call.toml"];
    places.extend(cfg!(target_os = "linux").then_some("/proc/report"));
    for place in places {
        let ran = linefault(folder.path(), &["report", "call.toml", "--out", place]);
        assert_eq!((ran.code, ran.out.as_str()), (Some(2), ""), "{place}");
        assert!(
            ran.err.starts_with("error: ") && ran.err.lines().count() == 1,
            "{}",
            ran.err
        );
        assert!(ran.err.contains(place), "{}", ran.err);
    }
}

#[test]
fn what_does_not_fit_standard_output_is_a_mistake() {
    let power_off = ["report", "bye/power-off.toml", "--format", "svg"];
    let several = [
        "report",
        "bye/power-off.toml",
        "--format",
        "text",
        "--format",
        "junit",
    ];
    for (arguments, expected) in [
        (power_off, "say where with --out DIR, or select one test"),
        (["report", "--format", "png", ""], "invalid value 'png'"),
    ] {
        let ran = linefault(&scenarios(), &arguments);
        assert_eq!(ran.code, Some(2), "{}", ran.err);
        assert!(ran.err.contains(expected), "{}", ran.err);
    }
    let ran = linefault(&scenarios(), &several);
    assert!(
        ran.err.contains("several formats make several files"),
        "{}",
        ran.err
    );
}

#[test]
fn a_scenario_without_hosts_is_told_and_stands_in_the_page() {
    let folder = folder_with("empty.toml", "title = \"Nobody\"\n");
    let ran = linefault(folder.path(), &["report", "empty.toml", "--out", "report"]);
    assert_eq!(ran.code, Some(2));
    assert!(ran.err.contains("`host` is missing"), "{}", ran.err);
    let page = read(folder.path(), "report/index.html");
    assert!(page.contains("Files with mistakes") && page.contains("`host` is missing"));
}

// A violation stands in the page with its place in the file, and fails the command like a run.
#[test]
fn a_violation_is_marked_in_every_format() {
    let wrong = CALL.replace("receives = \"200 INVITE\"", "receives = \"486 INVITE\"");
    let folder = folder_with("call.toml", &wrong);
    let formats = ["html", "svg", "mermaid", "junit"];
    let mut arguments = vec!["report", "call.toml", "--out", "report"];
    formats
        .iter()
        .for_each(|format| arguments.extend(["--format", *format]));
    let ran = linefault(folder.path(), &arguments);
    assert_eq!((ran.code, ran.err.as_str()), (Some(1), ""));
    let report = folder.path().join("report");
    for name in ["index.html", "call.svg", "call.mmd", "junit.xml"] {
        let text = read(&report, name);
        assert!(
            text.contains("answered: seen instead: 100 INVITE"),
            "{name}\n{text}"
        );
    }
    assert!(read(&report, "index.html").contains("call.toml:30:3"));
    assert!(read(&report, "junit.xml").contains("failures=\"1\""));
}

#[test]
fn run_writes_junit_beside_its_output_and_overwrites_nothing_else() {
    let folder = folder_with("call.toml", CALL);
    let run = |file: &str| linefault(folder.path(), &["run", "call.toml", "--junit", file]);
    for _ in 0..2 {
        assert_eq!(run("results.xml").code, Some(0));
    }
    let list = read(folder.path(), "results.xml");
    xml_texts(&list).expect("it is XML");
    assert!(
        list.contains("tests=\"1\" skipped=\"0\" failures=\"0\" errors=\"0\""),
        "{list}"
    );
    let refused = run("call.toml");
    let expected = "error: call.toml is no JUnit file: it is not overwritten\n";
    assert_eq!((refused.code, refused.err.as_str()), (Some(2), expected));
    assert_eq!(read(folder.path(), "call.toml"), CALL);
    assert_eq!(run("nowhere/results.xml").code, Some(2));
}
