//! HTTP/1.1 as it stands in a stream (RFC 9112): heads, bodies of known length, chunks.
//!
//! Owns as much as a reader of a trace needs. Refuses to judge: what is malformed ends the reading.

use super::What;

/// A message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HttpMessage {
    /// Its first line.
    pub start: HttpStart,
    /// Its header fields, in order: name in lower case, value.
    pub headers: Vec<(String, String)>,
    /// Its body, if its length is known beforehand.
    pub body: Vec<u8>,
}

/// The first line of a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum HttpStart {
    /// A request.
    Request {
        /// Its method.
        method: String,
        /// What it asks for.
        target: String,
    },
    /// A response.
    Response {
        /// Its status.
        status: u16,
    },
}

/// What comes next in a direction.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Body {
    /// A head.
    #[default]
    None,
    /// Chunks (RFC 9112 §7.1).
    Chunks,
    /// Everything to the end of the connection (RFC 9112 §6.3).
    ToTheEnd,
    /// Nothing that can be read.
    Lost,
}

impl HttpMessage {
    /// The value of a header field, by its name in lower case.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        let field = self.headers.iter().find(|(known, _)| known == name)?;
        Some(&field.1)
    }

    /// The status of a response.
    #[must_use]
    pub const fn status(&self) -> Option<u16> {
        match self.start {
            HttpStart::Response { status } => Some(status),
            HttpStart::Request { .. } => None,
        }
    }
}

impl Body {
    /// The next thing that is whole in `bytes`: its length, and what it is.
    pub(super) fn next(&mut self, bytes: &[u8]) -> Option<(usize, What)> {
        match self {
            Self::None => self.head(bytes),
            Self::Chunks => self.chunk(bytes),
            Self::ToTheEnd => (!bytes.is_empty()).then(|| (bytes.len(), What::Chunk(bytes.into()))),
            Self::Lost => None,
        }
    }

    fn head(&mut self, bytes: &[u8]) -> Option<(usize, What)> {
        let end = find(bytes, b"\r\n\r\n")? + 4;
        let Some(mut message) = std::str::from_utf8(&bytes[..end]).ok().and_then(read) else {
            *self = Self::Lost;
            return None;
        };
        let chunked = message.header("transfer-encoding") == Some("chunked");
        let length = message.header("content-length").map(str::parse::<usize>);
        let bodiless = message
            .status()
            .is_none_or(|status| status < 200 || status == 204 || status == 304);
        match length {
            _ if chunked => *self = Self::Chunks,
            Some(Ok(length)) => {
                message.body = bytes.get(end..end.checked_add(length)?)?.to_vec();
                return Some((end + length, What::Http(Box::new(message))));
            }
            Some(Err(_)) => *self = Self::Lost,
            None if bodiless => {}
            None => *self = Self::ToTheEnd,
        }
        Some((end, What::Http(Box::new(message))))
    }

    fn chunk(&mut self, bytes: &[u8]) -> Option<(usize, What)> {
        let line = find(bytes, b"\r\n")?;
        let digits = bytes[..line].split(|byte| *byte == b';').next();
        let size = digits.and_then(|digits| std::str::from_utf8(digits).ok());
        let size = size.and_then(|digits| usize::from_str_radix(digits.trim(), 16).ok());
        let Some(size) = size else {
            *self = Self::Lost;
            return None;
        };
        let data = line + 2;
        let end = data.checked_add(size)?.checked_add(2)?;
        if bytes.len() < end {
            return None;
        }
        if size == 0 {
            *self = Self::None;
        }
        Some((end, What::Chunk(bytes[data..data + size].to_vec())))
    }
}

fn read(head: &str) -> Option<HttpMessage> {
    let mut lines = head.split("\r\n");
    let words: Vec<&str> = lines.next()?.splitn(3, ' ').collect();
    let start = match words[..] {
        [version, status, ..] if version.starts_with("HTTP/1.") => HttpStart::Response {
            status: status.parse().ok()?,
        },
        [method, target, version] if version.starts_with("HTTP/1.") => HttpStart::Request {
            method: method.to_owned(),
            target: target.to_owned(),
        },
        _ => return None,
    };
    let fields = lines.filter(|line| !line.is_empty());
    let fields = fields.map(|line| {
        let (name, value) = line.split_once(':')?;
        Some((name.to_ascii_lowercase(), value.trim().to_owned()))
    });
    Some(HttpMessage {
        start,
        headers: fields.collect::<Option<_>>()?,
        body: Vec::new(),
    })
}

fn find(bytes: &[u8], wanted: &[u8]) -> Option<usize> {
    bytes
        .windows(wanted.len())
        .position(|window| window == wanted)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is whole in that text, and how much of it.
    fn whole(text: &str) -> (Vec<What>, usize) {
        let (mut body, mut at, mut all) = (Body::None, 0, Vec::new());
        while let Some((length, what)) = body.next(&text.as_bytes()[at..]) {
            at += length;
            all.push(what);
        }
        (all, at)
    }

    #[test]
    fn a_message_is_whole_with_the_last_byte_of_its_body() {
        let text = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello";
        for end in 0..text.len() {
            assert_eq!(whole(&text[..end]), (Vec::new(), 0), "{end}");
        }
        let (said, length) = whole(text);
        let [What::Http(message)] = &said[..] else {
            panic!("{said:?}")
        };
        assert_eq!(
            (message.status(), &message.body[..]),
            (Some(200), &b"hello"[..])
        );
        assert_eq!(length, text.len());
    }

    #[test]
    fn requests_follow_one_another_and_chunks_their_head() {
        let gets = "GET /calls HTTP/1.1\r\nHost: a\r\n\r\n";
        assert_eq!(whole(&gets.repeat(2)).0.len(), 2);
        let chunked = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n";
        let (said, length) = whole(chunked);
        assert_eq!(
            said[1..],
            [What::Chunk(b"abc".into()), What::Chunk(Vec::new())]
        );
        assert_eq!(length, chunked.len());
    }

    #[test]
    fn what_is_no_http_is_not_read() {
        for text in [
            "GET /\r\n\r\n",
            "HTTP/1.1 x\r\n\r\n",
            "GET / HTTP/1.1\r\nno field\r\n\r\n",
        ] {
            assert_eq!(whole(text), (Vec::new(), 0), "{text}");
        }
        let long = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n", usize::MAX);
        assert_eq!(whole(&long).1, 0, "and an absurd length overflows nothing");
    }
}
