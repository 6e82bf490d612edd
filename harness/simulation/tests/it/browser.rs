//! The page in a real browser: it opens, filters, shows a message at a click, and reports no error.
//!
//! Runs where `chromium` is installed and LINEFAULT_BROWSER or LINEFAULT_REQUIRE_ALL is set; the latter makes a missing
//! browser a failure. Screenshots are kept in the target folder, under `report-screenshots`.

mod devtools;

use std::env;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use devtools::{Browser, Tab};

use crate::report::nasty;
use crate::support::{folder_with, linefault, scenarios};

/// Messages in the long ladder.
const MANY: u64 = 100_000;

/// The name of the browser's program, if the test is to run.
fn browser() -> Option<&'static str> {
    let required = env::var_os("LINEFAULT_REQUIRE_ALL").is_some();
    if !required && env::var_os("LINEFAULT_BROWSER").is_none() {
        skip("set LINEFAULT_BROWSER=1 to run it");
        return None;
    }
    let programs = ["chromium", "chromium-browser", "google-chrome"];
    let starts = |name: &&&str| {
        Command::new(name)
            .arg("--version")
            .output()
            .is_ok_and(|ran| ran.status.success())
    };
    let found = programs.iter().find(starts).copied();
    assert!(
        found.is_some() || !required,
        "no browser: apt-get install chromium"
    );
    if found.is_none() {
        skip("no chromium is installed");
    }
    found
}

#[expect(
    clippy::print_stderr,
    reason = "whoever reads the test's output is told why it proves nothing"
)]
fn skip(why: &str) {
    eprintln!("SKIPPED: {why}");
}

/// Writes a report, and opens it.
fn open<'a>(browser: &'a Browser, folder: &Path, arguments: &[&str]) -> Tab<'a> {
    let out = folder.join("report");
    let mut all = vec!["report", "--out", out.to_str().expect("a plain path")];
    all.extend(arguments);
    let ran = linefault(folder, &all);
    assert!(out.join("index.html").exists(), "{}", ran.err);
    let tab = browser.tab();
    tab.open(&page(folder, ""));
    tab
}

fn page(folder: &Path, fragment: &str) -> String {
    format!("file://{}/report/index.html{fragment}", folder.display())
}

fn keep(tab: &Tab<'_>, name: &str) {
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("../report-screenshots");
    fs::create_dir_all(&folder).expect("the target folder can be written to");
    let picture = tab.screenshot();
    assert!(picture.starts_with(b"\x89PNG"), "a screenshot is a picture");
    fs::write(folder.join(name), picture).expect("the target folder can be written to");
}

// What a reviewer does, in order: finds a test, opens it, lands on the violation, reads a message, filters, goes back.
#[test]
fn a_reviewer_finds_reads_and_filters_without_an_error() {
    let Some(program) = browser() else { return };
    let folder = tempfile::tempdir().expect("a temporary folder");
    let browser = Browser::start(program);
    let files = scenarios().join("bye");
    let tab = open(
        &browser,
        folder.path(),
        &[files.to_str().expect("a plain path")],
    );
    tab.size(1280, 800);
    keep(&tab, "overview.png");
    let rows = "document.querySelectorAll('tr[data-test]:not([hidden])').length";
    let all = tab.number(rows);
    tab.evaluate("byId('find').value = 'power-off 502'; byId('find').dispatchEvent(new Event('input', {bubbles: true}))");
    let found = tab.number(rows);
    assert!(0 < found && found < all, "{found} of {all} rows are found");

    tab.open(&page(
        folder.path(),
        "#bye/power-off@run.platform=macos+known-bad-1",
    ));
    assert_eq!(
        tab.text("document.querySelector('#ladder .current').classList.contains('violation')"),
        "true"
    );
    let visible = "(() => { const row = document.querySelector('#ladder g[role=option].current').getBoundingClientRect(), \
                   all = byId('ladder').getBoundingClientRect(); return row.top >= all.top && row.bottom <= all.bottom })()";
    assert_eq!(tab.text(visible), "true", "the violation is scrolled to");
    keep(&tab, "violation.png");

    tab.click_on("[...document.querySelectorAll('#ladder g[role=option]')].find((row) => row.textContent.includes('502 BYE'))");
    let shown = tab.text("byId('message').textContent");
    for part in [
        "SIP/2.0 502 ",
        "CSeq: 2 BYE",
        "proxy → alice",
        "arrived 12.010",
    ] {
        assert!(shown.contains(part), "{part} is missing in {shown}");
    }
    keep(&tab, "message.png");
    tab.press("Escape");
    assert_eq!(tab.text("byId('message').hidden"), "true");

    let before = tab.number("view.drawing.current");
    tab.press("j");
    tab.press("ArrowDown");
    tab.press("k");
    assert_eq!(tab.number("view.drawing.current"), before + 1);
    tab.press("Enter");
    assert_eq!(tab.text("byId('message').hidden"), "false");
    tab.press("Escape");

    let count = "view.drawing.rows.length";
    let whole = tab.number(count);
    for (change, what) in [
        ("byId('level').value = 'error'", "by level"),
        ("byId('timers').checked = false", "timers away"),
        ("byId('call').value = '2'", "by call"),
        (
            "byId('hosts').querySelectorAll('input')[1].checked = false",
            "by host",
        ),
    ] {
        let before = tab.number(count);
        tab.evaluate(&format!("{change}; view.filter()"));
        assert!(tab.number(count) < before, "filtered {what}");
        assert!(
            tab.text("byId('shown').textContent")
                .contains("filtered out")
        );
    }
    tab.click_on("byId('all')");
    assert_eq!(tab.number(count), whole, "everything is shown again");

    tab.press("Escape");
    tab.wait_until("!byId('overview').hidden");
    assert_eq!(tab.complaints(), Vec::<String>::new());
}

