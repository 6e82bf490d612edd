//! The conversions to and from rsip, over every message that the scenarios put on the wire.

use std::collections::{BTreeMap, BTreeSet};

use linefault::evidence::Evidence;
use linefault::run::{Setup, simulate};
use linefault::suite::Suite;
use linefault_protocol::sip::Message;
use linefault_protocol::sip::bridge::Inexpressible;

use crate::support::scenarios;

/// The well-formed messages of all scenarios, each once.
fn messages() -> BTreeMap<Vec<u8>, Message> {
    let suite = Suite::load(&[scenarios()], &[]).expect("the scenarios can be read");
    let mut messages = BTreeMap::new();
    for test in suite.tests.iter().filter(|test| test.known_bad().is_none()) {
        let simulation = simulate(test.scenario(), Setup::default());
        let evidence = Evidence::new(&simulation);
        let sent = evidence.transmissions.iter();
        for message in sent.filter_map(|sent| sent.message.as_ref()) {
            if message.well_formed {
                let message = message.message.clone();
                messages.insert(message.to_bytes().to_vec(), message);
            }
        }
    }
    messages
}

/// Start line and header fields as text, and the body.
fn meaning(message: &Message) -> (Vec<String>, &[u8]) {
    let status = message.status().map(|status| status.code());
    let start = format!("{:?} {status:?}", message.request_uri());
    let fields = message.fields();
    let fields = fields.map(|field| format!("{}: {}", field.name(), field.value()));
    (
        std::iter::once(start).chain(fields).collect(),
        message.body(),
    )
}

// What goes across comes back as it was; what does not has a reason that a caller can match on, and "it reads none of it"
// is none of those: whoever meets it has found something that the list of reasons lacks.
#[test]
fn every_message_of_the_scenarios_goes_there_and_back_or_has_its_reason() {
    let (mut across, mut reasons) = (0, BTreeSet::new());
    for message in messages().values() {
        match rsip::SipMessage::try_from(message) {
            Ok(theirs) => {
                let back = Message::try_from(&theirs).expect("it came from a SIP message");
                assert_eq!(meaning(&back), meaning(message));
                across += 1;
            }
            Err(Inexpressible::Refused { error }) => panic!("{error}: {message:?}"),
            Err(reason) => {
                let reason = format!("{reason:?}");
                let name = reason.split(' ').next().unwrap_or_default().to_owned();
                reasons.insert(name);
            }
        }
    }
    assert!(across > 1000, "{across}");
    assert!(reasons.contains("Reason"), "{reasons:?}");
}
