//! The documents: what they show is what happens.
//!
//! A `console` block is run: `linefault` in a folder of its own with the repository's scenarios, anything else by
//! the CI script, which must have the line. What follows a command is shown of its output: lines of it, in order.
//! `# exits 1` behind a command says how it ends. A block with `file=` behind its language quotes that file, one with
//! `write=` is written for the commands after it, one with `edit=` changes a file as a diff does. A page to follow says so
//! in a comment: it begins in an empty folder beside a checkout, and all its commands are run.

mod markdown;
mod pictures;
mod shell;

use std::fmt::Write as _;
use std::fs;
use std::process::Command;

use linefault::{defect, oracle, scenario, verdict};
use tempfile::TempDir;

use crate::support::{files, root};
use markdown::Document;
use shell::{Extent, Shell};

/// Stands for lines that are left out.
const LEFT_OUT: [&str; 3] = ["...", "# ...", "// ..."];
const BEGIN: &str = "<!-- The reference: made from the reader's tables. -->\n";
const END: &str = "<!-- The end of the reference. -->\n";

fn documents() -> Vec<Document> {
    let documents: Vec<_> = files("md").into_iter().map(Document::read).collect();
    assert!(
        documents.len() > 10,
        "the documents are where they are looked for"
    );
    documents
}

/// The first of `shown` that is not among `lines` behind the one before it.
fn missing<'a>(shown: &[&'a str], text: &str) -> Option<&'a str> {
    let mut lines = text.lines().map(str::trim_end);
    let mut wanted = shown
        .iter()
        .filter(|line| !line.is_empty() && !LEFT_OUT.contains(&line.trim()));
    wanted
        .find(|wanted| !lines.any(|line| line == **wanted))
        .copied()
}

// Each command is run as a reader would type it, so that one that fails, or shows something else, cannot stay.
#[test]
fn every_linefault_command_in_a_document_does_what_is_shown() {
    let mut ran = 0;
    for document in documents() {
        let (folder, extent) = if document.is_followed() {
            (beside_the_checkout(), Extent::Quick)
        } else {
            (with_the_scenarios(), Extent::Linefault)
        };
        ran += Shell::new(document.name(&root()), extent, folder.path()).follow(&document);
    }
    assert!(ran > 5, "the documents show commands");
}

// The page is the test: from an empty folder beside a checkout to its end, cargo and git included.
#[test]
fn whoever_follows_a_page_gets_where_it_leads() {
    if ["LINEFAULT_FOLLOW", "LINEFAULT_REQUIRE_ALL"].map(std::env::var_os) == [None, None] {
        println!("SKIPPED: set LINEFAULT_FOLLOW=1 to build the crates that the pages make");
        return;
    }
    let place = beside_the_checkout();
    let pages: Vec<_> = documents()
        .into_iter()
        .filter(Document::is_followed)
        .collect();
    assert!(pages.len() > 1, "there are pages to follow");
    for page in pages {
        let mut shell = Shell::new(page.name(&root()), Extent::Everything, place.path());
        shell.follow(&page);
    }
}

// Nobody runs that file here: what it does is what somebody who follows the tutorial has done.
#[test]
fn the_workflow_to_copy_runs_what_the_tutorial_runs() {
    let path = root().join("examples/ci/linefault.yml");
    let workflow = fs::read_to_string(path).expect("it is there");
    let tutorial = Document::read(root().join("docs/tutorial.md"));
    let blocks = tutorial.blocks.iter().filter(|block| block.is_console());
    let typed: Vec<_> = blocks.flat_map(|block| block.commands()).collect();
    let steps = workflow
        .lines()
        .filter_map(|line| line.trim().strip_prefix("- run: "));
    let steps: Vec<_> = steps.collect();
    assert!(!steps.is_empty(), "it runs something");
    for step in steps {
        assert!(typed.iter().any(|shown| shown.command == step), "{step}");
    }
}

/// A folder in which the checkout lies as `linefault`. Not below this workspace, which `cargo new` would join.
fn beside_the_checkout() -> TempDir {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let checkout = folder.path().join("linefault");
    let linked = Command::new("ln")
        .arg("-s")
        .args([root(), checkout])
        .status();
    assert!(
        linked.is_ok_and(|ended| ended.success()),
        "it can be linked"
    );
    folder
}

fn with_the_scenarios() -> TempDir {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let scenarios = root().join("scenarios");
    for file in files("toml")
        .iter()
        .filter(|file| file.starts_with(&scenarios))
    {
        let to = folder
            .path()
            .join(file.strip_prefix(root()).expect("it lies below"));
        fs::create_dir_all(to.parent().expect("a file lies in a folder")).expect("it can be made");
        fs::copy(file, to).expect("it can be copied");
    }
    folder
}

// What a test of this crate cannot run (cargo itself), the CI script runs word for word.
#[test]
fn every_other_command_in_a_document_is_a_line_of_the_ci_script() {
    let script = fs::read_to_string(root().join(".ci/run")).expect("it is there");
    let workflow =
        fs::read_to_string(root().join(".github/workflows/ci.yml")).expect("it is there");
    let lines: Vec<_> = script
        .lines()
        .chain(workflow.lines())
        .map(|line| line.trim().trim_start_matches("- run: "))
        .collect();
    let runs = |command: &str| {
        lines.iter().any(|line| {
            line.strip_prefix(command)
                .is_some_and(|rest| rest.is_empty() || rest.starts_with(' '))
        })
    };
    let mut unknown = Vec::new();
    for document in documents()
        .into_iter()
        .filter(|document| !document.is_followed())
    {
        for block in document.blocks.iter().filter(|block| block.is_console()) {
            let others = block
                .commands()
                .into_iter()
                .filter(|shown| !shown.command.starts_with("linefault "));
            let not_run = others.filter(|shown| !runs(shown.command));
            unknown.extend(
                not_run.map(|shown| format!("{}: {}", document.name(&root()), shown.command)),
            );
        }
    }
    assert!(
        unknown.is_empty(),
        "neither `linefault` nor run by .ci/run:\n{}",
        unknown.join("\n")
    );
}

