//! The JSON Schema of scenario files, for editors that complete and check.
//!
//! Made from the reader's own tables. It is looser than the reader where a schema cannot know better: which
//! hosts there are, and what holds between tables.

use serde_json::{Map, Value, json};

use super::keys::{Key, Kind, Presence, Table, Tagged, Variant};

/// The schema of that table as the whole file.
pub(super) fn document(table: &Table) -> Value {
    let mut schema = self::table(table, None);
    let head = json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "linefault scenario",
        "description": "A scenario of linefault: hosts, what they do, what is done to them, and what must come of it.",
    });
    if let (Value::Object(schema), Value::Object(mut all)) = (&mut schema, head) {
        all.append(schema);
        return Value::Object(all);
    }
    schema
}

fn table(table: &Table, doc: Option<&str>) -> Value {
    let mut schema = Map::new();
    schema.insert("type".into(), json!("object"));
    if let Some(doc) = doc {
        schema.insert("description".into(), json!(doc));
    }
    schema.insert("properties".into(), properties(table.keys.iter()));
    require(&mut schema, table.keys.iter());
    choose(&mut schema, table.one_of);
    schema.insert("additionalProperties".into(), json!(false));
    Value::Object(schema)
}

/// Common keys first; then, for each value of the tag, the keys that come with it.
fn tagged(tagged: &Tagged) -> Value {
    let mut schema = Map::new();
    schema.insert("type".into(), json!("object"));
    schema.insert("properties".into(), properties(tagged.common.keys.iter()));
    require(&mut schema, tagged.common.keys.iter());
    choose(&mut schema, tagged.common.one_of);
    let mut names: Vec<&str> = tagged.variants.iter().map(|variant| variant.name).collect();
    names.sort_unstable();
    names.dedup();
    let branches: Vec<Value> = names.into_iter().map(|name| branch(tagged, name)).collect();
    schema.insert("allOf".into(), json!(branches));
    schema.insert("unevaluatedProperties".into(), json!(false));
    Value::Object(schema)
}

/// What a value of the tag brings with it. Actors may share a command's name: then the keys of all are
/// allowed, and those that all need are needed.
fn branch(tagged: &Tagged, name: &str) -> Value {
    let variants: Vec<&Variant> = tagged
        .variants
        .iter()
        .filter(|variant| variant.name == name)
        .collect();
    let docs: Vec<&str> = variants.iter().map(|variant| variant.doc).collect();
    let mut then = Map::new();
    then.insert("description".into(), json!(docs.join(" ")));
    then.insert(
        "properties".into(),
        properties(variants.iter().flat_map(|variant| &variant.keys)),
    );
    let in_all = |key: &&Key| {
        variants
            .iter()
            .all(|variant| variant.keys.iter().any(|own| own.name == key.name))
    };
    let first = variants
        .first()
        .map(|variant| variant.keys.as_slice())
        .unwrap_or_default();
    require(&mut then, first.iter().filter(in_all));
    let tag = tagged.tag;
    json!({ "if": { "required": [tag], "properties": { tag: { "const": name } } }, "then": then })
}

fn properties<'k>(keys: impl Iterator<Item = &'k Key>) -> Value {
    let pairs = keys.map(|key| {
        let mut schema = kind(&key.kind);
        if let Value::Object(schema) = &mut schema {
            schema.insert("description".into(), json!(key.doc));
            if let Presence::Default(text) = key.presence
                && let Some(value) = default(text, &key.kind)
            {
                schema.insert("default".into(), value);
            }
        }
        (key.name.to_owned(), schema)
    });
    Value::Object(pairs.collect())
}

fn require<'k>(schema: &mut Map<String, Value>, keys: impl Iterator<Item = &'k Key>) {
    let names: Vec<&str> = keys
        .filter(|key| key.presence == Presence::Required)
        .map(|key| key.name)
        .collect();
    if !names.is_empty() {
        schema.insert("required".into(), json!(names));
    }
}

fn choose(schema: &mut Map<String, Value>, names: &[&str]) {
    if !names.is_empty() {
        let each: Vec<Value> = names
            .iter()
            .map(|name| json!({ "required": [name] }))
            .collect();
        schema.insert("oneOf".into(), json!(each));
    }
}

fn default(text: &str, kind: &Kind) -> Option<Value> {
    match kind {
        Kind::Integer(..) => text.parse::<u64>().ok().map(Value::from),
        Kind::Switch => Some(json!(text == "true")),
        Kind::Table(_) | Kind::List(_) => None,
        _ => Some(json!(text)),
    }
}

/// RFC 3261 §7.2 for statuses.
const PATTERN: &str = "^(audiosocket (hangup|uuid|dtmf|audio|error|unknown|any)|sse (any|data|event [^ ]+)|http (any|[1-5]xx|[1-5][0-9][0-9]|[A-Z]+)|any|((any|[1-6]xx|[1-6][0-9][0-9]) )?[A-Z][A-Z0-9.!%*_+`'~-]*)$";
const DURATION: &str = "^[0-9]+(\\.[0-9]+)? ?(us|ms|s|min|h)$";
const LATENCY: &str =
    "^[0-9]+(\\.[0-9]+)? ?(us|ms|s|min|h)(\\.\\.[0-9]+(\\.[0-9]+)? ?(us|ms|s|min|h))?$";

fn kind(kind: &Kind) -> Value {
    let text = |pattern: &str| json!({ "type": "string", "pattern": pattern });
    match kind {
        Kind::Text | Kind::Address | Kind::Host | Kind::HostOrUri | Kind::Lan => {
            json!({ "type": "string" })
        }
        Kind::Choice(words) => json!({ "enum": words }),
        Kind::Integer(min, max) => integer(*min, *max),
        Kind::Duration => text(DURATION),
        Kind::Latency => text(LATENCY),
        Kind::Ratio => text("^[0-9]+(\\.[0-9]+)? ?%$"),
        Kind::Switch => json!({ "type": "boolean" }),
        Kind::Pattern => text(PATTERN),
        Kind::Trigger => text("^[a-z0-9-]+ +(sends|receives|logs) +.+$"),
        Kind::Subnet => text("^[0-9a-fA-F.:]+/[0-9]{1,3}$"),
        Kind::Name => text("^[a-z0-9-]{1,64}$"),
        Kind::Table(table) => self::table(table, None),
        Kind::Tagged(tagged) => self::tagged(tagged),
        Kind::Named(_, item) => json!({
            "type": "object",
            "propertyNames": { "pattern": "^[a-z0-9-]{1,64}$" },
            "additionalProperties": self::kind(item),
        }),
        Kind::List(item) => json!({ "type": "array", "items": self::kind(item) }),
        Kind::OneOrMore(item) => {
            let item = self::kind(item);
            json!({ "anyOf": [item, { "type": "array", "items": item, "minItems": 1 }] })
        }
        Kind::Fields => json!({ "type": "object", "additionalProperties": { "type": "string" } }),
        Kind::Matrix => {
            json!({ "type": "object", "additionalProperties": { "type": "array", "minItems": 1 } })
        }
        Kind::Only => json!({ "type": "object", "minProperties": 1 }),
    }
}

/// Bounds beyond 64 bits are left out: no reader of schemas could tell them.
fn integer(min: i128, max: i128) -> Value {
    let mut schema = Map::new();
    schema.insert("type".into(), json!("integer"));
    for (name, bound) in [("minimum", min), ("maximum", max)] {
        if let Ok(bound) = i64::try_from(bound) {
            schema.insert(name.into(), json!(bound));
        }
    }
    Value::Object(schema)
}
