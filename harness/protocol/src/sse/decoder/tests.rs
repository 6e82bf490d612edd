use proptest::prelude::*;

use super::super::encoder::{Block, encode};
use super::*;

fn read(pieces: &[&[u8]]) -> Vec<Item> {
    let mut decoder = Decoder::new(Limits::default(), "");
    let mut items = Vec::new();
    for piece in pieces {
        decoder.feed(piece, &mut items).unwrap();
    }
    items
}

fn event(name: &str, data: &str, last_id: &str) -> Item {
    Item::Event(Event {
        name: name.to_owned(),
        data: data.to_owned(),
        last_id: last_id.to_owned(),
    })
}

#[test]
fn each_rule_of_the_format() {
    // Columns: what it shows; the stream; what comes out of it.
    let rows: &[(&str, &str, &[Item])] = &[
        (
            "a message has a default name",
            "data: a\n\n",
            &[event("message", "a", "")],
        ),
        (
            "one space only is the format's",
            "data:  a\n\n",
            &[event("message", " a", "")],
        ),
        (
            "without a space",
            "data:a\n\n",
            &[event("message", "a", "")],
        ),
        (
            "lines of data are joined",
            "data: a\ndata: b\n\n",
            &[event("message", "a\nb", "")],
        ),
        (
            "an empty line of data counts",
            "data\ndata\n\n",
            &[event("message", "\n", "")],
        ),
        (
            "empty data is an event",
            "data\n\n",
            &[event("message", "", "")],
        ),
        (
            "no data, no event",
            "event: x\n\ndata: a\n\n",
            &[event("message", "a", "")],
        ),
        (
            "CR ends a line",
            "data: a\r\r",
            &[event("message", "a", "")],
        ),
        (
            "CRLF ends one line",
            "data: a\r\ndata: b\r\n\r\n",
            &[event("message", "a\nb", "")],
        ),
        (
            "one mark at the start",
            "\u{feff}data: a\n\n",
            &[event("message", "a", "")],
        ),
        (
            "a second mark is a field's name",
            "\u{feff}\u{feff}data: a\n\n",
            &[],
        ),
        (
            "a comment is nothing",
            ": hello\ndata: a\n\n",
            &[event("message", "a", "")],
        ),
        (
            "an unknown field is nothing",
            "foo: b\ndata: a\n\n",
            &[event("message", "a", "")],
        ),
        (
            "an id stays",
            "id: 1\ndata: a\n\ndata: b\n\n",
            &[event("message", "a", "1"), event("message", "b", "1")],
        ),
        (
            "an id with NUL is ignored",
            "id: 1\0\ndata: a\n\n",
            &[event("message", "a", "")],
        ),
        (
            "an empty id resets",
            "id: 1\ndata: a\n\nid\ndata: b\n\n",
            &[event("message", "a", "1"), event("message", "b", "")],
        ),
        (
            "an id without data counts",
            "id: 1\n\n",
            &[Item::Id("1".to_owned())],
        ),
        (
            "retry is digits",
            "retry: 50\nretry: 5s\nretry: -1\nretry\n",
            &[Item::Retry(50)],
        ),
        (
            "the last event without a blank line is dropped",
            "data: a\n\ndata: b\n",
            &[event("message", "a", "")],
        ),
        (
            "an incomplete event's id does not count",
            "id: 1\ndata: a\n",
            &[],
        ),
    ];
    for (shows, stream, expected) in rows {
        assert_eq!(read(&[stream.as_bytes()]), *expected, "{shows}");
    }
}

#[test]
fn bytes_that_are_no_utf8_become_replacement_characters() {
    let items = read(&[b"data: a\xff\n\n"]);
    assert_eq!(items, [event("message", "a\u{fffd}", "")]);
}

#[test]
fn ten_megabytes_without_a_line_break_are_an_error_and_held_nowhere() {
    let mut decoder = Decoder::new(Limits::default(), "");
    let (mut items, piece) = (Vec::new(), [b'x'; 1024]);
    let limit = Limits::default().line;
    let results: Vec<_> = (0..10 * 1024)
        .map(|_| decoder.feed(&piece, &mut items))
        .collect();
    assert_eq!(results.iter().filter(|result| result.is_ok()).count(), 64);
    assert_eq!(
        results.last(),
        Some(&Err(DecodeError::LineTooLong { limit }))
    );
    // What the decoder holds is what it accepted, and no byte of what came after.
    assert!(decoder.line.len() <= limit && items.is_empty());
}

#[test]
fn an_event_without_end_is_an_error() {
    let mut decoder = Decoder::new(Limits { line: 16, data: 8 }, "");
    let mut items = Vec::new();
    let limit = 8;
    let fed = decoder.feed(b"data: abc\ndata: abc\ndata: abc\n", &mut items);
    assert_eq!(fed, Err(DecodeError::EventTooLong { limit }));
}

/// Streams made of the pieces in which the rules differ.
fn streams() -> impl Strategy<Value = Vec<u8>> {
    let piece = prop::sample::select(vec![
        &b"\xEF\xBB\xBF"[..],
        b"data: one",
        b"data:  two",
        b"id: 7",
        b"id",
        b"id: \0",
        b"retry: 25",
        b"event: done",
        b": note",
        b"\n",
        b"\r",
        b"\r\n",
        b"\n\n",
        b"\xc3",
        b"\xa9",
        b":",
    ]);
    prop::collection::vec(piece, 0..24).prop_map(|pieces| pieces.concat())
}

proptest! {
    /// Every single cut, and all cuts at once, give what the whole gives: no state hangs on where a read ended.
    #[test]
    fn how_a_stream_is_cut_makes_no_difference(stream in streams()) {
        let whole = read(&[&stream]);
        for cut in 0..=stream.len() {
            prop_assert_eq!(&read(&[&stream[..cut], &stream[cut..]]), &whole);
        }
        let single: Vec<_> = stream.chunks(1).collect();
        prop_assert_eq!(&read(&single), &whole);
    }

    /// What is encoded is read back, but for the breaks that the format has only one of.
    #[test]
    fn encoded_blocks_are_read_back(data in "[ a-c:\r\n\u{e9}]{0,12}", id in "[a-f0-9-]{1,8}") {
        let block = Block {
            id: Some(id.clone()),
            name: Some("token"),
            retry: None,
            data: Some(data.clone()),
        };
        let breaks = data.replace("\r\n", "\n").replace('\r', "\n");
        prop_assert_eq!(read(&[encode(&block).as_bytes()]), [event("token", &breaks, &id)]);
    }

    /// Whatever the bytes are, nothing panics.
    #[test]
    fn any_bytes_are_taken(bytes in prop::collection::vec(any::<u8>(), 0..256)) {
        read(&[&bytes]);
    }
}
