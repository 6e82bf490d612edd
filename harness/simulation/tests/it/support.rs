//! Starting the command, and a scenario to give it.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// A small scenario that passes; tests change words of it.
pub(crate) const CALL: &str = r#"title = "A call"

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
  { at = "5s", host = "alice", do = "hang-up" },
]

[outcome]
expect = [
  { name = "answered", host = "alice", receives = "200 INVITE" },
]
"#;

/// The repository's own scenarios.
pub(crate) fn scenarios() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../scenarios")
}

/// What a run of the command came to.
pub(crate) struct Ran {
    pub(crate) code: Option<i32>,
    pub(crate) out: String,
    pub(crate) err: String,
}

/// Runs the command in a folder.
pub(crate) fn linefault(folder: &Path, arguments: &[&str]) -> Ran {
    run_program(env!("CARGO_BIN_EXE_linefault").as_ref(), folder, arguments)
}

/// Runs another build of the command.
pub(crate) fn run_program(program: &Path, folder: &Path, arguments: &[&str]) -> Ran {
    let ran = Command::new(program).args(arguments).current_dir(folder).output();
    let Output { status, stdout, stderr } = ran.expect("the command starts");
    let text = |bytes| String::from_utf8(bytes).expect("the command speaks UTF-8");
    Ran { code: status.code(), out: text(stdout), err: text(stderr) }
}

/// A folder with one file in it.
pub(crate) fn folder_with(name: &str, text: &str) -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a temporary folder");
    std::fs::write(folder.path().join(name), text).expect("it can be written to");
    folder
}
