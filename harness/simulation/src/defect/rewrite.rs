//! Changing the text of messages that an actor hears and sends.

use bytes::Bytes;
use linefault_actors::{Input, Output};

use crate::evidence::SipMessage;

/// The output with the first `old` in its message turned into `new`, if the message is one of those `wanted`.
pub(super) fn rewrite(
    output: Output,
    wanted: impl Fn(&SipMessage) -> bool,
    old: &str,
    new: &str,
) -> Output {
    rewrite_with(output, wanted, |text| text.replacen(old, new, 1))
}

/// The output with other text, if its message is one of those `wanted`.
pub(super) fn rewrite_with(
    output: Output,
    wanted: impl Fn(&SipMessage) -> bool,
    change: impl Fn(&str) -> String,
) -> Output {
    let Output::Send {
        to,
        transport,
        bytes,
        ticket,
    } = &output
    else {
        return output;
    };
    let message = SipMessage::read(bytes).filter(wanted);
    let text = message.and_then(|_| std::str::from_utf8(bytes).ok());
    match text {
        Some(text) => Output::Send {
            to: *to,
            transport: *transport,
            bytes: change(text).into(),
            ticket: *ticket,
        },
        None => output,
    }
}

/// The input with other bytes, if it brings a message of which `change` makes some.
pub(super) fn reread(input: Input, change: impl FnOnce(&Bytes) -> Option<Bytes>) -> Input {
    match input {
        Input::Datagram {
            from,
            transport,
            bytes,
        } => Input::Datagram {
            from,
            transport,
            bytes: change(&bytes).unwrap_or(bytes),
        },
        other => other,
    }
}

/// The message of an output, if it sends one.
pub(super) fn sent(output: &Output) -> Option<SipMessage> {
    match output {
        Output::Send { bytes, .. } => SipMessage::read(bytes),
        Output::Close { .. } | Output::Report(_) => None,
    }
}
