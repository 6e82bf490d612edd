//! The table itself, by code.

use super::Row;

const fn row(
    code: u16,
    cause: &'static str,
    scenario: &'static str,
    with: &'static str,
    clause: &'static str,
) -> Row {
    Row {
        code,
        cause,
        scenario,
        with,
        clause,
    }
}

/// Every cause of every code, by code.
pub const ROWS: &[Row] = &[
    row(
        100,
        "a proxy takes an INVITE",
        "invite/timer-b",
        "stops the repetition of the INVITE; is never passed on",
        "§16.2, §21.1.1",
    ),
    row(
        180,
        "the callee's phone rings",
        "call/caller-hangs-up",
        "Contact and a To tag: an early dialog",
        "§13.3.1.1, §21.1.2",
    ),
    row(
        200,
        "the callee picks up",
        "call/caller-hangs-up",
        "Contact, Allow and a session description",
        "§13.3.1.4, §21.2.1",
    ),
    row(
        400,
        "a request without a Call-ID",
        "malformed/missing-call-id",
        "a reason phrase that names the fault",
        "§21.4.1",
    ),
    row(
        408,
        "nobody answers an INVITE: Timer B",
        "invite/timer-b",
        "",
        "§16.8, §17.1.1.2, §21.4.9",
    ),
    row(
        423,
        "a registration shorter than the registrar grants",
        "registration/too-brief",
        "Min-Expires",
        "§10.3 step 7, §21.4.17",
    ),
    row(
        480,
        "the callee's host is unreachable",
        "invite/unreachable",
        "",
        "§21.4.18",
    ),
    row(
        481,
        "a CANCEL that matches nothing",
        "field/stray-cancel",
        "",
        "§9.2, §21.4.19",
    ),
    row(
        486,
        "the callee's phone is told to refuse so",
        "call/busy",
        "",
        "§21.4.24",
    ),
    row(
        487,
        "the caller cancels before the answer",
        "call/cancelled",
        "follows the 200 to the CANCEL",
        "§9.2, §21.4.25",
    ),
    row(
        500,
        "a proxy's program fails while forwarding, by policy rfc3261",
        "program/fails-while-forwarding",
        "",
        "§21.5.1",
    ),
    row(
        502,
        "a proxy's program fails while forwarding, by policy incident",
        "program/fails-while-forwarding",
        "",
        "§21.5.3",
    ),
    row(
        503,
        "a proxy's own firewall stops what it sends, by policy incident",
        "invite/not-permitted",
        "",
        "§16.9, §21.5.4",
    ),
    row(603, "the callee declines", "call/declined", "", "§21.6.2"),
];
