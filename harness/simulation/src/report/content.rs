//! The full text of what a rung stands for.
//!
//! Owns how bytes are shown: as text where they are text, else as a dump. Leaves nothing out without saying so.

use std::fmt::Write as _;

use linefault_network::RecordId;

use crate::evidence::Evidence;
use crate::evidence::talk::What;
use crate::ladder::{Message, Origin};
use crate::trace::Event;

/// Bytes in one line of a dump.
const DUMP_WIDTH: usize = 16;

/// Of binary data, so many bytes are shown.
const LONGEST_DUMP: usize = 4096;

/// A message as it was sent; of a run of them all that is text, and the first of what is not.
pub(super) fn of_message(evidence: &Evidence<'_>, message: &Message) -> String {
    let Some(first) = message.sendings.first() else {
        return String::new();
    };
    match message.origin {
        Origin::Transmissions => {
            let sent = evidence.transmissions.get(first.place);
            sent.map_or(String::new(), |sent| {
                let ends = format!("{} → {}\n\n", sent.source, sent.destination);
                ends + &shown(&sent.datagram)
            })
        }
        Origin::Utterances => utterances(evidence, message),
        Origin::Connection => connection(evidence, first.place),
    }
}

/// What a record says that is not on the wire: a log line with all of its fields, or `text`.
pub(super) fn of_record(evidence: &Evidence<'_>, record: RecordId, text: &str) -> String {
    match evidence.trace.get(record).map(|record| &record.event) {
        Some(Event::Log(line)) => {
            let mut text = format!("{} {}\n", line.level, line.message);
            for (name, value) in &line.fields {
                let _ = writeln!(text, "{name} = {value}");
            }
            text
        }
        _ => text.to_owned(),
    }
}

fn utterances(evidence: &Evidence<'_>, message: &Message) -> String {
    let said = message
        .sendings
        .iter()
        .filter_map(|sending| evidence.utterances.get(sending.place));
    let mut bytes = Vec::new();
    for said in said {
        let Some(connection) = evidence.connections.get(said.connection) else {
            continue;
        };
        let stream = connection.stream(said.side);
        let frame = matches!(said.what, What::Frame(_));
        if frame && !bytes.is_empty() {
            break;
        }
        bytes.extend_from_slice(&stream.bytes(said.begin..said.end));
    }
    let count = message.sendings.len();
    let text = shown(&bytes);
    match std::str::from_utf8(&bytes).is_ok_and(is_plain) || count == 1 {
        true => text,
        false => format!("The first of {count}:\n\n{text}"),
    }
}

fn connection(evidence: &Evidence<'_>, place: usize) -> String {
    let connection = evidence.connections.get(place);
    connection.map_or(String::new(), |connection| {
        format!(
            "TCP {} → {}\n{} bytes to the server, {} bytes back",
            connection.client_address,
            connection.server_address,
            connection.up.length(),
            connection.down.length()
        )
    })
}

/// Bytes as text if that is what they are, else as a dump in hexadecimal.
fn shown(bytes: &[u8]) -> String {
    match std::str::from_utf8(bytes) {
        Ok(text) if is_plain(text) => text.replace("\r\n", "\n"),
        _ => dump(bytes),
    }
}

fn is_plain(text: &str) -> bool {
    let plain = |c: char| !c.is_control() || matches!(c, '\r' | '\n' | '\t');
    text.chars().all(plain)
}

fn dump(bytes: &[u8]) -> String {
    let mut text = String::new();
    for (line, chunk) in bytes.chunks(DUMP_WIDTH).enumerate() {
        if line * DUMP_WIDTH >= LONGEST_DUMP {
            let left = bytes.len() - line * DUMP_WIDTH;
            let _ = write!(text, "… and {left} more bytes");
            break;
        }
        let hex: Vec<_> = chunk.iter().map(|byte| format!("{byte:02x}")).collect();
        let ascii = chunk.iter().map(|byte| match byte {
            b' '..=b'~' => char::from(*byte),
            _ => '.',
        });
        let (hex, ascii) = (hex.join(" "), ascii.collect::<String>());
        let _ = writeln!(text, "{:04x}  {hex:<48} {ascii}", line * DUMP_WIDTH);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    // The two ways of showing bytes, on the boundary between them, and the word on what is left out.
    #[test]
    fn text_is_shown_as_text_and_anything_else_as_a_dump_that_says_where_it_ends() {
        assert_eq!(shown(b"BYE sip:a@b\r\n\r\n"), "BYE sip:a@b\n\n");
        assert!(shown(b"a\0b").starts_with("0000  61 00 62 "));
        assert!(shown(b"a\0b").ends_with(" a.b\n"));
        assert!(shown(&[0xff; LONGEST_DUMP + 7]).ends_with("… and 7 more bytes"));
        assert!(!shown(&[0xff; LONGEST_DUMP]).contains("more bytes"));
    }
}
