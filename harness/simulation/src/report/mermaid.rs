//! A ladder as a Mermaid sequence diagram, for pages that draw those.
//!
//! Owns what must be escaped so that text cannot become syntax, and how much fits: Mermaid draws nothing of what is longer
//! than its `maxTextSize`. Long ladders stay folded; of one that is still too long the end is left out, and said to be.

use std::fmt::Write as _;

use super::case::Case;
use super::chart::{Chart, Rung, Style};

/// Characters, as JavaScript counts them, that Mermaid and the pages that use it take by default.
const LONGEST: usize = 50_000;
/// Of these, what is kept for saying that something was left out.
const RESERVE: usize = 200;

/// The diagram of one test.
#[must_use]
pub fn mermaid(case: &Case) -> String {
    let mut text = head(case);
    let lines = lines(&case.chart);
    let mut room = (LONGEST - RESERVE).saturating_sub(units(&text));
    for (index, line) in lines.iter().enumerate() {
        let Some(left) = room.checked_sub(units(line)) else {
            let rest = lines.len() - index;
            let words = format!("⋯ {rest} more rows are too many for such a diagram");
            text.push_str(&note(&everywhere(&case.chart), &words));
            break;
        };
        room = left;
        text.push_str(line);
    }
    text
}

fn head(case: &Case) -> String {
    let (title, heading) = (escaped(&case.title), escaped(&case.heading()));
    let mut text = format!("sequenceDiagram\n  title {title} · {heading}\n");
    for (index, column) in case.chart.columns.iter().enumerate() {
        let _ = writeln!(text, "  participant h{index} as {}", escaped(&column.name));
    }
    text
}

/// A line for each rung, and for each stretch of them that is folded.
fn lines(chart: &Chart) -> Vec<String> {
    let mut lines = Vec::new();
    let mut next = 0;
    for stretch in &chart.stretches {
        let before = chart.rungs[next..stretch.rungs.start].iter();
        lines.extend(before.map(|rung| line(chart, rung)));
        lines.push(note(&everywhere(chart), &stretch.summary));
        next = stretch.rungs.end;
    }
    lines.extend(chart.rungs[next..].iter().map(|rung| line(chart, rung)));
    lines
}

fn line(chart: &Chart, rung: &Rung) -> String {
    let parts = std::iter::once(&rung.label).chain(&rung.remarks);
    let words = parts.cloned().collect::<Vec<_>>().join(" · ");
    if let (Some(from), Some(to)) = (rung.from, rung.to) {
        let arrow = match (rung.lost, rung.style) {
            (true, _) => "-x",
            (false, Style::Provisional | Style::Success | Style::Refusal) => "-->>",
            (false, _) => "->>",
        };
        return format!("  h{from}{arrow}h{to}: {} {}\n", rung.at, escaped(&words));
    }
    let place = match rung.from.filter(|_| rung.style != Style::Violation) {
        Some(column) => format!("h{column}"),
        None => everywhere(chart),
    };
    let sign = rung.style.sign();
    note(&place, &format!("{} {sign} {words}", rung.at))
}

fn note(place: &str, words: &str) -> String {
    format!("  Note over {place}: {}\n", escaped(words))
}

/// How long JavaScript says that a text is.
fn units(text: &str) -> usize {
    text.encode_utf16().count()
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
