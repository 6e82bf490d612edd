//! From our message to rsip's.

use std::net::Ipv6Addr;
use std::str::FromStr as _;

use rsip::Header;
use rsip::prelude::{HasHeaders as _, ToTypedHeader as _};

use super::Inexpressible;
use crate::sip::{Field, Message, NameAddr, Uri, Via};

/// Where addresses stand.
const WITH_ADDRESSES: [&str; 6] = ["Via", "From", "To", "Contact", "Route", "Record-Route"];

impl TryFrom<&Message> for rsip::SipMessage {
    type Error = Inexpressible;

    /// # Errors
    /// What rsip's types cannot hold, or would write otherwise.
    fn try_from(message: &Message) -> Result<Self, Inexpressible> {
        around(message)?;
        start(message)?;
        message.fields().try_for_each(field)?;
        if let Err(wrong) = std::str::from_utf8(message.body()) {
            let at = wrong.valid_up_to();
            return Err(Inexpressible::Body { at });
        }
        let read = Self::try_from(&message.to_bytes()[..]).map_err(|error| refused(&error))?;
        same_start(message, &read)?;
        same_fields(message, &read)?;
        if read.body()[..] != message.body()[..] {
            let error = "it finds another body".to_owned();
            return Err(Inexpressible::Refused { error });
        }
        Ok(read)
    }
}

/// The first line of what rsip says: the rest repeats the message.
fn refused(error: &rsip::Error) -> Inexpressible {
    let text = error.to_string();
    let error = text.lines().next().unwrap_or_default().trim().to_owned();
    Inexpressible::Refused { error }
}

fn around(message: &Message) -> Result<(), Inexpressible> {
    let (before, after) = (message.parts().before.len(), message.parts().after.len());
    if before + after > 0 {
        return Err(Inexpressible::Around { before, after });
    }
    Ok(())
}

fn start(message: &Message) -> Result<(), Inexpressible> {
    if let Some(status) = message.status() {
        let reason = message.reason().unwrap_or_default();
        if reason != status.reason() {
            return Err(Inexpressible::Reason {
                status: status.code(),
                reason: reason.into_owned(),
            });
        }
        return Ok(());
    }
    let method = message.method().to_string();
    let known = rsip::Method::from_str(&method).is_ok_and(|known| known.to_string() == method);
    if !known {
        return Err(Inexpressible::Method { method });
    }
    if message.request_uri().is_some_and(has_ipv6) {
        let place = "Request-URI".to_owned();
        return Err(Inexpressible::Ipv6 { place });
    }
    let uri = message.request_uri().unwrap_or_default();
    if !rsip::Uri::try_from(uri).is_ok_and(|theirs| same_uri(uri, &theirs)) {
        let uri = uri.to_owned();
        return Err(Inexpressible::Uri { uri });
    }
    Ok(())
}

fn field(field: &Field) -> Result<(), Inexpressible> {
    let (name, written) = (field.name(), field.written_name());
    let line = field.raw().strip_suffix(b"\r\n").unwrap_or(field.raw());
    if line.contains(&b'\n') {
        let name = name.to_owned();
        return Err(Inexpressible::Folded { name });
    }
    if !written.eq_ignore_ascii_case(name) {
        let name = written.to_owned();
        return Err(Inexpressible::Compact { name });
    }
    if WITH_ADDRESSES.contains(&name) && has_ipv6(field.value()) {
        let place = name.to_owned();
        return Err(Inexpressible::Ipv6 { place });
    }
    if std::str::from_utf8(line).is_err() {
        return Err(otherwise(field));
    }
    Ok(())
}

/// Whether an IPv6 address in brackets stands somewhere in a text.
fn has_ipv6(text: &str) -> bool {
    let mut parts = text.split('[').skip(1);
    parts.any(|part| {
        let inside = part.split(']').next().unwrap_or_default();
        inside.parse::<Ipv6Addr>().is_ok()
    })
}

fn same_start(message: &Message, read: &rsip::SipMessage) -> Result<(), Inexpressible> {
    let same = match (read, message.request_uri()) {
        (rsip::SipMessage::Request(theirs), Some(uri)) => {
            if !same_uri(uri, &theirs.uri) {
                let uri = uri.to_owned();
                return Err(Inexpressible::Uri { uri });
            }
            theirs.method.to_string() == message.method().as_str()
        }
        (rsip::SipMessage::Response(theirs), None) => {
            message.status().map(|status| status.code()) == Some(theirs.status_code.code())
        }
        _ => false,
    };
    if !same {
        let error = "it finds another start line".to_owned();
        return Err(Inexpressible::Refused { error });
    }
    Ok(())
}

/// Both write it the same and find the same user and host in it.
fn same_uri(ours: &str, theirs: &rsip::Uri) -> bool {
    Uri::parse(ours).is_ok_and(|uri| {
        theirs.to_string() == ours
            && theirs.host().to_string() == uri.host()
            && theirs.user() == uri.user()
    })
}

fn same_fields(message: &Message, read: &rsip::SipMessage) -> Result<(), Inexpressible> {
    let count = message.fields().count();
    if read.headers().iter().count() != count {
        let error = format!("it does not find {count} header fields");
        return Err(Inexpressible::Refused { error });
    }
    let pairs = message.fields().zip(read.headers().iter());
    for (field, header) in pairs {
        let text = header.to_string();
        let same = text.split_once(": ").is_some_and(|(name, value)| {
            name.eq_ignore_ascii_case(field.name()) && value == field.value()
        });
        if !same {
            return Err(otherwise(field));
        }
        typed(field, header)?;
    }
    Ok(())
}

/// What its users will ask for must mean the same.
fn typed(field: &Field, header: &Header) -> Result<(), Inexpressible> {
    let value = field.value();
    let same = match header {
        Header::Via(via) => {
            let values = crate::sip::message::pieces(field).count();
            if values > 1 {
                return Err(Inexpressible::ViaList { values });
            }
            let transport = Via::parse(value).map_or("", |via| via.transport());
            if rsip::Transport::from_str(transport).is_err() {
                let transport = transport.to_owned();
                return Err(Inexpressible::Transport { transport });
            }
            via.typed().is_ok_and(|theirs| {
                let ours = Via::parse(value).and_then(|ours| ours.branch());
                theirs.branch().map(|branch| branch.value()) == ours
            })
        }
        Header::From(from) => from
            .typed()
            .is_ok_and(|from| same_address(value, &from.uri)),
        Header::To(to) => to.typed().is_ok_and(|to| same_address(value, &to.uri)),
        // RFC 3261 §10.2.2: the asterisk of a REGISTER is no address.
        Header::Contact(_) if value == "*" => true,
        Header::Contact(contact) => {
            let typed = contact.typed();
            typed.is_ok_and(|contact| same_address(value, &contact.uri))
        }
        Header::CSeq(cseq) => cseq
            .typed()
            .is_ok_and(|cseq| format!("{} {}", cseq.seq, cseq.method) == value),
        _ => true,
    };
    if same { Ok(()) } else { Err(otherwise(field)) }
}

fn same_address(value: &str, theirs: &rsip::Uri) -> bool {
    NameAddr::parse(value).is_some_and(|ours| same_uri(ours.uri_str(), theirs))
}

fn otherwise(field: &Field) -> Inexpressible {
    Inexpressible::Field {
        name: field.name().to_owned(),
        value: field.value().to_owned(),
    }
}
