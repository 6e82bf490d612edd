//! What a step or fault waits for: "bob sends 200 INVITE", "proxy receives BYE", "proxy logs WARN 'text'".

use tracing::Level;

use super::diagnostic::Span;
use super::model::{Direction, Subject, Trigger};
use super::reader::Reader;
use super::record::Value;
use super::suggest::{did_you_mean, one_of};
use super::tables::LEVELS;

const VERBS: [&str; 3] = ["sends", "receives", "logs"];

impl Reader<'_> {
    /// Reads a trigger: host, verb, object.
    pub(super) fn trigger(&mut self, text: &str, span: Span) -> Option<Trigger> {
        let mut words = text.trim().splitn(3, ' ').map(str::trim);
        let (Some(host), Some(verb), Some(object)) = (words.next(), words.next(), words.next())
        else {
            let label = "expected a host, then sends, receives or logs, then a message pattern or a log level";
            let help = Some("write \"bob sends 200 INVITE\", say".to_owned());
            self.mistake(
                span,
                format!("`{text}` is nothing that can be seen"),
                label,
                help,
            );
            return None;
        };
        let host = self.host(host, span);
        let subject = match verb {
            "sends" => self.message(Direction::Sends, object, span),
            "receives" => self.message(Direction::Receives, object, span),
            "logs" => self.log_line(object, span),
            _ => {
                let label = format!("expected {}", one_of(VERBS));
                self.mistake(
                    span,
                    format!("a host never `{verb}`"),
                    label,
                    did_you_mean(verb, VERBS),
                );
                None
            }
        };
        match (host?, subject?) {
            (Value::Host(host, _), subject) => Some(Trigger { host, subject }),
            _ => None,
        }
    }

    fn message(&mut self, direction: Direction, object: &str, span: Span) -> Option<Subject> {
        let pattern = self.pattern(object, span)?;
        Some(Subject::Message {
            direction,
            pattern,
            headers: Vec::new(),
            body: None,
        })
    }

    fn log_line(&mut self, object: &str, span: Span) -> Option<Subject> {
        let (level, text) = object.split_once(' ').unwrap_or((object, ""));
        let Some(level) = self::level(level) else {
            let help = did_you_mean(&level.to_ascii_uppercase(), LEVELS);
            self.mistake(
                span,
                format!("`{level}` is no log level"),
                format!("expected {}", one_of(LEVELS)),
                help,
            );
            return None;
        };
        let text = text.trim();
        let bare = ['"', '\'']
            .iter()
            .find_map(|quote| text.strip_prefix(*quote)?.strip_suffix(*quote));
        let message = Some(bare.unwrap_or(text).to_owned()).filter(|text| !text.is_empty());
        Some(Subject::Log { level, message })
    }
}

/// The log level of that name.
pub(super) fn level(name: &str) -> Option<Level> {
    match name {
        "ERROR" => Some(Level::ERROR),
        "WARN" => Some(Level::WARN),
        "INFO" => Some(Level::INFO),
        _ => None,
    }
}
