//! Which status codes went from whom to whom.

use linefault_network::HostId;

use crate::evidence::talk::HttpMessage;
use crate::evidence::{Evidence, Fate, Transmission};

/// The status codes that one host sent to another.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StatusLine {
    /// Who sent them.
    pub from: HostId,
    /// Who was to get them; none for an address that nobody has.
    pub to: Option<HostId>,
    /// By method of the request that they answer, in order of appearance.
    pub methods: Vec<(String, Vec<Code>)>,
}

impl StatusLine {
    /// "100 180 200 INVITE · 408 BYE".
    #[must_use]
    pub fn text(&self) -> String {
        let methods = self.methods.iter().map(|(method, codes)| {
            let codes: Vec<_> = codes.iter().map(ToString::to_string).collect();
            format!("{} {method}", codes.join(" "))
        });
        methods.collect::<Vec<_>>().join(" · ")
    }
}

/// A status code, as often as it was sent without another between.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Code {
    /// The status.
    pub status: u16,
    /// Whether it got lost, or could not be sent.
    pub lost: bool,
    /// How often.
    pub count: u32,
}

impl std::fmt::Display for Code {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}", self.status)?;
        if self.lost {
            f.write_str("✗")?;
        }
        if self.count > 1 {
            write!(f, "×{}", self.count)?;
        }
        Ok(())
    }
}

/// All status codes of a run: a line per sender and receiver, in order of appearance.
#[must_use]
pub fn status_lines(evidence: &Evidence<'_>) -> Vec<StatusLine> {
    let mut lines: Vec<StatusLine> = Vec::new();
    for sent in &evidence.transmissions {
        let Some(message) = sent.message.as_deref() else {
            continue;
        };
        let Some(status) = message.status else {
            continue;
        };
        let ends = (sent.from, sent.to);
        let codes = codes(&mut lines, ends, message.method.as_str());
        add(codes, status, is_lost(sent));
    }
    for said in &evidence.utterances {
        let status = said.http().and_then(HttpMessage::status);
        let from = said.from(&evidence.connections);
        if let (Some(status), Some(from)) = (status, from) {
            let ends = (from, said.to(&evidence.connections));
            add(
                codes(&mut lines, ends, "HTTP"),
                status,
                said.arrived.is_none(),
            );
        }
    }
    lines
}

fn codes<'a>(
    lines: &'a mut Vec<StatusLine>,
    (from, to): (HostId, Option<HostId>),
    method: &str,
) -> &'a mut Vec<Code> {
    let line = entry(
        lines,
        |line| (line.from, line.to) == (from, to),
        || StatusLine {
            from,
            to,
            methods: Vec::new(),
        },
    );
    let (_, codes) = entry(
        &mut line.methods,
        |(name, _)| name == method,
        || (method.to_owned(), Vec::new()),
    );
    codes
}

fn entry<T>(list: &mut Vec<T>, is_it: impl Fn(&T) -> bool, make: impl FnOnce() -> T) -> &mut T {
    let place = list.iter().position(is_it).unwrap_or_else(|| {
        list.push(make());
        list.len() - 1
    });
    &mut list[place]
}

fn add(codes: &mut Vec<Code>, status: u16, lost: bool) {
    match codes.last_mut() {
        Some(last) if (last.status, last.lost) == (status, lost) => last.count += 1,
        _ => codes.push(Code {
            status,
            lost,
            count: 1,
        }),
    }
}

fn is_lost(sent: &Transmission) -> bool {
    matches!(sent.fate, Fate::Lost { .. } | Fate::Unsent(_))
}

/// The lines as text, aligned.
pub(super) fn table(evidence: &Evidence<'_>, lines: &[StatusLine]) -> Vec<String> {
    let name = |host: Option<HostId>| host.map_or("?", |host| evidence.name(host));
    let ends: Vec<_> = lines
        .iter()
        .map(|line| format!("{} → {}", name(Some(line.from)), name(line.to)))
        .collect();
    let width = ends
        .iter()
        .map(|ends| ends.chars().count())
        .max()
        .unwrap_or(0);
    let text = |(line, ends): (&StatusLine, &String)| format!("{ends:<width$}   {}", line.text());
    lines.iter().zip(&ends).map(text).collect()
}
