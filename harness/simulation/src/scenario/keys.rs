//! What a key is: its name, what it may hold, whether it must be there, what it means.
//!
//! The reader, the schema and the manual are all made from tables of these.

pub(super) use linefault_actors::catalogue::Presence;

/// One key of a table.
#[derive(Clone, Debug)]
pub(super) struct Key {
    pub(super) name: &'static str,
    pub(super) kind: Kind,
    pub(super) presence: Presence,
    pub(super) doc: &'static str,
}

/// What a key may hold.
#[derive(Clone, Debug)]
pub(super) enum Kind {
    Text,
    Choice(Vec<&'static str>),
    /// Between two, both included.
    Integer(i128, i128),
    Duration,
    /// One duration or a range of them.
    Latency,
    /// A percentage.
    Ratio,
    Switch,
    /// A message pattern.
    Pattern,
    /// "bob sends 200 INVITE".
    Trigger,
    /// An address, with or without a port.
    Address,
    Subnet,
    /// A word of small letters, digits and hyphens.
    Name,
    Lan,
    Host,
    HostOrUri,
    Table(Table),
    /// A table whose further keys depend on the value of one of them.
    Tagged(Tagged),
    /// A table whose keys are the author's own names; the text says of what.
    Named(&'static str, Box<Kind>),
    List(Box<Kind>),
    /// One of them, or a list.
    OneOrMore(Box<Kind>),
    /// Header fields: any name, and its value.
    Fields,
    /// Dotted paths, each with a list of values for it.
    Matrix,
    /// Dotted paths, each with one value or a list of them.
    Only,
}

/// A table with known keys.
#[derive(Clone, Debug)]
pub(super) struct Table {
    pub(super) keys: Vec<Key>,
    /// Exactly one of these must be there.
    pub(super) one_of: &'static [&'static str],
}

/// A table that comes in variants.
#[derive(Clone, Debug)]
pub(super) struct Tagged {
    /// What one is: "actor", "command", "fault".
    pub(super) what: &'static str,
    /// The key that names the variant.
    pub(super) tag: &'static str,
    /// The keys of every variant, the tag among them.
    pub(super) common: Table,
    pub(super) variants: Vec<Variant>,
}

/// One variant of a table.
#[derive(Clone, Debug)]
pub(super) struct Variant {
    pub(super) name: &'static str,
    /// The actor that it is a command of, where it is one.
    pub(super) actor: Option<&'static str>,
    pub(super) doc: &'static str,
    pub(super) keys: Vec<Key>,
    /// What to tell somebody who gave it a key of another variant.
    pub(super) hint: Option<Hint>,
}

/// What to tell somebody who gave a variant one of these keys, which it does not have.
#[derive(Clone, Debug)]
pub(super) struct Hint {
    pub(super) keys: Vec<&'static str>,
    pub(super) text: String,
}

impl Key {
    pub(super) const fn required(name: &'static str, kind: Kind, doc: &'static str) -> Self {
        Self {
            name,
            kind,
            presence: Presence::Required,
            doc,
        }
    }

    pub(super) const fn optional(name: &'static str, kind: Kind, doc: &'static str) -> Self {
        Self {
            name,
            kind,
            presence: Presence::Optional,
            doc,
        }
    }

    pub(super) const fn default(
        name: &'static str,
        kind: Kind,
        value: &'static str,
        doc: &'static str,
    ) -> Self {
        Self {
            name,
            kind,
            presence: Presence::Default(value),
            doc,
        }
    }
}

impl Kind {
    /// A list of such things.
    pub(super) fn list(self) -> Self {
        Self::List(Box::new(self))
    }

    /// Whether this is written as a text.
    pub(super) const fn is_text(&self) -> bool {
        !matches!(
            self,
            Self::Integer(..)
                | Self::Switch
                | Self::Table(_)
                | Self::Tagged(_)
                | Self::Named(..)
                | Self::List(_)
                | Self::OneOrMore(_)
                | Self::Fields
                | Self::Matrix
                | Self::Only
        )
    }

    /// What this may hold, in a sentence: "expected a duration".
    pub(super) fn description(&self) -> String {
        match self {
            Self::Text => "a text".into(),
            Self::Choice(words) => format!("one of {}", words.join(", ")),
            Self::Integer(min, max) => match (*min, *max) {
                (0, max) if max >= i128::from(u32::MAX) => "a whole number from 0".into(),
                (1, max) if max >= i128::from(u32::MAX) => "a whole number from 1".into(),
                (min, max) => format!("a whole number from {min} to {max}"),
            },
            Self::Duration => "a duration, like \"500ms\"".into(),
            Self::Latency => "a duration or a range, like \"5ms\" or \"2ms..8ms\"".into(),
            Self::Ratio => "a percentage, like \"5%\"".into(),
            Self::Switch => "true or false".into(),
            Self::Pattern => "a message pattern, like \"200 INVITE\"".into(),
            Self::Trigger => "something seen, like \"bob sends 200 INVITE\"".into(),
            Self::Address => "an address, with or without a port".into(),
            Self::Subnet => "a subnet, like \"192.168.8.0/24\"".into(),
            Self::Name => "a name of small letters, digits and hyphens".into(),
            Self::Lan => "the name of a LAN".into(),
            Self::Host => "the name of a host".into(),
            Self::HostOrUri => "the name of a host, or a URI".into(),
            Self::Table(_) | Self::Tagged(_) => "a table".into(),
            Self::Named(what, _) => format!("a table of {what}s by name"),
            Self::List(item) => format!("a list; each item: {}", item.description()),
            Self::OneOrMore(item) => format!("{}; or a list of such", item.description()),
            Self::Fields => "a table of header fields, each with a text".into(),
            Self::Matrix => "a table of dotted paths, each with a list of values".into(),
            Self::Only => "a table of dotted paths, each with a value or a list of values".into(),
        }
    }
}

impl Table {
    pub(super) const fn new(keys: Vec<Key>) -> Self {
        Self { keys, one_of: &[] }
    }
}
