//! A scenario file: read, checked for every combination of its matrix, and resolved to one of them.

use std::sync::Arc;

use linefault_actors::catalogue::Entry;

use super::adapter;
use super::diagnostic::{Diagnostic, Diagnostics, Source, Span};
use super::keys::{Kind, Table};
use super::lower::Lowering;
use super::matrix::{self, Combination, Override};
use super::model::{Fault, Run, Scenario};
use super::names::Names;
use super::path;
use super::reader::Reader;
use super::tables::{self, Vocabulary};
use super::tree::Node;

/// A scenario file without a mistake in any combination of its matrix.
pub struct File {
    source: Source,
    root: Node,
    table: Table,
    vocabulary: Vocabulary,
    names: Names,
}

impl File {
    /// Reads and checks a file. `name` is how diagnostics call it.
    ///
    /// # Errors
    /// Every semantic mistake of the file; of mistakes of TOML syntax the first.
    pub fn read(name: &str, text: &str, names: &Names) -> Result<Self, Diagnostics> {
        let mut vocabulary = adapter::vocabulary();
        let named = |own: &&Entry| names.actors.iter().any(|theirs| theirs.name == own.name);
        vocabulary.actors.retain(|own| !named(own));
        vocabulary.actors.extend(&names.actors);
        Self::read_with(name, text, names, vocabulary)
    }

    /// Reads and checks the bytes of a file.
    ///
    /// # Errors
    /// As [`File::read`]; also that the bytes are not UTF-8 (TOML 1.0, "Spec").
    pub fn read_bytes(name: &str, bytes: &[u8], names: &Names) -> Result<Self, Diagnostics> {
        match std::str::from_utf8(bytes) {
            Ok(text) => Self::read(name, text, names),
            Err(error) => {
                let lossy = String::from_utf8_lossy(bytes);
                // All before the first bad byte is the same in both.
                let at = error.valid_up_to();
                let mistake = Diagnostic {
                    message: "not TOML: the file is not UTF-8".to_owned(),
                    span: Span::new(0, at..at + 1),
                    label: format!(
                        "found the byte 0x{:02x}",
                        bytes.get(at).copied().unwrap_or_default()
                    ),
                    help: None,
                };
                Err(Diagnostics::new(
                    vec![Source::new(name, &lossy)],
                    vec![mistake],
                ))
            }
        }
    }

    pub(super) fn read_with(
        name: &str,
        text: &str,
        names: &Names,
        vocabulary: Vocabulary,
    ) -> Result<Self, Diagnostics> {
        let source = Source::new(name, text);
        let table = tables::root(&vocabulary);
        let root = Node::document(text)
            .map_err(|mistake| Diagnostics::new(vec![source.clone()], vec![mistake]))?;
        let file = Self {
            source,
            root,
            table,
            vocabulary,
            names: names.clone(),
        };
        file.check().map(|()| file)
    }

