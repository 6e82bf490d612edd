//! The tables of keys, and what else is made from them: schema and manual.

use std::fs;

use serde_json::Value;

use super::super::diagnostic::Span;
use super::super::keys::{Key, Kind, Presence};
use super::super::reader::{Reader, written};
use super::super::tree::{Data, Node};
use super::super::{adapter, manual, tables};
use super::{fixture, scenarios};

#[test]
fn the_committed_schema_is_the_one_of_the_tables() {
    let path = scenarios().join("scenario.schema.json");
    let current = serde_json::to_string_pretty(&super::super::schema()).unwrap() + "\n";
    if std::env::var_os("UPDATE_SCHEMA").is_some() {
        fs::write(&path, &current).unwrap();
    }
    let committed = fs::read_to_string(&path).unwrap_or_default();
    assert!(
        committed == current,
        "run the tests of `linefault` with UPDATE_SCHEMA=1 and review the diff"
    );
}

/// All tables of keys that there are, with what they belong to.
fn gather(kind: &Kind, path: &str, found: &mut Vec<(String, Vec<Key>)>) {
    let within = |keys: &[Key], found: &mut Vec<(String, Vec<Key>)>| {
        for key in keys {
            gather(&key.kind, &format!("{path}.{}", key.name), found);
        }
    };
    match kind {
        Kind::Table(table) => {
            found.push((path.to_owned(), table.keys.clone()));
            within(&table.keys, found);
        }
        Kind::Tagged(tagged) => {
            for variant in &tagged.variants {
                assert!(
                    !variant.doc.is_empty(),
                    "{path} {} has no doc",
                    variant.name
                );
                let keys = [tagged.common.keys.as_slice(), &variant.keys].concat();
                found.push((format!("{path} {}", variant.name), keys.clone()));
                within(&keys, found);
            }
        }
        Kind::Named(_, item) | Kind::List(item) | Kind::OneOrMore(item) => {
            gather(item, path, found);
        }
        _ => {}
    }
}

#[test]
fn every_key_has_a_doc_a_name_of_its_own_and_a_default_that_can_be_read() {
    let root = tables::root(&adapter::vocabulary());
    let mut found = Vec::new();
    gather(&Kind::Table(root.clone()), "", &mut found);
    assert!(
        found.len() > 20,
        "actors, commands and faults are among them"
    );
    let empty = Node {
        span: Span::default(),
        data: Data::Table(Vec::new()),
    };
    for (path, keys) in found {
        for (index, key) in keys.iter().enumerate() {
            let twice = keys[..index].iter().any(|other| other.name == key.name);
            assert!(!twice && key.doc.len() > 3, "{path}.{}", key.name);
            if let Presence::Default(text) = key.presence {
                let value = Node {
                    span: Span::default(),
                    data: written(text, &key.kind),
                };
                let mut reader = Reader::new(&empty, &root);
                assert!(
                    reader.value(&value, &key.kind).is_some(),
                    "{path}.{} = {text}",
                    key.name
                );
            }
        }
    }
}

#[test]
fn the_manual_names_every_actor_command_and_fault() {
    let vocabulary = adapter::vocabulary();
    let text = super::super::manual();
    let tags = vocabulary.actors.iter().map(|entry| ("actor", entry.name));
    let tags = tags.chain(vocabulary.faults.iter().map(|kind| ("fault", kind.name)));
    let commands = vocabulary
        .actors
        .iter()
        .flat_map(|entry| entry.commands)
        .map(|command| ("do", command.name));
    for (tag, name) in tags.chain(commands) {
        assert!(text.contains(&format!("`{tag} = \"{name}\"`")), "{name}");
    }
    insta::assert_snapshot!(manual::document(
        &tables::root(&fixture::vocabulary()),
        &fixture::vocabulary()
    ));
}

/// Every key below `properties` that has no description; in `if` a key only tells cases apart.
fn undescribed(schema: &Value, path: &str, found: &mut Vec<String>) {
    if let Some(properties) = schema.get("properties").and_then(Value::as_object) {
        for (name, key) in properties {
            let described = key["description"].as_str().is_some_and(|it| it.len() > 3);
            if !described {
                found.push(format!("{path}.{name}"));
            }
            undescribed(key, &format!("{path}.{name}"), found);
        }
    }
    let parts = schema.as_object().into_iter().flatten();
    for (word, part) in parts.filter(|(word, _)| !["if", "properties"].contains(&word.as_str())) {
        undescribed(part, &format!("{path}/{word}"), found);
    }
    for part in schema.as_array().into_iter().flatten() {
        undescribed(part, path, found);
    }
}

// Read from the committed file, since that is what an editor shows.
#[test]
fn every_key_of_the_schema_has_a_description() {
    let text = fs::read_to_string(scenarios().join("scenario.schema.json")).unwrap();
    let schema: Value = serde_json::from_str(&text).unwrap();
    let mut found = Vec::new();
    undescribed(&schema, "", &mut found);
    assert_eq!(found, [""; 0]);
    assert!(text.matches("\"description\"").count() > 300);
}
