//! The registered header fields.
//!
//! Owns their names, their compact forms, and which of them are comma lists.

/// A registered header field.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Known {
    pub(super) name: &'static str,
    compact: Option<u8>,
    /// Whether commas separate values. A field that is no list, or is not known, is never split: of challenges and
    /// credentials commas are a part (RFC 3261 §7.3.1).
    pub(super) list: bool,
    /// Whether a message that has it twice is malformed. RFC 3261 §7.3.1 forbids the repetition of every field that is
    /// no list; only where it would make a message ambiguous is it worth an error.
    pub(super) once: bool,
}

const fn one(name: &'static str, compact: u8) -> Known {
    let compact = if compact == 0 { None } else { Some(compact) };
    Known {
        name,
        compact,
        list: false,
        once: false,
    }
}

const fn list(name: &'static str, compact: u8) -> Known {
    Known {
        list: true,
        ..one(name, compact)
    }
}

const fn once(name: &'static str, compact: u8) -> Known {
    Known {
        once: true,
        ..one(name, compact)
    }
}

// RFC 3261 §20 and the IANA registry of header fields and compact forms, by alphabet.
static KNOWN: [Known; 73] = [
    list("Accept", 0),
    list("Accept-Contact", b'a'),
    list("Accept-Encoding", 0),
    list("Accept-Language", 0),
    list("Alert-Info", 0),
    list("Allow", 0),
    list("Allow-Events", b'u'),
    one("Authentication-Info", 0),
    one("Authorization", 0),
    once("Call-ID", b'i'),
    list("Call-Info", 0),
    list("Contact", b'm'),
    one("Content-Disposition", 0),
    list("Content-Encoding", b'e'),
    list("Content-Language", 0),
    once("Content-Length", b'l'),
    one("Content-Type", b'c'),
    once("CSeq", 0),
    one("Date", 0),
    list("Diversion", 0),
    list("Error-Info", 0),
    one("Event", b'o'),
    one("Expires", 0),
    once("From", b'f'),
    list("History-Info", 0),
    one("Identity", b'y'),
    list("In-Reply-To", 0),
    one("Join", 0),
    once("Max-Forwards", 0),
    one("MIME-Version", 0),
    one("Min-Expires", 0),
    one("Min-SE", 0),
    one("Organization", 0),
    list("P-Asserted-Identity", 0),
    list("P-Associated-URI", 0),
    one("P-Preferred-Identity", 0),
    list("Path", 0),
    one("Priority", 0),
    one("Privacy", 0),
    one("Proxy-Authenticate", 0),
    one("Proxy-Authorization", 0),
    list("Proxy-Require", 0),
    one("RAck", 0),
    list("Reason", 0),
    list("Record-Route", 0),
    one("Refer-To", b'r'),
    one("Referred-By", b'b'),
    list("Reject-Contact", b'j'),
    one("Replaces", 0),
    one("Reply-To", 0),
    one("Request-Disposition", b'd'),
    list("Require", 0),
    one("Retry-After", 0),
    list("Route", 0),
    one("RSeq", 0),
    list("Security-Client", 0),
    list("Security-Server", 0),
    list("Security-Verify", 0),
    one("Server", 0),
    list("Service-Route", 0),
    one("Session-Expires", b'x'),
    one("SIP-ETag", 0),
    one("SIP-If-Match", 0),
    one("Subject", b's'),
    one("Subscription-State", 0),
    list("Supported", b'k'),
    one("Timestamp", 0),
    once("To", b't'),
    list("Unsupported", 0),
    one("User-Agent", 0),
    list("Via", b'v'),
    list("Warning", 0),
    one("WWW-Authenticate", 0),
];

/// More than the longest name has.
const LENGTHS: usize = 24;

/// Names by initial and length: few share both, so that a look-up compares one name as a rule.
struct Index {
    /// For each initial and length one more than the first name's place, or 0.
    first: [u8; 26 * LENGTHS],
    /// For each name one more than the place of the next with the same initial and length, or 0.
    next: [u8; KNOWN.len()],
}

static INDEX: Index = index();

const fn index() -> Index {
    let mut index = Index {
        first: [0; 26 * LENGTHS],
        next: [0; KNOWN.len()],
    };
    let mut at = KNOWN.len();
    while at > 0 {
        let name = KNOWN[at - 1].name.as_bytes();
        let slot = (name[0].to_ascii_lowercase() - b'a') as usize * LENGTHS + name.len();
        index.next[at - 1] = index.first[slot];
        index.first[slot] = at as u8;
        at -= 1;
    }
    index
}

/// The registered header field of that exact name, found when this is compiled.
///
/// # Panics
/// If there is none, which stops the compilation of a constant.
pub(super) const fn the(name: &str) -> &'static Known {
    let mut at = 0;
    while !same(KNOWN[at].name.as_bytes(), name.as_bytes()) {
        at += 1;
    }
    &KNOWN[at]
}

const fn same(one: &[u8], other: &[u8]) -> bool {
    let mut at = 0;
    while at < one.len() && at < other.len() && one[at] == other[at] {
        at += 1;
    }
    at == one.len() && at == other.len()
}

/// Looks a name up, long or compact, without case.
pub(super) fn known(name: &[u8]) -> Option<&'static Known> {
    let first = name.first()?.to_ascii_lowercase();
    if name.len() == 1 {
        return KNOWN.iter().find(|known| known.compact == Some(first));
    }
    let letter = usize::from(first.checked_sub(b'a').filter(|letter| *letter < 26)?);
    let length = Some(name.len()).filter(|length| *length < LENGTHS)?;
    let mut place = usize::from(INDEX.first[letter * LENGTHS + length]);
    while let Some(entry) = place.checked_sub(1).and_then(|at| KNOWN.get(at)) {
        // Most are written as registered.
        let registered = entry.name.as_bytes();
        if registered == name || registered.eq_ignore_ascii_case(name) {
            return Some(entry);
        }
        place = usize::from(INDEX.next[place - 1]);
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A name that the index misses would become unknown.
    #[test]
    fn every_name_is_found_in_any_case() {
        for entry in &KNOWN {
            assert_eq!(known(entry.name.as_bytes()), Some(entry));
            assert_eq!(known(entry.name.to_uppercase().as_bytes()), Some(entry));
        }
        assert!(
            KNOWN
                .windows(2)
                .all(|pair| pair[0].name.to_lowercase() < pair[1].name.to_lowercase())
        );
        assert_eq!(
            (known(b""), known(b"-"), known(b"{}"), known(b"X-Unknown")),
            (None, None, None, None)
        );
    }

    #[test]
    fn no_two_names_share_a_compact_form() {
        let mut letters: Vec<_> = KNOWN.iter().filter_map(|known| known.compact).collect();
        letters.sort_unstable();
        assert!(letters.windows(2).all(|pair| pair[0] != pair[1]));
        assert_eq!(known(b"V").map(|known| known.name), Some("Via"));
    }
}