    /// The file's name, as given.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.source.name
    }

    /// Every combination of the matrix, axes in file order and the last turning fastest; a single empty one
    /// without a matrix.
    #[must_use]
    pub fn combinations(&self) -> Vec<Combination> {
        matrix::combinations(&self.root)
    }

    /// The scenario in one combination, with some keys set from outside. An override wins over the
    /// combination, and a later override over an earlier one.
    ///
    /// # Errors
    /// An override whose path leads nowhere, whose value is of the wrong type, or which brings the file into
    /// contradiction with itself.
    pub fn resolve(
        &self,
        combination: &Combination,
        overrides: &[Override],
    ) -> Result<Scenario, Diagnostics> {
        let (root, mut mistakes) = self.settled(combination, overrides);
        let (scenario, found) = self.lowered(&root);
        mistakes.extend(found);
        let sources = self.sources(overrides);
        match scenario {
            Some(scenario) if mistakes.is_empty() => Ok(Scenario {
                sources,
                ..scenario
            }),
            _ => Err(Diagnostics::new(sources, mistakes)),
        }
    }

    /// What was made of the file, unless there were mistakes.
    pub(super) fn checked<T>(&self, made: T, mistakes: Vec<Diagnostic>) -> Result<T, Diagnostics> {
        if mistakes.is_empty() {
            Ok(made)
        } else {
            Err(Diagnostics::new(self.sources(&[]), mistakes))
        }
    }

    /// The texts that places of the scenario may lie in.
    pub(super) fn sources(&self, overrides: &[Override]) -> Vec<Source> {
        let given = overrides
            .iter()
            .map(|given| Source::new("--set", &given.text));
        std::iter::once(self.source.clone()).chain(given).collect()
    }

    /// The tree in one combination and with some keys set from outside; and the overrides that lead nowhere.
    pub(super) fn settled(
        &self,
        combination: &Combination,
        overrides: &[Override],
    ) -> (Node, Vec<Diagnostic>) {
        let mut root = self.combined(combination);
        let mut mistakes = Vec::new();
        for (index, given) in overrides.iter().enumerate() {
            let value = Node::argument(&given.text, given.value, index + 1);
            match path::locate(&root, &self.table, given.path()) {
                Ok(_) => path::put(&mut root, given.path(), value),
                Err(error) => {
                    let (message, label, help) = error.wording();
                    let span = Span::new(index + 1, error.part);
                    mistakes.push(Diagnostic {
                        message,
                        span,
                        label,
                        help,
                    });
                }
            }
        }
        (root, mistakes)
    }

    /// Shows a place of the file, in the manner of a diagnostic.
    #[must_use]
    pub fn point(
        &self,
        span: Span,
        title: &str,
        label: &str,
        help: Option<&str>,
        color: bool,
    ) -> String {
        let sources = std::slice::from_ref(&self.source);
        super::diagnostic::point(sources, span, title, label, help, color)
    }

    /// The faults of a `[timeline]` that is given apart from the tree, and its mistakes.
    pub(super) fn lowered_faults(
        &self,
        root: &Node,
        timeline: &Node,
        run: &Run,
    ) -> (Vec<Fault>, Vec<Diagnostic>) {
        let keys = self.table.keys.iter().find(|key| key.name == "timeline");
        let Some(Kind::Table(table)) = keys.map(|key| &key.kind) else {
            return (Vec::new(), Vec::new());
        };
        let mut reader = Reader::new(root, &self.table);
        let record = reader.record(timeline, table, None);
        let mut lowering = Lowering {
            reader: &mut reader,
            vocabulary: &self.vocabulary,
            names: &self.names,
        };
        let faults = lowering.faults(&record, Some(run));
        (faults, reader.mistakes)
    }

    /// Every mistake in every combination, once.
    fn check(&self) -> Result<(), Diagnostics> {
        let mut mistakes = Vec::new();
        let size = matrix::size(&self.root);
        if size > matrix::MOST {
            mistakes.push(self.too_many(size));
        } else {
            for combination in self.combinations() {
                mistakes.extend(self.lowered(&self.combined(&combination)).1);
            }
        }
        if mistakes.is_empty() {
            return Ok(());
        }
        Err(Diagnostics::new(vec![self.source.clone()], mistakes))
    }

    fn too_many(&self, size: usize) -> Diagnostic {
        let span = self
            .root
            .get("matrix")
            .map(|matrix| matrix.span)
            .unwrap_or_default();
        Diagnostic {
            message: format!("the matrix has {size} combinations"),
            span,
            label: format!("expected at most {}", matrix::MOST),
            help: None,
        }
    }

    /// The tree with the values of a combination in their places. Paths that lead nowhere are left to the
    /// reader, which finds them in the matrix itself.
    fn combined(&self, combination: &Combination) -> Node {
        let mut root = self.root.clone();
        for (path, value) in &combination.settings {
            if path::locate(&root, &self.table, path).is_ok() {
                path::put(&mut root, path, value.clone());
            }
        }
        root
    }

    /// The scenario that a tree describes, and its mistakes.
    pub(super) fn lowered(&self, root: &Node) -> (Option<Scenario>, Vec<Diagnostic>) {
        let mut reader = Reader::new(root, &self.table);
        let record = reader.document();
        let mut lowering = Lowering {
            reader: &mut reader,
            vocabulary: &self.vocabulary,
            names: &self.names,
        };
        let scenario = lowering.scenario(&record);
        if scenario.is_none() && reader.mistakes.is_empty() {
            // Must not happen, and must not pass for a sound file if it does.
            let label = "a defect of linefault: no mistake was found, and no scenario either";
            reader.mistake(root.span, "the file cannot be used", label, None);
        }
        (scenario, reader.mistakes)
    }
}

impl Source {
    fn new(name: &str, text: &str) -> Self {
        Self {
            name: Arc::from(name),
            text: Arc::from(text),
        }
    }
}
