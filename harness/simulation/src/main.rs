//! The command `linefault`.

use std::process::ExitCode;

fn main() -> ExitCode {
    linefault::cli::main()
}
