//! One test per scenario file, combination and broken twin; each compares with its snapshot in `snapshots/`.
//!
//! `cargo insta review` shows what changed; `INSTA_UPDATE=always cargo test` accepts it unseen.

use std::process::ExitCode;

fn main() -> ExitCode {
    linefault::suite("scenarios").run()
}
