//! From rsip's message to ours.

use rsip::prelude::HasHeaders as _;

use super::Unreadable;
use crate::sip::{Limits, Message, Status, Verdict, parse};

impl TryFrom<&rsip::SipMessage> for Message {
    type Error = Unreadable;

    /// # Errors
    /// What no element would accept: rsip's types can hold more than SIP allows.
    fn try_from(message: &rsip::SipMessage) -> Result<Self, Unreadable> {
        if *message.version() != rsip::Version::V2 {
            return Err(Unreadable::Version);
        }
        let mut text = match message {
            rsip::SipMessage::Request(request) => {
                let uri = one_line(request.uri.to_string(), "Request-URI")?;
                format!("{} {uri} SIP/2.0\r\n", request.method)
            }
            rsip::SipMessage::Response(response) => status_line(&response.status_code)?,
        };
        let mut count = 0;
        for header in message.headers().iter() {
            text += &one_line(header.to_string(), "header field")?;
            text += "\r\n";
            count += 1;
        }
        text += "\r\n";
        let bytes = [text.as_bytes(), message.body()].concat();
        let read = match parse(&bytes, &Limits::default()) {
            Verdict::Accept(read) => read,
            Verdict::Reject(rejection) => return Err(refused(rejection.reason)),
            Verdict::Drop(reason) => return Err(refused(reason.to_string())),
        };
        if read.fields().count() != count {
            return Err(refused("its header fields run into each other".to_owned()));
        }
        let (length, left) = (message.body().len(), read.body().len());
        if length != left {
            return Err(Unreadable::Body { length, read: left });
        }
        Ok(read)
    }
}

fn status_line(status: &rsip::StatusCode) -> Result<String, Unreadable> {
    let code = status.code();
    let known = Status::new(code).ok_or(Unreadable::Status { code })?;
    let reason = match status {
        rsip::StatusCode::Other(_, reason) => one_line(reason.clone(), "reason phrase")?,
        _ => known.reason().to_owned(),
    };
    Ok(format!("SIP/2.0 {code} {reason}\r\n"))
}

fn one_line(text: String, place: &'static str) -> Result<String, Unreadable> {
    if text.contains(['\r', '\n']) {
        return Err(Unreadable::LineBreak { place });
    }
    Ok(text)
}

fn refused(fault: String) -> Unreadable {
    Unreadable::Refused { fault }
}
