//! Mistakes of a scenario's author, each at its place.
//!
//! Owns how a mistake looks. Refuses to know what is one.

use std::fmt;
use std::ops::Range;
use std::sync::Arc;

use annotate_snippets::renderer::DecorStyle;
use annotate_snippets::{AnnotationKind, Group, Level, Renderer, Snippet};

/// A place in the file, or in an override given beside it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Span {
    /// 0 is the file, n the nth override.
    pub(super) source: usize,
    pub(super) start: usize,
    pub(super) end: usize,
}

impl Span {
    pub(super) const fn new(source: usize, range: Range<usize>) -> Self {
        Self {
            source,
            start: range.start,
            end: range.end,
        }
    }

    /// Whether all of another place is in this one.
    pub(super) const fn contains(self, other: Self) -> bool {
        self.source == other.source && self.start <= other.start && other.end <= self.end
    }
}

/// A text that spans point into.
#[derive(Clone, Debug)]
pub(super) struct Source {
    pub(super) name: Arc<str>,
    pub(super) text: Arc<str>,
}

/// As many mistakes as somebody reads; the others are counted.
const SHOWN: usize = 50;

/// One mistake.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Diagnostic {
    /// What is wrong, in one line.
    pub message: String,
    /// Where.
    pub span: Span,
    /// What was found, or what is allowed; stands at the caret.
    pub label: String,
    /// The nearest match, or a way out.
    pub help: Option<String>,
}

/// Every mistake of a file, in the order of their places; at least one.
#[derive(Clone)]
pub struct Diagnostics {
    pub(super) sources: Vec<Source>,
    pub(super) list: Vec<Diagnostic>,
}

impl Diagnostics {
    /// Mistakes in those sources, put in order, each once.
    pub(super) fn new(sources: Vec<Source>, mut list: Vec<Diagnostic>) -> Self {
        list.sort_by(|a, b| (a.span, &a.message).cmp(&(b.span, &b.message)));
        list.dedup();
        Self { sources, list }
    }

    /// The name of the file that they are in.
    #[must_use]
    pub fn name(&self) -> &str {
        self.sources.first().map_or("", |source| &source.name)
    }

    /// The mistakes, one by one.
    pub fn iter(&self) -> impl Iterator<Item = &Diagnostic> {
        self.list.iter()
    }

    /// All of them as text: file, line and column, the source line, a caret, help; in colour on request.
    #[must_use]
    pub fn render(&self, color: bool) -> String {
        let mut text = String::new();
        for mistake in self.list.iter().take(SHOWN) {
            if !text.is_empty() {
                text.push('\n');
            }
            let help = mistake.help.as_deref();
            text += &point(
                &self.sources,
                mistake.span,
                &mistake.message,
                &mistake.label,
                help,
                color,
            );
        }
        if self.list.len() > SHOWN {
            text += &format!("\nand {} more mistakes\n", self.list.len() - SHOWN);
        }
        text
    }
}

impl fmt::Display for Diagnostics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.render(false))
    }
}

impl fmt::Debug for Diagnostics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.render(false))
    }
}

impl std::error::Error for Diagnostics {}

/// One place of one source, shown with its line.
pub(super) fn point(
    sources: &[Source],
    span: Span,
    title: &str,
    label: &str,
    help: Option<&str>,
    color: bool,
) -> String {
    let mut group = Group::with_title(Level::ERROR.primary_title(title));
    if let Some(source) = sources.get(span.source) {
        let line = Line::of(&source.text, span);
        group = group.element(
            Snippet::source(line.text)
                .line_start(line.number)
                .path(&*source.name)
                .annotation(AnnotationKind::Primary.span(line.marked).label(label)),
        );
    }
    if let Some(help) = help {
        group = group.element(Level::HELP.message(help));
    }
    let renderer = if color {
        Renderer::styled()
    } else {
        Renderer::plain()
    };
    let mut text = renderer.decor_style(DecorStyle::Unicode).render(&[group]);
    text.push('\n');
    text
}

/// The line on which a place begins, and what of the place is on it.
struct Line<'a> {
    number: usize,
    text: &'a str,
    marked: Range<usize>,
}

impl<'a> Line<'a> {
    fn of(text: &'a str, span: Span) -> Self {
        let start = floor(text, span.start);
        let end = floor(text, span.end).max(start);
        let before = &text[..start];
        let first = before.rfind('\n').map_or(0, |at| at + 1);
        let line = text[first..].split(['\r', '\n']).next().unwrap_or_default();
        let clip = |at: usize| (at - first).min(line.len());
        Self {
            number: before.bytes().filter(|byte| *byte == b'\n').count() + 1,
            text: line,
            marked: clip(start)..clip(end),
        }
    }
}

/// The last character boundary at or before `index`.
fn floor(text: &str, index: usize) -> usize {
    let mut index = index.min(text.len());
    while !text.is_char_boundary(index) {
        index -= 1;
    }
    index
}
