//! Editing messages.
//!
//! Owns changes to start line, header fields and body, and keeps Content-Length true. What is edited is rewritten; the
//! lines around it stay as they came.

use std::borrow::Cow;

use bytes::Bytes;

use super::Message;
use super::header::{Field, Key};
use super::message::{Kind, StartLine, pieces};

impl Message {
    /// Writes another Request-URI. White space and control characters in it are left out. No effect on a response.
    pub fn set_request_uri(&mut self, uri: &str) {
        if let Kind::Request { method, .. } = &self.parts().start.kind {
            self.parts_mut().start = StartLine::request(method.clone(), uri);
        }
    }

    /// Adds a field before the first of this name, or before all fields if there is none.
    pub fn prepend(&mut self, name: &str, value: &str) {
        let key = Key::new(name);
        let at = self.position(&key).unwrap_or(0);
        self.fields_mut(&key).insert(at, Field::new(name, value));
    }

    /// Adds a field after the last of this name. If there is none, it comes after all fields, but before a
    /// Content-Length that stands last.
    pub fn append(&mut self, name: &str, value: &str) {
        let key = Key::new(name);
        let mut fields = self.parts().fields.iter();
        let last = fields.rposition(|field| field.matches(&key));
        let at = last.map_or_else(|| self.end(), |at| at + 1);
        self.fields_mut(&key).insert(at, Field::new(name, value));
    }

    /// Gives a field one value: the first of this name is rewritten where it stands, the others are removed; if there
    /// is none, it is appended.
    pub fn set(&mut self, name: &str, value: &str) {
        let (key, field) = (Key::new(name), Field::new(name, value));
        let Some(at) = self.position(&key) else {
            let end = self.end();
            return self.fields_mut(&key).insert(end, field);
        };
        let fields = self.fields_mut(&key);
        fields[at] = field;
        let mut place = 0..;
        fields.retain(|field| place.next() == Some(at) || !field.matches(&key));
    }

    /// Removes all fields of this name; returns how many there were.
    pub fn remove(&mut self, name: &str) -> usize {
        let key = Key::new(name);
        if self.position(&key).is_none() {
            return 0;
        }
        let fields = self.fields_mut(&key);
        let before = fields.len();
        fields.retain(|field| !field.matches(&key));
        before - fields.len()
    }

    /// Removes the first value of this name, of a comma list only its first piece, and returns it.
    pub fn remove_first_value(&mut self, name: &str) -> Option<String> {
        self.replace_first_value(name, None)
    }

    /// Rewrites the first value of this name, of a comma list only its first piece, and returns the old one; with
    /// `None` it is removed. No effect if there is none.
    pub fn replace_first_value(&mut self, name: &str, value: Option<&str>) -> Option<String> {
        let key = Key::new(name);
        let at = self.position(&key)?;
        let mut list = pieces(&self.parts().fields[at]);
        let first = list.next().unwrap_or_default().to_owned();
        let name = self.parts().fields[at].written_name();
        let mut kept = value.into_iter().chain(list);
        let field = kept.next().map(|head| {
            let mut text = Cow::Borrowed(head);
            for next in kept {
                text.to_mut().extend([", ", next]);
            }
            Field::new(name, &text)
        });
        let fields = self.fields_mut(&key);
        match field {
            Some(field) => fields[at] = field,
            None => drop(fields.remove(at)),
        }
        Some(first)
    }

    /// Writes another body with its Content-Type and Content-Length. An empty body takes the Content-Type away.
    pub fn set_body(&mut self, content_type: &str, body: impl Into<Bytes>) {
        let parts = self.parts_mut();
        parts.body = body.into();
        parts.after = Bytes::new();
        let length = parts.body.len();
        if length == 0 {
            self.remove("Content-Type");
        } else {
            self.set("Content-Type", content_type);
        }
        self.set("Content-Length", &length.to_string());
    }

    /// Adds this tag to a To field that has none (RFC 3261 §8.2.6.2). No effect otherwise.
    pub fn add_to_tag(&mut self, tag: &str) {
        let Some(to) = self.header("To").map(str::to_owned) else {
            return;
        };
        if self.to_tag().is_none() {
            self.set("To", &[&to, ";tag=", tag].concat());
        }
    }

    /// Gives the To field this tag, in place of another one. No effect on a message without a readable To.
    pub fn set_to_tag(&mut self, tag: &str) {
        let Ok(to) = self.to() else { return };
        let end = to.params().as_str().len();
        let whole = self.header("To").unwrap_or_default();
        let mut value = whole[..whole.len() - end].trim_end().to_owned();
        for (name, old) in to
            .params()
            .iter()
            .filter(|(name, _)| !name.eq_ignore_ascii_case("tag"))
        {
            value += &old.map_or_else(|| format!(";{name}"), |old| format!(";{name}={old}"));
        }
        value.extend([";tag=", tag]);
        self.set("To", &value);
    }

    /// The fields, to edit those of that name.
    fn fields_mut(&mut self, key: &Key<'_>) -> &mut Vec<Field> {
        let parts = self.parts_mut();
        if let Some(known) = key.known {
            parts.essentials.forget(known);
        }
        &mut parts.fields
    }

    /// Where a field of a new name goes.
    fn end(&self) -> usize {
        let fields = &self.parts().fields;
        let count = fields.len();
        let length_last = fields
            .last()
            .is_some_and(|field| field.is("Content-Length"));
        if length_last { count - 1 } else { count }
    }

    fn position(&self, key: &Key<'_>) -> Option<usize> {
        let mut fields = self.parts().fields.iter();
        fields.position(|field| field.matches(key))
    }
}
