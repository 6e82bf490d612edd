//! Markdown, as far as the tests of the documents need it.

use std::fs;
use std::path::{Path, PathBuf};

/// What a page to follow from an empty folder says of itself.
const FOLLOWED: &str = "<!-- A test follows this page, cargo's commands included. -->";

/// One Markdown file.
pub(super) struct Document {
    pub(super) path: PathBuf,
    pub(super) blocks: Vec<Block>,
    /// What stands outside of fenced blocks.
    pub(super) prose: String,
}

/// One fenced block: what stands behind its fence, and its lines.
pub(super) struct Block {
    info: String,
    pub(super) lines: Vec<String>,
}

/// One command, and what is shown of its output.
pub(super) struct Shown<'a> {
    pub(super) command: &'a str,
    pub(super) exits: i32,
    pub(super) output: Vec<&'a str>,
}

impl Document {
    pub(super) fn read(path: PathBuf) -> Self {
        let text = fs::read_to_string(&path).expect("a document can be read");
        let (mut blocks, mut prose, mut open) = (Vec::new(), String::new(), None::<Block>);
        for line in text.lines() {
            assert!(
                !line.starts_with(' ') || !line.trim_start().starts_with("```"),
                "{}: an indented block would not be checked",
                path.display()
            );
            match (line.strip_prefix("```"), open.take()) {
                (Some(_), Some(block)) => blocks.push(block),
                (Some(info), None) => open = Some(Block::new(info)),
                (None, Some(mut block)) => {
                    block.lines.push(line.to_owned());
                    open = Some(block);
                }
                (None, None) => prose = prose + line + "\n",
            }
        }
        assert!(open.is_none(), "{}: a block does not end", path.display());
        Self {
            path,
            blocks,
            prose,
        }
    }

    /// Whether all its commands belong to one story, so that a test can follow it.
    pub(super) fn is_followed(&self) -> bool {
        self.prose.contains(FOLLOWED)
    }

    /// Its path below that folder.
    pub(super) fn name(&self, root: &Path) -> String {
        let below = self.path.strip_prefix(root).unwrap_or(&self.path);
        below.display().to_string()
    }

    /// What stands between back-ticks, outside of blocks.
    pub(super) fn spans(&self) -> Vec<&str> {
        self.prose
            .lines()
            .flat_map(|line| line.split('`').skip(1).step_by(2))
            .collect()
    }

    /// The files that links lead to.
    pub(super) fn links(&self) -> Vec<&str> {
        let targets = self.prose.split("](").skip(1);
        let targets = targets.filter_map(|rest| rest.split_once(')'));
        let files = targets.map(|(target, _)| target.split('#').next().unwrap_or_default());
        files
            .filter(|target| !target.is_empty() && !target.contains("://"))
            .collect()
    }
}

impl Block {
    /// A block that no test would check is refused.
    fn new(info: &str) -> Self {
        let block = Self {
            info: info.to_owned(),
            lines: Vec::new(),
        };
        let checked = ["file", "write", "edit"].map(|key| block.attribute(key).is_some());
        assert!(
            block.is_console() || checked.contains(&true),
            "a block is `console`, or has `file=`, `write=` or `edit=`: {info}"
        );
        block
    }

    /// What the fence says for `key`.
    pub(super) fn attribute(&self, key: &str) -> Option<&str> {
        self.info
            .split_whitespace()
            .find_map(|word| word.strip_prefix(key)?.strip_prefix('='))
    }

    pub(super) fn is_console(&self) -> bool {
        self.info == "console"
    }

    pub(super) fn commands(&self) -> Vec<Shown<'_>> {
        let mut commands: Vec<Shown<'_>> = Vec::new();
        for line in &self.lines {
            match (line.strip_prefix("$ "), commands.last_mut()) {
                (Some(command), _) => commands.push(Shown::new(command)),
                (None, Some(last)) => last.output.push(line.trim_end()),
                (None, None) => panic!("output without a command: {line}"),
            }
        }
        commands
    }
}

impl<'a> Shown<'a> {
    fn new(line: &'a str) -> Self {
        let (command, exits) = line.split_once("# exits ").unwrap_or((line, "0"));
        let exits = exits
            .trim()
            .parse()
            .expect("a number stands behind `# exits`");
        Self {
            command: command.trim(),
            exits,
            output: Vec::new(),
        }
    }
}
