//! Ladders as data for the page's script: arrays rather than objects, since a ladder may have 100,000 rungs.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use xxhash_rust::xxh3::xxh3_128;

use crate::report::case::Case;
use crate::report::chart::{Rung, Style};

/// So many texts lie in one element: the script reads an element when one of its texts is asked for.
const CHUNK: usize = 256;

/// Full texts of messages, each kept once: a scenario and its broken twins say much the same.
#[derive(Debug, Default)]
pub(super) struct Texts {
    numbers: BTreeMap<u128, usize>,
    chunks: Vec<Vec<Value>>,
}

impl Texts {
    /// The number of a text.
    fn number(&mut self, text: &str) -> usize {
        let next = self.numbers.len();
        let number = *self
            .numbers
            .entry(xxh3_128(text.as_bytes()))
            .or_insert(next);
        if number == next {
            if next.is_multiple_of(CHUNK) {
                self.chunks.push(Vec::new());
            }
            if let Some(chunk) = self.chunks.last_mut() {
                chunk.push(text.into());
            }
        }
        number
    }

    /// All of them, as elements of the page.
    pub(super) fn elements(self) -> String {
        let chunks = self.chunks.into_iter().enumerate();
        let elements = chunks.map(|(number, chunk)| element("texts", number, &chunk.into()));
        elements.collect()
    }
}

/// An element that carries data. A `<` could end it early, and stands only in strings: there it is escaped.
pub(super) fn element(kind: &str, number: usize, data: &Value) -> String {
    let data = data.to_string().replace('<', "\\u003c");
    format!("<script type=\"application/json\" id=\"{kind}-{number}\">{data}</script>\n")
}

/// One test's ladder.
pub(super) fn ladder(case: &Case, texts: &mut Texts) -> Value {
    let chart = &case.chart;
    let columns = chart.columns.iter();
    let faults = case.faults.iter().map(|fault| {
        json!({
            "text": fault.text,
            "armed": fault.armed_at.map(|at| at.to_string()),
            "matched": fault.matched,
            "applied": fault.applied,
            "changed": fault.changed.as_ref().map(|(by, at)| format!("{by} at {at}")),
        })
    });
    let rungs = chart.rungs.iter().map(|it| rung(it, texts));
    let rungs: Vec<Value> = rungs.collect();
    json!({
        "title": case.title,
        "heading": case.heading(),
        "verdict": case.verdict,
        "passes": case.passes,
        "codes": case.codes,
        "levels": case.levels,
        "faults": faults.collect::<Vec<_>>(),
        "leftOver": case.left_over,
        "replay": case.replay,
        "failure": case.failure,
        "styles": Style::ALL.map(Style::name),
        "columns": columns.map(|column| (&column.name, &column.detail)).collect::<Vec<_>>(),
        "threads": chart.threads,
        "stretches": chart.stretches.iter().map(|it| {
            json!([it.rungs.start, it.rungs.end, it.summary])
        }).collect::<Vec<_>>(),
        "objections": case.objections.iter().map(|it| json!([it.rung, it.name])).collect::<Vec<_>>(),
        "rungs": rungs,
    })
}

/// Time in µs, style, from, to, 1 if lost plus 2 if a fault did something to it, thread, label, remarks, number of its
/// text, and for each time that it was sent the moment and that of its arrival. -1 stands for nothing.
fn rung(rung: &Rung, texts: &mut Texts) -> Value {
    let or_none = |index: Option<usize>| index.map_or(json!(-1), |index| json!(index));
    let sendings = rung.sendings.iter().flat_map(|(sent, arrived)| {
        let arrived = arrived.map_or(json!(-1), |at| json!(at.as_micros()));
        [json!(sent.as_micros()), arrived]
    });
    json!([
        rung.at.as_micros(),
        rung.style as usize,
        or_none(rung.from),
        or_none(rung.to),
        u8::from(rung.lost) + 2 * u8::from(rung.faulted),
        or_none(rung.thread),
        rung.label,
        rung.remarks.join(" · "),
        texts.number(&rung.text),
        sendings.collect::<Vec<_>>(),
    ])
}

#[cfg(test)]
mod tests {
    use super::*;

    // Markup in data must not end the element that carries it, and must read back as it was.
    #[test]
    fn data_cannot_end_its_element() {
        let nasty = "</script><script>alert(1)</script><!--";
        let element = element("texts", 0, &json!([nasty]));
        let (_, rest) = element.split_once('>').expect("an element has a start tag");
        let inside = rest.strip_suffix("</script>\n").expect("and an end tag");
        assert!(!inside.contains('<'));
        let back: Vec<String> = serde_json::from_str(inside).expect("it is JSON");
        assert_eq!(back, [nasty]);
    }

    #[test]
    fn a_text_is_kept_once() {
        let mut texts = Texts::default();
        let numbers: Vec<_> = ["a", "b", "a"].map(|text| texts.number(text)).into();
        assert_eq!(numbers, [0, 1, 0]);
        assert_eq!(texts.elements().matches("\"a\"").count(), 1);
    }
}
