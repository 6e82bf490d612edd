//! Events as bytes.

use std::fmt::Write as _;

/// One block of an event stream. What is `None` is left out.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Block {
    /// The id that a client resumes after. Must hold no line break and no NUL.
    pub id: Option<String>,
    /// The event's name; without one it is a "message". Must hold no line break.
    pub name: Option<&'static str>,
    /// How long a client should wait before it reconnects, in milliseconds.
    pub retry: Option<u64>,
    /// The data; line breaks in it (CR, LF, CRLF) all arrive as LF.
    pub data: Option<String>,
}

/// The block as UTF-8 text, its blank line included.
///
/// Data that begins with a space keeps it: the one space that a reader takes away after the colon is always there.
#[must_use]
pub fn encode(block: &Block) -> String {
    let mut text = String::new();
    if let Some(id) = &block.id {
        let _ = writeln!(text, "id: {id}");
    }
    if let Some(retry) = block.retry {
        let _ = writeln!(text, "retry: {retry}");
    }
    if let Some(name) = block.name {
        let _ = writeln!(text, "event: {name}");
    }
    for line in block.data.iter().flat_map(|data| lines(data)) {
        let _ = writeln!(text, "data: {line}");
    }
    text.push('\n');
    text
}

/// The lines of a text, its last one too if it is empty: "a\n" is "a" and "", so that a reader gets the break back.
fn lines(data: &str) -> impl Iterator<Item = &str> {
    let crlf = data.split("\r\n");
    crlf.flat_map(|part| part.split(['\r', '\n']))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spaces_and_line_breaks_of_the_data_survive_on_the_wire() {
        let block = Block {
            id: Some("7".to_owned()),
            name: Some("token"),
            retry: Some(5000),
            data: Some(" one\ntwo\r\n".to_owned()),
        };
        // The first space behind a colon is the format's; the token's own follows it. The last, empty line carries
        // the break at the end of the data.
        let text = "id: 7\nretry: 5000\nevent: token\ndata:  one\ndata: two\ndata: \n\n";
        assert_eq!(encode(&block), text);
    }
}
