//! Campaigns that are disturbed: somebody presses Ctrl-C, the disk is full.

use std::fs;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use crate::support::{CALL, Ran, folder_with, linefault, run_program};

/// So many seeds that nobody waits for the end.
const ENDLESS: [&str; 4] = ["explore", "call.toml", "--seeds", "0..1000000"];
const PLANTED: [&str; 2] = ["--defect", "bob=bye-ignored"];

fn names(folder: &Path) -> Vec<String> {
    let files = fs::read_dir(folder).expect("readable");
    let mut names: Vec<String> = files
        .map(|file| file.expect("readable").file_name())
        .map(|name| name.to_string_lossy().into_owned())
        .collect();
    names.sort();
    names
}

/// What the kernel says of a process: its signals that are caught, and how many ticks it has run for.
#[cfg(target_os = "linux")]
fn observed(child: &Child) -> Option<(bool, u64)> {
    let about = |what: &str| fs::read_to_string(format!("/proc/{}/{what}", child.id())).ok();
    let status = about("status")?;
    let caught = status
        .lines()
        .find_map(|line| line.strip_prefix("SigCgt:"))?;
    let caught = u64::from_str_radix(caught.trim(), 16).ok()?;
    let stat = about("stat")?;
    let (_, rest) = stat.rsplit_once(") ")?;
    let ran = rest.split(' ').nth(11)?.parse().ok()?;
    Some((caught & (1 << (SIGINT - 1)) != 0, ran))
}

#[cfg(target_os = "linux")]
const SIGINT: u32 = 2;

/// Waits until a campaign runs that can be interrupted: it catches SIGINT, and has worked for a tenth of a second since.
#[cfg(target_os = "linux")]
fn wait_until_it_works(child: &Child) {
    let mut since = None;
    while let Some((caught, ran)) = observed(child) {
        match since {
            None if caught => since = Some(ran),
            Some(since) if ran >= since + 10 => return,
            _ => std::thread::yield_now(),
        }
    }
}

// Ctrl-C is a SIGINT. The file that it leaves is whole, the part can be merged and gone on with, and nothing else lies about.
#[cfg(target_os = "linux")]
#[test]
fn an_interrupted_campaign_keeps_what_it_found() {
    let folder = folder_with("call.toml", CALL);
    let child = Command::new(env!("CARGO_BIN_EXE_linefault"))
        .args(ENDLESS)
        .args(PLANTED)
        .args(["--out", "part"])
        .current_dir(folder.path())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the command starts");
    wait_until_it_works(&child);
    let asked = Command::new("kill")
        .args(["-INT", &child.id().to_string()])
        .status();
    assert!(asked.expect("kill(1) is there").success());
    let ended = child.wait_with_output().expect("it ends");
    let (out, err) = (
        String::from_utf8_lossy(&ended.stdout),
        String::from_utf8_lossy(&ended.stderr),
    );
    assert_eq!(ended.status.code(), Some(130), "{out}{err}");
    let last = err.trim_end().lines().last().unwrap_or_default();
    assert!(
        last.contains("stopped before its end; what was found by then is kept"),
        "{err}"
    );
    assert_eq!(names(folder.path()), ["call.toml", "part", "scenarios"]);
    let found = folder.path().join("scenarios/found");
    assert!(!names(&found).is_empty(), "{out}{err}");
    let check = linefault(folder.path(), &["check", "scenarios/found"]);
    assert_eq!(check.code, Some(0), "{}{}", check.out, check.err);
    let merged = linefault(folder.path(), &["merge", "part"]);
    assert_eq!(merged.code, Some(1), "{}{}", merged.out, merged.err);
    assert!(merged.out.contains(" of 1000000 "), "{}", merged.out);
}

/// Runs the command where no file may have more than that many blocks of 512 bytes: a write then fails half-way, as on a
/// disk that is full.
fn cramped(folder: &Path, blocks: u32, arguments: &[&str]) -> Ran {
    let limited = format!("trap '' XFSZ; ulimit -f {blocks}; exec \"$0\" \"$@\"");
    let mut words = vec!["-c", &limited, env!("CARGO_BIN_EXE_linefault")];
    words.extend(arguments);
    run_program(Path::new("sh"), folder, &words)
}

// What was there stays, no half of a file is left, and what was found is on the screen at least.
#[cfg(unix)]
#[test]
fn a_full_disk_is_said_and_takes_nothing_along() {
    let folder = folder_with("call.toml", CALL);
    let explore = |runs: &'static str| {
        let out = ["explore", "call.toml", "--seeds", runs, "--out", "part"];
        [&out[..], &PLANTED].concat()
    };
    let ran = cramped(folder.path(), 1, &explore("0..50"));
    assert_eq!(ran.code, Some(2), "{}{}", ran.out, ran.err);
    assert!(ran.err.contains("cannot write part: "), "{}", ran.err);
    assert!(
        ran.err.contains("cannot write scenarios/found/"),
        "{}",
        ran.err
    );
    assert!(
        ran.out.contains("found ") && ran.out.contains("50 runs"),
        "{}",
        ran.out
    );
    assert_eq!(names(folder.path()), ["call.toml", "scenarios"]);
    assert!(names(&folder.path().join("scenarios/found")).is_empty());

    let whole = linefault(folder.path(), &explore("0..50"));
    assert_eq!(whole.code, Some(1), "{}{}", whole.out, whole.err);
    let before = fs::read(folder.path().join("part")).expect("readable");
    let merge = ["merge", "part", "--out", "part"];
    let ran = cramped(folder.path(), 1, &merge);
    assert_eq!(ran.code, Some(2), "{}{}", ran.out, ran.err);
    assert_eq!(
        fs::read(folder.path().join("part")).expect("readable"),
        before
    );
}
