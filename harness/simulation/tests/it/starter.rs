//! `linefault new`: a scenario that passes at once, and what it refuses.

use std::fs;

use crate::support::linefault;

// Somebody's first minute: what `new` writes must be right as it is, at any depth, and know its schema.
#[test]
fn a_new_scenario_passes_check_and_run_at_once() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    for (name, schema) in [
        ("first", "#:schema scenario.schema.json\n"),
        ("call/of-mine", "#:schema ../scenario.schema.json\n"),
        ("a/b/c_3", "#:schema ../../scenario.schema.json\n"),
    ] {
        let new = linefault(folder.path(), &["new", name]);
        assert_eq!(new.code, Some(0), "{}", new.err);
        let path = format!("scenarios/{name}.toml");
        let text = fs::read_to_string(folder.path().join(&path)).expect("it was written");
        assert!(text.starts_with(schema), "{text}");
        assert!(
            text.contains(&format!("linefault run {path} --trace")),
            "{text}"
        );
        let check = linefault(folder.path(), &["check", &path]);
        assert_eq!((check.code, check.err.as_str()), (Some(0), ""));
        let run = linefault(folder.path(), &["run", &path]);
        assert_eq!((run.code, run.err.as_str()), (Some(0), "2 passed\n"));
    }
    let schema = fs::read_to_string(folder.path().join("scenarios/scenario.schema.json"));
    let schema: serde_json::Value =
        serde_json::from_str(&schema.expect("it was written too")).expect("it is JSON");
    assert_eq!(schema["title"], "linefault scenario");
}

#[test]
fn what_is_there_stays_as_it_is() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    fs::create_dir(folder.path().join("scenarios")).expect("it can be made");
    let mine = folder.path().join("scenarios/mine.toml");
    fs::write(&mine, "mine").expect("it can be written");
    let again = linefault(folder.path(), &["new", "mine"]);
    let said = "error: scenarios/mine.toml is there already; it stays as it is\n";
    assert_eq!((again.code, again.err.as_str()), (Some(2), said));
    assert_eq!(fs::read_to_string(mine).expect("it is there"), "mine");
    let below = linefault(folder.path(), &["new", "mine.toml/deeper"]);
    assert_eq!(below.code, Some(2));
    let below = linefault(folder.path(), &["new", "deep/er"]);
    assert_eq!(below.code, Some(0), "{}", below.err);
}

// The place in the name, and what is expected there; nothing may be written for any of them.
#[test]
fn a_bad_name_is_a_mistake_at_its_place() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let long = "x".repeat(101);
    let letters = "expected a letter a to z";
    for (name, caret, expected) in [
        ("My call", 0, letters),
        ("my call", 2, letters),
        ("../up", 0, letters),
        ("käse", 1, letters),
        ("a\nb", 1, letters),
        ("a//b", 2, "expected a name of 1 to 100"),
        ("/root", 0, "expected a name of 1 to 100"),
        ("", 0, "expected a name of 1 to 100"),
        (long.as_str(), 0, "expected a name of 1 to 100"),
        ("a/-b", 2, "expected a name of 1 to 100"),
    ] {
        let ran = linefault(folder.path(), &["new", "--", name]);
        assert_eq!(ran.code, Some(2), "{name}");
        let pointer = format!("\n  {:caret$}^ {expected}", "");
        assert!(ran.err.contains(&pointer), "{name}\n{}", ran.err);
    }
    let rejected = linefault(folder.path(), &["new", "rejected/mine"]);
    assert_eq!(rejected.code, Some(2));
    assert!(rejected.err.contains("would never run"), "{}", rejected.err);
    assert!(!folder.path().join("scenarios").exists());
}
