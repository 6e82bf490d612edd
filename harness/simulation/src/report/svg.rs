//! A ladder as a picture of its own.
//!
//! Owns geometry and colours. Nothing can be clicked in a picture: what does not fit is shortened with an ellipsis and
//! stands whole in the row's tooltip, and stretches stay folded.

use maud::{Markup, PreEscaped, html};

use super::case::Case;
use super::chart::{Chart, Column, Rung, Style};
use super::stretches::Stretch;

/// Pixels to the right of the times, and of the last column.
const TIME: usize = 92;
const EDGE: usize = 300;
/// Pixels that rows are high: an arrow, a line, a band over the whole width.
const ARROW: usize = 36;
const LINE: usize = 24;
const BAND: usize = 30;
/// Pixels of the head, and between columns at least.
const HEAD: usize = 130;
const STEP: usize = 170;
/// Tenths of a pixel that a letter is wide.
const LETTER: usize = 76;

const STYLE: &str = include_str!("picture.css");

/// The picture of one test.
#[must_use]
pub fn svg(case: &Case) -> String {
    let picture = Picture::of(case);
    let height = HEAD + picture.rows.iter().map(Row::height).sum::<usize>() + BAND;
    let width = picture.width;
    let verdict = if case.passes { "success" } else { "error" };
    let markup = html! {
        svg xmlns="http://www.w3.org/2000/svg" width=(width) height=(height)
            viewBox={ "0 0 " (width) " " (height) } role="img" aria-label=(plain(&case.title)) {
            style { (PreEscaped(STYLE)) }
            rect.paper width=(width) height=(height) {}
            text.title x="16" y="28" { (plain(&case.title)) }
            text.faint x="16" y="48" { (plain(&case.name)) }
            text.faint x="16" y="67" { (plain(&case.heading())) " · " tspan.toned.{ (verdict) } { (case.verdict) } }
            (picture.names(height))
            (picture.markup())
        }
    };
    markup.into_string() + "\n"
}

struct Picture<'a> {
    columns: &'a [Column],
    rows: Vec<Row<'a>>,
    step: usize,
    width: usize,
}

/// What one row shows.
enum Row<'a> {
    Rung(&'a Rung),
    Folded(&'a Stretch),
}

impl Row<'_> {
    fn height(&self) -> usize {
        match self {
            Self::Folded(_) => BAND,
            Self::Rung(rung) if rung.to.is_some() => ARROW,
            Self::Rung(rung) if rung.style == Style::Violation => BAND,
            Self::Rung(_) => LINE,
        }
    }
}

impl<'a> Picture<'a> {
    fn of(case: &'a Case) -> Self {
        let chart = &case.chart;
        let names = chart.columns.iter();
        let longest = names.map(|column| {
            letters(
                column
                    .name
                    .chars()
                    .count()
                    .max(column.detail.chars().count()),
            )
        });
        let step = longest.max().unwrap_or(0).max(STEP);
        let width = TIME + 50 + step * chart.columns.len().saturating_sub(1) + EDGE;
        let heading = case.heading().chars().count() + case.verdict.len() + 3;
        let words = heading
            .max(case.name.chars().count())
            .max(case.title.chars().count() * 3 / 2);
        Self {
            columns: &chart.columns,
            rows: rows(chart),
            step,
            width: width.max(letters(words.max(80))),
        }
    }

    fn x(&self, column: usize) -> usize {
        TIME + 50 + self.step * column
    }

    fn names(&self, height: usize) -> Markup {
        html! {
            @for (index, column) in self.columns.iter().enumerate() {
                @let x = self.x(index);
                line.life x1=(x) x2=(x) y1=(HEAD - 8) y2=(height - 8) {}
                text.name x=(x) y=(HEAD - 30) { (plain(&column.name)) }
                text.detail x=(x) y=(HEAD - 14) { (plain(&column.detail)) }
            }
        }
    }

    fn markup(&self) -> Markup {
        let placed = self.rows.iter().scan(HEAD, |top, row| {
            let here = *top;
            *top += row.height();
            Some((here, row))
        });
        html! {
            @for (top, row) in placed {
                g transform={ "translate(0 " (top) ")" } { (self.row(row)) }
            }
        }
    }

    fn row(&self, row: &Row<'_>) -> Markup {
        match row {
            Row::Folded(stretch) => html! {
                rect.fold x="1" y="2" width=(self.width - 2) height=(BAND - 4) rx="4" {}
                text.faint x=(TIME + 18) y="20" { "⋯ " (stretch.summary) }
            },
            Row::Rung(rung) => match (rung.from, rung.to) {
                (Some(from), Some(to)) => self.arrow(rung, from, to),
                _ => self.local(rung),
            },
        }
    }

