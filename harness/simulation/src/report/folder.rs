//! The folder that a report is written to.
//!
//! Owns what may be overwritten: only what an earlier report has written, which a marker file lists. Refuses any other
//! folder that is not empty, and any name that would lead out of it.

use std::collections::BTreeSet;
use std::fmt;
use std::fs;
use std::io::{self, ErrorKind};
use std::path::{Component, Path, PathBuf};

/// Lists what a report has written, a path a line.
pub const MARKER: &str = ".linefault-report";

/// A folder that may be written to.
#[derive(Debug)]
pub struct Folder {
    path: PathBuf,
    /// What the marker lists, this report's files included.
    listed: BTreeSet<String>,
    /// What this report has written.
    written: BTreeSet<String>,
}

/// Why a report cannot be written. Blames the caller's choice of a folder.
#[derive(Debug)]
pub enum FolderError {
    /// It holds what no report has written.
    Occupied {
        /// The folder.
        folder: PathBuf,
        /// One of the files.
        file: String,
    },
    /// It is there and no folder.
    NoFolder {
        /// What was given.
        path: PathBuf,
    },
    /// The system refuses.
    System {
        /// What was to be read or written.
        path: PathBuf,
        /// What the system says.
        error: io::Error,
    },
}

impl fmt::Display for FolderError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Occupied { folder, file } => write!(
                f,
                "{} holds `{file}`, which no report has written: nothing is overwritten; choose an empty folder or a \
                 new one",
                folder.display()
            ),
            Self::NoFolder { path } => write!(f, "{} is there and is no folder", path.display()),
            Self::System { path, error } => write!(f, "cannot write {}: {error}", path.display()),
        }
    }
}

impl std::error::Error for FolderError {}

impl Folder {
    /// Takes a folder for a report, and makes it where it is missing.
    ///
    /// # Errors
    /// It holds files that no report has written, or the system refuses to make it, read it or write to it.
    pub fn open(path: &Path) -> Result<Self, FolderError> {
        match fs::metadata(path) {
            Ok(found) if !found.is_dir() => {
                let path = path.to_owned();
                return Err(FolderError::NoFolder { path });
            }
            Ok(_) => {}
            Err(error) if error.kind() == ErrorKind::NotFound => {
                fs::create_dir_all(path).map_err(|error| system(path, error))?;
            }
            Err(error) => return Err(system(path, error)),
        }
        let marker = match fs::read_to_string(path.join(MARKER)) {
            Ok(marker) => marker,
            Err(error) if error.kind() == ErrorKind::NotFound => {
                refuse_others(path)?;
                String::new()
            }
            Err(error) => return Err(system(&path.join(MARKER), error)),
        };
        let listed = marker.lines().filter(|line| is_inside(line));
        let folder = Self {
            path: path.to_owned(),
            listed: listed.map(str::to_owned).collect(),
            written: BTreeSet::new(),
        };
        // Shows at once whether the folder can be written to, before anything is run.
        folder.mark()?;
        Ok(folder)
    }

    /// Writes a file of the report; `name` may have folders in it, with `/`. A name that this report has written
    /// already gets a `~` before its ending.
    ///
    /// # Errors
    /// The name is taken by what no report has written, or the system refuses.
    pub fn write(&mut self, name: &str, text: &str) -> Result<(), FolderError> {
        let mut name = name.to_owned();
        // Two tests may have one name, if two folders hold files of the same name.
        while self.written.contains(&name) {
            name.insert(name.rfind('.').unwrap_or(name.len()), '~');
        }
        let name = name.as_str();
        let path = self.path.join(name);
        if !is_inside(name) || !self.listed.contains(name) && path.exists() {
            return Err(FolderError::Occupied {
                folder: self.path.clone(),
                file: name.to_owned(),
            });
        }
        if self.listed.insert(name.to_owned()) {
            self.mark()?;
        }
        self.written.insert(name.to_owned());
        if let Some(parent) = path.parent() {
            fs::create_dir_all(parent).map_err(|error| system(parent, error))?;
        }
        fs::write(&path, text).map_err(|error| system(&path, error))
    }

    /// Removes what earlier reports have written under names with that ending and this one has not.
    ///
    /// # Errors
    /// The system refuses.
    pub fn remove_stale(&mut self, ending: &str) -> Result<(), FolderError> {
        let stale = self.listed.difference(&self.written);
        let stale: Vec<_> = stale
            .filter(|name| name.ends_with(ending))
            .cloned()
            .collect();
        for name in stale {
            let path = self.path.join(&name);
            match fs::remove_file(&path) {
                Err(error) if error.kind() != ErrorKind::NotFound => {
                    return Err(system(&path, error));
                }
                _ => self.listed.remove(&name),
            };
        }
        self.mark()
    }

