//! Editing messages.
//!
//! Owns changes to start line, header fields and body, and keeps Content-Length true. What is edited is rewritten; the
//! lines around it stay as they came.

use std::sync::Arc;

use bytes::Bytes;

use super::Message;
use super::header::{Field, Key};
use super::message::{Kind, StartLine, pieces};

impl Message {
    /// Writes another Request-URI. White space and control characters in it are left out. No effect on a response.
    pub fn set_request_uri(&mut self, uri: &str) {
        if let Kind::Request { method, .. } = &self.start.kind {
            self.start = StartLine::request(method.clone(), uri);
        }
    }

    /// Adds a field before the first of this name, or before all fields if there is none.
    pub fn prepend(&mut self, name: &str, value: &str) {
        let at = self.position(name).unwrap_or(0);
        self.fields_mut().insert(at, Field::new(name, value));
    }

    /// Adds a field after the last of this name. If there is none, it comes after all fields, but before a
    /// Content-Length that stands last.
    pub fn append(&mut self, name: &str, value: &str) {
        let key = Key::new(name);
        let last = self.fields.iter().rposition(|field| field.matches(&key));
        let at = last.map_or_else(|| self.end(), |at| at + 1);
        self.fields_mut().insert(at, Field::new(name, value));
    }

    /// Gives a field one value: the first of this name is rewritten where it stands, the others are removed; if there
    /// is none, it is appended.
    pub fn set(&mut self, name: &str, value: &str) {
        let at = self.position(name);
        self.remove(name);
        let at = at.unwrap_or_else(|| self.end());
        self.fields_mut().insert(at, Field::new(name, value));
    }

    /// Removes all fields of this name; returns how many there were.
    pub fn remove(&mut self, name: &str) -> usize {
        let (key, before) = (Key::new(name), self.fields.len());
        self.fields_mut().retain(|field| !field.matches(&key));
        before - self.fields.len()
    }

    /// Removes the first value of this name, of a comma list only its first piece, and returns it.
    pub fn remove_first_value(&mut self, name: &str) -> Option<String> {
        self.replace_first_value(name, None)
    }

    /// Rewrites the first value of this name, of a comma list only its first piece, and returns the old one; with
    /// `None` it is removed. No effect if there is none.
    pub fn replace_first_value(&mut self, name: &str, value: Option<&str>) -> Option<String> {
        let at = self.position(name)?;
        let mut list = pieces(&self.fields[at]);
        let first = list.next().unwrap_or_default().to_owned();
        let kept: Vec<&str> = value.into_iter().chain(list).collect();
        if kept.is_empty() {
            self.fields_mut().remove(at);
        } else {
            let field = Field::new(self.fields[at].written_name(), &kept.join(", "));
            self.fields_mut()[at] = field;
        }
        Some(first)
    }

    /// Writes another body with its Content-Type and Content-Length. An empty body takes the Content-Type away.
    pub fn set_body(&mut self, content_type: &str, body: impl Into<Bytes>) {
        self.body = body.into();
        self.after = Bytes::new();
        if self.body.is_empty() {
            self.remove("Content-Type");
        } else {
            self.set("Content-Type", content_type);
        }
        let length = self.body.len().to_string();
        self.set("Content-Length", &length);
    }

    /// Adds this tag to a To field that has none (RFC 3261 §8.2.6.2). No effect otherwise.
    pub fn add_to_tag(&mut self, tag: &str) {
        let Some(to) = self.header("To").map(str::to_owned) else {
            return;
        };
        if self.to_tag().is_none() {
            self.set("To", &format!("{to};tag={tag}"));
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
        self.set("To", &format!("{value};tag={tag}"));
    }

    fn fields_mut(&mut self) -> &mut Vec<Field> {
        Arc::make_mut(&mut self.fields)
    }

    /// Where a field of a new name goes.
    fn end(&self) -> usize {
        let count = self.fields.len();
        let length_last = self
            .fields
            .last()
            .is_some_and(|field| field.is("Content-Length"));
        if length_last { count - 1 } else { count }
    }

    fn position(&self, name: &str) -> Option<usize> {
        let key = Key::new(name);
        self.fields.iter().position(|field| field.matches(&key))
    }
}