    fn arrow(&self, rung: &Rung, from: usize, to: usize) -> Markup {
        let start = self.x(from);
        let goal = if from == to { start + 46 } else { self.x(to) };
        let end = if rung.lost {
            (2 * start + 3 * goal) / 5
        } else {
            goal
        };
        let left = start.min(goal) + 10;
        let back = if goal < start { "9" } else { "-9" };
        let middle = (start + end) / 2;
        let whole = whole(rung);
        html! {
            g.{ (classes(rung)) } {
                title { (rung.at) " " (whole) }
                text.time x=(TIME - 10) y="19" { (rung.at) }
                line.arrow x1=(start) x2=(end) y1="27" y2="27" {}
                @if rung.lost {
                    path.cross d={ "M" (end - 6) " 21l12 12m0 -12l-12 12" } {}
                } @else {
                    path.point d={ "M" (end) " 27l" (back) " -4.5v9z" } {}
                    @if rung.faulted { path.cross d={ "M" (middle - 5) " 22l10 10m0 -10l-10 10" } {} }
                }
                (self.words(rung, left, 17))
            }
        }
    }

    fn local(&self, rung: &Rung) -> Markup {
        let violation = rung.style == Style::Violation;
        let column = rung.from.filter(|_| !violation);
        let x = column.map_or(TIME + 18, |column| self.x(column));
        let log = matches!(
            rung.style,
            Style::Debug | Style::Info | Style::Warn | Style::Error
        );
        let y = if violation { 20 } else { 17 };
        html! {
            g.{ (classes(rung)) } {
                title { (rung.at) " " (whole(rung)) }
                @if violation { rect.band x="1" y="1" width=(self.width - 2) height=(BAND - 2) rx="4" {} }
                @else if column.is_none() { line.across x1=(TIME + 10) x2=(self.width - 20) y1="13" y2="13" {} }
                text.time x=(TIME - 10) y=(y) { (rung.at) }
                @if log { circle.point cx=(x) cy="13" r="4" {} }
                (self.words(rung, if log { x + 10 } else { x.saturating_sub(4) }, y))
            }
        }
    }

    /// The sign, the label and the remarks, as far as there is room.
    fn words(&self, rung: &Rung, x: usize, y: usize) -> Markup {
        let room = self.width.saturating_sub(x + 16) * 10 / LETTER;
        let sign = rung.style.sign();
        let label = fitting(&rung.label, room.saturating_sub(sign.chars().count() + 1));
        let used = sign.chars().count() + label.chars().count() + 3;
        let remarks = fitting(&rung.remarks.join(" · "), room.saturating_sub(used));
        html! {
            text.halo x=(x) y=(y) {
                tspan.toned { (sign) @if !sign.is_empty() { " " } }
                tspan.label { (label) }
                @if !rung.remarks.is_empty() { tspan.remark dx="10" { (remarks) } }
            }
        }
    }
}

/// The rungs, with each stretch in one row.
fn rows(chart: &Chart) -> Vec<Row<'_>> {
    let mut rows = Vec::new();
    let mut next = 0;
    for stretch in &chart.stretches {
        rows.extend(chart.rungs[next..stretch.rungs.start].iter().map(Row::Rung));
        rows.push(Row::Folded(stretch));
        next = stretch.rungs.end;
    }
    rows.extend(chart.rungs[next..].iter().map(Row::Rung));
    rows
}

fn classes(rung: &Rung) -> String {
    let mut classes = rung.style.name().to_owned();
    for (is, class) in [(rung.lost, " lost"), (rung.faulted, " faulted")] {
        classes.push_str(if is { class } else { "" });
    }
    classes
}

fn whole(rung: &Rung) -> String {
    let parts = std::iter::once(&rung.label).chain(&rung.remarks);
    plain(&parts.cloned().collect::<Vec<_>>().join(" · "))
}

fn letters(count: usize) -> usize {
    (count + 2) * LETTER / 10
}

fn fitting(text: &str, room: usize) -> String {
    let room = room.max(8);
    let text = plain(text);
    if text.chars().count() <= room {
        return text;
    }
    text.chars().take(room - 1).chain(['…']).collect()
}

/// Without characters that XML does not know, not even escaped.
fn plain(text: &str) -> String {
    let known = |c: char| match c {
        '\u{fffe}' | '\u{ffff}' => '\u{fffd}',
        c if c.is_control() => ' ',
        c => c,
    };
    text.chars().map(known).collect()
}