    fn mark(&self) -> Result<(), FolderError> {
        let marker = self.path.join(MARKER);
        let list: String = self.listed.iter().map(|name| format!("{name}\n")).collect();
        fs::write(&marker, list).map_err(|error| system(&marker, error))
    }
}

/// The file of a test: its name and the ending, without what would lead out of the folder.
#[must_use]
pub fn file_name(test: &str, ending: &str) -> String {
    let parts = test
        .split('/')
        .filter(|part| !matches!(*part, "" | "." | ".."));
    let plain = |part: &str| part.replace(['\\', '\n', '\r', ':'], "-");
    let parts: Vec<_> = parts.map(plain).collect();
    format!("{}{ending}", parts.join("/"))
}

fn refuse_others(folder: &Path) -> Result<(), FolderError> {
    let mut entries = fs::read_dir(folder).map_err(|error| system(folder, error))?;
    let Some(entry) = entries.next() else {
        return Ok(());
    };
    let entry = entry.map_err(|error| system(folder, error))?;
    Err(FolderError::Occupied {
        folder: folder.to_owned(),
        file: entry.file_name().to_string_lossy().into_owned(),
    })
}

/// Whether a name leads to a file below the folder, and is a whole line of the marker.
fn is_inside(name: &str) -> bool {
    let mut parts = Path::new(name).components();
    !name.is_empty()
        && !name.contains(['\n', '\r', '\\'])
        && name != MARKER
        && parts.all(|part| matches!(part, Component::Normal(_)))
}

fn system(path: &Path, error: io::Error) -> FolderError {
    let path = path.to_owned();
    FolderError::System { path, error }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn temporary() -> tempfile::TempDir {
        tempfile::tempdir().expect("a temporary folder")
    }

    // The three folders that are taken: a new one, an empty one, and one of an earlier report, whose files go.
    #[test]
    fn an_earlier_report_is_replaced_and_nothing_else_is_touched() {
        let temporary = temporary();
        let path = temporary.path().join("new/report");
        let mut folder = Folder::open(&path).expect("a new folder");
        folder.write("a/old.svg", "old").expect("it is written");
        folder.write("index.html", "old").expect("it is written");
        fs::write(path.join("notes.txt"), "mine").expect("it is written");
        let mut folder = Folder::open(&path).expect("a report's folder");
        folder.write("a/new.svg", "new").expect("it is written");
        folder.remove_stale(".svg").expect("it can be removed");
        assert!(!path.join("a/old.svg").exists() && path.join("a/new.svg").exists());
        assert!(path.join("index.html").exists() && path.join("notes.txt").exists());
        let error = folder
            .write("notes.txt", "ours")
            .expect_err("it is not ours");
        assert!(matches!(error, FolderError::Occupied { .. }));
        assert_eq!(
            fs::read_to_string(path.join("notes.txt")).ok().as_deref(),
            Some("mine")
        );
    }

    #[test]
    fn a_folder_with_other_files_is_refused_and_left_as_it_is() {
        let temporary = temporary();
        fs::write(temporary.path().join("thesis.txt"), "mine").expect("it is written");
        let error = Folder::open(temporary.path()).expect_err("it is not ours");
        assert!(error.to_string().contains("`thesis.txt`"), "{error}");
        assert!(!temporary.path().join(MARKER).exists());
    }

    // A marker that somebody has edited must not make us remove files elsewhere.
    #[test]
    fn names_that_lead_out_of_the_folder_are_refused() {
        let temporary = temporary();
        let path = temporary.path().join("report");
        let mut folder = Folder::open(&path).expect("a new folder");
        for name in ["../out", "/out", "", "a/../../out", "a\nb", MARKER] {
            assert!(folder.write(name, "").is_err(), "{name}");
        }
        fs::write(temporary.path().join("out.svg"), "mine").expect("it is written");
        fs::write(path.join(MARKER), "../out.svg\n").expect("it is written");
        let mut folder = Folder::open(&path).expect("a report's folder");
        folder
            .remove_stale(".svg")
            .expect("there is nothing to remove");
        assert!(temporary.path().join("out.svg").exists());
    }
}
