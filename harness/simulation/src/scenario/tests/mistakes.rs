//! Files with mistakes: how each is shown, and that no file makes the reader panic.

use std::fs;
use std::path::PathBuf;

use super::super::{File, Names, Override};
use super::fixture::{FULL, HOSTS, mistakes, names, read};
use super::{resolved, scenarios};

fn refused(text: &str, argument: &str) -> String {
    let file = read(text).unwrap();
    let given = Override::parse(argument).unwrap();
    file.resolve(&file.combinations()[0], &[given])
        .unwrap_err()
        .render(false)
}

#[test]
fn one_mistake_does_not_make_others() {
    // Whatever refers to a host whose actor is wrong would only repeat that.
    let text = HOSTS.replace("actor = \"proxy\"", "actor = \"proxi\"")
        + "[timeline]\nsteps = [{ at = \"0s\", host = \"proxy\", do = \"stop\" }]\n"
        + "[[known_bad]]\nhost = \"proxy\"\ndefects = [\"deaf\"]\nmust_fail = [\"nobody-waits\"]\n";
    assert_eq!(mistakes(&text), ["there is no actor `proxi`"]);
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

/// What other modules give names to, as far as the rejected files use it.
fn rejected_names() -> Names {
    Names {
        actors: Vec::new(),
        defects: vec![("unreachable-is-502", "proxy")],
        verdicts: vec!["nobody-waits"],
    }
}

#[test]
fn every_rejected_file_is_refused_with_a_reviewed_message() {
    let mut files: Vec<PathBuf> = fs::read_dir(scenarios().join("rejected"))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    files.retain(|path| {
        path.extension()
            .is_some_and(|extension| extension == "toml")
    });
    files.sort();
    assert!(files.len() >= 25, "the folder is read at all");
    for path in files {
        let name = path.file_stem().unwrap().to_str().unwrap();
        let shown = format!("rejected/{name}.toml");
        let Err(found) = File::read_bytes(&shown, &fs::read(&path).unwrap(), &rejected_names())
        else {
            panic!("{shown} is accepted");
        };
        insta::with_settings!({ snapshot_path => "../snapshots/rejected", prepend_module_to_snapshot => false, omit_expression => true }, {
            insta::assert_snapshot!(name, found.render(false));
        });
    }
}
