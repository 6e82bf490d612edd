//! What the lints cannot see: that imports run downwards only, and that nothing unfinished is committed.

use std::fs;
use std::path::{Path, PathBuf};

/// What each crate may depend on, the lowest first. Protocol and network know nothing of each other; actors
/// never see the network, so that nothing gets in that only a simulation can give.
const LAYERS: [(&str, &[&str]); 3] = [
    (
        "protocol",
        &[
            "bytes",
            "md-5",
            "memchr",
            "rsip",
            "sdp-types",
            "serde_json",
            "sha2",
        ],
    ),
    ("network", &["bytes", "tokio"]),
    (
        "actors",
        &[
            "bytes",
            "http-body-util",
            "hyper",
            "linefault-protocol",
            "prometheus-client",
            "send_wrapper",
            "serde_json",
            "tokio",
            "tracing",
        ],
    ),
];

// The manifests are the truth about imports: what is not listed there cannot be used.
#[test]
fn imports_run_downwards_only() {
    for (layer, allowed) in LAYERS {
        let path = format!("harness/{layer}/Cargo.toml");
        let manifest: toml::Table = fs::read_to_string(&path)
            .expect(&path)
            .parse()
            .expect("a manifest is TOML");
        let dependencies = manifest["dependencies"].as_table().expect("a table");
        for dependency in dependencies.keys() {
            assert!(
                allowed.contains(&dependency.as_str()),
                "{path} must not depend on {dependency}"
            );
        }
    }
}

#[test]
fn nothing_unfinished_or_silenced_is_in_the_sources() {
    // In two parts each, so that this file does not find itself.
    let smells = [
        ("todo", "!("),
        ("unimplemented", "!("),
        ("#[ign", "ore"),
        ("allow(dead", "_code"),
        ("allow(un", "used"),
    ];
    let mut files = Vec::new();
    for folder in ["harness", "tests"] {
        collect(Path::new(folder), &mut files);
    }
    assert!(
        files.len() > 100,
        "the sources were not found: {} files",
        files.len()
    );
    for file in files {
        let text = fs::read_to_string(&file).expect("a source file is UTF-8");
        for (start, end) in smells {
            assert!(
                !text.contains(&format!("{start}{end}")),
                "{} has {start}{end}",
                file.display()
            );
        }
    }
}

// The compiler refuses marks that are not listed; a name that is listed and marked nowhere would be a hole for ever.
#[test]
fn every_checkpoint_that_is_listed_is_marked_somewhere() {
    let mut files = Vec::new();
    collect(Path::new("harness/actors/src"), &mut files);
    let read = |file: &PathBuf| fs::read_to_string(file).expect("a source file is UTF-8");
    let source: String = files.iter().map(read).collect();
    let listed = ["reached", "sometimes", "always"].map(|claim| format!("Checkpoint::{claim}(\""));
    let names = listed.iter().flat_map(|before| {
        let calls = source.split(before.as_str()).skip(1);
        calls.filter_map(|call| call.split('"').next())
    });
    let names: Vec<&str> = names.collect();
    assert!(names.len() > 25, "they were not found: {names:?}");
    let once = |name: &&&str| source.matches(&format!("\"{name}\"")).count() < 2;
    let unmarked: Vec<_> = names.iter().filter(once).collect();
    assert!(unmarked.is_empty(), "{unmarked:?}");
}

// A snapshot that waits for review is a decision not taken.
#[test]
fn no_snapshot_waits_for_review() {
    let mut files = Vec::new();
    for folder in ["harness", "snapshots"] {
        collect_all(Path::new(folder), &mut files);
    }
    files.retain(|file| file.extension().is_some_and(|ending| ending == "new"));
    assert!(files.is_empty(), "review or remove {files:?}");
}

fn collect(folder: &Path, found: &mut Vec<PathBuf>) {
    let mut all = Vec::new();
    collect_all(folder, &mut all);
    found.extend(
        all.into_iter()
            .filter(|file| file.extension().is_some_and(|ending| ending == "rs")),
    );
}

fn collect_all(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).expect("a folder of the repository") {
        let path = entry.expect("it can be read").path();
        if path.is_dir() {
            collect_all(&path, found);
        } else {
            found.push(path);
        }
    }
}
