//! Reading one value as what its kind asks for.

use std::net::{IpAddr, SocketAddr};

use super::diagnostic::Span;
use super::keys::Kind;
use super::model::HostIndex;
use super::pattern::Pattern;
use super::reader::Reader;
use super::record::Value;
use super::subnet::{Subnet, SubnetError};
use super::suggest::{did_you_mean, expected, one_of};
use super::tree::{Data, Node};
use super::units::{self, UnitError};

/// No file has more hosts, or more LANs: every reference looks for its name among them.
const MOST: usize = 4000;

impl Reader<'_> {
    /// Reads one value; None after a mistake, which is noted.
    pub(super) fn value(&mut self, node: &Node, kind: &Kind) -> Option<Value> {
        match (kind, &node.data) {
            (Kind::Integer(min, max), Data::Integer(number)) => {
                self.integer(node, *number, *min, *max)
            }
            (Kind::Switch, Data::Switch(on)) => Some(Value::Switch(*on)),
            (Kind::Table(table), Data::Table(_)) => {
                Some(Value::Table(self.record(node, table, None)))
            }
            (Kind::Tagged(tagged), Data::Table(_)) => self.tagged(node, tagged).map(Value::Table),
            (Kind::Named(what, item), Data::Table(_)) => Some(self.named(node, what, item)),
            (Kind::Fields, Data::Table(_)) => Some(self.fields(node)),
            (Kind::Matrix, Data::Table(_)) => {
                self.matrix(node);
                None
            }
            (Kind::Only, Data::Table(_)) => Some(Value::Only(self.only(node))),
            (Kind::List(item), Data::List(items)) => Some(self.items(items, item)),
            (Kind::OneOrMore(item), Data::List(items)) => Some(self.items(items, item)),
            (Kind::OneOrMore(item), _) => Some(self.items(std::slice::from_ref(node), item)),
            (Kind::Duration | Kind::Latency, Data::Integer(_) | Data::Float(_)) => {
                self.no_unit(node)
            }
            (_, Data::Text(text)) if kind.is_text() => self.text(text, node.span, kind),
            _ => {
                self.wrong_type(node, &kind.description());
                None
            }
        }
    }

    fn integer(&mut self, node: &Node, number: i128, min: i128, max: i128) -> Option<Value> {
        if (min..=max).contains(&number) {
            return Some(Value::Integer(number));
        }
        let label = format!("expected {}", Kind::Integer(min, max).description());
        self.mistake(node.span, "the number is out of range", label, None);
        None
    }

    fn no_unit(&mut self, node: &Node) -> Option<Value> {
        let number = node.inline();
        let error = UnitError::NoUnit(number.clone());
        let help = error.help(&number);
        self.mistake(node.span, error.to_string(), error.allowed(), help);
        None
    }

    fn items(&mut self, items: &[Node], kind: &Kind) -> Value {
        let read = items
            .iter()
            .filter_map(|item| Some((item.span, self.value(item, kind)?)));
        Value::List(read.collect())
    }

    fn named(&mut self, node: &Node, what: &str, kind: &Kind) -> Value {
        let mut records = Vec::new();
        let entries = node.entries();
        if entries.len() > MOST {
            let label = format!("expected at most {MOST}");
            self.mistake(
                node.span,
                format!("{} {what}s are too many", entries.len()),
                label,
                None,
            );
        }
        for (word, item) in entries.iter().take(MOST) {
            if !is_name(&word.text) {
                let message = format!("`{}` is no name for a {what}", word.text);
                self.mistake(
                    word.span,
                    message,
                    "expected small letters, digits and hyphens",
                    None,
                );
            }
            if let Some(Value::Table(record)) = self.value(item, kind) {
                records.push((word.text.clone(), word.span, record));
            }
        }
        Value::Named(records)
    }

    fn fields(&mut self, node: &Node) -> Value {
        let mut fields = Vec::new();
        for (word, item) in node.entries() {
            match item.text() {
                Some(text) => fields.push((word.text.clone(), text.to_owned())),
                None => self.wrong_type(item, "a text"),
            }
        }
        Value::Fields(fields)
    }

    fn text(&mut self, text: &str, span: Span, kind: &Kind) -> Option<Value> {
        match kind {
            Kind::Text => return Some(Value::Text(text.to_owned())),
            Kind::Choice(words) => return self.choice(text, span, words),
            Kind::Duration => {
                return self.quantity(units::duration(text).map(Value::Duration), text, span);
            }
            Kind::Latency => {
                return self.quantity(units::latency(text).map(Value::Latency), text, span);
            }
            Kind::Ratio => return self.quantity(units::ratio(text).map(Value::Ratio), text, span),
            Kind::Pattern => return self.pattern(text, span).map(Value::Pattern),
            Kind::Trigger => return self.trigger(text, span).map(Value::Trigger),
            Kind::Host => return self.host(text, span),
            Kind::Lan => return self.lan(text, span),
            Kind::Subnet => return self.subnet(text, span),
            _ => {}
        }
        let value = match kind {
            Kind::Address => address(text),
            // A URI has a scheme (RFC 3986 §3.1); a host's name has no colon.
            Kind::HostOrUri if text.contains(':') => Some(Value::Text(text.to_owned())),
            Kind::HostOrUri => return self.host(text, span),
            _ => is_name(text).then(|| Value::Text(text.to_owned())),
        };
        if value.is_none() {
            self.mistake(
                span,
                format!("`{text}` is not {}", kind.description()),
                format!("expected {}", kind.description()),
                None,
            );
        }
        value
    }

    fn choice(&mut self, text: &str, span: Span, words: &[&'static str]) -> Option<Value> {
        if words.contains(&text) {
            return Some(Value::Text(text.to_owned()));
        }
        let help = did_you_mean(text, words.iter().copied()).or_else(|| {
            words
                .iter()
                .find(|word| word.eq_ignore_ascii_case(text))
                .map(|word| format!("did you mean `{word}`?"))
        });
        self.mistake(
            span,
            format!("`{text}` is not allowed here"),
            format!("expected {}", one_of(words.iter().copied())),
            help,
        );
        None
    }

    fn quantity(
        &mut self,
        read: Result<Value, UnitError>,
        text: &str,
        span: Span,
    ) -> Option<Value> {
        read.map_err(|error| {
            let help = error.help(text);
            self.mistake(span, error.to_string(), error.allowed(), help);
        })
        .ok()
    }

    /// Reads a message pattern.
    pub(super) fn pattern(&mut self, text: &str, span: Span) -> Option<Pattern> {
        Pattern::parse(text)
            .map_err(|error| self.mistake(span, error.to_string(), error.allowed(), error.help()))
            .ok()
    }

    /// Reads the name of a host.
    pub(super) fn host(&mut self, text: &str, span: Span) -> Option<Value> {
        let names = self.names("host");
        let index = names.iter().position(|name| *name == text);
        if index.is_none() {
            let help = did_you_mean(text, names.iter().copied());
            let label = expected(&names, help.is_some());
            self.mistake(span, format!("there is no host `{text}`"), label, help);
        }
        index.map(|index| Value::Host(HostIndex(index), text.to_owned()))
    }

    fn lan(&mut self, text: &str, span: Span) -> Option<Value> {
        let names = self.names("lan");
        let index = names.iter().position(|name| *name == text);
        if index.is_none() {
            let label = format!("expected {}", one_of(names.iter().copied()));
            let help =
                did_you_mean(text, names).or_else(|| Some(format!("declare it: [lan.{text}]")));
            self.mistake(span, format!("there is no LAN `{text}`"), label, help);
        }
        index.map(Value::Lan)
    }

    fn subnet(&mut self, text: &str, span: Span) -> Option<Value> {
        let error = match Subnet::parse(text) {
            Ok(subnet) => return Some(Value::Subnet(subnet)),
            Err(error) => error,
        };
        let (label, help) = match error {
            SubnetError::NoPrefix => (
                "expected an address, a slash and a prefix length".to_owned(),
                Some(format!("write \"{text}/24\", say")),
            ),
            SubnetError::NoAddress => (
                "expected an IPv4 or IPv6 address before the slash".to_owned(),
                None,
            ),
            SubnetError::PrefixRange(width) => {
                (format!("expected a prefix length up to {width}"), None)
            }
            SubnetError::HostBits(start) => (
                "the address has bits beyond the prefix".to_owned(),
                Some(format!("did you mean `{start}`?")),
            ),
            SubnetError::NotUnicast => (
                "loopback and multicast addresses belong to no LAN".to_owned(),
                None,
            ),
        };
        self.mistake(span, format!("`{text}` is no subnet"), label, help);
        None
    }
}

fn address(text: &str) -> Option<Value> {
    if let Ok(address) = text.parse::<IpAddr>() {
        return Some(Value::Address(address, None));
    }
    let address = text
        .parse::<SocketAddr>()
        .ok()
        .filter(|address| address.port() != 0)?;
    Some(Value::Address(address.ip(), Some(address.port())))
}

fn is_name(text: &str) -> bool {
    let small = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
    !text.is_empty() && text.len() <= 64 && text.bytes().all(small)
}
