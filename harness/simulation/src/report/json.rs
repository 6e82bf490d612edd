//! A ladder as JSON, for other programs: everything, nothing folded but repeats.

use serde_json::{Value, json};

use super::chart::{Chart, Rung};

/// The ladder: its columns, the calls and connections, and what happened, in order.
#[must_use]
pub fn ladder(chart: &Chart) -> Value {
    let columns = chart.columns.iter();
    let columns = columns.map(|column| json!({ "name": column.name, "detail": column.detail }));
    let rungs = chart.rungs.iter().map(|rung| self::rung(chart, rung));
    json!({
        "columns": columns.collect::<Vec<_>>(),
        "calls": chart.threads,
        "rows": rungs.collect::<Vec<_>>(),
    })
}

fn rung(chart: &Chart, rung: &Rung) -> Value {
    let name = |column: Option<usize>| {
        let column = column.and_then(|column| chart.columns.get(column));
        column.map(|column| column.name.as_str())
    };
    let times = rung.sendings.iter();
    let sendings = times.map(|(sent, arrived)| {
        json!({ "sent_us": sent.as_micros(), "arrived_us": arrived.map(|at| at.as_micros()) })
    });
    json!({
        "at_us": rung.at.as_micros(),
        "kind": rung.style.name(),
        "from": name(rung.from),
        "to": name(rung.to),
        "lost": rung.lost,
        "faulted": rung.faulted,
        "call": rung.thread.and_then(|thread| chart.threads.get(thread)),
        "label": rung.label,
        "remarks": rung.remarks,
        "sendings": sendings.collect::<Vec<_>>(),
        "text": rung.text,
    })
}
