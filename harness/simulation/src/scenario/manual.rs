//! The reference part of the manual, in Markdown, from the reader's own tables.

use super::keys::{Key, Kind, Presence, Table, Tagged, Variant};
use super::suggest::one_of;
use super::tables::{Acts, Vocabulary};

/// The reference for that table as the whole file.
pub(super) fn document(table: &Table, vocabulary: &Vocabulary) -> String {
    let mut text = String::new();
    rows(
        &mut text,
        "Top level",
        &table.keys,
        "What stands before the first table, and the tables that there are.",
    );
    for key in &table.keys {
        section(&mut text, key.name, &key.kind, key.doc);
    }
    places(&mut text, vocabulary);
    text += NOTATION;
    text
}

/// A table's own section, and the sections of the tables in it.
fn section(text: &mut String, path: &str, kind: &Kind, doc: &str) {
    match kind {
        Kind::Table(table) => {
            let choice = match table.one_of {
                [] => String::new(),
                names => format!(
                    " Exactly one of {} is given.",
                    one_of(names.iter().copied())
                ),
            };
            rows(
                text,
                &format!("`{path}`"),
                &table.keys,
                &format!("{doc}{choice}"),
            );
            for key in &table.keys {
                section(text, &format!("{path}.{}", key.name), &key.kind, key.doc);
            }
        }
        Kind::Tagged(tagged) => variants(text, path, tagged, doc),
        Kind::Named(_, item) => section(text, &format!("{path}.NAME"), item, doc),
        Kind::List(item) if matches!(**item, Kind::Table(_) | Kind::Tagged(_)) => {
            section(text, path, item, doc);
        }
        _ => {}
    }
}

fn variants(text: &mut String, path: &str, tagged: &Tagged, doc: &str) {
    let choice = match tagged.common.one_of {
        [] => String::new(),
        names => format!(
            " Exactly one of {} is given.",
            one_of(names.iter().copied())
        ),
    };
    rows(
        text,
        &format!("`{path}`"),
        &tagged.common.keys,
        &format!("{doc}{choice}"),
    );
    for variant in &tagged.variants {
        let of = variant
            .actor
            .map(|actor| format!(" ({actor})"))
            .unwrap_or_default();
        *text += &format!(
            "### `{} = \"{}\"`{of}\n\n{}\n\n",
            tagged.tag, variant.name, variant.doc
        );
        keys(text, &own_keys(tagged, variant));
        for key in &variant.keys {
            if let Kind::Table(table) = &key.kind {
                *text += &format!("In `{}`:\n\n", key.name);
                keys(text, &table.keys);
            }
        }
    }
}

/// Where a fault acts is told once for all, not again with each.
fn own_keys(tagged: &Tagged, variant: &Variant) -> Vec<Key> {
    let shared = super::tables::place_keys();
    let own =
        |key: &&Key| tagged.tag != "fault" || shared.iter().all(|shared| shared.name != key.name);
    variant.keys.iter().filter(own).cloned().collect()
}

fn rows(text: &mut String, title: &str, list: &[Key], doc: &str) {
    *text += &format!("## {title}\n\n{doc}\n\n");
    keys(text, list);
}

fn keys(text: &mut String, keys: &[Key]) {
    if keys.is_empty() {
        return;
    }
    *text += "| key | value | otherwise | meaning |\n|---|---|---|---|\n";
    for key in keys {
        let otherwise = match key.presence {
            Presence::Required => "required".to_owned(),
            Presence::Optional | Presence::Default("") => String::new(),
            Presence::Default(value) => format!("`{value}`"),
        };
        let value = key.kind.description().replace('|', "\\|");
        *text += &format!(
            "| `{}` | {value} | {otherwise} | {} |\n",
            key.name,
            key.doc.replace('|', "\\|")
        );
    }
    text.push('\n');
}

fn places(text: &mut String, vocabulary: &Vocabulary) {
    *text += "## Where a fault acts\n\nOne way to say it, of those that the fault understands.\n\n| faults | where |\n|---|---|\n";
    for acts in [Acts::Packets, Acts::Hosts, Acts::Faults] {
        let names = vocabulary.faults.iter().filter(|kind| kind.acts == acts);
        let names: Vec<String> = names.map(|kind| format!("`{}`", kind.name)).collect();
        if !names.is_empty() {
            *text += &format!("| {} | {} |\n", names.join(" "), acts.places());
        }
    }
    text.push('\n');
    keys(text, &super::tables::place_keys());
}

const NOTATION: &str = r#"## Notation

**Durations** are a number and a unit: `"500us"`, `"500ms"`, `"1.5s"`, `"2min"`, `"1h"`. The finest step is 1 µs.

**Message patterns** say which SIP messages are meant. A response belongs to the method in its CSeq.

| pattern | means |
|---|---|
| `INVITE` | the request |
| `200 INVITE` | a response to it with that status |
| `4xx BYE` | a response to it of that class |
| `any REGISTER` | the request and every response to it |
| `any` | every message |
| `sse event done` | a server-sent event of that name |
| `sse data` | a server-sent event without a name, as tokens are |
| `sse any` | every server-sent event |

**Triggers** are a host, a verb and an object: `"bob sends 200 INVITE"`, `"proxy receives BYE"`, `"proxy logs WARN"`, `"proxy logs WARN 'target unreachable'"`. The first time counts.

**Windows.** An expect looks from `after`, or else the beginning of the run, to the end of the run. With `within` it looks no longer than that, counted from `after`, or else from the last step or fault of the file that has an `at`.

**Paths** in `[matrix]`, `only` and `--set` name a key by the tables around it, joined by dots: `run.platform`, `host.bob.expires`. Items of lists are counted from 0: `timeline.faults.0.at`. In a file they stand in quotes.
"#;
