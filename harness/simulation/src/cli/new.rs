//! `linefault new`: a scenario to begin with.
//!
//! Refuses to overwrite, and names that some system or shell would not take.

use std::fmt;
use std::fs::{self, OpenOptions};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use clap::Args;

use super::{Exit, output};
use crate::scenario;
use crate::suite::REJECTED;

/// Where scenarios are looked for, and where new ones go.
const FOLDER: &str = "scenarios";

/// What editors check scenarios by.
const SCHEMA: &str = "scenario.schema.json";

const STARTER: &str = include_str!("starter.toml");

/// The longest part of a name; file systems take 255 bytes.
const LONGEST_PART: usize = 100;

#[derive(Debug, Args)]
pub(super) struct New {
    /// Its name below `scenarios`, with folders and without ending, like call/answer-lost
    name: String,
}

/// Why there is no new scenario. Blames the caller.
#[derive(Debug, PartialEq, Eq)]
enum Refusal {
    /// A letter that names do not have, by its place.
    Letter { name: String, at: usize },
    /// A part that is empty, or too long, by where it begins.
    Part { name: String, at: usize },
    /// A folder whose files are nobody's tests.
    Rejected { name: String },
    /// There is such a file.
    Exists { path: PathBuf },
    /// The system says no.
    Unwritable { path: PathBuf, error: String },
}

pub(super) fn run(new: &New) -> Result<Exit, Exit> {
    let lines = write(&new.name).map_err(|refusal| {
        output::mistake(&refusal.to_string());
        Exit::Mistake
    })?;
    for line in lines {
        output::line(&line).map_err(|error| output::broken_pipe(&error))?;
    }
    Ok(Exit::Pass)
}

/// Writes the files; gives what to tell.
fn write(name: &str) -> Result<Vec<String>, Refusal> {
    let name = name.strip_suffix(".toml").unwrap_or(name);
    check(name)?;
    let (folder, mut said) = (Path::new(FOLDER), Vec::new());
    let path = folder.join(format!("{name}.toml"));
    let depth = name.split('/').count() - 1;
    let text = format!("#:schema {}{SCHEMA}\n{STARTER}", "../".repeat(depth)).replace("NAME", name);
    create(&path, &text)?;
    let shown = path.display();
    said.push(format!("{shown} is written: linefault run {shown} --trace"));
    let schema = folder.join(SCHEMA);
    if !schema.exists() {
        create(&schema, &format!("{:#}\n", scenario::schema()))?;
        said.push(format!(
            "{} is written, for editors that complete and check",
            schema.display()
        ));
    }
    Ok(said)
}

fn check(name: &str) -> Result<(), Refusal> {
    let known = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "-_/".contains(c);
    let at = name.chars().position(|c| !known(c));
    if let Some(at) = at {
        let name = name.to_owned();
        return Err(Refusal::Letter { name, at });
    }
    let mut at = 0;
    for part in name.split('/') {
        if part.is_empty() || part.len() > LONGEST_PART || part.starts_with('-') {
            let name = name.to_owned();
            return Err(Refusal::Part { name, at });
        }
        at += part.len() + 1;
    }
    let mut folders = name.split('/').rev().skip(1);
    if folders.any(|folder| folder == REJECTED) {
        let name = name.to_owned();
        return Err(Refusal::Rejected { name });
    }
    Ok(())
}

fn create(path: &Path, text: &str) -> Result<(), Refusal> {
    let refusal = |error: io::Error| match error.kind() {
        io::ErrorKind::AlreadyExists => Refusal::Exists {
            path: path.to_owned(),
        },
        _ => Refusal::Unwritable {
            path: path.to_owned(),
            error: error.to_string(),
        },
    };
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder).map_err(refusal)?;
    }
    let file = OpenOptions::new().write(true).create_new(true).open(path);
    file.and_then(|mut file| file.write_all(text.as_bytes()))
        .map_err(refusal)
}

/// The name with a caret below a letter of it.
fn pointed(f: &mut fmt::Formatter<'_>, name: &str, at: usize, expected: &str) -> fmt::Result {
    let shown: String = name
        .chars()
        .map(|c| if c.is_control() { '?' } else { c })
        .collect();
    write!(
        f,
        "no scenario can have this name\n  {shown}\n  {:at$}^ expected {expected}",
        ""
    )
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Letter { name, at } => pointed(
                f,
                name,
                *at,
                "a letter a to z, a digit, `-`, `_`, or `/` between folders",
            ),
            Self::Part { name, at } => {
                let expected = format!(
                    "a name of 1 to {LONGEST_PART} letters, digits, `-` and `_`, which does not begin with `-`"
                );
                pointed(f, name, *at, &expected)
            }
            Self::Rejected { name } => write!(
                f,
                "{name} would never run: a folder `{REJECTED}` holds files that must be refused"
            ),
            Self::Exists { path } => {
                write!(f, "{} is there already; it stays as it is", path.display())
            }
            Self::Unwritable { path, error } => {
                write!(f, "cannot write {}: {error}", path.display())
            }
        }
    }
}

impl std::error::Error for Refusal {}