// Dark and light, and a telephone: nothing but the ladder is wider than the screen.
#[test]
fn the_page_fits_dark_screens_and_telephones() {
    let Some(program) = browser() else { return };
    let folder = tempfile::tempdir().expect("a temporary folder");
    let browser = Browser::start(program);
    let file = scenarios().join("bye/power-off.toml");
    let tab = open(
        &browser,
        folder.path(),
        &[file.to_str().expect("a plain path")],
    );
    let background = "getComputedStyle(document.body).backgroundColor";
    tab.scheme("light");
    let light = tab.text(background);
    tab.scheme("dark");
    assert_ne!(tab.text(background), light);
    keep(&tab, "overview-dark.png");
    tab.size(390, 844);
    let too_wide = "document.documentElement.scrollWidth > innerWidth";
    assert_eq!(tab.text(too_wide), "false");
    keep(&tab, "overview-phone.png");
    tab.open(&page(
        folder.path(),
        "#bye/power-off@run.platform=macos+known-bad-1",
    ));
    assert_eq!(tab.text(too_wide), "false");
    assert_eq!(
        tab.text("byId('ladder').scrollWidth > byId('ladder').clientWidth"),
        "true"
    );
    keep(&tab, "ladder-phone-dark.png");
    tab.press("Enter");
    tab.scheme("light");
    keep(&tab, "message-phone.png");
    assert_eq!(tab.text(too_wide), "false");
    assert_eq!(tab.complaints(), Vec::<String>::new());
}

// Markup in a title and in a message is shown as it is: no script of it runs, no element of it is made.
#[test]
fn markup_in_a_scenario_is_text_in_the_browser() {
    let Some(program) = browser() else { return };
    let folder = folder_with("call.toml", &nasty());
    let browser = Browser::start(program);
    let tab = open(&browser, folder.path(), &["call.toml"]);
    assert!(
        tab.text("document.querySelector('#head h1').textContent")
            .contains("<script>alert(1)</script>")
    );
    tab.click_on("[...document.querySelectorAll('#ladder g[role=option].request')].find((row) => row.textContent.includes('OPTIONS'))");
    assert!(
        tab.text("byId('message').textContent")
            .contains("branch=z9hG4bK-<b>bold</b>")
    );
    assert_eq!(tab.number("document.querySelectorAll('b').length"), 0);
    assert_eq!(tab.complaints(), Vec::<String>::new());
}

// What is folded is said, and opens; nothing is left out.
#[test]
#[expect(
    clippy::disallowed_methods,
    reason = "how long a page takes to open is real time"
)]
fn a_page_with_a_hundred_thousand_messages_opens_in_three_seconds() {
    let Some(program) = browser() else { return };
    let folder = folder_with("many.toml", &many());
    let browser = Browser::start(program);
    let tab = open(&browser, folder.path(), &["many.toml"]);
    let began = Instant::now();
    tab.open(&page(folder.path(), ""));
    let drawn = tab.number("document.querySelectorAll('#ladder g[role=option]').length");
    let took = began.elapsed();
    assert!(drawn > 0, "something is drawn");
    let messages = tab.number("view.data.rungs.filter((rung) => rung[3] >= 0).length");
    assert_eq!(messages, MANY);
    assert!(took < Duration::from_secs(3), "it took {took:?}");
    keep(&tab, "hundred-thousand.png");
    let folded = tab.text("byId('shown').textContent");
    assert!(folded.contains(" folded"), "{folded}");
    tab.click_on("document.querySelector('#ladder g[role=option].stretch')");
    assert_eq!(
        tab.number("view.drawing.rows.filter((row) => row.stretch).length"),
        0
    );
    tab.press("End");
    let last = "Number(document.querySelector('#ladder g[role=option].current').dataset.row)";
    assert_eq!(tab.number(last) + 1, tab.number("view.data.rungs.length"));
    assert_eq!(tab.complaints(), Vec::<String>::new());
}

/// One phone sends ACKs, which nobody answers, a millisecond apart: nothing folds by itself.
fn many() -> String {
    let mut text = "title = \"A hundred thousand messages\"\n[run]\nrun_until = \"120s\"\n\n[lan.office]\n\
                    subnet = \"10.0.0.0/24\"\n\n[host.proxy]\nactor = \"proxy\"\ndomain = \"sim.test\"\n"
        .to_owned();
    for phone in ["alice", "bob"] {
        let _ = write!(
            text,
            "\n[host.{phone}]\nactor = \"phone\"\nuser = \"{phone}\"\nregistrar = \"proxy\"\n"
        );
    }
    text += "\n[timeline]\nsteps = [\n";
    for number in 0..MANY {
        let call = number / 100;
        let _ = writeln!(
            text,
            "{{ at = \"{number}ms\", host = \"alice\", do = \"send\", to = \"bob\", raw = \"ACK sip:bob@10.0.0.4 SIP/2.0\\n\
             Via: SIP/2.0/UDP 10.0.0.3;branch=z9hG4bK-{number}\\nFrom: <sip:a@b>;tag=1\\nTo: <sip:b@b>;tag=2\\n\
             Call-ID: call-number-{call}\\nCSeq: 1 ACK\\n\\n\" }},"
        );
    }
    text + "]\n"
}
