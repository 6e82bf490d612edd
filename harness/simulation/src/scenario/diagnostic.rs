//! Mistakes of a scenario's author, each at its place.
//!
//! Owns how a mistake looks. Refuses to know what is one.

use std::fmt;
use std::rc::Rc;

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

/// A text that spans point into.
#[derive(Clone, Debug)]
pub(super) struct Source {
    pub(super) name: Rc<str>,
    pub(super) text: Rc<str>,
}

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

    /// The mistakes, one by one.
    pub fn iter(&self) -> impl Iterator<Item = &Diagnostic> {
        self.list.iter()
    }

    /// All of them as text: file, line and column, the source line, a caret, help; in colour on request.
    #[must_use]
    pub fn render(&self, color: bool) -> String {
        let mut text = String::new();
        for mistake in &self.list {
            let help = mistake.help.as_deref();
            text += &point(
                &self.sources,
                mistake.span,
                &mistake.message,
                &mistake.label,
                help,
                color,
            );
            text.push('\n');
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
        let end = floor(&source.text, span.end);
        let start = floor(&source.text, span.start).min(end);
        group = group.element(
            Snippet::source(&*source.text)
                .path(&*source.name)
                .annotation(AnnotationKind::Primary.span(start..end).label(label)),
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

/// The last character boundary at or before `index`.
fn floor(text: &str, index: usize) -> usize {
    let mut index = index.min(text.len());
    while !text.is_char_boundary(index) {
        index -= 1;
    }
    index
}
