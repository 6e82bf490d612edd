use linefault_protocol::sip::transaction::{Kind, State, Timer};
use serde_json::json;

use super::item::{can_fire, states};
use super::{Coverage, CoverageError, FaultKind, Item, MessageKind};
use crate::evidence::Evidence;
use crate::run::{Setup, simulate};
use crate::scenario::File;
use crate::suite::names;

const CALL: &str = r#"title = "A call"

[lan.office]
subnet = "10.0.0.0/24"

[host.proxy]
actor = "proxy"
domain = "sim.test"

[host.alice]
actor = "phone"
user = "alice"
registrar = "proxy"

[host.bob]
actor = "phone"
user = "bob"
registrar = "proxy"

[timeline]
steps = [
  { at = "0s", host = "alice", do = "register" },
  { at = "0s", host = "bob", do = "register" },
  { at = "1s", host = "alice", do = "call", to = "bob" },
  { at = "8s", host = "alice", do = "hang-up" },
]
faults = [
  FAULT
]
"#;

fn covered(fault: &str) -> Coverage {
    let text = CALL.replace("FAULT", fault);
    let file =
        File::read("call.toml", &text, &names()).unwrap_or_else(|mistakes| panic!("{mistakes}"));
    let scenario = file.resolve(&file.combinations()[0], &[]).unwrap();
    let simulation = simulate(&scenario, Setup::default());
    Coverage::of(&Evidence::new(&simulation), &scenario)
}

fn fault(name: &str) -> FaultKind {
    FaultKind::named(name).unwrap()
}

fn message(name: &str) -> MessageKind {
    MessageKind::named(name).unwrap()
}

fn touched(coverage: &Coverage) -> Vec<String> {
    let items = coverage.items();
    let touched = items.filter_map(|(item, _)| match item {
        Item::Touched(fault, message) => Some(format!("{fault} {message}")),
        _ => None,
    });
    touched.collect()
}

// Exactly the message that was lost: a reader that blamed the fault for more would list others here.
#[test]
fn a_lost_message_is_touched_and_no_other() {
    let coverage = covered(
        r#"{ at = "0s", fault = "drop", message = "200 BYE", from = "bob", to = "proxy", times = 1 }"#,
    );
    assert_eq!(touched(&coverage), ["drop 2xx BYE"]);
    assert_eq!(coverage.count(Item::Missed(fault("drop"))), 0);
    let retransmitted = Item::Fired(Kind::NonInviteClient, State::Trying, Timer::E);
    assert_eq!(coverage.count(retransmitted), 1, "the BYE was sent again");
    let gave_up = Item::Fired(Kind::InviteClient, State::Calling, Timer::B);
    assert_eq!(coverage.count(gave_up), 0);
}

// The ACK is the last that bob gets; the BYE is lost for his silence, and so is what the proxy asks him then.
#[test]
fn a_host_that_breaks_touches_what_it_heard_last_and_what_is_lost_on_it() {
    let coverage = covered(r#"{ at = "6s", fault = "power-off", host = "bob" }"#);
    assert_eq!(
        touched(&coverage),
        ["power-off ACK", "power-off BYE", "power-off OPTIONS"]
    );
}

#[test]
fn a_fault_that_meets_nothing_is_counted_as_such() {
    let coverage = covered(
        r#"{ at = "0s", fault = "drop", message = "PRACK", from = "bob", to = "proxy", may_miss = true }"#,
    );
    assert_eq!(touched(&coverage), [""; 0]);
    assert_eq!(coverage.count(Item::Missed(fault("drop"))), 1);
    let holes = coverage.holes();
    assert!(holes.contains(&Item::Touched(fault("drop"), message("INVITE"))));
    assert!(!holes.contains(&Item::Touched(fault("drop"), message("PRACK"))));
}

// A sum that depended on order or grouping would make a campaign's result depend on its workers.
#[test]
fn merging_is_commutative_and_associative_and_json_keeps_all() {
    let parts = [
        covered(r#"{ at = "6s", fault = "power-off", host = "bob" }"#),
        covered(r#"{ at = "0s", fault = "delay", by = "1s", message = "INVITE" }"#),
        covered(""),
    ];
    let sum = |order: [usize; 3]| {
        let mut sum = Coverage::default();
        order.iter().for_each(|part| sum.merge(&parts[*part]));
        sum
    };
    let mut grouped = parts[1].clone();
    grouped.merge(&parts[2]);
    let mut left = parts[0].clone();
    left.merge(&grouped);
    assert_eq!(sum([0, 1, 2]), left);
    assert_eq!(sum([2, 0, 1]), left);
    assert_eq!(left.runs(), 3);
    assert_ne!(left.to_json(), parts[0].to_json());
    assert_eq!(Coverage::from_json(&left.to_json()), Ok(left));
}

#[test]
fn foreign_json_is_refused_with_its_place() {
    let refused = |value| Coverage::from_json(&value).unwrap_err();
    let path = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
    assert_eq!(refused(json!(3)), CoverageError::Shape { path: path(&[]) });
    let negative = CoverageError::Shape {
        path: path(&["armed", "drop"]),
    };
    assert_eq!(refused(json!({"armed": {"drop": -1}})), negative);
    let unknown = CoverageError::Unknown {
        path: path(&["touched", "drop", "INVITATION"]),
    };
    let value = json!({"touched": {"drop": {"INVITATION": 1}}});
    assert_eq!(refused(value), unknown);
}

#[test]
fn every_kind_of_message_and_fault_is_found_by_its_name() {
    let kinds: Vec<_> = MessageKind::all().collect();
    for kind in &kinds {
        assert_eq!(MessageKind::named(&kind.to_string()), Some(*kind));
    }
    assert_eq!(MessageKind::named("7xx INVITE"), None);
    assert_eq!(MessageKind::named("2"), None);
    for kind in FaultKind::all() {
        assert_eq!(FaultKind::named(kind.name()), Some(kind));
    }
}

// The tables are the source of what is possible: these are their cells, counted by hand in RFC 3261's figures 5 to 8 with
// RFC 6026's changes and Timer C.
#[test]
fn what_is_possible_is_what_the_machines_tables_say() {
    let pairs = |kind| {
        let at = states(kind).flat_map(|state| Timer::ALL.map(|timer| (state, timer)));
        let fire = at.filter(|(state, timer)| can_fire(kind, *state, *timer));
        fire.map(|(state, timer)| format!("{state} {timer}"))
            .collect::<Vec<_>>()
    };
    assert_eq!(
        pairs(Kind::InviteClient),
        [
            "Calling A",
            "Calling B",
            "Proceeding C",
            "Accepted M",
            "Completed D"
        ]
    );
    assert_eq!(
        pairs(Kind::NonInviteClient),
        [
            "Trying E",
            "Trying F",
            "Proceeding E",
            "Proceeding F",
            "Completed K"
        ]
    );
    assert_eq!(
        pairs(Kind::InviteServer),
        [
            "Proceeding Trying",
            "Accepted L",
            "Completed G",
            "Completed H",
            "Confirmed I"
        ]
    );
    assert_eq!(pairs(Kind::NonInviteServer), ["Completed J"]);
}

#[test]
fn both_tables_show_what_was_hit_and_what_was_not() {
    let coverage = covered(
        r#"{ at = "0s", fault = "drop", message = "200 BYE", from = "bob", to = "proxy", times = 1 }"#,
    );
    insta::assert_snapshot!(coverage.to_string());
}
