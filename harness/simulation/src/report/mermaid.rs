//! A ladder as a Mermaid sequence diagram, for pages that draw those.
//!
//! Owns what must be escaped so that text cannot become syntax. Long ladders stay folded: Mermaid itself refuses what is
//! longer than some 50,000 characters.

use std::fmt::Write as _;

use super::case::Case;
use super::chart::{Chart, Rung, Style};

/// The diagram of one test.
#[must_use]
pub fn mermaid(case: &Case) -> String {
    let mut text = "sequenceDiagram\n".to_owned();
    let _ = writeln!(
        text,
        "  title {} · {}",
        escaped(&case.title),
        escaped(&case.heading())
    );
    for (index, column) in case.chart.columns.iter().enumerate() {
        let _ = writeln!(text, "  participant h{index} as {}", escaped(&column.name));
    }
    let mut next = 0;
    for stretch in &case.chart.stretches {
        rungs(
            &mut text,
            &case.chart,
            &case.chart.rungs[next..stretch.rungs.start],
        );
        note(&mut text, &everywhere(&case.chart), &stretch.summary);
        next = stretch.rungs.end;
    }
    rungs(&mut text, &case.chart, &case.chart.rungs[next..]);
    text
}

fn rungs(text: &mut String, chart: &Chart, rungs: &[Rung]) {
    for rung in rungs {
        let parts = std::iter::once(&rung.label).chain(&rung.remarks);
        let words = parts.cloned().collect::<Vec<_>>().join(" · ");
        if let (Some(from), Some(to)) = (rung.from, rung.to) {
            let arrow = match (rung.lost, rung.style) {
                (true, _) => "-x",
                (false, Style::Provisional | Style::Success | Style::Refusal) => "-->>",
                (false, _) => "->>",
            };
            let _ = writeln!(
                text,
                "  h{from}{arrow}h{to}: {} {}",
                rung.at,
                escaped(&words)
            );
            continue;
        }
        let place = match rung.from.filter(|_| rung.style != Style::Violation) {
            Some(column) => format!("h{column}"),
            None => everywhere(chart),
        };
        note(
            text,
            &place,
            &format!("{} {} {words}", rung.at, rung.style.sign()),
        );
    }
}

fn note(text: &mut String, place: &str, words: &str) {
    let _ = writeln!(text, "  Note over {place}: {}", escaped(words));
}

/// From the first column to the last.
fn everywhere(chart: &Chart) -> String {
    match chart.columns.len() {
        0 | 1 => "h0".to_owned(),
        columns => format!("h0,h{}", columns - 1),
    }
}

/// Text with all that Mermaid or the page around it could take for syntax as character codes.
fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            c if c.is_control() => escaped.push(' '),
            '#' | ';' | '<' | '>' | '&' | '%' | '{' | '}' | '"' | '`' | '\\' | '$' => {
                let _ = write!(escaped, "#{};", u32::from(c));
            }
            c => escaped.push(c),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    // What could end a statement, begin a comment or directive, or be markup: none of it is left as it was.
    #[test]
    fn text_cannot_become_syntax() {
        let nasty = "a;b\n%%{init: {}}%% <script> # \"x\" `y` \\ $";
        let escaped = escaped(nasty);
        assert!(
            !escaped.contains(['\n', '<', '>', '%', '{', '}', '"', '`', '\\', '$']),
            "{escaped}"
        );
        assert_eq!(super::escaped("a;b#c"), "a#59;b#35;c");
    }
}
