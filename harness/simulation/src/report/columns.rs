//! In which order the columns of a ladder stand.
//!
//! Owns that order: as messages name them, sender before receiver, so that a caller stands left of its proxy and the
//! callee right of it, whatever the order in the file. Hosts that no message names follow in the file's order, and
//! addresses that nobody has stand last.

use super::chart::{Column, Rung};

/// Puts the columns in order, and the rungs where they are then. The first `hosts` of them are hosts.
pub(super) fn arrange(columns: Vec<Column>, hosts: usize, rungs: &mut [Rung]) -> Vec<Column> {
    let mut order = Vec::with_capacity(columns.len());
    let named = rungs
        .iter()
        .filter_map(|rung| Some([rung.from?, rung.to?]))
        .flatten()
        .filter(|column| *column < hosts);
    for column in named.chain(0..columns.len()) {
        if !order.contains(&column) {
            order.push(column);
        }
    }
    let place = |column: usize| order.iter().position(|old| *old == column);
    for rung in rungs {
        rung.from = rung.from.and_then(place);
        rung.to = rung.to.and_then(place);
    }
    let mut placed: Vec<_> = columns.into_iter().enumerate().collect();
    placed.sort_by_key(|(column, _)| place(*column));
    placed.into_iter().map(|(_, column)| column).collect()
}

#[cfg(test)]
mod tests {
    use linefault_network::Instant;

    use super::*;
    use crate::report::Style;

    fn rung(from: usize, to: Option<usize>) -> Rung {
        Rung {
            at: Instant::START,
            style: Style::Request,
            from: Some(from),
            to,
            lost: false,
            faulted: false,
            thread: None,
            label: String::new(),
            remarks: Vec::new(),
            sendings: Vec::new(),
            text: String::new(),
        }
    }

    fn arranged(names: &[&str], hosts: usize, rungs: &mut [Rung]) -> Vec<String> {
        let column = |name: &&str| Column {
            name: (*name).to_owned(),
            detail: String::new(),
        };
        let columns = arrange(names.iter().map(column).collect(), hosts, rungs);
        columns.into_iter().map(|column| column.name).collect()
    }

    // The file names the proxy first, as most do; a log line of the callee, which comes first, is no message.
    #[test]
    fn a_proxy_stands_between_caller_and_callee() {
        let mut rungs = [rung(2, None), rung(1, Some(0)), rung(0, Some(2))];
        let names = arranged(&["proxy", "alice", "bob"], 3, &mut rungs);
        assert_eq!(names, ["alice", "proxy", "bob"]);
        let ends = rungs.map(|rung| (rung.from, rung.to));
        let expected = [(Some(2), None), (Some(0), Some(1)), (Some(1), Some(2))];
        assert_eq!(ends, expected);
    }

    #[test]
    fn whom_no_message_names_follows_and_an_address_that_nobody_has_stands_last() {
        let mut rungs = [rung(0, Some(3)), rung(0, Some(2))];
        let names = arranged(&["proxy", "idle", "bob", "192.0.2.7:5060"], 3, &mut rungs);
        assert_eq!(names, ["proxy", "bob", "idle", "192.0.2.7:5060"]);
        assert_eq!(rungs[0].to, Some(3));
    }
}
