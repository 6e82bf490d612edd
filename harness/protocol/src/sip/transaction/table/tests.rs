use super::*;

/// One line for every state × event pair, so that a change of any cell shows.
fn render(kind: Kind) -> String {
    let mut text = format!("{kind} transaction\n");
    for state in State::ALL {
        let cells = Event::ALL.map(|event| (event, step(kind, state, event)));
        if cells.iter().all(|(_, cell)| cell.is_err()) {
            text += &format!("\n{state}\n  {:<17} illegal\n", "every event");
            continue;
        }
        text += &format!("\n{state}\n");
        for (event, cell) in cells {
            text += &match cell {
                Ok(row) => line(state, event, row),
                Err(_) => format!("  {event:<17} illegal\n", event = event.to_string()),
            };
        }
    }
    text
}

fn line(state: State, event: Event, row: Row) -> String {
    let actions: Vec<String> = row.actions.iter().map(ToString::to_string).collect();
    let actions = if actions.is_empty() {
        "absorb".to_owned()
    } else {
        actions.join(", ")
    };
    let next = if row.next == state {
        String::new()
    } else {
        format!(" → {}", row.next)
    };
    format!("  {:<17} {actions}{next}\n", event.to_string())
}

#[test]
fn invite_client_table() {
    insta::assert_snapshot!(render(Kind::InviteClient));
}

#[test]
fn non_invite_client_table() {
    insta::assert_snapshot!(render(Kind::NonInviteClient));
}

#[test]
fn invite_server_table() {
    insta::assert_snapshot!(render(Kind::InviteServer));
}

#[test]
fn non_invite_server_table() {
    insta::assert_snapshot!(render(Kind::NonInviteServer));
}

/// What a peer sends must never be an error of ours: every state that a machine can be in has a cell for it.
#[test]
fn the_wire_never_meets_an_illegal_pair() {
    for kind in Kind::ALL {
        let from_wire: &[Event] = match kind {
            Kind::InviteServer => &[Event::Repeat, Event::Ack],
            Kind::NonInviteServer => &[Event::Repeat],
            _ => &[Event::Provisional, Event::Success, Event::Failure],
        };
        for state in reachable(kind) {
            for event in from_wire
                .iter()
                .chain(&[Event::TransportError, Event::Terminate])
            {
                assert!(step(kind, state, *event).is_ok(), "{kind} {state} {event}");
            }
        }
    }
}

/// Started and not over.
fn reachable(kind: Kind) -> Vec<State> {
    let mut found = vec![State::Initial];
    let mut at = 0;
    while at < found.len() {
        for event in Event::ALL {
            if let Ok(row) = step(kind, found[at], event)
                && !found.contains(&row.next)
            {
                found.push(row.next);
            }
        }
        at += 1;
    }
    found.retain(|state| !matches!(state, State::Initial | State::Terminated));
    found
}
