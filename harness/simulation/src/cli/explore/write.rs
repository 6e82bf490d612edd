//! Files of campaigns: read, and written whole or not at all.

use std::fs;
use std::io;
use std::path::Path;

use crate::cli::{Exit, output};
use crate::explore::part::{Campaign, Part};
use crate::explore::staged::staged;

/// Reads a part.
pub(super) fn read(path: &Path) -> Result<Part, Exit> {
    let text = fs::read_to_string(path).map_err(|error| {
        output::mistake(&format!("cannot read {}: {error}", path.display()));
        Exit::Mistake
    })?;
    Part::from_jsonl(&text).map_err(|wrong| {
        output::mistake(&format!("{}: {wrong}", path.display()));
        Exit::Mistake
    })
}

/// What there is already of a campaign at a path. Says no to one that holds anything else, before the work is done.
pub(super) fn begun(path: &Path, campaign: &Campaign) -> Result<Option<Part>, Exit> {
    let refuse = |why: &str| {
        let path = path.display();
        output::mistake(&format!("{path} {why}: nothing was overwritten"));
        Err(Exit::Mistake)
    };
    match fs::read_to_string(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => folder(path).map(|()| None),
        Err(error) => refuse(&format!("cannot be read ({error})")),
        Ok(text) => match Part::from_jsonl(&text) {
            Ok(part) if part.campaign == *campaign => Ok(Some(part)),
            Ok(_) => refuse("holds another campaign, or one of another build"),
            Err(wrong) => refuse(&format!("is there already, and {wrong}")),
        },
    }
}

/// A folder that cannot be written to is better known before the campaign than after it.
fn folder(path: &Path) -> Result<(), Exit> {
    let parent = parent(path);
    match tempfile::tempfile_in(parent) {
        Ok(_) => Ok(()),
        Err(error) => {
            output::mistake(&format!("cannot write to {}: {error}", parent.display()));
            Err(Exit::Mistake)
        }
    }
}

fn parent(path: &Path) -> &Path {
    path.parent()
        .filter(|parent| !parent.as_os_str().is_empty())
        .unwrap_or(Path::new("."))
}

/// Writes a part.
pub(super) fn part(path: &Path, part: &Part) -> Result<(), Exit> {
    let staged = staged(parent(path), &part.to_jsonl());
    let written = staged.and_then(|file| {
        let renamed = file.persist(path).map(drop);
        renamed.map_err(|failed| failed.error)
    });
    written.map_err(|error| {
        output::mistake(&format!("cannot write {}: {error}", path.display()));
        Exit::Mistake
    })
}
