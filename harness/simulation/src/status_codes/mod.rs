//! The status codes of RFC 3261 §21, each with the scenario in which it goes out because of what happened.
//!
//! Owns the table and the page that is made from it. Refuses codes that no reviewed run has sent: the tests of this crate
//! look for each in the snapshot of its scenario.

mod rows;

pub use rows::ROWS;

/// One cause of one status code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Row {
    /// The code.
    pub code: u16,
    /// What happened, as far as the scenario shows it.
    pub cause: &'static str,
    /// The scenario's file below `scenarios`, without its ending.
    pub scenario: &'static str,
    /// The header fields, the body or the reason phrase that come with it; empty if nothing must.
    pub with: &'static str,
    /// Where that is written.
    pub clause: &'static str,
}

/// Every code of RFC 3261 §21.
pub const CODES: [u16; 50] = [
    100, 180, 181, 182, 183, 200, 300, 301, 302, 305, 380, 400, 401, 402, 403, 404, 405, 406, 407,
    408, 410, 413, 414, 415, 416, 420, 421, 423, 480, 481, 482, 483, 484, 485, 486, 487, 488, 491,
    493, 500, 501, 502, 503, 504, 505, 513, 600, 603, 604, 606,
];

/// The page of that table, in Markdown.
#[must_use]
pub fn page() -> String {
    let mut text = HEAD.to_owned();
    for row in ROWS {
        let Row {
            code,
            cause,
            scenario,
            with,
            clause,
        } = row;
        text +=
            &format!("| {code} | {cause} | `scenarios/{scenario}.toml` | {with} | {clause} |\n");
    }
    text
}

const HEAD: &str = "\
# Status codes

Every code of RFC 3261 §21 goes out in at least one scenario, because of what happened there; some from several causes. A
phone is simply told to answer only with those that nothing but a user can decide.

The table is made from `harness/simulation/src/status_codes/rows.rs`, and a test looks for each code in the reviewed
snapshot of its scenario. Of a clause without a number of its own, the RFC is 3261.

| code | cause | scenario | what comes with it | clause |
|---|---|---|---|---|
";

#[cfg(test)]
mod tests {
    use super::*;

    /// A table in order shows at a glance what it has; a list of codes with one twice would hide that one is left out.
    #[test]
    fn rows_and_codes_are_in_order() {
        assert!(ROWS.is_sorted_by_key(|row| row.code));
        assert!(CODES.is_sorted_by(|one, next| one < next));
    }
}
