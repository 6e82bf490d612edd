//! What came of every test, as a table: a group a file, a row a combination or broken twin.

use maud::{Markup, html};

use crate::report::case::{Case, FaultRow};
use crate::snapshot::LEVELS;

/// The overview as it grows.
#[derive(Debug, Default)]
pub(super) struct Overview {
    groups: Vec<Group>,
    crashed: Vec<Markup>,
    mistakes: Vec<String>,
    /// How many tests have a ladder, and how many of those do not pass.
    tests: usize,
    failed: usize,
}

/// The tests of one file.
#[derive(Debug)]
struct Group {
    path: String,
    title: String,
    rows: Vec<Markup>,
}

impl Overview {
    /// Adds a test; returns its number, from 0.
    pub(super) fn add(&mut self, case: &Case) -> usize {
        let number = self.tests;
        self.tests += 1;
        self.failed += usize::from(!case.passes);
        let row = row(number, case);
        match self.groups.last_mut() {
            Some(group) if group.path == case.path && group.title == case.title => {
                group.rows.push(row);
            }
            _ => self.groups.push(Group {
                path: case.path.clone(),
                title: case.title.clone(),
                rows: vec![row],
            }),
        }
        number
    }

    pub(super) fn add_crashed(&mut self, name: &str, message: &str) {
        self.crashed
            .push(html! { li { strong { (name) } pre { (message) } } });
    }

    pub(super) fn add_mistakes(&mut self, text: &str) {
        self.mistakes.push(text.to_owned());
    }

    /// "2 of 14 tests fail", "14 tests pass".
    pub(super) fn summary(&self) -> String {
        let tests = match self.tests {
            1 => "1 test".to_owned(),
            many => format!("{many} tests"),
        };
        match (self.failed, self.tests) {
            (0, 1) => format!("{tests} passes"),
            (0, _) => format!("{tests} pass"),
            (1, _) => format!("1 of {tests} fails"),
            (failed, _) => format!("{failed} of {tests} fail"),
        }
    }

    pub(super) fn markup(&self) -> Markup {
        html! {
            main #overview {
                header {
                    h1 { "linefault" }
                    p.summary.bad[self.failed > 0] { (self.summary()) }
                    noscript { p { "The ladders are drawn by a script, which this browser does not run." } }
                }
                (self.trouble())
                form #search role="search" {
                    label { "Find " input #find type="search" placeholder="scenario, host, status code, fault"; }
                    label { "Verdict " select #verdict {
                        option value="" { "any" }
                        option value="bad" { "fails" }
                        option value="good" { "passes" }
                        option value="twin" { "broken twin" }
                    } }
                    output #found {}
                }
                table {
                    thead { tr {
                        th scope="col" { "Test" }
                        th scope="col" { "Verdict" }
                        th scope="col" { "Status codes" }
                        th scope="col" { "Log lines" }
                        th scope="col" { "Faults" }
                        th.number scope="col" { "Simulated" }
                    } }
                    @for group in &self.groups { (group.markup()) }
                }
            }
        }
    }

    /// What could not be judged.
    fn trouble(&self) -> Markup {
        html! {
            @if !self.crashed.is_empty() {
                section.trouble { h2 { "linefault itself failed" } ul { @for test in &self.crashed { (test) } } }
            }
            @if !self.mistakes.is_empty() {
                section.trouble { h2 { "Files with mistakes" } @for text in &self.mistakes { pre { (text) } } }
            }
        }
    }
}

impl Group {
    fn markup(&self) -> Markup {
        html! {
            tbody {
                tr.file { th colspan="6" scope="rowgroup" { span.title { (self.title) } " " span.path { (self.path) } } }
                @for row in &self.rows { (row) }
            }
        }
    }
}

fn row(number: usize, case: &Case) -> Markup {
    let kind = if case.twin.is_some() { "twin" } else { "plain" };
    html! {
        tr data-test=(number) data-name=(case.name) data-verdict=(if case.passes { "good" } else { "bad" }) data-kind=(kind) {
            td { a href={ "#" (fragment(&case.name)) } { (variant(case)) } }
            td { span.verdict.good[case.passes].bad[!case.passes] { (case.verdict) }
                @for objection in &case.objections { " " span.objection { (objection.name) } } }
            td { @for (ends, codes) in &case.codes { div.codes { span.ends { (ends) } " " (codes) } } }
            td { @for (host, counts) in &case.levels { (levels(host, *counts)) } }
            td { @for fault in &case.faults { (self::fault(fault)) } }
            td.number { (case.ended_at) " s" }
        }
    }
}

/// What sets a test apart from the others of its file.
fn variant(case: &Case) -> String {
    let settings = case.settings.iter();
    let mut parts: Vec<_> = settings
        .map(|(path, value)| format!("{path} = {value}"))
        .collect();
    parts.extend(case.twin.as_ref().map(|twin| format!("broken: {twin}")));
    if parts.is_empty() {
        return case.name.clone();
    }
    parts.join(" · ")
}

fn levels(host: &str, counts: [usize; 3]) -> Markup {
    let counts = LEVELS.iter().zip(counts).filter(|(_, count)| *count > 0);
    html! {
        div.levels { span.ends { (host) }
            @for (level, count) in counts {
                " " span class={ "level " (level.to_string().to_lowercase()) } { (level) " " (count) }
            }
        }
    }
}

fn fault(fault: &FaultRow) -> Markup {
    let changed = fault.changed.as_ref();
    html! {
        div.fault { strong { (fault.text) } " "
            @match fault.armed_at {
                Some(at) => { "armed " (at) " · matched " (fault.matched) " · applied " (fault.applied) " · " }
                None => { "never armed · " }
            }
            @match changed {
                Some((by, at)) => { "changed " (by) " at " (at) }
                None => { span.nothing { "changed nothing" } }
            }
        }
    }
}

/// A test's name as the fragment of an address.
fn fragment(name: &str) -> String {
    let plain = |byte: &u8| byte.is_ascii_alphanumeric() || b"/@=.,_-+".contains(byte);
    let parts = name.bytes().map(|byte| match byte {
        byte if plain(&byte) => char::from(byte).to_string(),
        byte => format!("%{byte:02X}"),
    });
    parts.collect()
}
