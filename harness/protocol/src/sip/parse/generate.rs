//! Messages for property tests, drawn from the grammar of RFC 3261 §25.

use proptest::collection::vec;
use proptest::prelude::*;

/// A message as bytes, with what a reader must find in it.
#[derive(Clone, Debug)]
pub(in crate::sip) struct Sample {
    pub(in crate::sip) bytes: Vec<u8>,
    pub(in crate::sip) method: String,
    pub(in crate::sip) uri: String,
    pub(in crate::sip) call_id: String,
    pub(in crate::sip) number: u32,
    pub(in crate::sip) from_tag: String,
    pub(in crate::sip) to_tag: Option<String>,
    pub(in crate::sip) branch: String,
    pub(in crate::sip) body: Vec<u8>,
}

/// How a field may be written.
#[derive(Clone, Copy, Debug)]
pub(in crate::sip) enum Style {
    /// As most elements do: what every parser can read.
    Plain,
    /// Compact names, any case, folds, odd spacing, IPv6, binary bodies, any order.
    Free,
}

fn host(style: Style) -> BoxedStrategy<String> {
    let name = "[a-z][a-z0-9]{0,8}\\.test";
    let v4 = any::<[u8; 4]>().prop_map(|bytes| std::net::Ipv4Addr::from(bytes).to_string());
    let v6 = any::<[u16; 8]>().prop_map(|words| format!("[{}]", std::net::Ipv6Addr::from(words)));
    match style {
        Style::Plain => prop_oneof![name, v4].boxed(),
        Style::Free => prop_oneof![name, v4, v6].boxed(),
    }
}

fn method(style: Style) -> BoxedStrategy<String> {
    let known = prop::sample::select(vec![
        "INVITE", "BYE", "OPTIONS", "REGISTER", "MESSAGE", "CANCEL",
    ]);
    match style {
        Style::Plain => known.prop_map(str::to_owned).boxed(),
        Style::Free => prop_oneof![
            known.prop_map(str::to_owned),
            "[A-Za-z!%*_+`'~-][A-Za-z0-9.-]{0,9}"
        ]
        .boxed(),
    }
}

fn user(style: Style) -> BoxedStrategy<String> {
    match style {
        Style::Plain => "[a-z0-9]{1,8}".boxed(),
        Style::Free => "[A-Za-z0-9.;?/&=+$,!~*'()_-]{1,10}".boxed(),
    }
}

/// One field in one of its spellings.
fn field(
    style: Style,
    long: &'static str,
    compact: Option<&'static str>,
    value: String,
) -> BoxedStrategy<String> {
    if matches!(style, Style::Plain) {
        return Just(format!("{long}: {value}\r\n")).boxed();
    }
    let names = [
        Some(long.to_owned()),
        Some(long.to_lowercase()),
        Some(long.to_uppercase()),
        compact.map(str::to_owned),
    ];
    let names: Vec<String> = names.into_iter().flatten().collect();
    let gaps = prop::sample::select(vec![":", ": ", " :", "\t: \t", ":\r\n ", " : \r\n\t  "]);
    let ends = prop::sample::select(vec!["\r\n", " \r\n", "\t\r\n"]);
    (prop::sample::select(names), gaps, ends)
        .prop_map(move |(name, gap, end)| format!("{name}{gap}{value}{end}"))
        .boxed()
}

/// Fields that no reader needs.
fn other_field(style: Style) -> BoxedStrategy<String> {
    let plain = "[A-Za-z0-9 ]{0,20}".prop_map(|text| format!("Subject: {}\r\n", text.trim()));
    match style {
        Style::Plain => plain.boxed(),
        Style::Free => {
            let unknown = ("X-[A-Za-z0-9!%*_+`'~.-]{1,8}", "[ -~äöü]{0,30}")
                .prop_map(|(name, value)| format!("{name}: {value}\r\n"));
            prop_oneof![plain, unknown].boxed()
        }
    }
}

fn body(style: Style) -> BoxedStrategy<Vec<u8>> {
    match style {
        Style::Plain => "([a-z]=[a-z0-9]{1,9}\r\n){0,3}"
            .prop_map(String::into_bytes)
            .boxed(),
        Style::Free => vec(any::<u8>(), 0..64).boxed(),
    }
}

/// A request, or a response to one.
pub(in crate::sip) fn message(style: Style) -> impl Strategy<Value = Sample> {
    let names = (
        method(style),
        user(style),
        host(style),
        host(style),
        "[A-Za-z0-9-]{1,12}",
        0..1u32 << 31,
    );
    let tags = (
        "[a-z0-9.-]{1,8}",
        prop::option::of("[a-z0-9]{1,8}"),
        "z9hG4bK[A-Za-z0-9-]{1,12}",
    );
    let rest = (
        body(style),
        vec(other_field(style), 0..4),
        prop::option::of(100..700u16),
        any::<prop::sample::Index>(),
    );
    (names, tags, rest).prop_flat_map(move |(names, tags, rest)| {
        let (method, user, host, via_host, call_id, number) = names;
        let (from_tag, to_tag, branch) = tags;
        let (body, others, status, rotation) = rest;
        let uri = format!("sip:{user}@{host}");
        let to = to_tag
            .as_ref()
            .map_or(format!("<{uri}>"), |tag| format!("<{uri}>;tag={tag}"));
        let fields = (
            field(
                style,
                "Via",
                Some("v"),
                format!("SIP/2.0/UDP {via_host}:5060;branch={branch}"),
            ),
            field(
                style,
                "From",
                Some("F"),
                format!("<sip:alice@{host}>;tag={from_tag}"),
            ),
            field(style, "To", Some("t"), to),
            field(style, "Call-ID", Some("i"), call_id.clone()),
            field(style, "CSeq", None, format!("{number} {method}")),
            field(style, "Content-Length", Some("l"), body.len().to_string()),
        );
        let start = match status {
            Some(status) => format!("SIP/2.0 {status} OK\r\n"),
            None => format!("{method} {uri} SIP/2.0\r\n"),
        };
        let uri = if status.is_some() { String::new() } else { uri };
        fields.prop_map(move |(via, from, to, id, cseq, length)| {
            let mut lines = vec![via, from, to, id, cseq, length];
            lines.extend(others.iter().cloned());
            let count = lines.len();
            lines.rotate_left(rotation.index(count));
            let head = format!("{start}{}\r\n", lines.concat());
            Sample {
                bytes: [head.as_bytes(), &body].concat(),
                method: method.clone(),
                uri: uri.clone(),
                call_id: call_id.clone(),
                number,
                from_tag: from_tag.clone(),
                to_tag: to_tag.clone(),
                branch: branch.clone(),
                body: body.clone(),
            }
        })
    })
}