#[test]
fn every_quotation_in_a_document_stands_in_its_file() {
    let mut wrong = Vec::new();
    for document in documents() {
        for block in &document.blocks {
            let Some(path) = block.attribute("file") else {
                continue;
            };
            let text = fs::read_to_string(root().join(path)).unwrap_or_default();
            let lines: Vec<_> = block.lines.iter().map(|line| line.trim_end()).collect();
            let missing = missing(&lines, &text)
                .map(|line| format!("{}: {path} has no: {line}", document.name(&root())));
            wrong.extend(missing);
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

// A path counts if it begins with something in the root folder, or is the target of a link.
#[test]
fn every_path_that_a_document_names_exists() {
    let mut gone = Vec::new();
    for document in documents() {
        let folder = document.path.parent().expect("a document lies in a folder");
        let named = document
            .spans()
            .into_iter()
            .filter(|span| is_path(span))
            .map(|span| root().join(span));
        let linked = document.links().into_iter().map(|link| folder.join(link));
        let missing = named.chain(linked).filter(|path| !path.exists());
        gone.extend(missing.map(|path| format!("{}: {}", document.name(&root()), path.display())));
    }
    assert!(gone.is_empty(), "{}", gone.join("\n"));
}

/// `<name>` and `*` stand for what the reader chooses.
fn is_path(span: &str) -> bool {
    let first = span.split('/').next().unwrap_or_default();
    let plain = !first.is_empty()
        && !span.contains(char::is_whitespace)
        && !span.contains(['<', '*', '|', '@']);
    plain && span.contains(['/', '.']) && root().join(first).exists()
}

// An editor follows that line; a wrong one silently checks nothing.
#[test]
fn every_scenario_names_its_schema_in_its_first_line() {
    let scenarios = root().join("scenarios");
    let schema = scenarios
        .join("scenario.schema.json")
        .canonicalize()
        .expect("it is there");
    let files = files("toml")
        .into_iter()
        .filter(|file| file.starts_with(&scenarios));
    let without = files.filter(|file| {
        let text = fs::read_to_string(file).expect("a scenario can be read");
        let named = text
            .lines()
            .next()
            .and_then(|line| line.strip_prefix("#:schema "));
        let folder = file.parent().expect("a file lies in a folder");
        named
            .and_then(|path| folder.join(path.trim()).canonicalize().ok())
            .as_ref()
            != Some(&schema)
    });
    let without: Vec<_> = without.collect();
    assert!(without.is_empty(), "{without:#?}");
}

#[test]
fn the_manual_has_the_reference_of_the_tables() {
    let path = root().join("scenarios/README.md");
    let text = fs::read_to_string(&path).expect("the manual is there");
    let (before, rest) = text
        .split_once(BEGIN)
        .expect("the reference begins with its comment");
    let (_, after) = rest
        .split_once(END)
        .expect("the reference ends with its comment");
    let current = format!("{before}{BEGIN}\n{}\n{END}{after}", reference());
    // Others read the file meanwhile: it is written only if that changes it.
    if current != text && std::env::var_os("UPDATE_MANUAL").is_some() {
        fs::write(&path, &current).expect("the manual can be written");
        return;
    }
    assert!(
        current == text,
        "run the tests of `linefault` with UPDATE_MANUAL=1 and review the diff"
    );
}

/// The format's reference, then what a broken twin can be made of and fail with.
fn reference() -> String {
    scenario::manual() + &defects() + &oracles()
}

fn defects() -> String {
    let mut text = "\n## Defects\n\nFor `defects` of a broken twin.\n\n".to_owned();
    text += "| defect | actor | meaning |\n|---|---|---|\n";
    for defect in defect::CATALOGUE {
        let (name, actor) = (defect.name, defect.actor);
        let _ = writeln!(text, "| `{name}` | `{actor}` | {} |", defect.doc);
    }
    text
}

fn oracles() -> String {
    let is_oracle = |name: &&str| oracle::CATALOGUE.iter().any(|oracle| oracle.name == *name);
    let others = verdict::names().filter(|name| !is_oracle(name));
    let others: Vec<_> = others.map(|name| format!("`{name}`")).collect();
    let mut text = "\n## Oracles\n\nJudge every run. ".to_owned();
    let _ = writeln!(
        text,
        "For `must_fail`, besides the names of expects and {}.\n",
        others.join(", ")
    );
    text += "| oracle | demands | source |\n|---|---|---|\n";
    for oracle in oracle::CATALOGUE {
        let (name, doc) = (oracle.name, oracle.doc);
        let _ = writeln!(text, "| `{name}` | {doc} | {} |", oracle.source);
    }
    text
}

// The comparison of excerpts must be able to fail: on a line that is not there, and on the wrong order.
#[test]
fn an_excerpt_is_of_lines_in_order() {
    let text = "one\n  two\nthree\n";
    assert_eq!(missing(&["one", "...", "three"], text), None);
    assert_eq!(missing(&["three", "one"], text), Some("one"));
    assert_eq!(missing(&["one", "two"], text), Some("two"));
}
