//! Combinations of the matrix, and overrides from outside: both put values at dotted paths.

use std::fmt;

use super::tree::Node;

/// More tests than that come from a slip of the pen.
pub(super) const MOST: usize = 1000;

/// One value for each axis of the matrix; none without a matrix.
#[derive(Clone, Debug, Default)]
pub struct Combination {
    pub(super) settings: Vec<(String, Node)>,
}

/// A key set from outside: `--set run.platform=macos`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Override {
    /// The argument as it was given.
    pub(super) text: String,
    /// Where the value begins.
    pub(super) value: usize,
}

/// An override that sets nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NoAssignment(
    /// The argument as it was given.
    pub String,
);

impl Combination {
    /// The paths and what they are set to.
    pub fn settings(&self) -> impl Iterator<Item = (&str, String)> {
        self.settings
            .iter()
            .map(|(path, node)| (path.as_str(), node.inline()))
    }

    /// Whether there is nothing to set.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.settings.is_empty()
    }

    /// The combination with that axis left out.
    #[must_use]
    pub fn without(mut self, axis: &str) -> Self {
        self.settings.retain(|(path, _)| path != axis);
        self
    }

    /// The combination as a part of a file's or test's name: only letters, digits and `.,=_-`.
    #[must_use]
    pub fn slug(&self) -> String {
        let keep = |c: char| c.is_ascii_alphanumeric() || ".,=_-".contains(c);
        let pairs: Vec<String> = self
            .settings()
            .map(|(path, value)| format!("{path}={value}"))
            .collect();
        pairs
            .join(",")
            .chars()
            .map(|c| if keep(c) { c } else { '-' })
            .collect()
    }
}

impl fmt::Display for Combination {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, (path, value)) in self.settings().enumerate() {
            let comma = if index == 0 { "" } else { ", " };
            write!(f, "{comma}{path}={value}")?;
        }
        Ok(())
    }
}

impl Override {
    /// Reads `path=value`. The value is TOML; what is not TOML is a text without quotes.
    ///
    /// # Errors
    /// There is no `=`, or nothing before it.
    pub fn parse(text: &str) -> Result<Self, NoAssignment> {
        match text.find('=') {
            Some(at @ 1..) => Ok(Self {
                text: text.to_owned(),
                value: at + 1,
            }),
            _ => Err(NoAssignment(text.to_owned())),
        }
    }

    /// The argument as it was given.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The value as it was given.
    #[must_use]
    pub fn value(&self) -> &str {
        &self.text[self.value..]
    }

    /// The dotted path.
    #[must_use]
    pub fn path(&self) -> &str {
        &self.text[..self.value - 1]
    }
}

impl fmt::Display for NoAssignment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "`{}` sets nothing: expected key=value, like run.platform=macos",
            self.0
        )
    }
}

impl std::error::Error for NoAssignment {}

/// How many combinations a matrix has.
pub(super) fn size(root: &Node) -> usize {
    let axes = root.get("matrix").map(Node::entries).unwrap_or_default();
    axes.iter().fold(1, |size: usize, (_, axis)| {
        size.saturating_mul(axis.items().len().max(1))
    })
}

/// Every combination, the last axis turning fastest; axes without values are left out.
pub(super) fn combinations(root: &Node) -> Vec<Combination> {
    let mut all = vec![Combination::default()];
    let axes = root.get("matrix").map(Node::entries).unwrap_or_default();
    for (path, axis) in axes.iter().filter(|(_, axis)| !axis.items().is_empty()) {
        all = all
            .iter()
            .flat_map(|combination| {
                axis.items().iter().map(move |value| {
                    let mut settings = combination.settings.clone();
                    settings.push((path.text.clone(), value.clone()));
                    Combination { settings }
                })
            })
            .take(MOST)
            .collect();
    }
    all
}
