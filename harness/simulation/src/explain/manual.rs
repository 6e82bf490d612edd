//! The reference of the format, cut into its sections.

use std::collections::BTreeSet;

use crate::scenario;

/// What the manual's top table is called.
const TOP: &str = "Top level";

/// Stands for a name that the file's author chooses.
const ANY: &str = "NAME";

/// One section: its heading without the signs before it, and what follows.
struct Section {
    heading: String,
    body: String,
}

/// A table of keys in a section.
struct Table<'a> {
    heading: &'a str,
    /// The dotted path of the table that has the keys; [`TOP`] for the file itself.
    path: String,
    rows: Vec<&'a str>,
}

/// The names that a tag can have, in the order of the manual, each once.
pub(super) fn names(tag: &str) -> Vec<String> {
    let begin = format!("`{tag} = \"");
    let mut names: Vec<String> = Vec::new();
    for section in sections() {
        let rest = section.heading.strip_prefix(&begin);
        let name = rest
            .and_then(|rest| rest.split('"').next())
            .unwrap_or_default();
        if !name.is_empty() && !names.iter().any(|known| known == name) {
            names.push(name.to_owned());
        }
    }
    names
}

/// The section of a value of a tag, or all of them where actors share a command's name.
pub(super) fn section(tag: &str, name: &str) -> Option<String> {
    let wanted = format!("`{tag} = \"{name}\"`");
    let sections = sections();
    let found = sections
        .iter()
        .filter(|section| section.heading.starts_with(&wanted));
    joined(found.map(|section| (section.heading.as_str(), section.body.trim().to_owned())))
}

/// The table at a path, or the row of a key at the end of it: in its own table, and in those that a tag brings there.
pub(super) fn key(path: &str) -> Option<String> {
    let sections = sections();
    let tables: Vec<_> = sections.iter().flat_map(tables).collect();
    let whole = tables
        .iter()
        .filter(|table| leads_to(&table.path, path) && path != TOP);
    let whole = whole.map(|table| (table.heading, page(&table.rows)));
    let (parent, key) = path.rsplit_once('.').unwrap_or((TOP, path));
    let beside = tables.iter().filter(|table| leads_to(&table.path, parent));
    let rows = beside.filter_map(|table| {
        let row = table.rows.iter().find(|row| named(row) == Some(key))?;
        Some((table.heading, page(&[row])))
    });
    joined(rows.chain(whole))
}

/// Every path that [`key`] knows a row for.
pub(super) fn keys() -> Vec<String> {
    let sections = sections();
    let mut keys = BTreeSet::new();
    for table in sections.iter().flat_map(tables) {
        let names = table.rows.iter().filter_map(|row| named(row));
        keys.extend(names.map(|name| match table.path.as_str() {
            TOP => name.to_owned(),
            path => format!("{path}.{name}"),
        }));
    }
    keys.into_iter().collect()
}

fn sections() -> Vec<Section> {
    let mut sections: Vec<Section> = Vec::new();
    for line in scenario::manual().lines() {
        let heading = line.trim_start_matches('#');
        if heading.len() < line.len() {
            sections.push(Section {
                heading: heading.trim().to_owned(),
                body: String::new(),
            });
        } else if let Some(section) = sections.last_mut() {
            section.body += line;
            section.body.push('\n');
        }
    }
    sections
}

/// A section's own table, and those of the tables in it, which a line like "In `answer`:" begins.
fn tables(section: &Section) -> Vec<Table<'_>> {
    let heading = section.heading.as_str();
    let Some(path) = path_of(heading) else {
        return Vec::new();
    };
    let mut tables = vec![Table {
        heading,
        path: path.to_owned(),
        rows: Vec::new(),
    }];
    for line in section.body.lines() {
        let inner = line
            .strip_prefix("In `")
            .and_then(|rest| rest.strip_suffix("`:"));
        if let Some(inner) = inner {
            tables.push(Table {
                heading,
                path: format!("{path}.{inner}"),
                rows: Vec::new(),
            });
        } else if let (Some(_), Some(table)) = (named(line), tables.last_mut()) {
            table.rows.push(line);
        }
    }
    tables
}

/// The dotted path of the table that a heading names, or of the one that a tag's value adds keys to.
fn path_of(heading: &str) -> Option<&str> {
    if heading == TOP {
        return Some(TOP);
    }
    match heading.strip_prefix('`')? {
        tagged if tagged.starts_with("actor = ") => Some("host.NAME"),
        tagged if tagged.starts_with("fault = ") => Some("timeline.faults"),
        tagged if tagged.starts_with("do = ") => Some("timeline.steps"),
        path => path.split('`').next(),
    }
}

/// Whether that is the table's path; its author's names stand for [`ANY`].
fn leads_to(table: &str, path: &str) -> bool {
    let fits = |(own, asked): (&str, &str)| own == asked || (own == ANY && !asked.is_empty());
    table.split('.').count() == path.split('.').count()
        && table.split('.').zip(path.split('.')).all(fits)
}

/// The key that a row of a table is about.
fn named(row: &str) -> Option<&str> {
    row.strip_prefix("| `")?.split('`').next()
}

fn page(rows: &[&str]) -> String {
    let head = "| key | value | otherwise | meaning |\n|---|---|---|---|\n";
    format!("{head}{}", rows.join("\n"))
}

fn joined<'a>(sections: impl Iterator<Item = (&'a str, String)>) -> Option<String> {
    let pages: Vec<_> = sections
        .map(|(heading, body)| format!("# {heading}\n\n{body}\n"))
        .collect();
    (!pages.is_empty()).then(|| pages.join("\n"))
}

#[cfg(test)]
mod tests {
    use super::*;

    // A path leads to its key however its author has named hosts, and to nothing else.
    #[test]
    fn a_path_finds_its_row() {
        let seed = key("run.seed").expect("it is a key");
        assert!(
            seed.starts_with("# `run`\n") && seed.contains("| `seed` |"),
            "{seed}"
        );
        assert!(!seed.contains("platform"), "{seed}");
        assert!(key("run").is_some_and(|page| page.contains("| `seed` |")));
        let registrar = key("host.alice.registrar").expect("a phone has it");
        assert!(registrar.contains("# `actor = \"phone\"`"), "{registrar}");
        let ring = key("host.bob.answer.ring").expect("a phone has it");
        assert!(ring.contains("| `ring` |"), "{ring}");
        assert!(key("title").is_some_and(|page| page.starts_with("# Top level")));
        assert!(key("lan.office.nat").is_some_and(|page| page.contains("| `udp_lifetime` |")));
        for nothing in ["run.sed", "seed", "", ".", "run.", "host", "a.b.c.d.e"] {
            assert_eq!(key(nothing).is_some(), nothing == "host", "{nothing}");
        }
    }

    #[test]
    fn every_key_of_the_list_has_a_page() {
        let keys = keys();
        assert!(keys.len() > 100, "{}", keys.len());
        for name in keys {
            assert!(key(&name).is_some(), "{name}");
        }
    }

    // Phones, audio peers and audio services all hang up, each in its own way.
    #[test]
    fn a_command_that_actors_share_has_all_their_sections() {
        let page = section("do", "hang-up").expect("it is a command");
        assert_eq!(page.matches("# `do = \"hang-up\"`").count(), 3, "{page}");
    }
}
