//! A test's text beside its snapshot.

use std::env;
use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};

use similar::TextDiff;

/// What differs from the snapshot, if anything does. insta decides, and keeps the new text for review.
pub(super) fn difference(path: &Path, text: &str, replay: &str) -> Option<String> {
    let name = path.file_stem()?.to_string_lossy();
    let package = env::current_dir().ok()?;
    let mut settings = insta::Settings::clone_current();
    settings.set_snapshot_path(package.join(path.parent()?));
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    let source = source();
    // The macro would name this file as the snapshot's source. The function behind it, which insta does not promise to
    // keep (so its version is held), lets the caller's own test target stand there.
    let compared = catch_unwind(AssertUnwindSafe(|| {
        settings.bind(|| {
            insta::_macro_support::assert_snapshot(
                (name.as_ref(), text).into(),
                &package,
                "scenarios",
                "scenarios",
                &source,
                0,
                "",
            )
        })
    }));
    let same = compared.is_ok_and(|compared| compared.is_ok());
    (!same).then(|| shown(path, text, replay))
}

/// The caller's test target, as far as its binary's name tells: "tests/scenarios.rs".
fn source() -> String {
    let program = env::current_exe().unwrap_or_else(|_| PathBuf::from("scenarios"));
    let stem = program.file_stem().unwrap_or_default().to_string_lossy();
    let target = stem
        .rsplit_once('-')
        .map_or(stem.as_ref(), |(target, _)| target);
    format!("tests/{target}.rs")
}

fn shown(path: &Path, text: &str, replay: &str) -> String {
    let old = fs::read_to_string(path).unwrap_or_default();
    // Behind the second `---` of insta's header.
    let old = old.splitn(3, "---\n").nth(2).unwrap_or_default();
    let diff = TextDiff::from_lines(old.trim_end(), text.trim_end());
    let diff = diff
        .unified_diff()
        .context_radius(3)
        .header("snapshot", "this run")
        .to_string();
    let path = path.display();
    format!("{path} differs from this run:\n{diff}replay: {replay}\n")
}
