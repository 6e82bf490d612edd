//! A reader's terminal: the folder that a document's commands are given in, and what is typed there.
//!
//! `linefault` is always this build. On a page to follow, `cd` changes the folder, and what needs cargo or git is run only
//! by a shell that follows everything; on other pages nothing but `linefault` is run.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::markdown::{Block, Document, Shown};
use super::missing;
use crate::support::{Ran, linefault, output_of};

/// How much of a page is done.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Extent {
    /// What `linefault` alone does.
    Linefault,
    /// Also what a page to follow needs besides, except for cargo and git.
    Quick,
    /// All of it.
    Everything,
}

pub(super) struct Shell {
    document: String,
    extent: Extent,
    /// Where what cargo builds is put, for all pages.
    target: PathBuf,
    folder: PathBuf,
}

impl Shell {
    pub(super) fn new(document: String, extent: Extent, folder: &Path) -> Self {
        Self {
            document,
            extent,
            target: folder.join("target"),
            folder: folder.to_owned(),
        }
    }

    /// Writes, changes or runs what the blocks say; how many commands were run.
    pub(super) fn follow(&mut self, document: &Document) -> usize {
        let blocks = document.blocks.iter();
        blocks.map(|block| self.take(block)).sum()
    }

    fn take(&mut self, block: &Block) -> usize {
        if let Some(path) = block.attribute("write") {
            let path = self.folder.join(path);
            let folder = path.parent().expect("a file lies in a folder");
            fs::create_dir_all(folder).expect("it can be made");
            fs::write(path, block.lines.join("\n") + "\n").expect("it can be written");
        }
        if let Some(path) = block.attribute("edit") {
            self.edit(&self.folder.join(path), &block.lines);
        }
        let commands = block.is_console().then(|| block.commands());
        let commands = commands.into_iter().flatten();
        commands.filter(|shown| self.run(shown).is_some()).count()
    }

    /// Lines of the file that begin with `-` here are replaced with those that begin with `+`, between lines that stay.
    fn edit(&self, path: &Path, lines: &[String]) {
        let text = fs::read_to_string(path).expect("a file that is changed is there");
        let side = |other: char| -> String {
            let kept = lines.iter().filter(|line| !line.starts_with(other));
            kept.map(|line| line.get(1..).unwrap_or_default().to_owned() + "\n")
                .collect()
        };
        let (old, new) = (side('+'), side('-'));
        let found = text.matches(&old).count();
        assert_eq!(found, 1, "{}: {old} stands once in\n{text}", self.document);
        fs::write(path, text.replace(&old, &new)).expect("it can be written");
    }

    fn run(&mut self, shown: &Shown<'_>) -> Option<()> {
        let ran = match shown.command.split_whitespace().collect::<Vec<_>>()[..] {
            ["linefault", ref arguments @ ..] => {
                self.is_plain(shown.command);
                linefault(&self.folder, arguments)
            }
            _ if self.extent == Extent::Linefault => return None,
            ["cd", folder] => {
                self.folder.push(folder);
                return fs::create_dir_all(&self.folder).ok();
            }
            ref words if self.extent == Extent::Quick && is_slow(words) => return None,
            _ => self.in_bash(shown.command),
        };
        self.compare(shown, &ran);
        Some(())
    }

    fn is_plain(&self, command: &str) {
        let document = &self.document;
        assert!(
            !command.contains(['\'', '"', '|', '>', '\\']),
            "{document}: keep it plain: {command}"
        );
    }

    /// As on a developer's machine: in CI mode insta keeps nothing, and git knows nobody.
    fn in_bash(&self, command: &str) -> Ran {
        let mut bash = Command::new("bash");
        bash.args(["-c", command]).current_dir(&self.folder);
        bash.env_remove("CI").env("CARGO_TERM_COLOR", "never");
        bash.env("CARGO_TARGET_DIR", &self.target);
        for role in ["AUTHOR", "COMMITTER"] {
            bash.env(format!("GIT_{role}_NAME"), "reader");
            bash.env(format!("GIT_{role}_EMAIL"), "reader@sim.test");
        }
        output_of(&mut bash)
    }

    fn compare(&self, shown: &Shown<'_>, ran: &Ran) {
        let (document, command) = (&self.document, shown.command);
        let text = format!("{}{}", ran.out, ran.err);
        assert_eq!(ran.code, Some(shown.exits), "{document}: {command}\n{text}");
        let missing = missing(&shown.output, &text);
        assert!(
            missing.is_none(),
            "{document}: {command} does not print\n{missing:?}\nbut\n{text}"
        );
    }
}

/// Whether a command needs cargo or git, or what those made: by its first word that sets no variable.
fn is_slow(words: &[&str]) -> bool {
    let first = words.iter().find(|word| !word.contains('='));
    first.is_some_and(|first| ["cargo", "git", "cp"].contains(first))
}
