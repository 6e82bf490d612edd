//! The pictures in the documents: each is what `linefault report` draws of the scenario of its name today.

use std::fs;
use std::path::Path;

use crate::support::{files, linefault, root};

// A picture that nobody redraws shows what once was. It also must load nothing and run nothing, wherever it is shown.
#[test]
fn every_picture_is_drawn_from_its_scenario() {
    let pictures: Vec<_> = files("svg");
    assert!(!pictures.is_empty(), "the documents have pictures");
    for path in pictures {
        let name = path.file_stem().expect("it has a name").to_string_lossy();
        let current = drawn(&format!("scenarios/tutorial/{name}.toml"));
        let committed = fs::read_to_string(&path).unwrap_or_default();
        // Others read the file meanwhile: it is written only if that changes it.
        if current != committed && std::env::var_os("UPDATE_MANUAL").is_some() {
            fs::write(&path, &current).expect("it can be written");
            continue;
        }
        let advice = "run the tests of `linefault` with UPDATE_MANUAL=1 and look at it";
        assert!(current == committed, "{}: {advice}", path.display());
        assert!(
            current.contains("<rect class=\"paper\"")
                && current.contains("prefers-color-scheme: dark")
        );
        let alive = [
            "<script", "<a ", "<image", "@import", "url(", " onclick", " onload",
        ];
        assert!(alive.iter().all(|part| !current.contains(part)));
    }
}

fn drawn(scenario: &str) -> String {
    let ran = linefault(Path::new(&root()), &["report", scenario, "--format", "svg"]);
    assert_eq!(ran.code, Some(0), "{scenario}: {}", ran.err);
    ran.out
}
