//! All tests as one page that needs no network: an overview, and the ladder of each test.
//!
//! Owns the page's skeleton. The overview is markup, so that it can be read without scripts; ladders are data, drawn by
//! the page's script when one is opened, so that a long one does not slow the page down.

mod data;
mod overview;

use maud::{DOCTYPE, PreEscaped, html};

use super::case::Case;
use data::Texts;

/// How the page looks.
const STYLE: &str = include_str!("page.css");
/// What the page does.
const SCRIPT: &str = concat!(
    include_str!("overview.js"),
    include_str!("draw.js"),
    include_str!("view.js"),
);
/// The page may load nothing, from nowhere.
const POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'";

/// A page that grows by a test at a time.
#[derive(Debug, Default)]
pub struct Page {
    overview: overview::Overview,
    /// The ladders, each in an element of its own.
    ladders: String,
    texts: Texts,
}

impl Page {
    /// A page without tests.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a test.
    pub fn add(&mut self, case: &Case) {
        let ladder = data::ladder(case, &mut self.texts);
        let number = self.overview.add(case);
        self.ladders
            .push_str(&data::element("ladder", number, &ladder));
    }

    /// Adds a test that linefault itself failed in.
    pub fn add_crashed(&mut self, name: &str, message: &str) {
        self.overview.add_crashed(name, message);
    }

    /// Adds a scenario file that could not be read, with its mistakes as the command shows them.
    pub fn add_mistakes(&mut self, text: &str) {
        self.overview.add_mistakes(text);
    }

    /// The page's text.
    #[must_use]
    pub fn finish(self) -> String {
        let page = html! {
            (DOCTYPE)
            html lang="en" {
                head {
                    meta charset="utf-8";
                    meta name="viewport" content="width=device-width, initial-scale=1";
                    meta http-equiv="Content-Security-Policy" content=(POLICY);
                    meta name="color-scheme" content="light dark";
                    meta name="generator" content=(concat!("linefault ", env!("CARGO_PKG_VERSION")));
                    title { "linefault: " (self.overview.summary()) }
                    style { (PreEscaped(STYLE)) }
                }
                body {
                    (self.overview.markup())
                    (skeleton())
                    (PreEscaped(self.ladders))
                    (PreEscaped(self.texts.elements()))
                    script { (PreEscaped(SCRIPT)) }
                }
            }
        };
        page.into_string()
    }
}

/// Where the script shows one test.
fn skeleton() -> maud::Markup {
    html! {
        section #test hidden aria-label="One test" {
            header #head {}
            form #filters aria-label="Filters" {
                label { "Call " select #call {} }
                label { "Log lines " select #level {
                    option value="debug" { "all" }
                    option value="info" { "INFO and above" }
                    option value="warn" { "WARN and above" }
                    option value="error" { "ERROR" }
                    option value="none" { "none" }
                } }
                label { input #timers type="checkbox" checked; " Timers" }
                fieldset #hosts { legend { "Hosts" } }
                output #shown {}
                button #all type="reset" { "Show all" }
            }
            div #stage {
                div #ladder tabindex="0" role="listbox" aria-label="Ladder" {}
                aside #message hidden aria-live="polite" {}
            }
            p #keys {
                kbd { "j" } " " kbd { "k" } " or arrows move, " kbd { "Enter" } " opens, " kbd { "v" }
                " goes to the next violation, " kbd { "Esc" } " closes."
            }
        }
    }
}
